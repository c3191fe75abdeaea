//! Servers as processes of their own, ended when they are dropped, and what the system tells of them.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use super::{fixed, guard};

/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_mins(1);
/// The ticks of the CPU times in `/proc`, which are a hundredth of a second on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Never read again, but held open: a server whose output has no reader may end.
    output: Option<BufReader<ChildStdout>>,
}

impl Server {
    /// Starts a server that says in its first line where it listens, as ours does.
    ///
    /// # Errors
    /// If it does not run, or does not say so.
    pub(crate) fn that_tells(command: &mut Command) -> Result<Self, String> {
        let named = format!("{}", command.get_program().display());
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let child = child.map_err(|error| format!("{named}: {error}"))?;
        // From here on a drop ends it, and if that does not come, the guard.
        guard::started(&child);
        let mut server = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)), output: None };
        let mut output = BufReader::new(server.child.stdout.take().expect("piped above"));
        let mut line = String::new();
        output.read_line(&mut line).map_err(|error| error.to_string())?;
        let address = line.trim_end().rsplit_once("http://").and_then(|(_, address)| address.parse().ok());
        server.address = address.ok_or_else(|| format!("{named} says no address but {line:?}"))?;
        server.output = Some(output);
        Ok(server)
    }

    /// Starts a server that is told where to listen in the variable `BIND`, and says nothing.
    ///
    /// # Errors
    /// If it does not run, or does not listen in time.
    pub(crate) fn that_is_told(command: &mut Command) -> Result<Self, String> {
        let named = format!("{}", command.get_program().display());
        let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
        let address = free.map_err(|error| error.to_string())?;
        let child = command.env("BIND", address.to_string()).stdin(Stdio::null()).stdout(Stdio::null());
        let child = child.spawn().map_err(|error| format!("{named}: {error}"))?;
        guard::started(&child);
        let mut server = Self { child, address, output: None };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(format!("{named} ended: {status}"));
            }
            if began.elapsed() > PATIENCE {
                return Err(format!("{named} does not listen on {address}"));
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        Ok(server)
    }

    /// The CPU time that it has used, in all its threads.
    ///
    /// # Errors
    /// If it is gone.
    pub(crate) fn cpu(&self) -> Result<Duration, String> {
        Ok(cpu_in(&self.proc("stat")?))
    }

    /// The memory that it has now, in bytes.
    ///
    /// # Errors
    /// If it is gone.
    pub(crate) fn memory(&self) -> Result<u64, String> {
        let status = self.proc("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        Ok(kibibytes.ok_or("the system tells no VmRSS")? * 1024)
    }

    fn proc(&self, file: &str) -> Result<String, String> {
        let path = format!("/proc/{}/{file}", self.child.id());
        std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        guard::ending(&self.child);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The CPU time of this thread, to the nanosecond: of many threads each may have less than a tick.
pub(crate) fn own_cpu() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = told.split_whitespace().next().and_then(|number| number.parse().ok());
    nanoseconds.map_or(Duration::ZERO, Duration::from_nanos)
}

/// The CPU time in a file `stat` of `/proc`.
fn cpu_in(stat: &str) -> Duration {
    // The name of the program, in brackets, may hold spaces.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok());
    TICK * ticks.sum::<u32>()
}

/// Starts the ceiling.
///
/// # Errors
/// If it does not run.
pub(crate) fn fixed_body() -> Result<Server, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    Server::that_tells(Command::new(program).arg(fixed::ARGUMENT))
}

/// A GET request, with another header line or without.
pub(crate) fn get(path: &str, header: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{header}\r\n").into_bytes()
}

/// A PUT request of a JSON body with a token.
pub(crate) fn put(path: &str, token: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "PUT {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
