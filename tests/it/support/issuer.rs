//! An issuer of the tests' own: a little server that publishes keys, or does what it should not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use super::Pair;

/// What it answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// These keys.
    Keys(Vec<Value>),
    /// This body, with 200.
    Text(String),
    /// This status, with the keys of a stranger.
    Status(u16, Vec<Value>),
    /// That the keys are elsewhere.
    Elsewhere(String),
    /// Blanks without an end.
    Endless,
    /// Nothing, until it answers something else.
    Silence,
}

impl Answer {
    /// The public keys of these pairs.
    pub(crate) fn keys(pairs: &[&Pair]) -> Self {
        Self::Keys(pairs.iter().map(|pair| pair.jwk()).collect())
    }
}

/// The server; it stops when this is dropped.
pub(crate) struct IssuerServer {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
}

struct Shared {
    answer: Mutex<Answer>,
    asked: Mutex<Vec<String>>,
    stop: AtomicBool,
    tls: Option<Arc<ServerConfig>>,
}

/// A certificate authority of the test's own, in PEM, and a server's certificate that it has signed.
pub(crate) fn authority() -> (String, Arc<ServerConfig>) {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let root = params.self_signed(&key).expect("a certificate").pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
    let certificate = params.signed_by(&key, &issuer).expect("a certificate");
    let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("ring has them").with_no_client_auth();
    let config = config.with_single_cert(vec![certificate.der().clone()], secret).expect("they fit");
    (root, Arc::new(config))
}

impl IssuerServer {
    /// Starts without TLS.
    pub(crate) fn start(answer: Answer) -> Self {
        Self::start_with(answer, None)
    }

    /// Starts with this certificate.
    pub(crate) fn start_tls(answer: Answer, config: Arc<ServerConfig>) -> Self {
        Self::start_with(answer, Some(config))
    }

    fn start_with(answer: Answer, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
        let address = listener.local_addr().expect("it is bound");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (answer, asked) = (Mutex::new(answer), Mutex::default());
        let shared = Arc::new(Shared { answer, asked, stop: AtomicBool::new(false), tls });
        let server = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if server.stop.load(Ordering::SeqCst) {
                    return;
                }
                let server = Arc::clone(&server);
                std::thread::spawn(move || server.serve(stream));
            }
        });
        Self { address, scheme, shared }
    }

    /// Where it publishes its keys.
    pub(crate) fn uri(&self) -> String {
        format!("{}://{}/keys", self.scheme, self.address)
    }

    /// Answers this from now on.
    pub(crate) fn answer(&self, answer: Answer) {
        *self.shared.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }

    /// How often it has been asked.
    pub(crate) fn times(&self) -> usize {
        self.paths().len()
    }

    /// What it has been asked for.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for IssuerServer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // It looks when somebody comes.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) {
        let Some(config) = &self.tls else { return self.converse(stream) };
        let Ok(connection) = ServerConnection::new(Arc::clone(config)) else { return };
        self.converse(StreamOwned::new(connection, stream));
    }

    /// Whoever asks may go away at any time: that ends it.
    fn converse(&self, stream: impl Read + Write) {
        let mut reader = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            match reader.read_line(&mut line) {
                Ok(read) if read > 2 => lines.push(line),
                Ok(2) => break,
                _ => return,
            }
        }
        let path = lines.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(path);
        let _ = self.reply(reader.into_inner());
    }

    fn now(&self) -> Answer {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn reply(&self, mut stream: impl Write) -> std::io::Result<()> {
        let mut answer = self.now();
        while matches!(answer, Answer::Silence) && !self.stop.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(5));
            answer = self.now();
        }
        let keys = |keys: Vec<Value>| json!({ "keys": keys }).to_string();
        let (status, more, body) = match answer {
            Answer::Keys(known) => (200, String::new(), keys(known)),
            Answer::Text(text) => (200, String::new(), text),
            Answer::Status(status, known) => (status, String::new(), keys(known)),
            Answer::Elsewhere(address) => (302, format!("Location: {address}\r\n"), String::new()),
            Answer::Silence => return Ok(()),
            Answer::Endless => {
                write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{{\"keys\":[")?;
                while !self.stop.load(Ordering::SeqCst) {
                    stream.write_all(&[b' '; 4_096])?;
                }
                return Ok(());
            }
        };
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 {status} X\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )?;
        stream.flush()
    }
}
