//! How load is put on: a closed loop for what a server can do, an open loop for how long a sender waits.

use std::future::Future;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::report::{Outcome, Report};

/// What is put under load. Every event number is sent once.
pub(crate) trait Target: Send + Sync + 'static {
    /// Sends an event and waits for its answer: an HTTP status, or why there is none.
    fn send(&self, number: u64) -> impl Future<Output = Result<u16, String>> + Send;
}

/// When the next event is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// When one before is answered.
    Closed {
        /// Events that are under way at each moment.
        in_flight: usize,
    },
    /// When it is time.
    Open {
        /// Time from one event to the next.
        interval: Duration,
    },
}

/// A measurement.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) pace: Pace,
    /// Load that is not measured comes first, for so long.
    pub(crate) warm_up: Duration,
    /// Most events.
    pub(crate) count: u64,
    /// Longest time in which events are sent.
    pub(crate) time: Duration,
    /// Whether somebody wants to look at the server between warm-up and measurement.
    pub(crate) hold: bool,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("nobody to wait for: {0}")]
    Hold(#[from] std::io::Error),
    #[error("a request was not answered at all: {0}")]
    Failed(String),
    #[error("a task of the load ended early")]
    Task,
}

/// Numbers the events of all phases, each once.
#[derive(Debug, Default)]
struct Numbers(AtomicU64);

/// Runs a measurement. Nothing is under way before and after, so each request counts whole.
pub(crate) async fn run<T: Target>(load: Load, target: Arc<T>) -> Result<Report, LoadError> {
    let numbers = Arc::new(Numbers::default());
    if !load.warm_up.is_zero() {
        phase(load.pace, u64::MAX, load.warm_up, &target, &numbers).await?;
    }
    if load.hold {
        writeln!(io::stdout(), "ready")?;
        io::stdin().read_line(&mut String::new())?;
    }
    let begun = Instant::now();
    let outcomes = phase(load.pace, load.count, load.time, &target, &numbers).await?;
    let took = begun.elapsed();
    Ok(Report::new(&outcomes, numbers.0.load(Ordering::Relaxed), took))
}

async fn phase<T: Target>(
    pace: Pace,
    count: u64,
    time: Duration,
    target: &Arc<T>,
    numbers: &Arc<Numbers>,
) -> Result<Vec<Outcome>, LoadError> {
    match pace {
        Pace::Closed { in_flight } => closed(in_flight, count, time, target, numbers).await,
        Pace::Open { interval } => open(interval, count, time, target, numbers).await,
    }
}

async fn closed<T: Target>(
    in_flight: usize,
    count: u64,
    time: Duration,
    target: &Arc<T>,
    numbers: &Arc<Numbers>,
) -> Result<Vec<Outcome>, LoadError> {
    let last = numbers.0.load(Ordering::Relaxed).saturating_add(count);
    let end = Instant::now() + time;
    let mut lanes = JoinSet::new();
    for _ in 0..in_flight {
        let (target, numbers) = (Arc::clone(target), Arc::clone(numbers));
        lanes.spawn(async move {
            let mut outcomes = Vec::new();
            loop {
                let begun = Instant::now();
                let number = numbers.0.load(Ordering::Relaxed);
                // One thread: nobody comes between the two lines.
                if number >= last || begun >= end {
                    return Ok::<_, LoadError>(outcomes);
                }
                numbers.0.store(number + 1, Ordering::Relaxed);
                let status = target.send(number).await.map_err(LoadError::Failed)?;
                outcomes.push(Outcome { status, took: begun.elapsed(), late: Duration::ZERO });
            }
        });
    }
    let mut outcomes = Vec::new();
    while let Some(lane) = lanes.join_next().await {
        outcomes.append(&mut lane.map_err(|_| LoadError::Task)??);
    }
    Ok(outcomes)
}

/// The time that an event took counts from when it was due, so that a sender that is held up hides nothing.
async fn open<T: Target>(
    interval: Duration,
    count: u64,
    time: Duration,
    target: &Arc<T>,
    numbers: &Arc<Numbers>,
) -> Result<Vec<Outcome>, LoadError> {
    let mut due = schedule(interval, count, time);
    let mut under_way = JoinSet::new();
    while let Some(due) = due.recv().await {
        let (target, number) = (Arc::clone(target), numbers.0.fetch_add(1, Ordering::Relaxed));
        under_way.spawn(async move {
            let late = due.elapsed();
            let status = target.send(number).await.map_err(LoadError::Failed)?;
            Ok::<_, LoadError>(Outcome { status, took: due.elapsed(), late })
        });
    }
    let mut outcomes = Vec::new();
    while let Some(outcome) = under_way.join_next().await {
        outcomes.push(outcome.map_err(|_| LoadError::Task)??);
    }
    Ok(outcomes)
}

/// Says when an event is due. A thread of its own: Tokio's timers are good to a millisecond, a sleeping thread to less
/// than a tenth of one.
fn schedule(interval: Duration, count: u64, time: Duration) -> mpsc::UnboundedReceiver<Instant> {
    let (ticks, due) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let begun = Instant::now();
        let mut next = Duration::ZERO;
        for _ in 0..count {
            next += interval;
            if next > time {
                return;
            }
            std::thread::sleep(next.saturating_sub(begun.elapsed()));
            if ticks.send(begun + next).is_err() {
                return;
            }
        }
    });
    due
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Takes its time, and remembers.
    #[derive(Default)]
    struct Slow {
        seen: Mutex<Vec<u64>>,
        takes: Duration,
    }

    impl Target for Slow {
        async fn send(&self, number: u64) -> Result<u16, String> {
            self.seen.lock().unwrap().push(number);
            tokio::time::sleep(self.takes).await;
            Ok(200)
        }
    }

    fn load(pace: Pace, count: u64) -> Load {
        Load { pace, warm_up: Duration::ZERO, count, time: Duration::from_mins(1), hold: false }
    }

    #[tokio::test]
    async fn a_closed_loop_sends_each_event_once_and_no_more() {
        let target = Arc::new(Slow::default());
        let report = run(load(Pace::Closed { in_flight: 4 }, 30), Arc::clone(&target)).await.unwrap();
        let mut seen = target.seen.lock().unwrap().clone();
        seen.sort_unstable();
        assert_eq!(seen, (0..30).collect::<Vec<_>>());
        assert_eq!((report.requests, report.sent_in_all), (30, 30));
    }

    #[tokio::test]
    async fn what_warms_up_is_not_counted() {
        let target = Arc::new(Slow { takes: Duration::from_millis(1), ..Slow::default() });
        let warm = Load { warm_up: Duration::from_millis(50), ..load(Pace::Closed { in_flight: 2 }, 10) };
        let report = run(warm, Arc::clone(&target)).await.unwrap();
        assert_eq!(report.requests, 10);
        assert!(report.sent_in_all > 10);
        assert_eq!(target.seen.lock().unwrap().len() as u64, report.sent_in_all);
    }

    #[tokio::test]
    async fn an_open_loop_does_not_wait_for_answers() {
        let takes = Duration::from_millis(200);
        let target = Arc::new(Slow { takes, ..Slow::default() });
        let pace = Pace::Open { interval: Duration::from_millis(2) };
        let report = run(load(pace, 50), target).await.unwrap();
        assert_eq!(report.requests, 50);
        // One after the other would take ten seconds.
        assert!((0.3..2.0).contains(&report.seconds), "{}", report.seconds);
        assert!(report.latency.p50 >= 0.2, "{:?}", report.latency);
    }
}
