//! Callers who do not behave, each kind from an address of its own.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use super::load::Reply;
use super::servers::{get, own_cpu};
use super::site::RESULTS;

/// How often each slow one sends a byte.
const PAUSE: Duration = Duration::from_millis(200);
/// How long an answer may be out before the connection is given up for another.
const PATIENCE: Duration = Duration::from_secs(1);

/// What somebody does to the service.
#[derive(Clone, Debug)]
pub(crate) enum Flood {
    /// Nothing.
    None,
    /// Sends header fields and bodies byte by byte on so many connections, and on others does not read what it has
    /// asked for.
    Slow { senders: usize, deaf: usize },
    /// Asks, each of these in turn, on so many connections, as fast as it is answered or so often a second.
    Asking { requests: Vec<Vec<u8>>, connections: usize, rate: Option<u32> },
    /// Opens connections, with two threads, and closes them at once, as fast as it can or so often a second.
    Opening(Option<u32>),
}

/// What a flood has done.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Did {
    /// Answers, or connections, or bytes of slow ones.
    pub(crate) done: u32,
    /// Of these the answers that were no more than 429 or 503.
    pub(crate) refused: u32,
    /// How often a connection ended before its answer.
    pub(crate) ended: u32,
    /// What it cost to do it.
    pub(crate) cpu: Duration,
}

impl Did {
    fn with(self, other: Self) -> Self {
        Self {
            done: self.done + other.done,
            refused: self.refused + other.refused,
            ended: self.ended + other.ended,
            cpu: self.cpu + other.cpu,
        }
    }
}

impl Flood {
    /// Polls.
    pub(crate) fn of_polls(connections: usize, rate: Option<u32>) -> Self {
        Self::Asking { requests: vec![get(RESULTS, "")], connections, rate }
    }

    /// Counts that nobody has asked for before, of the kinds that cost most.
    pub(crate) fn of_counts() -> Self {
        let rules = ["rule=stv&seats=5", "rule=kemeny", "rule=max-coverage&seats=5"];
        let requests = (0..10_000_u32).map(|number| {
            let (rule, sequence) = (rules[number as usize % rules.len()], 3 + number % 227);
            // Orders of the same points are different parameters.
            let weight = 1 + number / 227;
            get(&format!("{RESULTS}?{rule}&asOf={sequence}&ladder={weight},1"), "")
        });
        Self::Asking { requests: requests.collect(), connections: 8, rate: None }
    }

    /// Secrets that are wrong.
    pub(crate) fn of_secrets() -> Self {
        let body = "grant_type=client_credentials&client_id=nobody&client_secret=wrong";
        let request = format!(
            "POST /oauth/token HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        Self::Asking { requests: vec![request.into_bytes()], connections: 16, rate: None }
    }

    /// Does it from an address to a server, while the other thing is done.
    pub(crate) fn during<T>(
        &self,
        from: Ipv4Addr,
        to: SocketAddr,
        other: impl FnOnce(&dyn Fn() -> Did) -> T,
    ) -> T {
        let stop = AtomicBool::new(false);
        let way = Way { from, to, stop: &stop };
        std::thread::scope(|scope| {
            let threads = match self {
                Self::None => 0,
                Self::Slow { .. } => 1,
                Self::Asking { connections, .. } => *connections,
                Self::Opening(_) => 2,
            };
            let spawn = |place| scope.spawn(move || self.work(way, place, threads));
            let threads: std::cell::Cell<Vec<_>> = std::cell::Cell::new((0..threads).map(spawn).collect());
            let end = || {
                stop.store(true, Ordering::Relaxed);
                let joined = threads.take().into_iter().map(|thread| thread.join().unwrap_or_default());
                joined.fold(Did::default(), Did::with)
            };
            let outcome = other(&end);
            end();
            outcome
        })
    }

    fn work(&self, way: Way<'_>, place: usize, of: usize) -> Did {
        let pause = |rate: Option<u32>| {
            rate.map(|rate| Duration::from_secs(1) * u32::try_from(of).unwrap_or(1) / rate)
        };
        let did = match self {
            Self::None => Did::default(),
            Self::Slow { senders, deaf } => way.dawdle(*senders, *deaf),
            Self::Asking { requests, rate, .. } => {
                way.ask(requests, place * requests.len() / of, pause(*rate))
            }
            Self::Opening(rate) => way.open_and_close(pause(*rate)),
        };
        Did { cpu: own_cpu(), ..did }
    }
}

/// From where to where, and whether it has ended.
#[derive(Clone, Copy)]
struct Way<'a> {
    from: Ipv4Addr,
    to: SocketAddr,
    stop: &'a AtomicBool,
}

