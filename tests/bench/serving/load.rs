//! The load generator: a thread or two, each waiting for all its connections at once, each connection with one request
//! on its way.
//!
//! It shares the machine with the server, so it does as little as it can: requests are bytes that were made before, and
//! of a reply it looks at the status, the length and, if it is to, the sequence.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use memchr::memmem;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::figures::Run;
use super::servers::Server;

/// How many threads send when there is no fixed rate.
const THREADS: usize = 2;
/// How long a reply may be out before the run is given up.
const PATIENCE: Duration = Duration::from_secs(20);
/// Room for the longest reply that is expected.
const REPLY: usize = 64 * 1024;

/// What is done with the sequences that replies state.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sequences<'a> {
    /// Nothing.
    Ignored,
    /// Each is noted as acknowledged, if none larger is.
    Acknowledged(&'a AtomicU64),
    /// Each is at least what was acknowledged before its request was sent, or the run is a failure.
    AtLeast(&'a AtomicU64),
}

/// What is sent, to whom, how, and what may come back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load<'a> {
    /// The server on loopback.
    pub(crate) server: &'a Server,
    /// Whole requests, sent one after the other and from the start again.
    pub(crate) requests: &'a [Vec<u8>],
    /// The statuses that are no surprise.
    pub(crate) statuses: &'a [u16],
    /// How many connections, all kept alive.
    pub(crate) connections: usize,
    /// Requests per second; none sends the next as soon as a reply is there.
    pub(crate) rate: Option<u32>,
    /// How long.
    pub(crate) duration: Duration,
    /// What is done with sequences.
    pub(crate) sequences: Sequences<'a>,
}

impl Load<'_> {
    /// Sends, and says how it went.
    ///
    /// # Errors
    /// If a connection fails, a reply makes no sense or does not come, or a sequence is older than it may be.
    pub(crate) fn run(&self) -> Result<Run, String> {
        let threads = if self.rate.is_some() { 1 } else { THREADS.min(self.connections) };
        let mut workers = Vec::new();
        for thread in 0..threads {
            let connections = self.connections / threads + usize::from(thread < self.connections % threads);
            let first = thread * self.requests.len() / threads;
            let worker = Worker::connect(self, connections, first);
            workers.push(worker.map_err(|error| format!("{}: {error}", self.server.address))?);
        }
        let cpu_before = self.server.cpu()?;
        let began = Instant::now();
        let (tallies, cpu) = std::thread::scope(|scope| {
            let threads: Vec<_> =
                workers.into_iter().map(|worker| scope.spawn(move || worker.work(began))).collect();
            std::thread::sleep(self.duration);
            let cpu = self.server.cpu();
            let joined = threads.into_iter().map(|thread| thread.join().expect("a worker does not panic"));
            (joined.collect::<Result<Vec<Tally>, String>>(), cpu)
        });
        let mut all = Tally::default();
        for tally in tallies? {
            all.micros.extend(tally.micros);
            all.in_time += tally.in_time;
            all.surprises += tally.surprises;
            all.first = all.first.or(tally.first);
        }
        Ok(Run::of(all, self.duration, cpu?.saturating_sub(cpu_before)))
    }
}

/// What has come back.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// How long each reply took that was as expected.
    pub(crate) micros: Vec<u32>,
    /// How many of these came before the time was over.
    pub(crate) in_time: u32,
    /// How many replies had another status.
    pub(crate) surprises: u32,
    /// What the first of those said.
    pub(crate) first: Option<String>,
}

struct Connection {
    stream: TcpStream,
    began: Instant,
    /// The sequence that was acknowledged when the request was sent.
    known: u64,
    buffer: Vec<u8>,
    filled: usize,
}

struct Worker<'a> {
    load: &'a Load<'a>,
    poll: Poll,
    connections: Vec<Connection>,
    idle: Vec<usize>,
    next: usize,
    tally: Tally,
}

impl<'a> Worker<'a> {
    fn connect(load: &'a Load<'a>, connections: usize, next: usize) -> io::Result<Self> {
        let poll = Poll::new()?;
        let connect = |i| {
            let stream = std::net::TcpStream::connect(load.server.address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(i), Interest::READABLE)?;
            Ok(Connection { stream, began: Instant::now(), known: 0, buffer: vec![0; REPLY], filled: 0 })
        };
        let connections = (0..connections).map(connect).collect::<io::Result<Vec<_>>>()?;
        let idle = (0..connections.len()).collect();
        Ok(Self { load, poll, connections, idle, next, tally: Tally::default() })
    }

