//! One event from its arrival to its decision.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fastio::ErrorClass;
use fastio_pipeline::decision::{Answer, Decision, Verdict};
use fastio_pipeline::event::{FileEvent, Workspace};
use fastio_pipeline::names::{Installation, ObjectKey};
use fastio_pipeline::run::RunRequest;
use fastio_temporal::failure::Class;
use fastio_temporal::start::{StartError, Started};

use crate::decide::{Choice, choose, result_of, without_file};
use crate::resolve::{Found, ResolveError, Resolver};
use crate::start::{SealProblem, StartRuns, seal};
use crate::view::{PipelineView, StaleView};

/// How long a file may be unknown to the service after its event. The service does not promise that an event comes
/// after everything that it is about can be read.
pub const GRACE: Duration = Duration::from_mins(1);

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
            Self::NotThereYet(_) | Self::Temporal(_) | Self::Resolve(ResolveError::Unusable { .. }) => {
                Class::Retry { after: None }
            }
            Self::Resolve(ResolveError::Fastio(error)) => class_of(&error.class()),
            Self::Seal(SealProblem::Request(_)) => Class::Terminal,
            Self::Seal(_) => Class::Attention,
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
            Self::Resolve(ResolveError::Unusable { .. }) => "FileUnusable",
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
    pub async fn decide(&self, event: &FileEvent, age: Duration) -> Result<Decision, Undecided> {
        if event.workspace != self.workspace {
            return Ok(Decision::OtherWorkspace);
        }
        if let Some(decision) = without_file(event, &self.pipelines.current()?) {
            return Ok(decision);
        }
        let (source, creator) = match self.files.find(&event.file).await? {
            Found::File { source, creator } => (source, creator),
            Found::NotAFile => return Ok(Decision::NotAFile),
            Found::Unknown if age < GRACE => return Err(Undecided::NotThereYet(event.file.to_string())),
            Found::Unknown | Found::Trashed => return Ok(Decision::Gone),
        };
        // Looking the file up took time; what counts are the pipelines of now.
        let candidates = self.pipelines.current()?;
        let made_by = match result_of(&source, &candidates) {
            Some(pipeline) if self.files.is_own(creator.as_ref()).await? => Some(pipeline),
            _ => None,
        };
        let chosen = choose(&self.installation, &self.webhook, event, &source, made_by, &candidates);
        let mut pipelines = Vec::with_capacity(chosen.len());
        for (pipeline, choice) in chosen {
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

#[cfg(test)]
mod tests;
