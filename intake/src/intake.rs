//! One event from its arrival to its decision.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fastio::{ErrorClass, UserId};
use fastio_pipeline::decision::{Answer, Decision, Verdict};
use fastio_pipeline::event::{EventKind, FileEvent, Workspace};
use fastio_pipeline::names::{Installation, ObjectKey};
use fastio_pipeline::run::RunRequest;
use fastio_temporal::failure::Class;
use fastio_temporal::start::{StartError, Started};
use jiff::{SignedDuration, Timestamp};

use crate::decide::{Choice, Question, result_of, without_file};
use crate::occasion::Occasion;
use crate::resolve::{Found, ResolveError, Resolver};
use crate::start::{SealProblem, StartRuns, seal};
use crate::view::{PipelineView, StaleView};

/// How long a file may be unknown to the service after its event. The service does not promise that an event comes
/// after everything that it is about can be read.
pub const GRACE: Duration = Duration::from_mins(1);

/// How long a file counts as new: a run cannot have happened and be forgotten by then. Far below the retention of any
/// Temporal namespace, which is a day at least.
const NEW: SignedDuration = SignedDuration::from_hours(1);

/// The intake of one webhook.
pub struct Intake {
    /// Prefix of ids and queues.
    pub installation: Installation,
    /// The `FastioWebhook`.
    pub webhook: ObjectKey,
    /// Its workspace.
    pub workspace: Workspace,
    /// Looks up files.
    pub files: Resolver,
    /// Its pipelines.
    pub pipelines: Arc<dyn PipelineView>,
    /// File with the plan key.
    pub plan_key: PathBuf,
    /// Starts runs.
    pub runs: Arc<dyn StartRuns>,
}

/// Why there is no decision yet.
#[derive(Debug, thiserror::Error)]
pub enum Undecided {
    /// Deciding by pipelines that may have changed would be wrong for ever.
    #[error(transparent)]
    Stale(#[from] StaleView),
    /// Within the grace period.
    #[error("Fast.io does not know file {0} yet")]
    NotThereYet(String),
    /// The lookup failed.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// No plan key.
    #[error(transparent)]
    Seal(#[from] SealProblem),
    /// Temporal does not take runs now.
    #[error("Temporal is not available: {0}")]
    Temporal(String),
}

impl From<fastio::Error> for Undecided {
    fn from(error: fastio::Error) -> Self {
        Self::Resolve(error.into())
    }
}

impl Undecided {
    /// What trying again can do.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Stale(_) => Class::Retry { after: Some(Duration::from_secs(1)) },
            // The description of a file that was only just made may still be filled in.
            Self::NotThereYet(_) | Self::Temporal(_) | Self::Resolve(ResolveError::Unusable(_)) => {
                Class::Retry { after: None }
            }
            Self::Resolve(ResolveError::Fastio(error)) => class_of(&error.class()),
            Self::Seal(SealProblem::Request(_)) => Class::Terminal,
            Self::Seal(_) => Class::Attention,
        }
    }

    /// Whether other files can be decided all the same.
    #[must_use]
    pub fn is_about_one_file(&self) -> bool {
        match self {
            Self::NotThereYet(_)
            | Self::Resolve(ResolveError::Unusable(_))
            | Self::Seal(SealProblem::Request(_)) => true,
            Self::Stale(_) | Self::Resolve(ResolveError::Fastio(_)) | Self::Seal(_) | Self::Temporal(_) => {
                false
            }
        }
    }

    /// A stable word for programs.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Stale(_) => "PipelinesUnknown",
            Self::NotThereYet(_) => "FileNotThereYet",
            Self::Resolve(ResolveError::Fastio(error)) => match error.class() {
                ErrorClass::WaitUntil(_) => "RateLimited",
                ErrorClass::NeedsHuman(reason) => reason.as_str(),
                ErrorClass::Invalid => "Refused",
                _ => "FastioUnavailable",
            },
            Self::Resolve(ResolveError::Unusable(_)) => "FileUnusable",
            Self::Seal(_) => "PlanKeyUnusable",
            Self::Temporal(_) => "TemporalUnavailable",
        }
    }
}

