//! From what happened to what is printed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

/// One request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) status: u16,
    /// From when it was due to the end of its answer.
    pub(crate) took: Duration,
    /// From when it was due to when it was sent.
    pub(crate) late: Duration,
}

/// A measurement. Times are seconds.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Requests that were measured.
    pub(crate) requests: u64,
    /// Those of the warm-up too.
    pub(crate) sent_in_all: u64,
    /// From the first request to the last answer.
    pub(crate) seconds: f64,
    /// How often each status was answered.
    pub(crate) answers: BTreeMap<u16, u64>,
    pub(crate) latency: Percentiles,
    /// How late requests were sent, in an open loop: the error of the measurement itself.
    pub(crate) late: Percentiles,
}

impl Report {
    pub(crate) fn new(outcomes: &[Outcome], sent_in_all: u64, took: Duration) -> Self {
        let mut answers = BTreeMap::new();
        for outcome in outcomes {
            *answers.entry(outcome.status).or_default() += 1;
        }
        Self {
            requests: outcomes.len() as u64,
            sent_in_all,
            seconds: took.as_secs_f64(),
            answers,
            latency: Percentiles::of(outcomes.iter().map(|outcome| outcome.took).collect()),
            late: Percentiles::of(outcomes.iter().map(|outcome| outcome.late).collect()),
        }
    }
}

/// Percentiles of times in seconds: of all of them, not of a histogram's buckets.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Percentiles {
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent| nearest_rank(&times, percent).as_secs_f64();
        Self { p50: at(50), p90: at(90), p99: at(99), max: at(100) }
    }
}

/// The smallest value that at least `percent` of all do not exceed (nearest rank). Zero if there are none.
fn nearest_rank(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(values: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        values.into_iter().map(Duration::from_millis).collect()
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let hundred = Percentiles::of(milliseconds((1..=100).rev()));
        assert_eq!(hundred, Percentiles { p50: 0.05, p90: 0.09, p99: 0.099, max: 0.1 });
        let five = Percentiles::of(milliseconds([15, 20, 35, 40, 50]));
        assert_eq!(five, Percentiles { p50: 0.035, p90: 0.05, p99: 0.05, max: 0.05 });
        let one = Percentiles::of(milliseconds([7]));
        assert_eq!(one, Percentiles { p50: 0.007, p90: 0.007, p99: 0.007, max: 0.007 });
        assert_eq!(Percentiles::of(Vec::new()), Percentiles::default());
    }

    #[test]
    fn one_slow_request_in_a_thousand_is_the_maximum_and_not_the_99th() {
        let times = milliseconds(std::iter::repeat_n(1, 999).chain([500]));
        assert_eq!(Percentiles::of(times), Percentiles { p50: 0.001, p90: 0.001, p99: 0.001, max: 0.5 });
    }

    #[test]
    fn answers_are_counted_by_status() {
        let outcome = |status| Outcome { status, took: Duration::ZERO, late: Duration::ZERO };
        let report = Report::new(&[outcome(200), outcome(503), outcome(200)], 3, Duration::from_secs(2));
        assert_eq!(report.answers, BTreeMap::from([(200, 2), (503, 1)]));
        assert_eq!(report.requests, 3);
    }
}
