//! From a `FilePipeline` manifest to a [`Plan`]. Pure: the intake compiles for each event, the operator to say early what
//! is wrong. What the API server's rules can see is refused there; this is what is left, and the proof that they agree.

use fastio_pipeline::event::EventKind;
use fastio_pipeline::matching::{Matcher, PatternError, Patterns};
use fastio_pipeline::names::{NameError, ObjectKey};
use fastio_pipeline::plan::{self, Action, ImageResize, Plan, StepName, Steps, StepsError};
use fastio_pipeline::results::{FolderError, OutputFolder};
use fastio_pipeline::template::{Placeholder, Template, TemplateError};

use crate::{FileEventKind, FilePipeline, FitMode, Resize, ResizeFormat, Size, SizeError, Step};

/// A manifest that is no plan. Each message begins with the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPipeline {
    /// The object has no usable namespace or name.
    #[error("metadata: {0}")]
    Metadata(#[from] NameError),
    /// A pattern, or sizes that contradict each other.
    #[error("spec.match.{0}")]
    Pattern(#[from] PatternError),
    /// A size.
    #[error("spec.match.{field}: {source}")]
    Size {
        /// `minSize` or `maxSize`.
        field: &'static str,
        /// What is wrong with it.
        source: SizeError,
    },
    /// Names or inputs of steps.
    #[error("spec.steps: {0}")]
    Steps(#[from] StepsError),
    /// A step without an action.
    #[error("spec.steps: step {0:?} has no action; add `image`")]
    NoAction(String),
    /// A number that is out of range.
    #[error("spec.steps: step {step:?}: image.resize.{field} must be from {min} to {max}, got {got}")]
    Range {
        /// The step.
        step: String,
        /// The field of `resize`.
        field: &'static str,
        /// Least value.
        min: i32,
        /// Greatest value.
        max: i32,
        /// The value.
        got: i32,
    },
    /// The output folder.
    #[error("spec.output.folder: {0}")]
    Folder(#[from] FolderError),
    /// A comment.
    #[error("spec.comment.{field}: {source}")]
    Comment {
        /// `success` or `failure`.
        field: &'static str,
        /// What is wrong with it.
        source: TemplateError,
    },
}

/// Largest width and height of a result in pixels.
const MAX_PIXELS: i32 = 16_384;

/// Compiles a manifest.
pub fn plan(pipeline: &FilePipeline) -> Result<Plan, InvalidPipeline> {
    let metadata = &pipeline.metadata;
    let spec = &pipeline.spec;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let comment = |field, template: Option<&String>, allowed| {
        let parse = |text: &String| Template::parse(text, allowed);
        template.map(parse).transpose().map_err(|source| InvalidPipeline::Comment { field, source })
    };
    let wanted = spec.comment.as_ref();
    Ok(Plan {
        pipeline: ObjectKey::new(&text(&metadata.namespace), &text(&metadata.name))?,
        generation: metadata.generation.unwrap_or_default(),
        matcher: Matcher::new(Patterns {
            events: spec.match_rules.events.iter().map(|&kind| kind.into()).collect(),
            names: spec.match_rules.names.clone(),
            folders: spec.match_rules.folders.clone(),
            min_size: size("minSize", spec.match_rules.min_size.as_ref())?,
            max_size: size("maxSize", spec.match_rules.max_size.as_ref())?,
            mime_types: spec.match_rules.mime_types.clone(),
        })?,
        steps: Steps::new(spec.steps.iter().map(step).collect::<Result<_, _>>()?)?,
        output: OutputFolder::parse(&spec.output.folder)?,
        success_comment: comment(
            "success",
            wanted.and_then(|c| c.success.as_ref()),
            Placeholder::IN_SUCCESS,
        )?,
        failure_comment: comment(
            "failure",
            wanted.and_then(|c| c.failure.as_ref()),
            Placeholder::IN_FAILURE,
        )?,
    })
}

impl From<FileEventKind> for EventKind {
    fn from(kind: FileEventKind) -> Self {
        match kind {
            FileEventKind::Upload => Self::Upload,
            FileEventKind::Modify => Self::Modify,
            FileEventKind::Move => Self::Move,
            FileEventKind::Delete => Self::Delete,
            FileEventKind::Access => Self::Access,
        }
    }
}

fn size(field: &'static str, text: Option<&String>) -> Result<Option<u64>, InvalidPipeline> {
    let parse = |text: &String| text.parse::<Size>().map(Size::bytes);
    text.map(parse).transpose().map_err(|source| InvalidPipeline::Size { field, source })
}

fn step(step: &Step) -> Result<plan::Step, InvalidPipeline> {
    let image = step.image.as_ref().ok_or_else(|| InvalidPipeline::NoAction(step.name.clone()))?;
    Ok(plan::Step {
        name: StepName::new(&step.name)?,
        from: step.from.as_deref().map(StepName::new).transpose()?,
        action: Action::ImageResize(resize(&step.name, &image.resize)?),
    })
}

fn resize(step: &str, resize: &Resize) -> Result<ImageResize, InvalidPipeline> {
    let range = |field, got: i32, max| {
        if (1..=max).contains(&got) {
            Ok(got.unsigned_abs())
        } else {
            Err(InvalidPipeline::Range { step: step.to_owned(), field, min: 1, max, got })
        }
    };
    let quality = range("quality", resize.quality, 100)?;
    Ok(ImageResize {
        width: range("width", resize.width, MAX_PIXELS)?,
        height: resize.height.map(|height| range("height", height, MAX_PIXELS)).transpose()?,
        fit: match resize.fit {
            FitMode::Inside => plan::Fit::Inside,
            FitMode::Cover => plan::Fit::Cover,
        },
        format: match resize.format {
            ResizeFormat::Jpeg => plan::ImageFormat::Jpeg,
            ResizeFormat::Png => plan::ImageFormat::Png,
            ResizeFormat::Webp => plan::ImageFormat::Webp,
        },
        quality: u8::try_from(quality).unwrap_or(100),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
apiVersion: pipelines.fast.io/v1alpha1
kind: FilePipeline
metadata: {name: photos, namespace: media, generation: 3}
spec:
  webhookRef: {name: studio}
  match: {names: ["*.jpg"]}
  steps:
    - name: web
      image: {resize: {width: 1600}}
    - name: thumbnail
      from: web
      image: {resize: {width: 320, height: 320, fit: Cover, format: jpeg, quality: 70}}
  output: {folder: "/processed/{stem}"}
  comment: {success: "Ready in {output.folder}"}
"#;

    fn compile(replace: &str, by: &str) -> Result<Plan, InvalidPipeline> {
        assert!(MANIFEST.contains(replace), "{replace}");
        plan(&serde_saphyr::from_str(&MANIFEST.replace(replace, by)).unwrap())
    }

    #[test]
    fn a_manifest_becomes_a_plan_with_defaults() {
        let plan = compile("photos", "photos").unwrap();
        assert_eq!(plan.pipeline.to_string(), "media/photos");
        assert_eq!(plan.generation, 3);
        assert!(plan.matcher.wants(EventKind::Upload) && !plan.matcher.wants(EventKind::Modify));
        let formats: Vec<&str> = plan.steps.iter().map(|step| step.action.extension()).collect();
        assert_eq!(formats, ["webp", "jpg"]);
        assert!(plan.failure_comment.is_none());
    }

    #[test]
    fn mistakes_begin_with_their_field() {
        for (replace, by, expected) in [
            ("*.jpg", "[a", "spec.match.names: pattern \"[a\""),
            ("names: [\"*.jpg\"]", "maxSize: 1.5Gi", "spec.match.maxSize: \"1.5Gi\" is no size"),
            ("names: [\"*.jpg\"]", "folders: [raw]", "spec.match.folders: pattern \"raw\""),
            ("names: [\"*.jpg\"]", "minSize: 2Ki, maxSize: 1Ki", "spec.match.minSize (2048 bytes)"),
            ("from: web", "from: wob", "spec.steps: step \"thumbnail\" takes its input from \"wob\""),
            ("name: thumbnail", "name: web", "spec.steps: step \"web\" occurs twice"),
            ("/processed/{stem}", "/processed/{stam}", "spec.output.folder: \"{stam}\""),
            ("Ready in {output.folder}", "Ready {", "spec.comment.success: "),
            ("quality: 70", "quality: 0", "image.resize.quality must be from 1 to 100, got 0"),
            ("width: 1600", "width: -5", "image.resize.width must be from 1 to 16384, got -5"),
            ("media, ", "Media, ", "metadata: namespace \"Media\""),
        ] {
            let error = compile(replace, by).unwrap_err().to_string();
            assert!(error.contains(expected), "{by}: {error}");
        }
    }
}
