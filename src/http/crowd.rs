//! How many of something each address has open: connections, streams.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Those that are in, by address.
#[derive(Clone, Debug)]
pub(super) struct Crowd {
    most: u32,
    inside: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

/// A place in the crowd; free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    address: IpAddr,
    crowd: Crowd,
}

impl Crowd {
    /// Nobody, and room for so many from each address.
    pub(super) fn new(most: u32) -> Self {
        Self { most, inside: Arc::default() }
    }

    /// A place for one more from this address, if there is one.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Place> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let count = inside.entry(address).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place { address, crowd: self.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.crowd.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = inside.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                inside.remove(&self.address);
            }
        }
    }
}
