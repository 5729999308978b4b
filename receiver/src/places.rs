//! A bounded number of connections, in which a sender with a secret finds a place whatever others do.
//!
//! Somebody who opens all connections that there are and sends nothing would shut out everybody else for the length of the
//! idle limit. So a connection is *proven* once it has carried a signed delivery, and while all places are
//! taken a new connection gets the place of one that is not: of the source with the most of them, its oldest. A real
//! sender needs its place for one round trip until it is proven.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::source::Source;

/// All places.
#[derive(Debug)]
pub struct Places {
    most: usize,
    taken: Mutex<Taken>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Taken {
    /// Number of the next place: later ones are higher.
    next: u64,
    seats: HashMap<u64, CancellationToken>,
    unproven: HashMap<Source, BTreeSet<u64>>,
}

/// The place of one connection. Free again when it is dropped.
#[derive(Debug)]
pub struct Place {
    number: u64,
    source: Source,
    evicted: CancellationToken,
    places: Arc<Places>,
}

impl Places {
    /// `most` places, at least one.
    #[must_use]
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most: most.max(1), taken: Mutex::default(), freed: Notify::new() })
    }

    /// A place for a connection from this address. Waits only while all connections are proven ones.
    pub async fn take(self: &Arc<Self>, address: IpAddr) -> Place {
        let source = Source::from(address);
        loop {
            let freed = self.freed.notified();
            if let Some((number, evicted)) = self.lock().seat(source, self.most) {
                return Place { number, source, evicted, places: Arc::clone(self) };
            }
            freed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn seat(&mut self, source: Source, most: usize) -> Option<(u64, CancellationToken)> {
        if self.seats.len() >= most {
            self.evict()?;
        }
        let number = self.next;
        self.next += 1;
        let evicted = CancellationToken::new();
        self.seats.insert(number, evicted.clone());
        self.unproven.entry(source).or_default().insert(number);
        Some((number, evicted))
    }

    fn evict(&mut self) -> Option<()> {
        let greed = |numbers: &BTreeSet<u64>| (numbers.len(), Reverse(numbers.first().copied()));
        let (source, numbers) = self.unproven.iter().max_by_key(|(_, numbers)| greed(numbers))?;
        let (source, oldest) = (*source, *numbers.first()?);
        self.prove(source, oldest);
        self.seats.remove(&oldest)?.cancel();
        Some(())
    }

    /// Takes a place off the list of those that may be lost.
    fn prove(&mut self, source: Source, number: u64) {
        if let Some(numbers) = self.unproven.get_mut(&source) {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.unproven.remove(&source);
            }
        }
    }
}

impl Place {
    /// Who is at the other end.
    #[must_use]
    pub fn source(&self) -> Source {
        self.source
    }

    /// A signed delivery came by this connection: it keeps its place.
    pub fn prove(&self) {
        self.places.lock().prove(self.source, self.number);
    }

    /// Waits until somebody else has the place.
    pub async fn evicted(&self) {
        self.evicted.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.prove(self.source, self.number);
        taken.seats.remove(&self.number);
        drop(taken);
        self.places.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn address(n: u8) -> IpAddr {
        [192, 0, 2, n].into()
    }

    #[tokio::test]
    async fn the_oldest_unproven_connection_of_the_greediest_source_goes_first() {
        let places = Places::new(4);
        let proven = places.take(address(1)).await;
        proven.prove();
        let single = places.take(address(2)).await;
        let (old, young) = (places.take(address(3)).await, places.take(address(3)).await);
        let is_evicted = |place: &Place| place.evicted.is_cancelled();

        let _new = places.take(address(4)).await;
        assert!(is_evicted(&old));
        assert!([&proven, &single, &young].iter().all(|place| !is_evicted(place)));
        // An evicted connection that ends later frees nothing twice.
        drop(old);
        assert_eq!(places.lock().seats.len(), 4);

        for n in 5..200 {
            drop(places.take(address(n)).await);
        }
        assert!(!is_evicted(&proven));
    }

    #[tokio::test]
    async fn proven_connections_are_waited_for() {
        let places = Places::new(1);
        let proven = places.take(address(1)).await;
        proven.prove();
        let waiting = tokio::time::timeout(Duration::from_millis(20), places.take(address(2)));
        assert!(waiting.await.is_err());
        drop(proven);
        let place = places.take(address(2)).await;
        drop(place);
        assert!(places.lock().seats.is_empty() && places.lock().unproven.is_empty());
    }
}
