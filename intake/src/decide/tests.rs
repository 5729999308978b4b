use fastio_pipeline::event::EventKind;
use fastio_pipeline::results::FolderPath;

use super::*;

pub(crate) fn candidate(name: &str, events: &str, output: &str) -> Candidate {
    let pipeline: ObjectKey = format!("media/{name}").parse().unwrap();
    let plan = format!(
        r#"{{"pipeline":"media/{name}","generation":3,"match":{{"events":{events},"names":["*.jpg","*.webp"]}},
        "steps":[{{"name":"thumb","action":{{"imageResize":{{"width":320,"fit":"inside","format":"webp","quality":80}}}}}}],
        "output":"{output}"}}"#
    );
    let uid = format!("uid-of-{name}");
    let plan = Ok(serde_json::from_str(&plan).unwrap());
    Candidate { pipeline, uid, created: None, plan, backfill: None }
}

fn invalid(name: &str) -> Candidate {
    Candidate { plan: Err("spec.steps: no".to_owned()), ..candidate(name, "[]", "/out") }
}

fn event(kind: EventKind) -> FileEvent {
    FileEvent {
        kind,
        ..serde_json::from_str(r#"{"id":"evt-1","kind":"upload","workspace":"123","file":"2abc"}"#).unwrap()
    }
}

fn source(folder: &str, name: &str) -> SourceFile {
    SourceFile {
        workspace: "123".parse().unwrap(),
        id: "2abc".parse().unwrap(),
        version: Some("3v1".parse().unwrap()),
        name: name.to_owned(),
        folder: FolderPath(folder.split('/').filter(|s| !s.is_empty()).map(str::to_owned).collect()),
        size: 7,
        hash: None,
        mimetype: None,
        trashed: false,
    }
}

fn asked(
    occasion: &Occasion,
    kind: EventKind,
    source: &SourceFile,
    made_by: Option<&ObjectKey>,
    candidates: &[Candidate],
) -> Vec<Choice> {
    let question = Question {
        installation: &"fastio".parse().unwrap(),
        webhook: &"media/studio".parse().unwrap(),
        occasion,
        event: &event(kind),
        source,
        changed: Some(Timestamp::UNIX_EPOCH),
        made_by,
        check_results: true,
    };
    question.ask(candidates).into_iter().map(|(_, choice)| choice).collect()
}

fn choices(source: &SourceFile, made_by: Option<&ObjectKey>, candidates: &[Candidate]) -> Vec<Choice> {
    asked(&Occasion::Push, EventKind::Upload, source, made_by, candidates)
}

#[test]
fn each_pipeline_has_its_own_answer() {
    let candidates =
        [candidate("a", r#"["upload"]"#, "/out"), candidate("b", r#"["modify"]"#, "/out"), invalid("c")];
    let chosen = choices(&source("/photos", "beach.jpg"), None, &candidates);
    let Choice::Run(run) = &chosen[0] else { panic!("{chosen:?}") };
    assert_eq!(run.workflow_id.as_str(), "fastio:run:media/a:2abc:3v1");
    assert_eq!(run.plan.generation, 3);
    assert_eq!(
        chosen[1],
        Choice::Answer(Answer::Filtered { because: Filtered::Event { kind: EventKind::Upload } })
    );
    assert!(matches!(chosen[2], Choice::Answer(Answer::Invalid { .. })));
    let chosen = choices(&source("/photos", "notes.txt"), None, &candidates[..1]);
    assert!(matches!(&chosen[0], Choice::Answer(Answer::Filtered { because: Filtered::Name { .. } })));
}

#[test]
fn a_result_starts_nothing_in_any_pipeline() {
    let candidates = [candidate("a", r#"["upload"]"#, "/out"), candidate("b", r#"["upload"]"#, "/elsewhere")];
    let result = source("/elsewhere", "beach.thumb.webp");
    let made_by = result_of(&result, &candidates);
    assert_eq!(made_by.map(ObjectKey::name), Some("b"));
    for choice in choices(&result, made_by, &candidates) {
        let because = Filtered::OwnResult { pipeline: "media/b".to_owned() };
        assert_eq!(choice, Choice::Answer(Answer::Filtered { because }));
    }
    assert_eq!(result_of(&source("/photos", "beach.thumb.webp"), &candidates), None);
    assert_eq!(result_of(&source("/elsewhere", "beach.webp"), &candidates), None);
}

#[test]
fn events_that_nobody_wants_need_no_file() {
    let candidates = [candidate("a", r#"["upload"]"#, "/out"), invalid("c")];
    let without = |kind, candidates| without_file(&Occasion::Push, &event(kind), false, candidates);
    let decision = without(EventKind::Delete, &candidates).unwrap();
    let Decision::Decided { file, pipelines } = decision else { panic!("{decision:?}") };
    assert_eq!((file.as_str(), pipelines.len()), ("2abc", 2));
    assert!(matches!(pipelines[0].answer, Answer::Filtered { because: Filtered::Event { .. } }));
    assert!(without(EventKind::Upload, &candidates).is_none());
    assert!(without(EventKind::Upload, &[]).is_some());
}

#[test]
fn our_own_access_needs_no_file_and_starts_nothing() {
    let candidates = [candidate("a", r#"["access"]"#, "/out"), candidate("b", r#"["upload"]"#, "/out")];
    let access = event(EventKind::Access);
    assert!(without_file(&Occasion::Feed, &access, false, &candidates).is_none());
    let decision = without_file(&Occasion::Feed, &access, true, &candidates).unwrap();
    let Decision::Decided { pipelines, .. } = decision else { panic!("{decision:?}") };
    assert_eq!(pipelines[0].answer, Answer::Filtered { because: Filtered::OwnAccess });
    assert!(matches!(pipelines[1].answer, Answer::Filtered { because: Filtered::Event { .. } }));
}

#[test]
fn a_backfill_asks_one_pipeline_whatever_events_it_wants() {
    let candidates = [candidate("a", r#"["modify"]"#, "/out"), candidate("b", r#"["upload"]"#, "/out")];
    let backfill = Occasion::Backfill("media/a".parse().unwrap());
    let beach = source("/photos", "beach.jpg");
    let chosen = asked(&backfill, EventKind::Upload, &beach, None, &candidates);
    let [Choice::Run(run)] = chosen.as_slice() else { panic!("{chosen:?}") };
    assert!(run.check_results && run.plan.pipeline.name() == "a");
    let chosen = asked(&backfill, EventKind::Upload, &source("/photos", "notes.txt"), None, &candidates);
    assert!(matches!(&chosen[..], [Choice::Answer(Answer::Filtered { because: Filtered::Name { .. } })]));
    assert_eq!(without_file(&backfill, &event(EventKind::Upload), false, &candidates), None);
}

#[test]
fn a_listing_asks_no_pipeline_that_is_younger_than_the_change() {
    let made_at = |second| {
        let created = Some(Timestamp::from_second(second).unwrap());
        Candidate { created, ..candidate("a", r#"["upload"]"#, "/out") }
    };
    // The file changed at second 0.
    for (created, occasion, asked_too) in [
        (made_at(-60), Occasion::Relist, true),
        (made_at(10), Occasion::Relist, true),
        (made_at(11), Occasion::Relist, false),
        (made_at(11), Occasion::Feed, true),
        (made_at(11), Occasion::Backfill("media/a".parse().unwrap()), true),
    ] {
        let beach = source("/photos", "beach.jpg");
        let chosen = asked(&occasion, EventKind::Upload, &beach, None, &[created]);
        assert_eq!(chosen.len() == 1, asked_too, "{occasion:?} {chosen:?}");
    }
}

#[test]
fn what_happened_is_processed_even_if_the_file_was_before() {
    let candidates = [candidate("a", r#"["upload","delete"]"#, "/out")];
    let beach = source("/photos", "beach.jpg");
    for (kind, checks) in [(EventKind::Upload, true), (EventKind::Delete, false)] {
        let chosen = asked(&Occasion::Feed, kind, &beach, None, &candidates);
        let [Choice::Run(run)] = chosen.as_slice() else { panic!("{chosen:?}") };
        assert_eq!(run.check_results, checks, "{kind}");
    }
}
