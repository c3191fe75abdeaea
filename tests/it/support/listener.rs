//! A reader of server-sent events over a connection of its own, as the standard describes it and no laxer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant as Monotonic};

use serde_json::Value;

use super::{Reply, Request};

/// How long an event may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Somebody who listens.
pub(crate) struct Listener {
    stream: BufReader<TcpStream>,
    /// The reply's head.
    pub(crate) reply: Reply,
    /// What has come and is not yet a whole block.
    rest: String,
}

/// A block of the stream: an event, or what is said beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// `id`
    pub(crate) id: Option<u64>,
    /// `event`
    pub(crate) name: Option<String>,
    /// `data`, which must be one line.
    pub(crate) data: Option<String>,
    /// `retry`
    pub(crate) retry: Option<u64>,
    /// The text of a comment.
    pub(crate) comment: Option<String>,
}

impl Event {
    /// The data as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let data = self.data.as_deref().unwrap_or_else(|| panic!("no data in {self:?}"));
        serde_json::from_str(data).unwrap_or_else(|error| panic!("no JSON: {error} in {self:?}"))
    }

    fn read(block: &str) -> Self {
        let mut event = Self::default();
        let set = |field: &mut Option<String>, value: &str| {
            assert!(field.replace(value.to_owned()).is_none(), "a field stands twice in {block:?}");
        };
        for line in block.split('\n') {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("no field: {line:?}"));
            match name {
                "" => set(&mut event.comment, value),
                "event" => set(&mut event.name, value),
                "data" => set(&mut event.data, value),
                "id" => event.id = Some(value.parse().expect("an id is a sequence")),
                "retry" => event.retry = Some(value.parse().expect("retry is a number")),
                name => panic!("there is no field {name:?}: {block:?}"),
            }
        }
        event
    }
}

impl Listener {
    /// Begins to listen; the reply must be a stream.
    #[track_caller]
    pub(super) fn open(request: &Request<'_>, address: SocketAddr, head: &str) -> Self {
        let mut stream = TcpStream::connect(address).expect("the service listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a TCP connection");
        stream.write_all(head.as_bytes()).expect("the service takes the request");
        let mut stream = BufReader::new(stream);
        let status = line(&mut stream);
        let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
        let mut headers = Vec::new();
        loop {
            let field = line(&mut stream);
            let Some((name, value)) = field.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let reply = Reply { status: status.expect("a status line has a status"), headers, body: Vec::new() };
        let reply = request.receive(reply.is(200));
        assert_eq!(reply.field("Content-Type"), "text/event-stream");
        assert_eq!(reply.field("Transfer-Encoding"), "chunked");
        Self { stream, reply, rest: String::new() }
    }

    /// The next block; none at the end of the stream.
    #[track_caller]
    pub(crate) fn block(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.rest.split_once("\n\n") {
                let block = Event::read(block);
                self.rest = rest.to_owned();
                return Some(block);
            }
            let length = line(&mut self.stream);
            let length = usize::from_str_radix(&length, 16).expect("a chunk begins with its length");
            let mut chunk = vec![0; length + 2];
            self.stream.read_exact(&mut chunk).expect("a chunk is whole");
            assert_eq!(chunk.split_off(length), b"\r\n", "a chunk ends with a line break");
            if length == 0 {
                assert_eq!(self.rest, "", "the stream ends between blocks");
                return None;
            }
            self.rest += &String::from_utf8(chunk).expect("a chunk holds whole blocks in UTF-8");
        }
    }

    /// The next event, whatever is said between; none at the end of the stream.
    #[track_caller]
    pub(crate) fn event(&mut self) -> Option<Event> {
        let began = Monotonic::now();
        loop {
            match self.block() {
                // Heartbeats alone would go on for ever.
                Some(block) if block.data.is_none() => {
                    assert!(began.elapsed() < PATIENCE, "waited for {PATIENCE:?} in vain for an event");
                }
                other => return other,
            }
        }
    }

    /// The next event, which must be a result.
    #[track_caller]
    pub(crate) fn result(&mut self) -> Event {
        let event = self.event().expect("the stream goes on");
        assert_eq!(event.name.as_deref(), Some("result"), "{event:?}");
        assert_eq!(event.json()["sequence"].as_u64(), event.id, "{event:?}");
        event
    }

    /// Results until one of this sequence or a later one.
    #[track_caller]
    pub(crate) fn results_until(&mut self, sequence: u64) -> Vec<Event> {
        let mut results = vec![self.result()];
        while results.last().and_then(|result| result.id) < Some(sequence) {
            results.push(self.result());
        }
        results
    }
}

fn line(stream: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).expect("the service goes on, or ends in order");
    line.strip_suffix("\r\n").expect("a whole line").to_owned()
}
