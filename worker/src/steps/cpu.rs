//! A bound on work that keeps a processor busy.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// Runs closures on Tokio's blocking threads, only so many at a time. Clones share the bound.
#[derive(Debug, Clone)]
pub struct Cpu(Arc<Semaphore>);

/// The work panicked: for a decoder, a file that it cannot cope with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the work panicked")]
pub struct Panicked;

impl Cpu {
    /// As many at a time as there are processors: the container's CPU limit where there is one.
    #[must_use]
    pub fn for_this_machine() -> Self {
        Self::new(std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
    }

    /// At most `at_once` closures at a time; at least one.
    #[must_use]
    pub fn new(at_once: usize) -> Self {
        Self(Arc::new(Semaphore::new(at_once.max(1))))
    }

    /// Waits for a turn and runs the closure.
    ///
    /// Dropping the future does not stop a closure that has begun, and the closure keeps its turn to the end: what
    /// was cancelled still uses the processor.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Panicked> {
        // The semaphore is never closed; without a permit the work would only be unbounded.
        let permit = Arc::clone(&self.0).acquire_owned().await.ok();
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        task.await.map_err(|_| Panicked)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn no_more_than_the_bound_at_once() {
        let cpu = Cpu::new(2);
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let work = (0..8).map(|_| {
            let (cpu, now, most) = (cpu.clone(), Arc::clone(&now), Arc::clone(&most));
            async move {
                cpu.run(move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(5));
                    now.fetch_sub(1, Ordering::SeqCst);
                })
                .await
            }
        });
        futures::future::try_join_all(work).await.unwrap();
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_gives_the_turn_back() {
        let cpu = Cpu::new(1);
        assert_eq!(cpu.run(|| panic!("hostile input")).await, Err::<(), _>(Panicked));
        assert_eq!(cpu.run(|| 7).await, Ok(7));
    }
}