impl Way<'_> {
    fn goes_on(self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// A connection that ends without a farewell, so that no port waits for one.
    fn connect(self) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((self.from, 0)).into())?;
        socket.set_linger(Some(Duration::ZERO))?;
        socket.set_tcp_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.connect(&self.to.into())?;
        Ok(socket.into())
    }

    fn ask(self, requests: &[Vec<u8>], first: usize, pause: Option<Duration>) -> Did {
        let (mut did, mut connection) = (Did::default(), None);
        let mut buffer = vec![0; 64 * 1024];
        let mut due = Instant::now();
        for request in requests.iter().cycle().skip(first) {
            if !self.goes_on() {
                break;
            }
            if let Some(pause) = pause {
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                due += pause;
            }
            let asked = connection.take().map_or_else(|| self.connect(), Ok).and_then(|mut stream| {
                let status = exchange(&mut stream, request, &mut buffer)?;
                connection = Some(stream);
                Ok(status)
            });
            match asked {
                Ok(status) => {
                    did.done += 1;
                    did.refused += u32::from(matches!(status, 429 | 503));
                }
                Err(_) => did.ended += 1,
            }
        }
        did
    }

    fn open_and_close(self, pause: Option<Duration>) -> Did {
        let (mut did, mut due) = (Did::default(), Instant::now());
        while self.goes_on() {
            if let Some(pause) = pause {
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                due += pause;
            }
            match self.connect() {
                Ok(_) => did.done += 1,
                Err(_) => did.ended += 1,
            }
        }
        did
    }

    fn dawdle(self, senders: usize, deaf: usize) -> Did {
        let mut did = Did::default();
        let mut callers: Vec<Option<TcpStream>> = (0..senders + deaf).map(|_| None).collect();
        let head = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Field: ";
        let body: &[u8] = b"POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\
            Content-Type: application/x-www-form-urlencoded\r\n\r\n";
        let much = b"GET /handslag/v1/openapi.yaml HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(64);
        while self.goes_on() {
            for (number, caller) in callers.iter_mut().enumerate() {
                let (start, more): (&[u8], &[u8]) = match number {
                    _ if number >= senders => (&much, &much),
                    _ if number % 2 == 0 => (head, b"x"),
                    _ => (body, b"x"),
                };
                let sent = match caller {
                    Some(stream) => stream.write(more),
                    None => self.connect().and_then(|mut stream| {
                        stream.set_nonblocking(true)?;
                        let sent = stream.write(start);
                        *caller = Some(stream);
                        sent
                    }),
                };
                match sent {
                    Ok(_) => did.done += 1,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(_) => {
                        *caller = None;
                        did.ended += 1;
                    }
                }
            }
            std::thread::sleep(PAUSE);
        }
        did
    }
}

/// The status of the answer to a request.
fn exchange(stream: &mut TcpStream, request: &[u8], buffer: &mut [u8]) -> io::Result<u16> {
    stream.write_all(request)?;
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..])?;
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        filled += read;
        if let Some(reply) = Reply::read(&buffer[..filled]).map_err(io::Error::other)? {
            return Ok(reply.status);
        }
    }
}
