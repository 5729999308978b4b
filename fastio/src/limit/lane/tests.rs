use super::*;

const LIST: &str = "storage.list";
const POLL: &str = "activity.poll";
const CHUNK: &str = "upload.chunk";

/// A lane at a moment that the test moves on.
struct Clock {
    lane: Lane,
    now: Instant,
}

impl Clock {
    fn new() -> Self {
        Self { lane: Lane::default(), now: Instant::now() }
    }

    fn advance(&mut self, milliseconds: u64) {
        self.now += Duration::from_millis(milliseconds);
    }

    /// A reply that says: so many left, of so many, until a moment in so many seconds.
    fn told(&mut self, operation: &'static str, available: u64, max: u64, seconds: u64) {
        let reset = self.now + Duration::from_secs(seconds);
        self.lane.observe(operation, Report { max, available, reset }, self.now);
    }

    fn take(&mut self, operation: &'static str) -> CallNumber {
        self.lane.take(operation, self.now)
    }

    /// In milliseconds.
    fn pause(&self, operation: &str) -> u128 {
        self.lane.pause(operation, self.now).as_millis()
    }

    /// A call with a reply that says this.
    fn call(&mut self, operation: &'static str, available: u64, max: u64, seconds: u64) {
        assert!(self.pause(operation) == 0, "{operation} has to wait");
        let call = self.take(operation);
        self.lane.end(call);
        self.told(operation, available, max, seconds);
    }

    /// How many calls are let through at once.
    fn burst(&mut self, operation: &'static str) -> usize {
        let mut made = 0;
        while made < 1_000 && self.pause(operation) == 0 {
            let call = self.take(operation);
            self.lane.end(call);
            made += 1;
        }
        made
    }
}

#[test]
fn a_limit_that_no_reply_tells_of_any_more_is_forgotten() {
    let mut clock = Clock::new();
    clock.call(LIST, 0, 4, 8);
    // The plan has changed. The new period is guessed to be like the old one, until its end.
    clock.advance(8_000);
    for left in (900..903).rev() {
        clock.call(LIST, left, 1_000, 60);
    }
    assert!(clock.pause(LIST) > 0);
    clock.advance(8_000);
    assert_eq!(clock.burst(LIST), 900 - 1_000 / 4);
    assert_eq!(clock.lane.windows.len(), 1);
}

#[test]
fn a_guess_that_a_reply_confirms_goes_on() {
    let mut clock = Clock::new();
    clock.call(LIST, 3, 4, 8);
    for _ in 0..5 {
        clock.advance(9_000);
        clock.call(LIST, 3, 4, 8);
        clock.call(LIST, 0, 4, 8);
        assert_eq!(clock.pause(LIST), 8_000);
    }
    assert_eq!(clock.lane.windows.len(), 1);
}

#[test]
fn a_call_under_way_counts_in_the_periods_of_its_operation_alone() {
    let mut clock = Clock::new();
    clock.call(LIST, 60, 100, 60);
    let chunks = [(); 3].map(|()| clock.take(CHUNK));
    // Nobody has seen that chunks are counted here.
    clock.told(LIST, 3, 100, 60);
    assert!(clock.pause(LIST) < 60_000);
    clock.told(CHUNK, 3, 100, 60);
    assert_eq!(clock.pause(LIST), 60_000);
    for call in chunks {
        clock.lane.end(call);
    }
}

#[test]
fn a_call_that_takes_long_is_counted_by_the_service_and_not_again() {
    let pause_after = |milliseconds| {
        let mut clock = Clock::new();
        clock.told(POLL, 7, 100, 60);
        clock.told(LIST, 7, 100, 60);
        let polls = [(); 3].map(|()| clock.take(POLL));
        clock.advance(milliseconds);
        let list = clock.take(LIST);
        clock.lane.end(list);
        clock.told(LIST, 3, 100, 58);
        let pause = clock.pause(LIST);
        for call in polls {
            clock.lane.end(call);
        }
        assert!(clock.lane.fresh.is_empty());
        pause
    };
    // The service may not have counted the polls yet.
    assert!(pause_after(1_900) > 56_000);
    // It has, and what it counted was not of others: three calls may be made in what is left of the minute.
    let pause = pause_after(2_100);
    assert!((14_000..15_000).contains(&pause), "{pause}");
}

#[test]
fn limits_of_as_many_calls_in_different_times_are_two() {
    // 15 in 30 s and 15 in 10 min, whichever tells of itself first.
    let mut clock = Clock::new();
    clock.call(LIST, 14, 15, 30);
    clock.call(LIST, 0, 15, 600);
    clock.advance(31_000);
    assert_eq!(clock.pause(LIST), 569_000);

    let mut clock = Clock::new();
    clock.call(LIST, 1, 15, 600);
    clock.told(LIST, 14, 15, 30);
    clock.advance(31_000);
    // The short one begins anew, which says nothing about the long one.
    clock.told(LIST, 14, 15, 30);
    let call = clock.take(LIST);
    clock.lane.end(call);
    assert_eq!(clock.pause(LIST), 569_000);
    assert_eq!(clock.lane.windows.len(), 2);
}

#[test]
fn while_two_limits_end_together_the_lower_count_holds() {
    let mut clock = Clock::new();
    clock.told(LIST, 9, 15, 600);
    clock.told(LIST, 2, 15, 30);
    clock.advance(570_000);
    clock.told(LIST, 14, 15, 30);
    clock.told(LIST, 0, 15, 30);
    clock.told(LIST, 13, 15, 30);
    assert_eq!(clock.pause(LIST), 30_000);
}

#[test]
fn a_period_is_the_same_early_and_late_in_its_life() {
    let mut clock = Clock::new();
    clock.call(LIST, 99, 100, 60);
    for left in [80, 60, 40] {
        clock.advance(14_500);
        // Whole seconds: the end seems to move.
        clock.call(LIST, left, 100, 60 - 15 * ((100 - left) / 20) + 1);
    }
    // The next one is seen late for the first time, and the one after that early.
    clock.advance(60_000);
    clock.call(LIST, 30, 100, 9);
    clock.advance(10_000);
    clock.call(LIST, 99, 100, 60);
    assert_eq!(clock.lane.windows.len(), 1);
    assert_eq!(clock.pause(LIST), 0);
}

#[test]
fn a_limit_whose_end_is_always_as_far_away_is_one() {
    let mut clock = Clock::new();
    for _ in 0..100 {
        clock.call(LIST, 80, 100, 60);
        clock.advance(5_000);
    }
    assert_eq!(clock.lane.windows.len(), 1);
}

#[test]
fn a_reply_that_was_overtaken_tells_nothing() {
    let mut clock = Clock::new();
    clock.call(LIST, 50, 100, 60);
    clock.advance(60_000);
    clock.call(LIST, 99, 100, 60);
    clock.told(LIST, 0, 100, 0);
    assert_eq!(clock.pause(LIST), 0);
    assert_eq!(clock.lane.windows.len(), 1);
}

#[test]
fn more_limits_than_anybody_has_are_not_remembered() {
    let mut clock = Clock::new();
    for max in 10_000..10_020 {
        clock.call(LIST, max, max, 60);
    }
    assert_eq!(clock.lane.windows.len(), MAX_WINDOWS);
    clock.advance(61_000);
    clock.told(LIST, 0, 7, 60);
    assert_eq!(clock.pause(LIST), 60_000);
}
