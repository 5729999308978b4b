use proptest::prelude::*;

use super::*;

const OPERATIONS: [&str; 4] = [GENERAL, "upload.chunk", SEARCH, BY_TOKEN];
/// Numbers that limits have, some of them shared by several.
const SIZES: [u64; 5] = [1, 4, 5, 15, 100];

fn operation() -> impl Strategy<Value = &'static str> {
    prop::sample::select(OPERATIONS.to_vec())
}

/// What may happen at a limiter.
#[derive(Debug, Clone)]
enum Step {
    /// Somebody wants to call.
    Call(&'static str),
    /// One of the calls under way is answered.
    Reply {
        which: prop::sample::Index,
        refused: bool,
        told: Told,
    },
    /// One of the calls under way ends without an answer.
    Lose(prop::sample::Index),
    Wait(Duration),
}

/// What a reply's headers tell, rightly or wrongly.
#[derive(Debug, Clone)]
enum Told {
    Nothing,
    RetryAfter(u64),
    Limit {
        available: u64,
        max: u64,
        seconds: u64,
    },
    /// The limit that was told last, with so many calls left now.
    Again {
        available: u64,
    },
}

impl Told {
    /// What it says once it is known which limit was told last: its number of calls, and its end in seconds from the start.
    fn of(self, last: &mut Option<(u64, u64)>, elapsed: u64) -> Self {
        match (self, *last) {
            (Self::Limit { available, max, seconds }, _) => {
                *last = Some((max, elapsed.saturating_add(seconds)));
                Self::Limit { available, max, seconds }
            }
            (Self::Again { available }, Some((max, end))) => {
                Self::Limit { available, max, seconds: end.saturating_sub(elapsed) }
            }
            (told, _) => told,
        }
    }

    fn headers(&self, at: SystemTime) -> HeaderMap {
        match *self {
            Self::Nothing | Self::Again { .. } => HeaderMap::new(),
            Self::RetryAfter(seconds) => headers(&[("retry-after", seconds.to_string())]),
            Self::Limit { available, max, seconds } => limits(available, max, seconds, at),
        }
    }

    /// The longest pause that it asks for.
    fn pause(&self, refused: bool) -> Duration {
        let asked = Duration::from_secs(match *self {
            Self::Nothing | Self::Again { .. } => 60 * u64::from(refused),
            Self::RetryAfter(seconds) => seconds,
            Self::Limit { seconds, .. } => seconds.max(1),
        });
        asked.min(MAX_PAUSE)
    }
}

fn told() -> impl Strategy<Value = Told> {
    let seconds = prop_oneof![0..4_u64, 0..120_u64, 0..10_000_u64, Just(u64::from(u32::MAX))];
    let max = prop_oneof![4 => prop::sample::select(SIZES.to_vec()), 1 => any::<u64>()];
    let limit = (0..=100_u64, max, seconds.clone());
    prop_oneof![
        1 => Just(Told::Nothing),
        1 => seconds.prop_map(Told::RetryAfter),
        5 => limit.prop_map(|(available, max, seconds)| Told::Limit { available, max, seconds }),
        5 => (0..=100_u64).prop_map(|available| Told::Again { available }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let which = any::<prop::sample::Index>;
    let wait = prop_oneof![0..3_000_u64, 0..90_000_u64, 0..4_000_000_u64].prop_map(Duration::from_millis);
    prop_oneof![
        4 => operation().prop_map(Step::Call),
        4 => (which(), prop::bool::weighted(0.2), told())
            .prop_map(|(which, refused, told)| Step::Reply { which, refused, told }),
        1 => which().prop_map(Step::Lose),
        2 => wait.prop_map(Step::Wait),
    ]
}

/// Runs with a clock that stands still until it is moved.
fn paused<T>(run: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(run)
}

proptest! {
    /// Whatever replies say: every pause ends with a moment that was told, or one period after it began; it is never longer
    /// than what is believed; and who waits for it may call.
    #[test]
    fn every_pause_ends(steps in prop::collection::vec(step(), 0..60), spread in 0.0..1.0) {
        paused(async {
            let limiter = Arc::new(Limiter::new(spread));
            let mut under_way = Vec::new();
            let (start, mut limit) = (Instant::now(), None);
            // The last moment that was told, and the longest time to one.
            let (mut last, mut longest) = (start, Duration::from_millis(1_500));
            for step in steps {
                match step {
                    Step::Call(operation) => under_way.extend(limiter.try_pass(operation)),
                    Step::Wait(time) => tokio::time::advance(time).await,
                    Step::Lose(which) if !under_way.is_empty() => {
                        under_way.swap_remove(which.index(under_way.len()));
                    }
                    Step::Reply { which, refused, told } if !under_way.is_empty() => {
                        let permit: Permit = under_way.swap_remove(which.index(under_way.len()));
                        let status = if refused { SLOW_DOWN } else { StatusCode::OK };
                        let at = noon() + start.elapsed();
                        let told = told.of(&mut limit, start.elapsed().as_secs());
                        permit.settle(status, &told.headers(at), at);
                        let pause = told.pause(refused);
                        let spread = MAX_SPREAD.min(pause).mul_f64(if refused { spread } else { 0.0 });
                        last = last.max(Instant::now() + pause + spread);
                        longest = longest.max(pause);
                    }
                    Step::Lose(_) | Step::Reply { .. } => {}
                }
                let now = Instant::now();
                for operation in OPERATIONS {
                    let pause = limiter.lock().pause(operation, now);
                    prop_assert!(pause <= MAX_PAUSE + MAX_SPREAD, "{pause:?}");
                    prop_assert!(pause <= longest.max(last.saturating_duration_since(now)), "{pause:?}");
                    prop_assert_eq!(limiter.lock().pause(operation, now + pause), Duration::ZERO);
                }
            }
            Ok(())
        })?;
    }

    /// Within a period that a reply has told of, however many want to call, and in whatever order the replies come: no more
    /// calls than that reply said are left.
    #[test]
    fn no_more_calls_than_are_left(
        (max, available) in (1..60_u64).prop_flat_map(|max| (Just(max), 0..=max)),
        others in 0..4_u64,
        steps in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, 0..1_500_u64), 0..200),
    ) {
        const LENGTH: u64 = 300;
        paused(async {
            let (limiter, start) = (limiter(), Instant::now());
            let ends = || LENGTH - start.elapsed().as_secs();
            call(&limiter, GENERAL, StatusCode::OK, &limits(available, max, LENGTH, noon())).await;
            let (mut left, mut made, mut under_way) = (available, 0, Vec::new());
            for (which, what, milliseconds) in steps {
                match what {
                    0 if !under_way.is_empty() => {
                        let (permit, left): (Permit, u64) = under_way.swap_remove(which.index(under_way.len()));
                        let at = noon() + Duration::from_secs(start.elapsed().as_secs());
                        permit.settle(StatusCode::OK, &limits(left, max, ends(), at), at);
                    }
                    1 => tokio::time::advance(Duration::from_millis(milliseconds)).await,
                    _ => {
                        if let Ok(permit) = limiter.try_pass(GENERAL) {
                            made += 1;
                            // Others call, too; the service counts a call when it comes.
                            left = left.saturating_sub(1 + others.min(which.index(4) as u64));
                            under_way.push((permit, left));
                        }
                    }
                }
            }
            prop_assert!(made <= available, "{made} calls, {available} were left");
            Ok(())
        })?;
    }
}
