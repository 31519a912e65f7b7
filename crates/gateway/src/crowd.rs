//! How many connections one client address has, and the bound on it.
//!
//! A connection is counted as soon as its client's address is known, and its place is given back when the last of it
//! is dropped: a session holds it to its last byte. IPv6 counts by /64, which is what one customer gets; by single
//! addresses the bound would be none. There is an entry for each address that has connections and none for any other,
//! so that the table is bounded by the connections that are carried at all. It does not know who is trusted.

use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tidegate_model::network::Neighbour;

/// Connections by address.
#[derive(Debug)]
pub(crate) struct Crowd {
    /// `None`: nothing is counted.
    most: Option<NonZeroU32>,
    open: Mutex<HashMap<Neighbour, u32>>,
}

/// The address has as many connections as it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crowded;

/// One connection's place; dropping it gives the place back. Boxed, since every session holds one and most gateways count
/// nothing.
#[derive(Debug)]
pub(crate) struct AddressPlace(Option<Box<(Arc<Crowd>, Neighbour)>>);

impl Crowd {
    /// At most so many for one address.
    pub(crate) fn new(most: Option<NonZeroU32>) -> Arc<Self> {
        Arc::new(Self { most, open: Mutex::default() })
    }

    /// A place for one more connection from there.
    pub(crate) fn place(self: &Arc<Self>, ip: IpAddr) -> Result<AddressPlace, Crowded> {
        let Some(most) = self.most else { return Ok(AddressPlace::uncounted()) };
        let neighbour = Neighbour::from(ip);
        let mut open = self.open();
        let count = open.entry(neighbour).or_default();
        if *count >= most.get() {
            return Err(Crowded);
        }
        *count += 1;
        Ok(AddressPlace(Some(Box::new((Arc::clone(self), neighbour)))))
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Neighbour, u32>> {
        // A std mutex: held for one look into the table at the begin and the end of a connection, never across an await.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AddressPlace {
    /// The place of a connection that is not counted.
    pub(crate) const fn uncounted() -> Self {
        Self(None)
    }
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        let Some((crowd, neighbour)) = self.0.take().map(|counted| *counted) else { return };
        let mut open = crowd.open();
        match open.get_mut(&neighbour) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                open.remove(&neighbour);
            }
        }
    }
}

#[cfg(test)]
mod tests;
