//! TLS of what the program asks of others: by rustls with ring, and with nobody vouching but those who are named.

use std::sync::{Arc, OnceLock};

use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

/// Certificates of those who may vouch for a server.
pub type Roots = Arc<Vec<Certificate<'static>>>;

/// Those that the system trusts, if there are any. Read once.
pub fn roots_of_the_system() -> Option<Roots> {
    static CERTIFICATES: OnceLock<Roots> = OnceLock::new();
    let read = || {
        let found = rustls_native_certs::load_native_certs().certs;
        Arc::new(found.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect())
    };
    let certificates = CERTIFICATES.get_or_init(read);
    (!certificates.is_empty()).then(|| Arc::clone(certificates))
}

/// TLS towards servers that these vouch for.
pub fn tls(roots: Roots) -> TlsConfig {
    TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::Specific(roots))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build()
}
