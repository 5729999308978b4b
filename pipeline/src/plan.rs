//! A plan: what a `FilePipeline` manifest says, compiled and checked. A run is pinned to one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::matching::Matcher;
use crate::names::ObjectKey;
use crate::results::OutputFolder;
use crate::template::Template;

/// What to do with a file, at one generation of its `FilePipeline`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The `FilePipeline`.
    pub pipeline: ObjectKey,
    /// Its `metadata.generation` when it was compiled.
    pub generation: i64,
    /// Which files it wants.
    #[serde(rename = "match")]
    pub matcher: Matcher,
    /// What it makes of them.
    pub steps: Steps,
    /// Where results go.
    pub output: OutputFolder,
    /// Comment on the source file after success, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_comment: Option<Template>,
    /// Comment on the source file after failure, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_comment: Option<Template>,
}

/// Name of a step: part of the result's file name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepName(String);

impl StepName {
    /// Longest step name in characters: a DNS label, as for containers.
    const MAX: usize = 63;

    /// A step name: a DNS label (RFC 1123).
    pub fn new(name: &str) -> Result<Self, StepsError> {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let edge = |b: Option<&u8>| b.is_some_and(|&b| b != b'-' && inner(b));
        let bytes = name.as_bytes();
        if bytes.len() <= Self::MAX
            && bytes.iter().copied().all(inner)
            && edge(bytes.first())
            && edge(bytes.last())
        {
            Ok(Self(name.to_owned()))
        } else {
            Err(StepsError::Name(name.to_owned()))
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Unique within the plan.
    pub name: StepName,
    /// The step whose result is the input; the source file if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<StepName>,
    /// What is done.
    pub action: Action,
}

/// What a step does with its input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// Scale a picture and write it in another format.
    ImageResize(ImageResize),
}

impl Action {
    /// Extension of the result's file name, without the dot.
    #[must_use]
    pub fn extension(&self) -> &'static str {
        match self {
            Self::ImageResize(resize) => resize.format.extension(),
        }
    }
}

/// Scale a picture to fit into a box. Never enlarged; the EXIF orientation is applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageResize {
    /// Width of the box in pixels.
    pub width: u32,
    /// Height of the box in pixels; unbounded if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// How the picture meets the box.
    pub fit: Fit,
    /// Format of the result.
    pub format: ImageFormat,
    /// Quality of lossy formats, 1 to 100.
    pub quality: u8,
}

/// How a picture meets a box of another shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Fit {
    /// The whole picture, as large as fits.
    Inside,
    /// The whole box, with the picture's edges cut off evenly.
    Cover,
}

/// A picture format that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ImageFormat {
    /// JPEG, lossy, no transparency.
    Jpeg,
    /// PNG, lossless.
    Png,
    /// WebP, lossy.
    Webp,
}

impl ImageFormat {
    /// File name extension without the dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }

    /// Media type (RFC 2046).
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }
}

/// Steps that do not form a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepsError {
    /// No step at all.
    #[error("there must be at least one step")]
    Empty,
    /// Not a DNS label.
    #[error(
        "step name {0:?} must be 1 to 63 characters of a-z, 0-9 and '-', starting and ending with a letter or digit"
    )]
    Name(String),
    /// Two steps of one name.
    #[error("step {0:?} occurs twice; step names must be unique, because results are named by them")]
    Duplicate(String),
    /// `from` names no step.
    #[error(
        "step {step:?} takes its input from {from:?}, which is not a step; use one of the other steps' names, or leave `from` out for the source file"
    )]
    UnknownInput {
        /// The step.
        step: String,
        /// What it asks for.
        from: String,
    },
    /// `from` leads back to the step itself.
    #[error("steps {0} take their input from each other in a circle")]
    Circle(String),
}

/// Steps in an order in which every input exists before it is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Step>", into = "Vec<Step>")]
pub struct Steps(Vec<Step>);

