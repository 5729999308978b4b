//! One step of a run: input file in, result file out.

use std::io::{self, BufReader};

use fastio_pipeline::plan::{Action, Plan, Step, StepName};

use super::Cpu;
use super::image::{self, PictureError};
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
pub async fn run(folder: RunFolder, name: StepName, cpu: &Cpu) -> Result<u64, StepError> {
    let step = name.to_string();
    cpu.run(move || run_blocking(&folder, &name)).await.unwrap_or(Err(StepError::Crashed { step }))
}

fn run_blocking(folder: &RunFolder, name: &StepName) -> Result<u64, StepError> {
    let plan = folder.unverified_request()?.plan;
    let step = find(&plan, name)?;
    let input = match &step.from {
        None => folder.open_source(),
        Some(from) => folder.open_result(find(&plan, from)?),
    };
    let input = input.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => StepError::NoInput { step: step.name.to_string() },
        _ => StepError::Scratch(error),
    })?;
    let result = match &step.action {
        Action::ImageResize(resize) => image::resize(BufReader::new(input), resize),
    };
    let result = result.map_err(|error| match error {
        PictureError::Read(error) => StepError::Scratch(error),
        source => StepError::Picture { step: step.name.to_string(), source },
    })?;
    folder.write_result(step, &result)?;
    Ok(result.len() as u64)
}

fn find<'a>(plan: &'a Plan, name: &StepName) -> Result<&'a Step, StepError> {
    plan.steps.iter().find(|step| step.name == *name).ok_or_else(|| StepError::Unknown(name.to_string()))
}

#[cfg(test)]
mod tests;
