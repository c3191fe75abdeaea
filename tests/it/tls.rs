//! TLS in the program: its certificate is renewed without a restart, and a bad one changes nothing.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use handslag::config::{Edge, Limits, Patience, TlsFiles};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};

use crate::program::Program;
use crate::support::{Database, Raw, Service, until};

/// A new certificate for `localhost`, written with its key to these files.
fn renew(files: &TlsFiles) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    write(&files.key, &made.signing_key.serialize_pem());
    write(&files.certificate, &made.cert.pem());
    made.cert.der().clone()
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
}

fn files(folder: &Path) -> TlsFiles {
    TlsFiles { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") }
}

/// A service by TLS, where its files are, and the certificate that it shows.
pub(crate) fn secure() -> (Service, TlsFiles, CertificateDer<'static>) {
    let database = Database::sqlite();
    let files = files(database.folder());
    let certificate = renew(&files);
    let patience = Patience { head: Duration::from_secs(1), ..Patience::default() };
    let edge = Edge { tls: Some(files.clone()), patience, limits: Limits::off(), ..Edge::default() };
    (Service::start_behind(&database, edge), files, certificate)
}

type Tls = StreamOwned<ClientConnection, TcpStream>;

/// Connects as somebody who believes this certificate, speaks these versions, and offers these protocols.
fn connect(
    service: &Service,
    certificate: &CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
    protocols: &[&str],
) -> std::io::Result<Tls> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let client = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let socket = TcpStream::connect(service.address())?;
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut stream = StreamOwned::new(client, socket);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    Ok(stream)
}

/// The first bytes of the answer to a request on this connection.
fn ask(stream: &mut Tls) -> String {
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"live\n") {
        let mut bytes = [0; 4096];
        let n = stream.read(&mut bytes).unwrap();
        assert!(n > 0, "the connection ended: {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&bytes[..n]);
    }
    String::from_utf8(answer).unwrap()
}

/// Whether somebody who believes nothing but this certificate is answered.
fn shows(service: &Service, certificate: &CertificateDer<'static>) -> bool {
    connect(service, certificate, rustls::ALL_VERSIONS, &[]).is_ok_and(|mut stream| {
        ask(&mut stream);
        true
    })
}

#[test]
fn both_versions_of_tls_are_spoken_and_http_1_is_what_is_in_them() {
    let (service, _, certificate) = secure();
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let mut stream = connect(&service, &certificate, &[version], &["h2", "http/1.1"]).unwrap();
        assert_eq!(stream.conn.protocol_version(), Some(version.version));
        assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
        for _ in 0..3 {
            let answer = ask(&mut stream).to_ascii_lowercase();
            assert!(answer.starts_with("http/1.1 200"), "{answer}");
            assert!(answer.contains("strict-transport-security: max-age="), "{answer}");
        }
    }
    assert!(connect(&service, &certificate, rustls::ALL_VERSIONS, &["h2"]).is_err(), "there is no HTTP/2");
}

#[test]
fn without_tls_nobody_is_answered() {
    let (service, _, certificate) = secure();
    let mut plain = Raw::connect(&service);
    plain.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let answer = plain.read(4096, Duration::from_secs(20)).unwrap_or_default();
    assert!(!answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));
    assert!(shows(&service, &certificate));
}

#[test]
fn whoever_begins_no_handshake_is_let_go() {
    let (service, _, certificate) = secure();
    let mut silent: Vec<Raw> = (0..50).map(|_| Raw::connect(&service)).collect();
    assert!(shows(&service, &certificate), "meanwhile others are answered");
    assert!(silent.iter_mut().all(|connection| connection.ends(Duration::from_secs(20))));
}

#[test]
fn a_renewed_certificate_is_in_use_without_a_restart() {
    let (service, files, old) = secure();
    let mut kept = connect(&service, &old, rustls::ALL_VERSIONS, &[]).unwrap();
    ask(&mut kept);
    let new = renew(&files);
    until("the new certificate is in use", || {
        // A kept connection does not notice.
        ask(&mut kept);
        shows(&service, &new).then_some(())
    });
    assert!(!shows(&service, &old));
}

#[test]
fn a_bad_new_certificate_leaves_the_old_one_in_use() {
    let (service, files, old) = secure();
    let good = std::fs::read_to_string(&files.certificate).unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    for bad in ["", "nonsense", &good[..good.len() / 2], &other.cert.pem()] {
        write(&files.certificate, bad);
        // Longer than from one look at the files to the next.
        std::thread::sleep(Duration::from_secs(3));
        assert!(shows(&service, &old), "after {bad:?}");
    }
    let new = renew(&files);
    until("a good one is in use again", || shows(&service, &new).then_some(()));
}

#[test]
fn a_key_that_others_can_read_is_used_once_its_mode_is_mended() {
    let (service, files, old) = secure();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::set_permissions(&files.key, PermissionsExt::from_mode(0o644)).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    // Longer than from one look at the files to the next.
    std::thread::sleep(Duration::from_secs(3));
    assert!(shows(&service, &old));
    std::fs::set_permissions(&files.key, PermissionsExt::from_mode(0o600)).unwrap();
    until("the new certificate is in use", || shows(&service, made.cert.der()).then_some(()));
}

#[test]
fn files_that_cannot_be_used_stop_the_start() {
    let program = Program::new();
    let files = files(&program.path(""));
    renew(&files);
    let serve = |more: &[&str]| {
        let arguments = ["serve", "--bind", "127.0.0.1:0", "--tls-certificate", "certificate.pem"];
        program.run(&[&arguments[..], more].concat())
    };
    let alone = serve(&[]).is(2);
    assert!(alone.err.contains("tls-key"), "{}", alone.err);
    let missing = serve(&["--tls-key", "none.pem"]).is(3);
    assert!(missing.err.contains("none.pem"), "{}", missing.err);
    let no_key = serve(&["--tls-key", "certificate.pem"]).is(3);
    assert!(no_key.err.contains("certificate.pem"), "{}", no_key.err);
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    write(&program.path("other.pem"), &other.signing_key.serialize_pem());
    let apart = serve(&["--tls-key", "other.pem"]).is(3);
    assert!(apart.err.contains("certificate.pem and its key"), "{}", apart.err);
    std::fs::set_permissions(&files.key, PermissionsExt::from_mode(0o640)).unwrap();
    let open = serve(&["--tls-key", "key.pem"]).is(3);
    assert!(open.err.contains("can be read by others"), "{}", open.err);
}

#[test]
fn with_a_certificate_the_address_is_one_by_tls() {
    let program = Program::new();
    let arguments = ["--tls-certificate", "certificate.pem", "--tls-key", "key.pem", "config"];
    let told = program.run(&arguments).is(0).out;
    for line in [
        "publicUrl = \"https://127.0.0.1:8080\"  # default",
        "tlsCertificate = \"certificate.pem\"  # flag or environment",
        "tlsKey = \"key.pem\"  # flag or environment",
    ] {
        assert!(told.lines().any(|known| known == line), "{line} is not in\n{told}");
    }
}
