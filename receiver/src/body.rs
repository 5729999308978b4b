//! Reading a body that nobody has vouched for yet: within a size, a time and a budget for all bodies together.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::answer::Answer;

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
    /// Limits with a budget of `budget` bytes for all bodies that are in flight at one moment.
    #[must_use]
    pub fn new(size: usize, time: Duration, budget: usize) -> Self {
        Self { size, time, budget: Arc::new(Semaphore::new(budget.min(Semaphore::MAX_PERMITS))) }
    }

    /// Reads a body to its end.
    ///
    /// The budget is taken as bytes arrive and not as they are announced: a sender that announces much and sends
    /// nothing holds nothing.
    pub async fn read<B>(&self, body: B) -> Result<Received, Answer>
    where
        B: Body<Data = Bytes>,
    {
        let too_large = || Answer::TooLarge { limit: self.size };
        if usize::try_from(body.size_hint().lower()).map_or(true, |announced| announced > self.size) {
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
                if bytes.len() + data.len() > self.size {
                    return Err(too_large());
                }
                let more = self.take(data.len()).ok_or(Answer::Crowded)?;
                match &mut share {
                    Some(share) => share.merge(more),
                    None => share = Some(more),
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
    async fn bodies_in_flight_share_a_budget() {
        let limits = BodyLimits::new(10, Duration::from_secs(1), 15);
        let first = limits.read(body(10)).await.unwrap();
        assert_eq!(limits.read(body(10)).await.unwrap_err(), Answer::Crowded);
        assert_eq!(limits.read(body(5)).await.unwrap().bytes.len(), 5);
        drop(first);
        assert!(limits.read(body(10)).await.is_ok());
        assert_eq!(limits.read(body(11)).await.unwrap_err(), Answer::TooLarge { limit: 10 });
    }
}
