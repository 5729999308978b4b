//! Reading a body that nobody has vouched for yet: within a size, a time and a budget for all bodies together.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::answer::Answer;

/// A body up to this many bytes needs no share of the budget: room for it belongs to the connection. An event has a few
/// hundred bytes, so no flood of large bodies keeps one out.
pub const SMALL: usize = 8 * 1024;

/// Which part of the budget limited sources may have together: one in so many.
const LIMITED_PART: usize = 4;

/// Limits on bodies.
#[derive(Debug, Clone)]
pub struct BodyLimits {
    /// Most bytes of one body.
    pub size: usize,
    /// Longest time from the end of the head to the end of the body.
    pub time: Duration,
    budget: Arc<Semaphore>,
    /// The part of the budget that limited sources may have together.
    of_limited: Arc<Semaphore>,
}

/// A complete body. Its bytes count against the budget for as long as it lives.
#[derive(Debug)]
pub struct Received {
    /// The bytes as they were sent.
    pub bytes: Bytes,
    _shares: Shares,
}

/// What one body has of the budget, and of the part for limited sources.
#[derive(Debug, Default)]
struct Shares {
    budget: Option<OwnedSemaphorePermit>,
    of_limited: Option<OwnedSemaphorePermit>,
}

impl BodyLimits {
    /// Limits with a budget of `budget` bytes for what is in flight at one moment of bodies beyond [`SMALL`].
    ///
    /// A quarter of it, and at least one largest body, is what limited sources may have together (see [`crate::abuse`]).
    #[must_use]
    pub fn new(size: usize, time: Duration, budget: usize) -> Self {
        let of_limited = (budget / LIMITED_PART).max(size.saturating_sub(SMALL));
        let bytes = |bytes: usize| Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS)));
        Self { size, time, budget: bytes(budget), of_limited: bytes(of_limited) }
    }

    /// Reads a body to its end. `limited` says whether its source is.
    ///
    /// The budget is taken as bytes arrive and not as they are announced: a sender that announces much and sends
    /// nothing holds nothing.
    pub async fn read<B>(&self, body: B, limited: bool) -> Result<Received, Answer>
    where
        B: Body<Data = Bytes>,
    {
        let limit = self.size;
        let too_large = || Answer::TooLarge { limit };
        if usize::try_from(body.size_hint().lower()).map_or(true, |announced| announced > limit) {
            return Err(too_large());
        }
        let collected = async {
            let mut body = pin!(body);
            let mut bytes = BytesMut::new();
            let mut shares = Shares::default();
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|_| Answer::BrokenBody)?;
                // Trailers are of no use here; they end the body.
                let Ok(data) = frame.into_data() else { continue };
                let length = bytes.len() + data.len();
                if length > limit {
                    return Err(too_large());
                }
                let beyond_small = length.saturating_sub(SMALL.max(bytes.len()));
                if beyond_small > 0 {
                    take(&self.budget, beyond_small, &mut shares.budget)?;
                    if limited {
                        take(&self.of_limited, beyond_small, &mut shares.of_limited)?;
                    }
                }
                bytes.extend_from_slice(&data);
            }
            Ok(Received { bytes: bytes.freeze(), _shares: shares })
        };
        tokio::time::timeout(self.time, collected).await.unwrap_or(Err(Answer::BodyTimeout))
    }
}

/// Adds so many bytes to a share of a budget, if it has them.
fn take(
    budget: &Arc<Semaphore>,
    bytes: usize,
    share: &mut Option<OwnedSemaphorePermit>,
) -> Result<(), Answer> {
    let bytes = u32::try_from(bytes).map_err(|_| Answer::Crowded)?;
    let more = Arc::clone(budget).try_acquire_many_owned(bytes).map_err(|_| Answer::Crowded)?;
    match share {
        Some(share) => share.merge(more),
        None => *share = Some(more),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    fn body(length: usize) -> Full<Bytes> {
        Full::new(Bytes::from(vec![b'x'; length]))
    }

    #[tokio::test]
    async fn large_bodies_in_flight_share_a_budget() {
        let limits = BodyLimits::new(SMALL + 10, Duration::from_secs(1), 15);
        let read = |length| limits.read(body(length), false);
        let first = read(SMALL + 10).await.unwrap();
        assert_eq!(read(SMALL + 10).await.unwrap_err(), Answer::Crowded);
        assert_eq!(read(SMALL + 5).await.unwrap().bytes.len(), SMALL + 5);
        let second = read(SMALL + 5).await.unwrap();
        assert_eq!(read(SMALL + 1).await.unwrap_err(), Answer::Crowded);
        assert!(read(SMALL).await.is_ok());
        drop((first, second));
        assert!(read(SMALL + 10).await.is_ok());
        assert_eq!(read(SMALL + 11).await.unwrap_err(), Answer::TooLarge { limit: SMALL + 10 });
    }

    #[tokio::test]
    async fn limited_sources_share_a_part_of_the_budget() {
        let limits = BodyLimits::new(SMALL + 10, Duration::from_secs(1), 60);
        let limited = |length| limits.read(body(length), true);
        let first = limited(SMALL + 10).await.unwrap();
        assert_eq!(limited(SMALL + 10).await.unwrap_err(), Answer::Crowded);
        let second = limited(SMALL + 5).await.unwrap();
        assert_eq!(limited(SMALL + 1).await.unwrap_err(), Answer::Crowded);
        assert!(limited(SMALL).await.is_ok());
        // What they have is gone for the others, and no more than that: a refused one gave back what it took.
        let mut others = Vec::new();
        for _ in 0..4 {
            others.push(limits.read(body(SMALL + 10), false).await.unwrap());
        }
        assert_eq!(limits.read(body(SMALL + 10), false).await.unwrap_err(), Answer::Crowded);
        drop((first, second));
        // And the other way round: all bodies together stay within the budget.
        for length in [SMALL + 10, SMALL + 5] {
            others.push(limits.read(body(length), false).await.unwrap());
        }
        assert_eq!(limited(SMALL + 10).await.unwrap_err(), Answer::Crowded);
        assert!(limited(SMALL + 5).await.is_ok());
        drop(others);
        assert!(limited(SMALL + 10).await.is_ok());
    }

    #[tokio::test]
    async fn the_largest_body_fits_into_the_part_of_limited_sources() {
        let limits = BodyLimits::new(SMALL + 10, Duration::from_secs(1), 10);
        assert!(limits.read(body(SMALL + 10), true).await.is_ok());
    }
}
