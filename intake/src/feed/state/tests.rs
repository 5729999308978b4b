use super::*;

fn problem(pause: Option<u64>) -> Problem {
    let at = Timestamp::UNIX_EPOCH;
    Problem { type_name: "X".to_owned(), message: "x".to_owned(), at, since: None, pause }
}

#[test]
fn pauses_grow_to_a_limit_unless_somebody_asks_for_one() {
    let pauses = [0, 1, 4, 5, 99].map(|failures| problem(None).pause(failures).as_secs());
    assert_eq!(pauses, [1, 2, 16, 30, 30]);
    assert_eq!(problem(Some(7)).pause(9).as_secs(), 7);
    assert_eq!(problem(Some(0)).pause(0).as_secs(), 1);
}

#[test]
fn a_listing_is_due_when_its_time_has_come_or_something_may_be_missing() {
    let now = SystemTime::from(Timestamp::from_second(1_000_000).unwrap());
    let until = |every: Option<u64>, watermark: Option<i64>, relist_now: bool| {
        let watermark = watermark.map(|second| Timestamp::from_second(second).unwrap());
        let relisting = Relisting { watermark, ..Relisting::default() };
        let memory = Memory { relist_every: every, relist_now, relisting, ..Memory::default() };
        memory.until_relist(now).map(|wait| wait.as_secs())
    };
    assert_eq!(until(Some(3600), Some(999_000), false), Some(2600));
    assert_eq!(until(Some(600), Some(999_000), false), Some(0));
    assert_eq!(until(Some(3600), Some(999_000), true), Some(0));
    assert_eq!(until(None, Some(999_000), true), None);
    assert_eq!(until(Some(3600), None, true), None);
}

#[test]
fn an_empty_memory_is_a_new_one() {
    assert_eq!(serde_json::from_str::<Memory>("{}").unwrap(), Memory::default());
}

#[test]
fn a_memory_survives_being_stored() {
    let opened = Opened {
        workspace: "studio".parse().unwrap(),
        profile: "1234567890123456789".parse().unwrap(),
        since: Timestamp::UNIX_EPOCH,
        source: Source::Search(Search::new(Timestamp::UNIX_EPOCH, [("evt-1".parse().unwrap(), None)])),
    };
    let backfill = Backfill {
        pipeline: "media/photos".parse().unwrap(),
        started: Timestamp::UNIX_EPOCH,
        page: serde_json::from_str("\"page\"").unwrap(),
        after: Some("2abc".parse().unwrap()),
        files: 3,
        done: false,
        left_over: Vec::new(),
    };
    let memory = Memory {
        following: Following { opened: Some(opened), ..Following::default() },
        backfills: [("uid".to_owned(), backfill)].into(),
        problems: [("FollowFeed".to_owned(), problem(None))].into(),
        ..Memory::default()
    };
    let stored = serde_json::to_string(&memory).unwrap();
    assert_eq!(serde_json::from_str::<Memory>(&stored).unwrap(), memory, "{stored}");
}

#[test]
fn a_listing_under_way_does_not_answer_a_later_request() {
    let moment = |second| Some(Timestamp::from_second(second).unwrap());
    let sweep = Sweep { started: Timestamp::from_second(50).unwrap(), page: None };
    let under_way = Relisting { watermark: moment(10), sweep: Some(sweep), ..Relisting::default() };
    let done = |second| Relisting { watermark: moment(second), ..Relisting::default() };

    // Asked for while one is under way: it ends, and another begins, which is the one that was asked for.
    let mut memory = Memory { relisting: under_way, relist_now: true, ..Memory::default() };
    let asked = memory.begin_listing();
    memory.listed(done(50), asked, false);
    assert!(memory.relist_now);
    let asked = memory.begin_listing();
    memory.listed(done(60), asked, false);
    assert!(asked && !memory.relist_now);

    // Asked for while the round was running.
    let asked = memory.begin_listing();
    memory.relist_now = true;
    memory.listed(done(70), asked, false);
    assert!(memory.relist_now);

    // Asked for, and not begun.
    let asked = memory.begin_listing();
    memory.listed(done(70), asked, true);
    assert!(memory.relist_now);
}

#[test]
fn where_reading_stopped_is_remembered_over_listings() {
    let opened = |source| Opened {
        workspace: "studio".parse().unwrap(),
        profile: "123".parse().unwrap(),
        since: Timestamp::UNIX_EPOCH,
        source,
    };
    let search = opened(Source::Search(Search::new(Timestamp::UNIX_EPOCH, [])));
    let mut following = Following { opened: Some(search.clone()), ..Following::default() };
    following.lose();
    following.opened = Some(opened(Source::Relist { reason: "no".to_owned() }));
    following.lose();
    assert_eq!(following.lost, Some(Lost { opened: search, last_read: None, listed: true }));
}

#[test]
fn a_problem_is_as_old_as_the_first_round_that_went_wrong() {
    let mut memory = Memory::default();
    let later = Problem { at: Timestamp::from_second(100).unwrap(), ..problem(None) };
    memory.note("FollowFeed", Some(problem(None)));
    memory.note("FollowFeed", Some(later.clone()));
    let noted = &memory.problems["FollowFeed"];
    assert_eq!((noted.since, noted.at), (Some(Timestamp::UNIX_EPOCH), later.at));
    memory.note("FollowFeed", None);
    memory.note("FollowFeed", Some(later.clone()));
    assert_eq!(memory.problems["FollowFeed"].since, Some(later.at));
}

#[test]
fn what_a_lost_position_would_have_told_is_searched_from_the_last_reading_on() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let source =
        Source::Changes { org: "123".parse().unwrap(), cursor: serde_json::from_str("\"x\"").unwrap() };
    let (workspace, profile) = ("studio".parse().unwrap(), "123".parse().unwrap());
    let opened = Opened { workspace, profile, since: at(100), source };
    for (last_read, from) in [(None, 100), (Some(at(200)), 200)] {
        let lost = Lost { opened: opened.clone(), last_read, listed: false };
        assert_eq!(lost.search(), Some(Search::new(at(from), [])));
    }
}
