//! A bounded number of connections, in which a sender with a secret finds a place whatever others do.
//!
//! Somebody who opens all connections that there are and sends nothing would shut out everybody else for the length of the
//! idle limit. So a connection is *proven* once it has carried a signed delivery, and while all places are
//! taken a new connection gets the place of one that is not: of the source with the most of them, its oldest. A real
//! sender needs its place for one round trip until it is proven.
//!
//! Somebody with many addresses takes all places with one connection from each, and then the source with the most is the real
//! sender that opens two. So sources that a signed delivery came from not long ago are [`Known`], and what counts of
//! theirs is only what they have beyond a claim. The claims of all known sources together are half of the places: an attacker
//! behind the same proxy as a sender shares its claim, and must not have more than that by it.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::known::Known;
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
    known: Known,
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
            if let Some((number, evicted)) = self.lock().seat(source, self.most, Instant::now()) {
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
    fn seat(&mut self, source: Source, most: usize, now: Instant) -> Option<(u64, CancellationToken)> {
        if self.seats.len() >= most {
            self.evict(most, now)?;
        }
        let number = self.next;
        self.next += 1;
        let evicted = CancellationToken::new();
        self.seats.insert(number, evicted.clone());
        self.unproven.entry(source).or_default().insert(number);
        Some((number, evicted))
    }

    fn evict(&mut self, most: usize, now: Instant) -> Option<()> {
        let is_known = |source: &Source| self.known.contains(*source, now);
        let claim = most / 2 / self.unproven.keys().filter(|source| is_known(source)).count().max(1);
        let greed = |source: &Source, numbers: &BTreeSet<u64>| {
            let beyond_claim = numbers.len().saturating_sub(if is_known(source) { claim } else { 0 });
            // Between known sources that are all within their claims, the number still decides.
            (beyond_claim, numbers.len(), Reverse(numbers.first().copied()))
        };
        let (source, numbers) =
            self.unproven.iter().max_by_key(|(source, numbers)| greed(source, numbers))?;
        let (source, oldest) = (*source, *numbers.first()?);
        self.keep(source, oldest);
        self.seats.remove(&oldest)?.cancel();
        Some(())
    }

    /// Takes a place off the list of those that may be lost.
    fn keep(&mut self, source: Source, number: u64) {
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

    /// A signed delivery came by this connection: it keeps its place, and its source is known for a while.
    pub fn prove(&self) {
        let mut taken = self.places.lock();
        taken.keep(self.source, self.number);
        taken.known.remember(self.source, Instant::now());
    }

    /// Waits until somebody else has the place.
    pub async fn evicted(&self) {
        self.evicted.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.keep(self.source, self.number);
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

    async fn take(places: &Arc<Places>, from: u8, count: usize) -> Vec<Place> {
        let mut taken = Vec::new();
        for _ in 0..count {
            let place = tokio::time::timeout(Duration::from_secs(1), places.take(address(from))).await;
            taken.push(place.expect("somebody makes room"));
        }
        taken
    }

    fn evicted(places: &[Place]) -> usize {
        places.iter().filter(|place| place.evicted.is_cancelled()).count()
    }

    #[tokio::test]
    async fn a_known_sender_opens_several_connections_among_strangers() {
        let places = Places::new(32);
        places.take(address(1)).await.prove();
        let mut strangers = Vec::new();
        for n in 2..34 {
            strangers.push(places.take(address(n)).await);
        }
        let sender = take(&places, 1, 8).await;
        assert_eq!((evicted(&sender), evicted(&strangers)), (0, 8));
        for n in 34..200 {
            strangers.push(places.take(address(n)).await);
        }
        assert_eq!(evicted(&sender), 0);

        // Not for ever after its last delivery.
        let long_ago = Instant::now().checked_sub(Duration::from_mins(11)).unwrap();
        places.lock().known.remember(address(1).into(), long_ago);
        let _new = places.take(address(200)).await;
        assert_eq!(evicted(&sender), 1);
    }

    #[tokio::test]
    async fn who_shares_the_address_of_a_known_sender_holds_half_of_the_places_at_most() {
        let places = Places::new(32);
        for known in [1, 2] {
            places.take(address(known)).await.prove();
        }
        let shared = [take(&places, 1, 40).await, take(&places, 2, 40).await];
        let mut strangers = Vec::new();
        for n in 3..19 {
            strangers.push(places.take(address(n)).await);
        }
        let held = |shared: &[Vec<Place>; 2]| shared.each_ref().map(|places| places.len() - evicted(places));
        assert_eq!((held(&shared), evicted(&strangers)), ([8, 8], 0));
        // More of them take their places from each other, but for the one by which they are beyond their claim.
        let _more = take(&places, 1, 40).await;
        assert_eq!(evicted(&strangers), 1);
    }

    #[tokio::test]
    async fn known_senders_make_room_if_there_is_nobody_else() {
        let places = Places::new(4);
        places.take(address(1)).await.prove();
        let shared = take(&places, 1, 40).await;
        assert_eq!(evicted(&shared), 36);
        let _stranger = places.take(address(2)).await;
        assert_eq!(evicted(&shared), 37);
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
