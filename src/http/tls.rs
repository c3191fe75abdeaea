//! TLS: the certificate and its key, from two files that are looked at now and then.
//!
//! TLS 1.2 and 1.3 by rustls with ring, HTTP/1.1 only: HTTP/2 would bring many requests on one connection, which nothing
//! here needs, and flow control of its own, which every bound on slow callers would have to know of.

use std::fs::Metadata;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::time::interval;
use tokio_rustls::TlsAcceptor;

use crate::config::TlsFiles;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or does not hold what it should.
    #[error("{0}: {1}")]
    File(String, String),
    /// The key can be read by others.
    #[error("{0} can be read by others than its owner: chmod 600 it")]
    Mode(String),
    /// The two do not belong together, or cannot be used.
    #[error("{0} and its key: {1}")]
    Pair(String, rustls::Error),
}

/// What callers by TLS are shown.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    certificate: ArcSwap<CertifiedKey>,
    seen: Mutex<[Stamp; 2]>,
}

/// By what a file is known to be another one, or one that others may do something else with.
type Stamp = Option<(SystemTime, u64, Number)>;

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn load(files: &TlsFiles) -> Result<Arc<Self>, TlsError> {
        let seen = Mutex::new(stamps(files));
        let certificate = ArcSwap::from_pointee(read(files)?);
        Ok(Arc::new(Self { files: files.clone(), certificate, seen }))
    }

    /// Takes connections with what the files hold; begins to look at them. Must be called in an actix system.
    pub(super) fn acceptor(self: &Arc<Self>) -> TlsAcceptor {
        let looking = Arc::downgrade(self);
        actix_web::rt::spawn(async move {
            let mut ticks = interval(LOOK);
            loop {
                ticks.tick().await;
                let Some(tls) = looking.upgrade() else { return };
                tls.look();
            }
        });
        let builder = ServerConfig::builder_with_provider(Arc::new(provider()));
        let builder = builder
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .expect("ring has suites for both");
        let resolver = Arc::new(Shown(Arc::clone(self)));
        let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }

    /// Takes new files; what cannot be used leaves the old ones in use.
    fn look(&self) {
        let now = stamps(&self.files);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == now {
            return;
        }
        *seen = now;
        match read(&self.files) {
            Ok(certificate) => {
                self.certificate.store(Arc::new(certificate));
                tracing::info!("a new certificate is in use");
            }
            // Where only one of the two is new yet, the other will be looked at too.
            Err(error) => tracing::error!(%error, "the new certificate cannot be used; the old one stays"),
        }
    }
}

/// The newest certificate, whatever name is asked for.
#[derive(Debug)]
struct Shown(Arc<Tls>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.certificate.load_full())
    }
}

fn provider() -> CryptoProvider {
    ring::default_provider()
}

fn read(files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
    let refused =
        |path: &Path, error: &dyn ToString| TlsError::File(path.display().to_string(), error.to_string());
    let TlsFiles { certificate, key } = files;
    let chain = CertificateDer::pem_file_iter(certificate).map_err(|error| refused(certificate, &error))?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(|error| refused(certificate, &error))?;
    if chain.is_empty() {
        return Err(refused(certificate, &"no certificate in PEM"));
    }
    let metadata = std::fs::metadata(key).map_err(|error| refused(key, &error))?;
    if !is_private(&metadata) {
        return Err(TlsError::Mode(key.display().to_string()));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| refused(key, &error))?;
    CertifiedKey::from_der(chain, key, &provider())
        .map_err(|error| TlsError::Pair(certificate.display().to_string(), error))
}

fn stamps(files: &TlsFiles) -> [Stamp; 2] {
    let stamp = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len(), number(&metadata)))
    };
    [stamp(&files.certificate), stamp(&files.key)]
}

#[cfg(unix)]
fn is_private(metadata: &Metadata) -> bool {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
    // Nothing for the group, nothing for others.
    mode.trailing_zeros() >= 6
}

#[cfg(not(unix))]
fn is_private(_: &Metadata) -> bool {
    true
}

/// A renewed file has another number, also where its time and length are the same; one whose mode was mended has
/// another time of that.
#[cfg(unix)]
type Number = (u64, i64, i64);

#[cfg(unix)]
fn number(metadata: &Metadata) -> Number {
    use std::os::unix::fs::MetadataExt;
    (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
type Number = ();

#[cfg(not(unix))]
fn number(_: &Metadata) -> Number {}