impl Steps {
    /// Checks names and inputs and brings the steps into order. Steps that do not depend on each other keep their order.
    pub fn new(steps: Vec<Step>) -> Result<Self, StepsError> {
        if steps.is_empty() {
            return Err(StepsError::Empty);
        }
        let mut names = BTreeSet::new();
        for step in &steps {
            StepName::new(step.name.as_str())?;
            if !names.insert(step.name.clone()) {
                return Err(StepsError::Duplicate(step.name.to_string()));
            }
        }
        for step in &steps {
            if let Some(from) = step.from.as_ref().filter(|from| !names.contains(*from)) {
                return Err(StepsError::UnknownInput { step: step.name.to_string(), from: from.to_string() });
            }
        }
        let mut ordered: Vec<Step> = Vec::with_capacity(steps.len());
        let mut waiting = steps;
        while !waiting.is_empty() {
            let done: BTreeSet<StepName> = ordered.iter().map(|step| step.name.clone()).collect();
            let (ready, blocked): (Vec<Step>, Vec<Step>) = waiting
                .into_iter()
                .partition(|step| step.from.as_ref().is_none_or(|from| done.contains(from)));
            if ready.is_empty() {
                let names: Vec<&str> = blocked.iter().map(|step| step.name.as_str()).collect();
                return Err(StepsError::Circle(names.join(", ")));
            }
            ordered.extend(ready);
            waiting = blocked;
        }
        Ok(Self(ordered))
    }

    /// The steps in order.
    pub fn iter(&self) -> impl Iterator<Item = &Step> {
        self.0.iter()
    }

    /// The steps in groups: all of a group can run at the same time once the groups before it are done.
    #[must_use]
    pub fn waves(&self) -> Vec<Vec<&Step>> {
        let mut wave_of: BTreeMap<&StepName, usize> = BTreeMap::new();
        let mut waves: Vec<Vec<&Step>> = Vec::new();
        for step in &self.0 {
            let wave = step.from.as_ref().and_then(|from| wave_of.get(from)).map_or(0, |wave| wave + 1);
            wave_of.insert(&step.name, wave);
            if waves.len() <= wave {
                waves.resize_with(wave + 1, Vec::new);
            }
            if let Some(group) = waves.get_mut(wave) {
                group.push(step);
            }
        }
        waves
    }
}

impl TryFrom<Vec<Step>> for Steps {
    type Error = StepsError;

    fn try_from(steps: Vec<Step>) -> Result<Self, StepsError> {
        Self::new(steps)
    }
}

impl From<Steps> for Vec<Step> {
    fn from(steps: Steps) -> Self {
        steps.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, from: Option<&str>) -> Step {
        let name_of = |text: &str| StepName(text.to_owned());
        let resize = ImageResize {
            width: 320,
            height: None,
            fit: Fit::Inside,
            format: ImageFormat::Webp,
            quality: 80,
        };
        Step { name: name_of(name), from: from.map(name_of), action: Action::ImageResize(resize) }
    }

    fn order(steps: &Steps) -> Vec<&str> {
        steps.iter().map(|step| step.name.as_str()).collect()
    }

    #[test]
    fn inputs_come_before_their_users() {
        let steps =
            Steps::new(vec![step("c", Some("b")), step("a", None), step("b", Some("a")), step("d", None)]);
        let steps = steps.unwrap();
        assert_eq!(order(&steps), ["a", "d", "b", "c"]);
        let waves: Vec<Vec<&str>> =
            steps.waves().iter().map(|w| w.iter().map(|s| s.name.as_str()).collect()).collect();
        assert_eq!(waves, [vec!["a", "d"], vec!["b"], vec!["c"]]);
    }

    #[test]
    fn steps_that_form_no_plan_are_refused_with_a_reason() {
        for (steps, expected) in [
            (vec![], "at least one step"),
            (vec![step("Thumb", None)], "must be 1 to 63 characters"),
            (vec![step("a", None), step("a", None)], "occurs twice"),
            (vec![step("a", Some("z"))], "not a step"),
            (vec![step("a", Some("b")), step("b", Some("a"))], "in a circle"),
            (vec![step("a", Some("a"))], "in a circle"),
        ] {
            let error = Steps::new(steps).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
