//! Requests on a connection of their own that are sent now and answered later: for races.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::{Reply, Request};

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