fn class_of(class: &ErrorClass) -> Class {
    match class {
        ErrorClass::Retry { after } => Class::Retry { after: *after },
        ErrorClass::WaitUntil(at) => {
            Class::Retry { after: Some(at.duration_since(SystemTime::now()).unwrap_or_default()) }
        }
        ErrorClass::NeedsHuman(_) => Class::Attention,
        ErrorClass::Invalid => Class::Terminal,
        _ => Class::Retry { after: None },
    }
}

impl Intake {
    /// Decides, and starts the runs that were decided. `age` is how long the event has been here.
    ///
    /// Can be repeated after any failure: a run that was started before counts as a duplicate then.
    pub async fn decide(
        &self,
        occasion: &Occasion,
        event: &FileEvent,
        age: Duration,
    ) -> Result<Decision, Undecided> {
        if let Some(decision) = self.decide_unseen(occasion, event).await? {
            return Ok(decision);
        }
        let found = self.files.find(&event.file).await?;
        self.decide_found(occasion, event, age, found).await
    }

    /// Decides without a look at the file, if that can be done.
    pub async fn decide_unseen(
        &self,
        occasion: &Occasion,
        event: &FileEvent,
    ) -> Result<Option<Decision>, Undecided> {
        if event.workspace != self.workspace {
            return Ok(Some(Decision::OtherWorkspace));
        }
        let candidates = self.pipelines.current()?;
        let decision = without_file(occasion, event, false, &candidates);
        if decision.is_none() && event.kind == EventKind::Access {
            // Whoever is not known counts as ourselves: a run downloads its file, and would be the reason for the next run.
            let actor = event.actor.as_ref().and_then(|actor| actor.parse::<UserId>().ok());
            let own = self.files.is_own(actor.as_ref()).await?;
            return Ok(without_file(occasion, event, own, &candidates));
        }
        Ok(decision)
    }

    /// Decides about a file that was looked up.
    pub async fn decide_found(
        &self,
        occasion: &Occasion,
        event: &FileEvent,
        age: Duration,
        found: Found,
    ) -> Result<Decision, Undecided> {
        let (source, creator, changed) = match found {
            Found::File { source, .. } if source.trashed && event.kind.is_about_content() => {
                return Ok(Decision::Gone);
            }
            Found::File { source, creator, changed } => (source, creator, changed),
            Found::Infected { name, finding } => return Ok(Decision::Infected { file: name, finding }),
            Found::NotAFile => return Ok(Decision::NotAFile),
            Found::Unknown if age < GRACE => return Err(Undecided::NotThereYet(event.file.to_string())),
            Found::Unknown => return Ok(Decision::Gone),
        };
        // Looking the file up took time; what counts are the pipelines of now.
        let candidates = self.pipelines.current()?;
        let made_by = match result_of(&source, &candidates) {
            Some(pipeline) if self.files.is_own(creator.as_ref()).await? => Some(pipeline),
            _ => None,
        };
        let question = Question {
            installation: &self.installation,
            webhook: &self.webhook,
            occasion,
            event,
            source: &source,
            changed,
            made_by,
            check_results: occasion.is_a_listing() || !is_new(changed, Timestamp::now()),
        };
        let mut pipelines = Vec::new();
        for (pipeline, choice) in question.ask(&candidates) {
            let answer = match choice {
                Choice::Answer(answer) => answer,
                Choice::Run(request) => self.start(&request).await?,
            };
            pipelines.push(Verdict { pipeline, answer });
        }
        Ok(Decision::Decided { file: source.name, pipelines })
    }

    async fn start(&self, request: &RunRequest) -> Result<Answer, Undecided> {
        let workflow = request.workflow_id.clone();
        let run = seal(&self.installation, &self.plan_key, request).await?;
        match self.runs.start(run).await {
            Ok(Started::New { .. }) => Ok(Answer::Started { workflow }),
            Ok(Started::Duplicate { .. }) => Ok(Answer::Duplicate { workflow }),
            Err(StartError::Unavailable(problem)) => Err(Undecided::Temporal(problem)),
            // Too large, most likely: the plan is most of it.
            Err(StartError::Refused(problem)) => {
                Ok(Answer::Invalid { problem: format!("Temporal refuses the run: {problem}") })
            }
        }
    }
}

/// Whether Temporal remembers every run that there can have been for what changed then. One whose time is unknown may be
/// of any age.
fn is_new(changed: Option<Timestamp>, now: Timestamp) -> bool {
    changed.is_some_and(|changed| now.duration_since(changed) < NEW)
}

#[cfg(test)]
mod tests;
