use temporalio_sdk::activities::ActivityError;
use temporalio_sdk::testing::{ActivityEnvironment, ActivityEnvironmentError};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::feed::activities::FeedActivities;
use crate::feed::state::Sweep;
use crate::world::world;

fn activities(feed: Feed, stop: &CancellationToken) -> FeedActivities {
    FeedActivities { feed: Arc::new(feed), stop: stop.clone() }
}

#[tokio::test]
async fn an_attempt_goes_on_where_the_one_before_it_was_and_tells_its_problem() {
    let world = world(vec![photos()]).await;
    let began = Timestamp::now();
    let page = Some(serde_json::from_str("\"no-page\"").unwrap());
    let before = Relisting {
        watermark: Some(began),
        sweep: Some(Sweep { started: began, page }),
        ..Relisting::default()
    };
    let environment = ActivityEnvironment::builder_with_default()
        .heartbeat_details(before)
        .unwrap()
        .register_activities(activities(world.feed(Follow::Net), &CancellationToken::new()))
        .build();
    let input = Relisting { watermark: Some(began), ..Relisting::default() };
    let round = environment.run(FeedActivities::relist, input).await.unwrap();
    // The page of the heartbeat is no page: the listing starts over, and says why it has to.
    assert_eq!(round.state.sweep, Some(Sweep { started: began, page: None }));
    let problem = round.problem.unwrap();
    assert_eq!((problem.type_name.as_str(), problem.pause), ("Refused", Some(30)));
}

#[tokio::test]
async fn a_process_that_ends_hands_its_round_over_at_once() {
    let world = world(vec![photos()]).await;
    let feed = world.feed(Follow::Live);
    let following = opened(&feed).await.borrow().clone();
    let stop = CancellationToken::new();
    let environment =
        ActivityEnvironment::builder_with_default().register_activities(activities(feed, &stop)).build();
    let began = Instant::now();
    tokio::spawn(async move {
        tokio::time::sleep(ROUND).await;
        stop.cancel();
    });
    let ended = environment.run(FeedActivities::follow_feed, following).await.unwrap_err();
    let ActivityEnvironmentError::Activity(ActivityError::Application(failure)) = ended else {
        panic!("{ended:?}")
    };
    assert_eq!(failure.type_name(), Some("WorkerShutdown"));
    assert!(!failure.is_non_retryable() && failure.next_retry_delay() < Some(Duration::from_secs(1)));
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn what_happens_while_nothing_is_followed_is_covered_up_to_the_beginning_of_the_round() {
    for (follow, is_covered) in [(Follow::None, true), (Follow::Net, false)] {
        let world = world(vec![photos()]).await;
        let feed = world.feed(follow);
        let following = opened(&feed).await.borrow().clone();
        let environment = ActivityEnvironment::builder_with_default()
            .register_activities(activities(feed, &CancellationToken::new()))
            .build();
        let began = Timestamp::now();
        let round = environment.run(FeedActivities::follow_feed, following).await.unwrap();
        let covered = round.state.covered.map(|at| at.duration_since(began));
        assert_eq!(covered.is_some(), is_covered);
        assert!(covered.is_none_or(|after| (0..200).contains(&after.as_millis())), "{covered:?}");
    }
}

#[tokio::test]
async fn opening_begins_where_reading_stopped() {
    let world = world(vec![photos()]).await;
    let feed = world.feed(Follow::Net);
    let state = opened(&feed).await;
    let before = source(&state);
    state.send_modify(Following::lose);
    let lost = state.borrow().lost.clone();
    let environment = ActivityEnvironment::builder_with_default()
        .register_activities(activities(feed, &CancellationToken::new()))
        .build();
    let opening = environment.run(FeedActivities::open_feed, lost).await.unwrap().state.unwrap();
    assert_eq!((Some(opening.opened.source), opening.seamless), (before, true));
}
