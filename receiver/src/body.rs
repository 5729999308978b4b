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

/// Limits on bodies.
#[derive(Debug, Clone)]
pub struct BodyLimits {
    /// Most bytes of one body.
    pub size: usize,
    /// Longest time from the end of the head to the end of the body.
    pub time: Duration,
    budget: Arc<Semaphore>,
}

/// A complete body. Its bytes count against the budget for as long as it lives.
#[derive(Debug)]
pub struct Received {
    /// The bytes as they were sent.
    pub bytes: Bytes,
    _share: Option<OwnedSemaphorePermit>,
}

impl BodyLimits {
    /// Limits with a budget of `budget` bytes for what is in flight at one moment of bodies beyond [`SMALL`].
    #[must_use]
    pub fn new(size: usize, time: Duration, budget: usize) -> Self {
        Self { size, time, budget: Arc::new(Semaphore::new(budget.min(Semaphore::MAX_PERMITS))) }
    }

    /// Reads a body of at most `most` bytes to its end, or of the configured size if that is less.
    ///
    /// The budget is taken as bytes arrive and not as they are announced: a sender that announces much and sends
    /// nothing holds nothing.
    pub async fn read<B>(&self, body: B, most: usize) -> Result<Received, Answer>
    where
        B: Body<Data = Bytes>,
    {
        let limit = self.size.min(most);
        let too_large = || Answer::TooLarge { limit };
        if usize::try_from(body.size_hint().lower()).map_or(true, |announced| announced > limit) {
            return Err(too_large());
        }
        let collected = async {
            let mut body = pin!(body);
            let mut bytes = BytesMut::new();
            let mut share: Option<OwnedSemaphorePermit> = None;
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
                    let more = self.take(beyond_small).ok_or(Answer::Crowded)?;
                    match &mut share {
                        Some(share) => share.merge(more),
                        None => share = Some(more),
                    }
                }
                bytes.extend_from_slice(&data);
            }
            Ok(Received { bytes: bytes.freeze(), _share: share })
        };
        tokio::time::timeout(self.time, collected).await.unwrap_or(Err(Answer::BodyTimeout))
    }

    fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let bytes = u32::try_from(bytes).ok()?;
        Arc::clone(&self.budget).try_acquire_many_owned(bytes).ok()
    }
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
        let read = |length| limits.read(body(length), usize::MAX);
        let first = read(SMALL + 10).await.unwrap();
        assert_eq!(read(SMALL + 10).await.unwrap_err(), Answer::Crowded);
        assert_eq!(read(SMALL + 5).await.unwrap().bytes.len(), SMALL + 5);
        let second = read(SMALL + 5).await.unwrap();
        assert_eq!(read(SMALL + 1).await.unwrap_err(), Answer::Crowded);
        assert!(read(SMALL).await.is_ok());
        drop((first, second));
        assert!(read(SMALL + 10).await.is_ok());
        assert_eq!(read(SMALL + 11).await.unwrap_err(), Answer::TooLarge { limit: SMALL + 10 });
        assert_eq!(limits.read(body(6), 5).await.unwrap_err(), Answer::TooLarge { limit: 5 });
    }
}
