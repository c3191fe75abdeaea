//! Addresses that may be asked: over TLS, or on this machine.

use ureq::http::Uri;

/// The address of a service, without a slash at its end.
pub(super) fn service(text: &str) -> Result<String, String> {
    let address = text.trim_end_matches('/');
    match address.parse::<Uri>() {
        Ok(uri)
            if may_be_asked(&uri) && uri.path() == "/" && uri.query().is_none() && !text.contains('#') =>
        {
            Ok(address.to_owned())
        }
        Ok(_) | Err(_) => Err("https://HOST without a path; http:// only for this machine itself".to_owned()),
    }
}

/// Whether keys, secrets and tokens may be sent there: nobody on the way can read them.
pub(super) fn may_be_asked(uri: &Uri) -> bool {
    let Some(authority) = uri.authority() else { return false };
    let scheme = uri.scheme_str();
    let allowed = scheme == Some("https") || scheme == Some("http") && is_here(uri);
    allowed && !authority.as_str().contains('@')
}

/// Whether it is this machine.
pub(super) fn is_here(uri: &Uri) -> bool {
    matches!(uri.host(), Some("127.0.0.1" | "[::1]" | "localhost"))
}
