//! One step of a run: input file in, result file out.

use std::fs::File;
use std::io::{self, BufReader};
use std::sync::Arc;

use fastio_pipeline::plan::{Action, Plan, Step, StepName};

use super::image::{self, PictureError};
use super::{Cpu, Memory};
use crate::scratch::{ClaimError, RunFolder};

/// Why a step has no result.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The run holds nothing on this host.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The plan has no such step.
    #[error("the plan has no step {0:?}")]
    Unknown(String),
    /// The input is not on this host, though everything before the step was done here.
    #[error("the input of step {step:?} is not on this host")]
    NoInput {
        /// The step.
        step: String,
    },
    /// The picture is the problem.
    #[error("step {step:?}: {source}")]
    Picture {
        /// The step.
        step: String,
        /// What is wrong.
        source: PictureError,
    },
    /// The code that reads the file gave up in disorder: the file makes it.
    #[error("step {step:?}: the file cannot be processed (the decoder crashed)")]
    Crashed {
        /// The step.
        step: String,
    },
    /// The scratch space does not work.
    #[error("scratch space: {0}")]
    Scratch(#[from] io::Error),
}

/// Runs a step of the run that the folder belongs to. Gives the size of the result in bytes.
///
/// Waits for the memory that the step needs, then for a processor: in this order, so that nobody waits with a turn on a
/// processor in hand.
pub async fn run(folder: RunFolder, name: StepName, cpu: &Cpu, memory: &Memory) -> Result<u64, StepError> {
    let crashed = || StepError::Crashed { step: name.to_string() };
    let work = Arc::new(Work::find(folder, &name)?);
    let needed = {
        let (work, head) = (Arc::clone(&work), memory.take(work.input.metadata()?.len()).await);
        let look = cpu.run(move || {
            let _head = head;
            work.memory()
        });
        look.await.map_err(|_| crashed())??
    };
    let taken = memory.take(needed).await;
    let done = cpu.run(move || {
        // Work that was cancelled goes on, and so does its use of memory.
        let _taken = taken;
        work.run()
    });
    done.await.map_err(|_| crashed())?
}

/// A step and its input.
struct Work {
    folder: RunFolder,
    step: Step,
    input: File,
}

impl Work {
    fn find(folder: RunFolder, name: &StepName) -> Result<Self, StepError> {
        let plan = folder.unverified_request()?.plan;
        let step = find(&plan, name)?.clone();
        let input = match &step.from {
            None => folder.open_source(),
            Some(from) => folder.open_result(find(&plan, from)?),
        };
        let input = input.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StepError::NoInput { step: step.name.to_string() },
            _ => StepError::Scratch(error),
        })?;
        Ok(Self { folder, step, input })
    }

    /// Most bytes of memory that [`Self::run`] has in use.
    fn memory(&self) -> Result<u64, StepError> {
        let memory = match &self.step.action {
            Action::ImageResize(resize) => image::memory(BufReader::new(&self.input), resize),
        };
        memory.map_err(|error| self.failed(error))
    }

    fn run(&self) -> Result<u64, StepError> {
        let result = match &self.step.action {
            Action::ImageResize(resize) => image::resize(BufReader::new(&self.input), resize),
        };
        let result = result.map_err(|error| self.failed(error))?;
        self.folder.write_result(&self.step, &result)?;
        Ok(result.len() as u64)
    }

    fn failed(&self, error: PictureError) -> StepError {
        match error {
            PictureError::Read(error) => StepError::Scratch(error),
            source => StepError::Picture { step: self.step.name.to_string(), source },
        }
    }
}

fn find<'a>(plan: &'a Plan, name: &StepName) -> Result<&'a Step, StepError> {
    plan.steps.iter().find(|step| step.name == *name).ok_or_else(|| StepError::Unknown(name.to_string()))
}

#[cfg(test)]
mod tests;
