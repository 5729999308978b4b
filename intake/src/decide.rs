//! The decision itself: from an event, a file and the pipelines to one answer for each pipeline. Pure.

use std::num::NonZeroU32;

use fastio_pipeline::decision::{Answer, Decision, Verdict};
use fastio_pipeline::event::FileEvent;
use fastio_pipeline::matching::Filtered;
use fastio_pipeline::names::{Installation, ObjectKey, WorkflowId};
use fastio_pipeline::plan::Plan;
use fastio_pipeline::results::is_result_place;
use fastio_pipeline::run::{RunRequest, SourceFile};
use jiff::Timestamp;

use crate::occasion::Occasion;

/// A pipeline of the webhook, as its manifest is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The `FilePipeline`.
    pub pipeline: ObjectKey,
    /// Its `metadata.uid`: another one after it was deleted and made again.
    pub uid: String,
    /// When it was made, by the cluster's clock.
    pub created: Option<Timestamp>,
    /// Its plan, or what is wrong with its manifest.
    pub plan: Result<Plan, String>,
    /// Files per minute of its backfill, if it asks for one.
    pub backfill: Option<NonZeroU32>,
}

/// What one pipeline makes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// A run.
    Run(Box<RunRequest>),
    /// No run.
    Answer(Answer),
}

/// The answers without a look at the file, if no pipeline wants events of this kind at all, or if it is `own_access`: our
/// own key read the file.
///
/// Spares a call of the API for each event that nobody is interested in, and answers for files that are gone by
/// definition.
#[must_use]
pub fn without_file(
    occasion: &Occasion,
    event: &FileEvent,
    own_access: bool,
    candidates: &[Candidate],
) -> Option<Decision> {
    let mut verdicts = Vec::with_capacity(candidates.len());
    for candidate in candidates.iter().filter(|candidate| occasion.asks(candidate, None)) {
        let answer = match &candidate.plan {
            Err(problem) => Answer::Invalid { problem: problem.clone() },
            Ok(plan) => match occasion.check_kind(plan, event.kind) {
                Err(because) => Answer::Filtered { because },
                Ok(()) if own_access => Answer::Filtered { because: Filtered::OwnAccess },
                Ok(()) => return None,
            },
        };
        verdicts.push(Verdict { pipeline: candidate.pipeline.clone(), answer });
    }
    let file = event.file_name.clone().unwrap_or_else(|| event.file.to_string());
    Some(Decision::Decided { file, pipelines: verdicts })
}

/// The pipeline, if any, whose result the file would be if our own key had made it.
#[must_use]
pub fn result_of<'c>(source: &SourceFile, candidates: &'c [Candidate]) -> Option<&'c ObjectKey> {
    let in_place = |candidate: &&Candidate| {
        candidate.plan.as_ref().is_ok_and(|plan| is_result_place(plan, &source.folder, &source.name))
    };
    candidates.iter().find(in_place).map(|candidate| &candidate.pipeline)
}

/// What the pipelines are asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q> {
    /// Prefix of ids.
    pub installation: &'q Installation,
    /// The `FastioWebhook`.
    pub webhook: &'q ObjectKey,
    /// Why they are asked.
    pub occasion: &'q Occasion,
    /// What happened.
    pub event: &'q FileEvent,
    /// The file as it is now.
    pub source: &'q SourceFile,
    /// When the file was changed or else made, if the service says so.
    pub changed: Option<Timestamp>,
    /// The pipeline that made the file, as far as that is known.
    pub made_by: Option<&'q ObjectKey>,
    /// Whether runs for this version may have happened that Temporal has forgotten.
    pub check_results: bool,
}

impl Question<'_> {
    /// What each pipeline makes of it.
    #[must_use]
    pub fn ask(&self, candidates: &[Candidate]) -> Vec<(ObjectKey, Choice)> {
        let asked = candidates.iter().filter(|candidate| self.occasion.asks(candidate, self.changed));
        asked.map(|candidate| (candidate.pipeline.clone(), self.choice(candidate))).collect()
    }

    fn choice(&self, candidate: &Candidate) -> Choice {
        let plan = match &candidate.plan {
            Ok(plan) => plan,
            Err(problem) => return Choice::Answer(Answer::Invalid { problem: problem.clone() }),
        };
        if let Err(because) = self.occasion.check(plan, self.event.kind, self.source) {
            return Choice::Answer(Answer::Filtered { because });
        }
        if let Some(pipeline) = self.made_by {
            let because = Filtered::OwnResult { pipeline: pipeline.to_string() };
            return Choice::Answer(Answer::Filtered { because });
        }
        Choice::Run(Box::new(RunRequest {
            workflow_id: WorkflowId::file_pipeline(
                self.installation,
                &candidate.pipeline,
                self.event.kind,
                &self.event.id,
                &self.source.id,
                self.source.version.as_ref(),
            ),
            webhook: self.webhook.clone(),
            event: self.event.clone(),
            source: self.source.clone(),
            plan: plan.clone(),
            // What happened counts by itself: that the file was processed before says nothing about it.
            check_results: self.check_results && self.event.kind.is_about_content(),
        }))
    }
}

#[cfg(test)]
pub(crate) mod tests;
