mod properties;

use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::header::{HeaderName, HeaderValue};

use super::*;

fn limiter() -> Arc<Limiter> {
    Arc::new(Limiter::new(0.0))
}

fn headers(pairs: &[(&'static str, String)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, String)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
    };
    pairs.iter().map(pair).collect()
}

/// The limit headers of a reply that comes at `at` and says that a period ends in so many seconds.
fn limits(available: u64, max: u64, seconds: u64, at: SystemTime) -> HeaderMap {
    let reset = at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + seconds;
    headers(&[
        ("x-ve-limit-avail", available.to_string()),
        ("x-ve-limit-max", max.to_string()),
        ("x-ve-limit-expires", reset.to_string()),
    ])
}

/// A moment without fractions: headers tell whole seconds.
fn noon() -> SystemTime {
    const SECONDS: u64 = 1_791_201_600;
    SystemTime::UNIX_EPOCH + Duration::from_secs(SECONDS)
}

async fn call(limiter: &Arc<Limiter>, operation: &'static str, status: StatusCode, headers: &HeaderMap) {
    limiter.pass(operation).await.unwrap().settle(status, headers, noon());
}

/// How long a call waits for its turn; it is not made.
async fn waits(limiter: &Arc<Limiter>, operation: &'static str) -> Duration {
    let start = Instant::now();
    match limiter.pass(operation).await {
        Ok(_permit) => start.elapsed(),
        Err(until) => until.duration_since(SystemTime::now()).unwrap() + start.elapsed(),
    }
}

/// Rounded: the wall clock goes on a little while the other one is paused.
fn seconds(wait: Duration) -> u64 {
    (wait + Duration::from_millis(500)).as_secs()
}

const GENERAL: &str = "storage.list";
const SEARCH: &str = "events.search";
const BY_TOKEN: &str = "storage.read";
const SLOW_DOWN: StatusCode = StatusCode::TOO_MANY_REQUESTS;

#[tokio::test(start_paused = true)]
async fn a_429_stops_everybody_until_the_reset() {
    let limiter = limiter();
    call(&limiter, GENERAL, SLOW_DOWN, &limits(0, 100, 7, noon())).await;
    let others = [limiter.clone(), limiter.clone()];
    let start = Instant::now();
    for other in others {
        other.pass(GENERAL).await.unwrap();
    }
    assert_eq!(seconds(start.elapsed()), 7);
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_is_too_long_to_wait_for_is_reported_at_once() {
    let limiter = limiter();
    let later = headers(&[("retry-after", "30".to_owned())]);
    call(&limiter, GENERAL, SLOW_DOWN, &later).await;
    // A shorter hold does not open a longer one.
    let sooner = headers(&[("retry-after", "1".to_owned())]);
    let call = limiter.lock().general.take(GENERAL, Instant::now());
    Permit { limiter: limiter.clone(), operation: GENERAL, call }.settle(SLOW_DOWN, &sooner, noon());

    let start = Instant::now();
    let until = limiter.pass(GENERAL).await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(seconds(until.duration_since(SystemTime::now()).unwrap()), 30);
}

#[tokio::test(start_paused = true)]
async fn without_a_word_about_when_it_is_a_minute() {
    let limiter = limiter();
    call(&limiter, GENERAL, SLOW_DOWN, &HeaderMap::new()).await;
    assert_eq!(seconds(waits(&limiter, GENERAL).await), 60);
}

#[tokio::test(start_paused = true)]
async fn the_event_search_has_limits_of_its_own() {
    let limiter = limiter();
    call(&limiter, SEARCH, SLOW_DOWN, &limits(0, 5, 3, noon())).await;
    assert_eq!(waits(&limiter, GENERAL).await, Duration::ZERO);
    assert_eq!(seconds(waits(&limiter, SEARCH).await), 3);
    // What holds every call of the key holds this one, too.
    call(&limiter, GENERAL, SLOW_DOWN, &limits(0, 100, 9, noon())).await;
    assert_eq!(seconds(waits(&limiter, SEARCH).await), 9);
}

#[tokio::test(start_paused = true)]
async fn a_period_that_is_used_up_needs_no_429() {
    let limiter = limiter();
    for left in (0..5).rev() {
        call(&limiter, SEARCH, StatusCode::OK, &limits(left, 5, 3, noon())).await;
    }
    assert!(seconds(waits(&limiter, SEARCH).await) <= 3);
    // The longer period shows only when it is the tighter one, and is not forgotten for the shorter one.
    tokio::time::advance(Duration::from_secs(4)).await;
    call(&limiter, SEARCH, StatusCode::OK, &limits(0, 120, 500, noon())).await;
    assert_eq!(seconds(waits(&limiter, SEARCH).await), 500);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_with_tighter_numbers_does_not_slow_the_others_down() {
    let limiter = limiter();
    call(&limiter, GENERAL, StatusCode::OK, &limits(90, 100, 60, noon())).await;
    call(&limiter, "upload.chunk", StatusCode::OK, &limits(3, 4, 8, noon())).await;
    for left in (80..90).rev() {
        call(&limiter, GENERAL, StatusCode::OK, &limits(left, 100, 60, noon())).await;
    }
    assert_eq!(waits(&limiter, "auth.check").await, Duration::ZERO);
    for left in (0..3).rev() {
        call(&limiter, "upload.chunk", StatusCode::OK, &limits(left, 4, 8, noon())).await;
    }
    assert!(waits(&limiter, "upload.chunk").await > Duration::from_secs(6));
    assert_eq!(waits(&limiter, GENERAL).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn calls_under_way_count_before_their_replies() {
    let limiter = limiter();
    call(&limiter, GENERAL, StatusCode::OK, &limits(2, 100, 8, noon())).await;
    let first = limiter.pass(GENERAL).await.unwrap();
    let second = limiter.pass(GENERAL).await.unwrap();
    let start = Instant::now();
    let third = limiter.pass(GENERAL).await.unwrap();
    assert!(start.elapsed() > Duration::from_secs(2), "{:?}", start.elapsed());
    drop((first, second, third));
}

#[tokio::test(start_paused = true)]
async fn plenty_is_not_slowed_down_and_nonsense_is_ignored() {
    let limiter = limiter();
    for odd in [limits(0, 0, 60, noon()), headers(&[("x-ve-limit-avail", "0".to_owned())])] {
        call(&limiter, GENERAL, StatusCode::OK, &odd).await;
    }
    let start = Instant::now();
    for left in (30..100).rev() {
        call(&limiter, GENERAL, StatusCode::OK, &limits(left, 100, 60, noon())).await;
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn processes_that_were_told_the_same_moment_do_not_return_together() {
    let mut waited = Vec::new();
    for spread in [0.0, 0.5, 1.0] {
        let limiter = Arc::new(Limiter::new(spread));
        let hold = headers(&[("retry-after", "5".to_owned())]);
        call(&limiter, GENERAL, SLOW_DOWN, &hold).await;
        waited.push(waits(&limiter, GENERAL).await.as_millis() / 100);
    }
    assert_eq!(waited, [50, 55, 60]);
}

#[tokio::test(start_paused = true)]
async fn downloads_by_token_are_counted_apart_and_stopped_with_the_rest() {
    let limiter = limiter();
    call(&limiter, BY_TOKEN, SLOW_DOWN, &limits(0, 100, 7, noon())).await;
    assert_eq!(waits(&limiter, GENERAL).await, Duration::ZERO);
    assert_eq!(seconds(waits(&limiter, BY_TOKEN).await), 7);
    // A reply to a call without a key may be about a count of its own: it must not hide that of the key.
    call(&limiter, GENERAL, StatusCode::OK, &limits(0, 100, 9, noon())).await;
    call(&limiter, BY_TOKEN, StatusCode::OK, &limits(100, 100, 60, noon())).await;
    assert_eq!(seconds(waits(&limiter, GENERAL).await), 9);
    call(&limiter, GENERAL, SLOW_DOWN, &limits(0, 100, 9, noon())).await;
    assert_eq!(seconds(waits(&limiter, BY_TOKEN).await), 9);
}

/// A service that counts in fixed periods, over all who call.
struct Service {
    max: u64,
    length: u64,
    start: Instant,
    used: Mutex<(u64, u64)>,
    refused: AtomicU64,
    served: AtomicU64,
}

impl Service {
    fn call(&self) -> (StatusCode, HeaderMap, SystemTime) {
        let elapsed = self.start.elapsed();
        let at = noon() + elapsed;
        let (period, mut used) = (elapsed.as_secs() / self.length, self.used.lock().unwrap());
        if used.0 != period {
            *used = (period, 0);
        }
        let left = self.length - elapsed.as_secs() % self.length;
        if used.1 >= self.max {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return (SLOW_DOWN, limits(0, self.max, left, at), at);
        }
        used.1 += 1;
        self.served.fetch_add(1, Ordering::Relaxed);
        (StatusCode::OK, limits(self.max - used.1, self.max, left, at), at)
    }
}

/// Eight processes, each with three calls at a time, want ten times what the service gives, for twenty periods.
#[tokio::test(start_paused = true)]
async fn many_processes_settle_without_talking_to_each_other() {
    let service = Arc::new(Service {
        max: 100,
        length: 30,
        start: Instant::now(),
        used: Mutex::default(),
        refused: AtomicU64::new(0),
        served: AtomicU64::new(0),
    });
    let end = Instant::now() + Duration::from_mins(10);
    let mut callers = tokio::task::JoinSet::new();
    for process in 0..8_u32 {
        let limiter = Arc::new(Limiter::new(f64::from(process) / 8.0));
        for _ in 0..3 {
            let (limiter, service) = (limiter.clone(), service.clone());
            callers.spawn(async move {
                while Instant::now() < end {
                    match limiter.pass(GENERAL).await {
                        Ok(permit) => {
                            tokio::time::sleep(Duration::from_millis(80)).await;
                            let (status, headers, at) = service.call();
                            permit.settle(status, &headers, at);
                        }
                        // What a caller does about `ErrorClass::WaitUntil`.
                        Err(until) => {
                            let pause = until.duration_since(SystemTime::now()).unwrap_or_default();
                            tokio::time::sleep(pause).await;
                        }
                    }
                }
            });
        }
    }
    while callers.join_next().await.is_some() {}
    let (served, refused) = (service.served.load(Ordering::Relaxed), service.refused.load(Ordering::Relaxed));
    assert!(served >= 1_900, "of 2,000 calls that the service had to give, {served} were used");
    assert!(refused <= 24, "{refused} refusals, more than one for each caller");
}
