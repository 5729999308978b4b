use std::sync::atomic::Ordering;

use fastio::NodeId;
use fastio_pipeline::matching::Filtered;
use fastio_pipeline::seal::PlanKey;

use super::*;
use crate::decide::tests::candidate;
use crate::world::{KEY, world};

fn answers(decision: Decision) -> Vec<Answer> {
    let Decision::Decided { pipelines, .. } = decision else { panic!("{decision:?}") };
    pipelines.into_iter().map(|verdict| verdict.answer).collect()
}

#[tokio::test]
async fn a_wanted_file_becomes_one_sealed_run() {
    let world = world(vec![candidate("photos", r#"["upload","modify"]"#, "/out")]).await;
    let file = world.fastio.upload(&world.fastio.client, &NodeId::root(), "beach.jpg").await;
    let first = answers(world.decide(EventKind::Upload, file.as_str()).await.unwrap());
    let Answer::Started { workflow } = &first[0] else { panic!("{first:?}") };
    let again = answers(world.decide(EventKind::Modify, file.as_str()).await.unwrap());
    assert_eq!(again[0], Answer::Duplicate { workflow: workflow.clone() });

    let run = world.runs.0.lock().unwrap().remove(0);
    assert_eq!(run.task_queue.as_str(), "fastio:pipeline:media/photos");
    assert_eq!(run.summary, "beach.jpg in /");
    let request = PlanKey::new(KEY).unwrap().open(&run.input, workflow.as_str()).unwrap();
    assert_eq!(request.source.id, file);
    assert_eq!(request.webhook.to_string(), "media/studio");
}

#[tokio::test]
async fn a_result_of_our_own_starts_nothing_and_a_look_alike_does() {
    let world = world(vec![candidate("photos", r#"["upload"]"#, "/out")]).await;
    let out = world.fastio.folder(&NodeId::root(), "out").await;
    let own = world.fastio.upload(&world.fastio.client, &out, "beach.thumb.webp").await;
    let answer = answers(world.decide(EventKind::Upload, own.as_str()).await.unwrap());
    let because = Filtered::OwnResult { pipeline: "media/photos".to_owned() };
    assert_eq!(answer, [Answer::Filtered { because }]);

    let somebody = world.fastio.somebody_else().await;
    let foreign = world.fastio.upload(&somebody, &out, "dune.thumb.webp").await;
    let answer = answers(world.decide(EventKind::Upload, foreign.as_str()).await.unwrap());
    assert!(matches!(answer[0], Answer::Started { .. }), "{answer:?}");
}

#[tokio::test]
async fn an_unknown_file_is_gone_only_after_the_grace_period() {
    let world = world(vec![candidate("photos", r#"["upload"]"#, "/out")]).await;
    let event = world.event(EventKind::Upload, "2zzzzzzzzzzzzzzzzzzzzzzzzzzz7");
    let early =
        world.intake.decide(&Occasion::Push, &event, GRACE.saturating_sub(Duration::from_millis(1))).await;
    let early = early.unwrap_err();
    assert_eq!((early.type_name(), early.class()), ("FileNotThereYet", Class::Retry { after: None }));
    assert_eq!(world.intake.decide(&Occasion::Push, &event, GRACE).await.unwrap(), Decision::Gone);
}

#[tokio::test]
async fn nothing_is_decided_by_a_stale_view_or_for_another_workspace() {
    let world = world(vec![candidate("photos", r#"["upload"]"#, "/out")]).await;
    let file = world.fastio.upload(&world.fastio.client, &NodeId::root(), "beach.jpg").await;
    world.pipelines.stale.store(true, Ordering::Relaxed);
    let stale = world.decide(EventKind::Upload, file.as_str()).await.unwrap_err();
    assert!(matches!(stale, Undecided::Stale(_)) && matches!(stale.class(), Class::Retry { .. }));

    let elsewhere =
        FileEvent { workspace: "9".parse().unwrap(), ..world.event(EventKind::Upload, file.as_str()) };
    let decision = world.intake.decide(&Occasion::Push, &elsewhere, Duration::ZERO).await.unwrap();
    assert_eq!(decision, Decision::OtherWorkspace);
    assert!(world.runs.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_missing_plan_key_waits_for_somebody() {
    let world = world(vec![candidate("photos", r#"["upload"]"#, "/out")]).await;
    let file = world.fastio.upload(&world.fastio.client, &NodeId::root(), "beach.jpg").await;
    std::fs::remove_file(world.keys.path().join("key")).unwrap();
    let missing = world.decide(EventKind::Upload, file.as_str()).await.unwrap_err();
    assert_eq!((missing.type_name(), missing.class()), ("PlanKeyUnusable", Class::Attention));
    std::fs::write(world.keys.path().join("key"), KEY).unwrap();
    assert!(world.decide(EventKind::Upload, file.as_str()).await.is_ok());
}

#[tokio::test]
async fn a_deleted_file_is_processed_from_the_trash_and_only_for_its_deletion() {
    let world = world(vec![candidate("photos", r#"["upload","delete"]"#, "/out")]).await;
    let photos = world.fastio.folder(&NodeId::root(), "photos").await;
    let file = world.fastio.upload(&world.fastio.client, &photos, "beach.jpg").await;
    world.fastio.client.delete_node(&world.fastio.workspace, &file.as_str().parse().unwrap()).await.unwrap();
    assert_eq!(world.decide(EventKind::Upload, file.as_str()).await.unwrap(), Decision::Gone);
    let deleted = answers(world.decide(EventKind::Delete, file.as_str()).await.unwrap());
    assert!(matches!(deleted[0], Answer::Started { .. }), "{deleted:?}");
    let [run] = world.started().try_into().unwrap();
    assert!(run.source.trashed && run.source.name == "beach.jpg");
}

#[tokio::test]
async fn our_own_access_is_no_reason_for_a_run_and_that_of_others_is() {
    let world = world(vec![candidate("photos", r#"["access"]"#, "/out")]).await;
    let file = world.fastio.upload(&world.fastio.client, &NodeId::root(), "beach.jpg").await;
    let own = world.fastio.client.auth_check().await.unwrap().to_string();
    let other = world.fastio.somebody_else().await.auth_check().await.unwrap().to_string();
    for (actor, starts) in
        [(None, false), (Some("no id!"), false), (Some(&*own), false), (Some(&*other), true)]
    {
        let event =
            FileEvent { actor: actor.map(str::to_owned), ..world.event(EventKind::Access, file.as_str()) };
        let decision = world.intake.decide(&Occasion::Push, &event, Duration::ZERO).await.unwrap();
        let answer = answers(decision).remove(0);
        let started = matches!(answer, Answer::Started { .. });
        assert_eq!(started, starts, "{actor:?}: {answer:?}");
        assert!(started || answer == Answer::Filtered { because: Filtered::OwnAccess }, "{answer:?}");
    }
}

#[tokio::test]
async fn an_infected_file_goes_to_no_pipeline() {
    let world = world(vec![candidate("photos", r#"["upload"]"#, "/out")]).await;
    let infected = Found::Infected { name: "beach.jpg".to_owned(), finding: Some("Eicar".to_owned()) };
    let event = world.event(EventKind::Upload, "2abc");
    let decision =
        world.intake.decide_found(&Occasion::Feed, &event, Duration::ZERO, infected).await.unwrap();
    let finding = Some("Eicar".to_owned());
    assert_eq!(decision, Decision::Infected { file: "beach.jpg".to_owned(), finding });
    assert!(world.started().is_empty());
}

#[test]
fn a_file_counts_as_new_for_an_hour() {
    let now = Timestamp::now();
    for (age, new) in [(-5, true), (0, true), (3599, true), (3600, false)] {
        let changed = now.checked_sub(SignedDuration::from_secs(age)).unwrap();
        assert_eq!(is_new(Some(changed), now), new, "{age}");
    }
    assert!(!is_new(None, now));
}
