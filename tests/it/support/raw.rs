//! Requests on a connection of their own that are sent now and answered later: for races, and for slow callers.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::{Reply, Request, Service};

/// A request that is on its way.
pub(crate) struct Unanswered<'a> {
    request: Request<'a>,
    stream: TcpStream,
}

impl<'a> Unanswered<'a> {
    pub(super) fn send(request: Request<'a>, address: SocketAddr, head: &str, body: Option<&[u8]>) -> Self {
        let mut stream = TcpStream::connect(address).expect("the service listens");
        stream.set_nodelay(true).expect("a TCP connection");
        stream.set_read_timeout(Some(Duration::from_mins(1))).expect("a TCP connection");
        let whole = [head.as_bytes(), body.unwrap_or_default()].concat();
        stream.write_all(&whole).expect("the service takes the request");
        Self { request, stream }
    }

    /// Sends the rest of a body of which only a part was sent.
    pub(crate) fn finish(&mut self, rest: &[u8]) {
        self.stream.write_all(rest).expect("the service still takes the body");
    }

    /// Gives up: the connection is reset, whatever the service does meanwhile.
    pub(crate) fn reset(self) {
        let socket = socket2::SockRef::from(&self.stream);
        socket.set_linger(Some(Duration::ZERO)).expect("a TCP connection");
    }

    /// Waits for the reply, and holds it against the API document.
    #[track_caller]
    pub(crate) fn reply(mut self) -> Reply {
        let mut bytes = Vec::new();
        self.stream.read_to_end(&mut bytes).expect("the service answers, and closes as it was asked to");
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head ends");
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let fields = lines.filter_map(|line| line.split_once(':'));
        let headers =
            fields.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
        self.request.receive(Reply {
            status: status.expect("a status line has a status"),
            headers,
            body: bytes[end + 4..].to_vec(),
        })
    }
}

/// A connection on which a test sends what it likes, as slowly as it likes.
pub(crate) struct Raw(TcpStream);

impl Raw {
    /// Connects.
    pub(crate) fn connect(service: &Service) -> Self {
        Self(TcpStream::connect(service.address()).expect("the service listens"))
    }

    /// Sends bytes; whether they could be sent.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).is_ok()
    }

    /// Sends as much as is taken at once, and says how much that was.
    pub(crate) fn send_what_is_taken(&mut self, bytes: &[u8]) -> usize {
        self.0.set_nonblocking(true).expect("a TCP connection");
        let mut sent = 0;
        while let Ok(n @ 1..) = self.0.write(&bytes[sent..]) {
            sent += n;
        }
        self.0.set_nonblocking(false).expect("a TCP connection");
        sent
    }

    /// Sends bytes one by one with a pause after each, until all are sent or nobody takes them.
    pub(crate) fn dribble(&mut self, bytes: &[u8], pause: Duration) {
        for byte in bytes {
            if !self.send([*byte]) {
                return;
            }
            std::thread::sleep(pause);
        }
    }

    /// Reads the head of an answer and as much of a body as it announces, and gives the status and the body.
    #[track_caller]
    pub(crate) fn answer(&mut self) -> (u16, Vec<u8>) {
        self.0.set_read_timeout(Some(Duration::from_secs(20))).expect("a TCP connection");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).expect("an answer has a head");
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).expect("a head is ASCII").to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let length =
            head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        self.0.read_exact(&mut body).expect("the body is whole");
        (status.expect("a status line has a status"), body)
    }

    /// Reads what is there within this time, at most so much; none at the end of the connection.
    pub(crate) fn read(&mut self, most: usize, within: Duration) -> Option<Vec<u8>> {
        self.0.set_read_timeout(Some(within)).expect("a TCP connection");
        let mut bytes = vec![0; most];
        match self.0.read(&mut bytes) {
            Ok(0) => None,
            Ok(n) => {
                bytes.truncate(n);
                Some(bytes)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Some(Vec::new())
            }
            Err(_) => None,
        }
    }

    /// Whether the other end closes within this time, whatever it says before.
    pub(crate) fn ends(&mut self, within: Duration) -> bool {
        let began = Instant::now();
        while let Some(left) = within.checked_sub(began.elapsed()).filter(|left| !left.is_zero()) {
            if self.read(64 * 1024, left).is_none() {
                return true;
            }
        }
        false
    }
}
