//! The decision itself: from an event, a file and the pipelines to one answer for each pipeline. Pure.

use fastio_pipeline::decision::{Answer, Decision, Verdict};
use fastio_pipeline::event::FileEvent;
use fastio_pipeline::matching::Filtered;
use fastio_pipeline::names::{Installation, ObjectKey, WorkflowId};
use fastio_pipeline::plan::Plan;
use fastio_pipeline::results::is_result_place;
use fastio_pipeline::run::{RunRequest, SourceFile};

/// A pipeline of the webhook, as its manifest is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The `FilePipeline`.
    pub pipeline: ObjectKey,
    /// Its plan, or what is wrong with its manifest.
    pub plan: Result<Plan, String>,
}

/// What one pipeline makes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// A run.
    Run(Box<RunRequest>),
    /// No run.
    Answer(Answer),
}

/// The answers without a look at the file, if no pipeline wants events of this kind at all.
///
/// Spares a call of the API for each event that nobody is interested in, and answers for files that are gone by
/// definition.
#[must_use]
pub fn without_file(event: &FileEvent, candidates: &[Candidate]) -> Option<Decision> {
    let name = event.file_name.clone().unwrap_or_else(|| event.file.to_string());
    let mut verdicts = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let answer = match &candidate.plan {
            Err(problem) => Answer::Invalid { problem: problem.clone() },
            Ok(plan) => match plan.matcher.check(event.kind, &name) {
                Err(because @ Filtered::Event { .. }) => Answer::Filtered { because },
                _ => return None,
            },
        };
        verdicts.push(Verdict { pipeline: candidate.pipeline.clone(), answer });
    }
    Some(Decision::Decided { file: name, pipelines: verdicts })
}

/// The pipeline, if any, whose result the file would be if our own key had made it.
#[must_use]
pub fn result_of<'c>(source: &SourceFile, candidates: &'c [Candidate]) -> Option<&'c ObjectKey> {
    let in_place = |candidate: &&Candidate| {
        candidate.plan.as_ref().is_ok_and(|plan| is_result_place(plan, &source.folder, &source.name))
    };
    candidates.iter().find(in_place).map(|candidate| &candidate.pipeline)
}

/// What each pipeline makes of the event. `made_by` is the pipeline that made the file, as far as that is known.
#[must_use]
pub fn choose(
    installation: &Installation,
    webhook: &ObjectKey,
    event: &FileEvent,
    source: &SourceFile,
    made_by: Option<&ObjectKey>,
    candidates: &[Candidate],
) -> Vec<(ObjectKey, Choice)> {
    let choice = |candidate: &Candidate| {
        let plan = match &candidate.plan {
            Ok(plan) => plan,
            Err(problem) => return Choice::Answer(Answer::Invalid { problem: problem.clone() }),
        };
        if let Err(because) = plan.matcher.check(event.kind, &source.name) {
            return Choice::Answer(Answer::Filtered { because });
        }
        if let Some(pipeline) = made_by {
            let because = Filtered::OwnResult { pipeline: pipeline.to_string() };
            return Choice::Answer(Answer::Filtered { because });
        }
        Choice::Run(Box::new(RunRequest {
            workflow_id: WorkflowId::file_pipeline(
                installation,
                &candidate.pipeline,
                event.kind,
                &event.id,
                &source.id,
                source.version.as_ref(),
            ),
            webhook: webhook.clone(),
            event: event.clone(),
            source: source.clone(),
            plan: plan.clone(),
        }))
    };
    candidates.iter().map(|candidate| (candidate.pipeline.clone(), choice(candidate))).collect()
}

#[cfg(test)]
pub(crate) mod tests {
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
        Candidate { pipeline, plan: Ok(serde_json::from_str(&plan).unwrap()) }
    }

    fn invalid(name: &str) -> Candidate {
        Candidate {
            pipeline: format!("media/{name}").parse().unwrap(),
            plan: Err("spec.steps: no".to_owned()),
        }
    }

    fn event(kind: EventKind) -> FileEvent {
        FileEvent {
            kind,
            ..serde_json::from_str(r#"{"id":"evt-1","kind":"upload","workspace":"123","file":"2abc"}"#)
                .unwrap()
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
        }
    }

    fn choices(source: &SourceFile, made_by: Option<&ObjectKey>, candidates: &[Candidate]) -> Vec<Choice> {
        let (installation, webhook) = ("fastio".parse().unwrap(), "media/studio".parse().unwrap());
        let chosen = choose(&installation, &webhook, &event(EventKind::Upload), source, made_by, candidates);
        chosen.into_iter().map(|(_, choice)| choice).collect()
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
        let candidates =
            [candidate("a", r#"["upload"]"#, "/out"), candidate("b", r#"["upload"]"#, "/elsewhere")];
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
        let decision = without_file(&event(EventKind::Delete), &candidates).unwrap();
        let Decision::Decided { file, pipelines } = decision else { panic!("{decision:?}") };
        assert_eq!((file.as_str(), pipelines.len()), ("2abc", 2));
        assert!(matches!(pipelines[0].answer, Answer::Filtered { because: Filtered::Event { .. } }));
        assert!(without_file(&event(EventKind::Upload), &candidates).is_none());
        assert!(without_file(&event(EventKind::Upload), &[]).is_some());
    }
}