    fn work(mut self, began: Instant) -> Result<Tally, String> {
        let end = began + self.load.duration;
        let mut events = Events::with_capacity(1024);
        let mut heard = Instant::now();
        let mut pace = self.load.rate.map(|rate| Pace { rate, began, sent: 0, late: 0 });
        loop {
            let now = Instant::now();
            if now < end {
                self.send_to_idle(pace.as_mut(), now)?;
            } else if self.idle.len() == self.connections.len() {
                return Ok(self.tally);
            }
            let until_due = pace.as_ref().filter(|_| now < end && !self.idle.is_empty());
            let wait = until_due.map_or(PATIENCE, |pace| pace.due().min(end).saturating_duration_since(now));
            match self.poll.poll(&mut events, Some(wait)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                done => done.map_err(|error| error.to_string())?,
            }
            if !events.is_empty() || self.idle.len() == self.connections.len() {
                heard = Instant::now();
            } else if heard.elapsed() >= PATIENCE {
                return Err(format!("{} has not replied for {PATIENCE:?}", self.load.server.address));
            }
            for event in &events {
                let Token(i) = event.token();
                let Some(expected) = self.receive(i)? else { continue };
                let now = Instant::now();
                if expected {
                    // A reply after the end is none of those per second; but leaving it out of the latencies would
                    // leave out the slowest.
                    self.tally.in_time += u32::from(now < end);
                    let took = (now - self.connections[i].began).as_micros();
                    self.tally.micros.push(u32::try_from(took).unwrap_or(u32::MAX));
                }
                if now < end && pace.is_none() {
                    self.send(i, now)?;
                } else {
                    self.idle.push(i);
                }
            }
        }
    }

    /// Sends what is due on the connections that wait for it.
    fn send_to_idle(&mut self, mut pace: Option<&mut Pace>, now: Instant) -> Result<(), String> {
        while let Some(i) = self.idle.pop() {
            let began = match &mut pace {
                None => now,
                Some(pace) => {
                    let Some(began) = pace.take(now) else {
                        self.idle.push(i);
                        return Ok(());
                    };
                    began
                }
            };
            self.send(i, began)?;
        }
        if let Some(pace) = pace {
            pace.nobody_free(now);
        }
        Ok(())
    }

    fn send(&mut self, i: usize, began: Instant) -> Result<(), String> {
        let request = &self.load.requests[self.next % self.load.requests.len()];
        self.next += 1;
        let connection = &mut self.connections[i];
        connection.began = began;
        connection.filled = 0;
        if let Sequences::AtLeast(acknowledged) = self.load.sequences {
            connection.known = acknowledged.load(Ordering::SeqCst);
        }
        // Nothing else is on its way on this connection, so the socket has room for the little that a request is.
        match connection.stream.write(request) {
            Ok(written) if written == request.len() => Ok(()),
            Ok(_) => Err("a request did not go out whole".to_owned()),
            Err(error) => Err(format!("sending: {error}")),
        }
    }

    /// Reads what is there; once the reply is complete, whether its status was an expected one.
    ///
    /// Once it is, nothing more is read until there is nothing: no more can come before the next request, and an end
    /// of the connection is told of by itself.
    fn receive(&mut self, i: usize) -> Result<Option<bool>, String> {
        let connection = &mut self.connections[i];
        loop {
            match connection.stream.read(&mut connection.buffer[connection.filled..]) {
                Ok(0) => return Err("a connection was closed".to_owned()),
                Ok(read) => connection.filled += read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(format!("receiving: {error}")),
            }
            let Some(reply) = Reply::read(&connection.buffer[..connection.filled])? else { continue };
            if !self.load.statuses.contains(&reply.status) {
                self.tally.surprises += 1;
                self.tally.first.get_or_insert_with(|| reply.told());
                return Ok(Some(false));
            }
            match self.load.sequences {
                Sequences::Ignored => {}
                Sequences::Acknowledged(acknowledged) => {
                    acknowledged.fetch_max(reply.sequence()?, Ordering::SeqCst);
                }
                Sequences::AtLeast(_) => {
                    let (stated, tagged) = (reply.sequence()?, reply.tagged_sequence()?);
                    if stated != tagged {
                        return Err(format!("the body says {stated} and its entity tag {tagged}"));
                    }
                    if stated < connection.known {
                        let known = connection.known;
                        return Err(format!("stale: {stated} after {known} had been acknowledged"));
                    }
                }
            }
            return Ok(Some(true));
        }
    }
}

