//! A service that runs: whether it is ready, and what time it has.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use chrono::DateTime;

use super::Finding;
use super::database::clock;
use crate::domain::Instant;

const CHECK: &str = "service";
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most that is read of an answer.
const LONGEST: u64 = 64 * 1024;

pub(super) fn look(url: &str) -> Vec<Finding> {
    let Some(host) = url.strip_prefix("http://") else {
        let advice = "Name the address that the service listens on, such as http://127.0.0.1:8080.";
        return vec![Finding::warn(CHECK, format!("{url} was not asked: only http is spoken here"), advice)];
    };
    let host = host.split('/').next().unwrap_or_default();
    match ask(host) {
        Err(error) => {
            vec![Finding::fail(CHECK, format!("{url}: {error}"), "Start it, or correct the address.")]
        }
        Ok(answer) => {
            let mut findings = vec![readiness(url, &answer)];
            findings.extend(date(&answer).map(|date| clock("the service's clock", date)));
            findings
        }
    }
}

fn readiness(url: &str, answer: &str) -> Finding {
    let status = answer.split(' ').nth(1).unwrap_or_default();
    match status {
        "200" => Finding::ok(CHECK, format!("{url} is ready")),
        "503" => {
            let advice = "Its writer or its database does not answer, or it is stopping: see its log.";
            Finding::fail(CHECK, format!("{url} is not ready"), advice)
        }
        _ => {
            let advice = "Another program listens there, or a proxy that does not let /readyz through.";
            Finding::fail(CHECK, format!("{url} does not answer as this service does"), advice)
        }
    }
}

/// The head of the answer of `/readyz`.
fn ask(host: &str) -> io::Result<String> {
    let address = if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let address = address.to_socket_addrs()?.next();
    let address = address.ok_or_else(|| io::Error::other("the name has no address"))?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn date(answer: &str) -> Option<Instant> {
    let head = answer.split("\r\n\r\n").next()?;
    let field = head.lines().filter_map(|line| line.split_once(':'));
    let (_, date) = field.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("date"))?;
    DateTime::parse_from_rfc2822(date.trim()).ok().map(|date| Instant::new(date.to_utc()))
}
