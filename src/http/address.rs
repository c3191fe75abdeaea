//! Whom a request is from: the other end of the connection, or what a proxy that is believed says.
//!
//! Of `X-Forwarded-For` only what such proxies have added is read, from the right: each names whoever it was asked by.
//! What stands further left may be anybody's word. Other fields of the kind are not read at all.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use actix_web::http::header::{HeaderMap, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address that a request is from.
pub(super) fn of_caller(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|range| range.contains(&address));
    let mut caller = peer.to_canonical();
    if !is_trusted(caller) {
        return caller;
    }
    let fields: Vec<_> = headers.get_all(X_FORWARDED_FOR).collect();
    let named = fields.into_iter().rev().flat_map(|field| field.to_str().unwrap_or_default().rsplit(','));
    for name in named {
        // Whatever it is, the last proxy that is believed has let it pass: then it is its own.
        let Some(address) = read(name.trim()) else { break };
        caller = address;
        if !is_trusted(caller) {
            break;
        }
    }
    caller
}

/// What is counted as one: an address of version 4, or a network of version 6 such as a household is given.
pub(super) fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & (u128::MAX << 64)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

/// Some proxies write a port too.
fn read(name: &str) -> Option<IpAddr> {
    let bare = || name.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || name.parse::<SocketAddr>().ok().map(|address| address.ip());
    let address: Option<IpAddr> = name.parse().ok().or_else(with_port).or_else(bare);
    address.map(|address| address.to_canonical())
}