/// When requests are due at a fixed rate.
struct Pace {
    rate: u32,
    began: Instant,
    sent: u32,
    /// Those before this number were due while no connection was free.
    late: u32,
}

impl Pace {
    fn due(&self) -> Instant {
        self.began + Duration::from_secs(1) * self.sent / self.rate
    }

    /// The moment from which the next request counts, if it is due.
    ///
    /// It is the moment of sending, since sleeping is exact to a millisecond only; but a request that had to wait for
    /// a connection counts from when it was due, or a slow server would be asked less and look better.
    fn take(&mut self, now: Instant) -> Option<Instant> {
        let due = self.due();
        if due > now {
            return None;
        }
        let late = self.sent < self.late;
        self.sent += 1;
        Some(if late { due } else { now })
    }

    fn nobody_free(&mut self, now: Instant) {
        let due = (now - self.began).as_micros() * u128::from(self.rate) / 1_000_000;
        self.late = u32::try_from(due).unwrap_or(u32::MAX).saturating_add(1);
    }
}

/// A complete reply.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reply<'a> {
    /// The status.
    pub(crate) status: u16,
    head: &'a [u8],
    body: &'a [u8],
}

impl<'a> Reply<'a> {
    /// Reads a reply; none if there is more to come.
    ///
    /// # Errors
    /// If it makes no sense, or is longer than it says.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Option<Self>, String> {
        let Some(end) = memmem::find(bytes, b"\r\n\r\n") else { return Ok(None) };
        let (head, body) = bytes.split_at(end + 4);
        let status = head.get(9..12).and_then(number).and_then(|status| u16::try_from(status).ok());
        let status = status.ok_or("a reply without a status")?;
        let length = match status {
            204 | 304 => 0,
            _ => after(head, b"content-length: ").ok_or("a reply without a length")?,
        };
        let length = usize::try_from(length).map_err(|error| error.to_string())?;
        if body.len() > length {
            return Err("a reply that is longer than it says".to_owned());
        }
        Ok((body.len() == length).then_some(Self { status, head, body }))
    }

    /// The sequence in the body.
    fn sequence(&self) -> Result<u64, String> {
        after(self.body, b"\"sequence\":").ok_or_else(|| format!("no sequence: {}", self.told()))
    }

    /// The sequence that the entity tag begins with.
    fn tagged_sequence(&self) -> Result<u64, String> {
        after(self.head, b"etag: \"").ok_or_else(|| format!("no sequence in the tag: {}", self.told()))
    }

    /// The entity tag, as it is sent back.
    pub(crate) fn entity_tag(&self) -> Option<String> {
        let start = memmem::find(self.head, b"etag: ")? + 6;
        let line = self.head[start..].split(|&byte| byte == b'\r').next()?;
        String::from_utf8(line.to_vec()).ok()
    }

    /// Status and the beginning of the body, for a message.
    pub(crate) fn told(&self) -> String {
        let start = &self.body[..self.body.len().min(300)];
        format!("{} {}", self.status, String::from_utf8_lossy(start))
    }
}

/// The number that stands right after these bytes.
fn after(text: &[u8], name: &[u8]) -> Option<u64> {
    let start = memmem::find(text, name)? + name.len();
    let digits = text[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    number(&text[start..start + digits])
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Asks once, on a connection of its own.
///
/// # Errors
/// If there is no connection, or no reply that makes sense.
pub(crate) fn ask<T>(
    address: SocketAddr,
    request: &[u8],
    look: impl FnOnce(Reply<'_>) -> T,
) -> Result<T, String> {
    let ask = || {
        let mut stream = std::net::TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(request)?;
        let mut reply = Vec::new();
        let mut part = [0; 4096];
        loop {
            let read = stream.read(&mut part)?;
            reply.extend_from_slice(&part[..read]);
            if read == 0 || matches!(Reply::read(&reply), Ok(Some(_)) | Err(_)) {
                return Ok(reply);
            }
        }
    };
    let bytes = ask().map_err(|error: io::Error| format!("{address}: {error}"))?;
    Ok(look(Reply::read(&bytes)?.ok_or("a reply that ends too early")?))
}
