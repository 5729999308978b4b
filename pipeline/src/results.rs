//! Where results go and what they are called; and how a result is recognised as one.
//!
//! Names are deterministic from the source file and the step, so that a run that is tried again finds what it already
//! made. The same rules read backwards are the loop guard: an event about a file that one of our uploads put into a
//! pipeline's output place starts nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::event::FileId;
use crate::plan::{Action, Plan, Step};
use crate::template::{Piece, Placeholder, Template, TemplateError, split_name};

/// An output folder that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FolderError {
    /// A placeholder is wrong.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// Empty, or with `.`, `..` or an empty part in it.
    #[error(
        "output folder {0:?} must name a folder without empty parts, '.' or '..', for example \"/processed/{{stem}}\" or \"thumbnails\""
    )]
    Path(String),
}

/// Where results go: absolute in the workspace (`/processed/{stem}`), or relative to the source's folder (`thumbnails`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OutputFolder {
    absolute: bool,
    segments: Vec<Template>,
}

impl OutputFolder {
    /// Parses an output folder.
    pub fn parse(text: &str) -> Result<Self, FolderError> {
        let wrong = || FolderError::Path(text.to_owned());
        let absolute = text.starts_with('/');
        let trimmed = text.strip_prefix('/').unwrap_or(text);
        let trimmed = trimmed.strip_suffix('/').unwrap_or(trimmed);
        if trimmed.is_empty() {
            return Err(wrong());
        }
        let mut segments = Vec::new();
        for segment in trimmed.split('/') {
            if matches!(segment, "" | "." | "..") {
                return Err(wrong());
            }
            segments.push(Template::parse(segment, Placeholder::IN_FOLDERS)?);
        }
        Ok(Self { absolute, segments })
    }

    /// The folder for one source file.
    #[must_use]
    pub fn resolve(&self, source_folder: &FolderPath, source_name: &str) -> FolderPath {
        let mut path = if self.absolute { Vec::new() } else { source_folder.0.clone() };
        path.extend(self.segments.iter().map(|segment| {
            let rendered = segment.render(|placeholder| name_value(placeholder, source_name));
            // A file may be called "...": its stem must not climb out of the folder.
            if matches!(rendered.as_str(), "" | "." | "..") { "_".to_owned() } else { rendered }
        }));
        FolderPath(path)
    }

    /// Whether `folder` can be an answer of [`Self::resolve`] for some source file.
    fn covers(&self, folder: &FolderPath) -> bool {
        let Some(skipped) = folder.0.len().checked_sub(self.segments.len()) else { return false };
        if self.absolute && skipped != 0 {
            return false;
        }
        folder.0.iter().skip(skipped).zip(&self.segments).all(|(name, segment)| could_render(segment, name))
    }
}

impl TryFrom<String> for OutputFolder {
    type Error = FolderError;

    fn try_from(text: String) -> Result<Self, FolderError> {
        Self::parse(&text)
    }
}

impl From<OutputFolder> for String {
    fn from(folder: OutputFolder) -> Self {
        folder.to_string()
    }
}

impl fmt::Display for OutputFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let segments: Vec<String> = self.segments.iter().map(Template::to_string).collect();
        write!(f, "{}{}", if self.absolute { "/" } else { "" }, segments.join("/"))
    }
}

/// The values of `{name}`, `{stem}` and `{ext}`; other placeholders have none here.
#[must_use]
pub fn name_value(placeholder: Placeholder, source_name: &str) -> String {
    let (stem, ext) = split_name(source_name);
    match placeholder {
        Placeholder::Name => source_name.to_owned(),
        Placeholder::Stem => stem.to_owned(),
        Placeholder::Ext => ext.to_owned(),
        Placeholder::OutputFolder | Placeholder::Results | Placeholder::Error => String::new(),
    }
}

/// Whether the template can give `text`: its texts occur in order, with anything for the placeholders between them.
fn could_render(template: &Template, text: &str) -> bool {
    let mut rest = text;
    let mut anything = false;
    for piece in template.pieces() {
        match piece {
            Piece::Value(_) => anything = true,
            Piece::Text(literal) => {
                let Some(at) = rest.find(literal.as_str()) else { return false };
                if at != 0 && !anything {
                    return false;
                }
                rest = rest.get(at + literal.len()..).unwrap_or_default();
                anything = false;
            }
        }
    }
    // The last text must end the name: look for it from the end, for it may occur earlier too.
    anything
        || rest.is_empty()
        || matches!(template.pieces().last(), Some(Piece::Text(last)) if template.pieces().len() > 1 && text.ends_with(last.as_str()))
}

/// A folder in a workspace, as the names from the root down. Displayed as `/processed/beach`; the root is `/`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FolderPath(pub Vec<String>);

impl fmt::Display for FolderPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.0.join("/"))
    }
}

/// Longest file name in characters (source: Fast.io's upload documentation).
const MAX_NAME: usize = 255;

/// What a step's result is called: `beach.thumbnail.webp`.
#[must_use]
pub fn result_name(source_name: &str, step: &Step) -> String {
    named(source_name, step, "")
}

/// What it is called when [`result_name`] is taken by a file that is not ours: `beach.thumbnail.2ltsuq4m.webp`.
///
/// The tag comes from the source file's id, so that two sources of one stem (`beach.jpg`, `beach.png`) never meet.
#[must_use]
pub fn result_name_beside(source_name: &str, source: &FileId, step: &Step) -> String {
    named(source_name, step, &format!(".{}", tag(source)))
}

fn named(source_name: &str, step: &Step, tag: &str) -> String {
    let (base, _) = split_name(source_name);
    let end = format!(".{}{tag}.{}", step.name, step.action.extension());
    let room = MAX_NAME.saturating_sub(end.chars().count());
    let base: String = base.chars().take(room).collect();
    format!("{base}{end}")
}

const TAG_LENGTH: usize = 8;

/// The last characters of an id: the first ones say only what kind of thing it names.
fn tag(source: &FileId) -> String {
    let letters: Vec<char> = source.as_str().chars().filter(char::is_ascii_alphanumeric).collect();
    letters.iter().skip(letters.len().saturating_sub(TAG_LENGTH)).collect()
}

/// Whether a file of this name in this folder has the shape of a result of the plan.
///
/// With the question whether our key made the file this is the loop guard.
#[must_use]
pub fn is_result_place(plan: &Plan, folder: &FolderPath, name: &str) -> bool {
    plan.output.covers(folder)
        && plan.steps.iter().any(|step| has_result_name(name, step.name.as_str(), &step.action))
}

fn has_result_name(name: &str, step: &str, action: &Action) -> bool {
    let Some(base) = name.strip_suffix(action.extension()).and_then(|base| base.strip_suffix('.')) else {
        return false;
    };
    let names_step = |base: &str| base.strip_suffix(step).is_some_and(|before| before.ends_with('.'));
    let names_tagged_step = |base: &str| {
        base.rsplit_once('.').is_some_and(|(before, tag)| {
            let is_tag =
                (1..=TAG_LENGTH).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric());
            is_tag && names_step(before)
        })
    };
    names_step(base) || names_tagged_step(base)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Fit, ImageFormat, ImageResize, StepName};

    fn step(name: &str) -> Step {
        let resize = ImageResize {
            width: 320,
            height: None,
            fit: Fit::Inside,
            format: ImageFormat::Webp,
            quality: 80,
        };
        Step { name: StepName::new(name).unwrap(), from: None, action: Action::ImageResize(resize) }
    }

    fn path(text: &str) -> FolderPath {
        FolderPath(text.split('/').filter(|s| !s.is_empty()).map(str::to_owned).collect())
    }

    #[test]
    fn folders_are_absolute_or_beside_the_source() {
        for (template, expected) in [
            ("/processed/{stem}", "/processed/beach"),
            ("/processed/{stem}/", "/processed/beach"),
            ("thumbs", "/photos/2026/thumbs"),
            ("{stem}-{ext}", "/photos/2026/beach-jpg"),
        ] {
            let folder = OutputFolder::parse(template).unwrap();
            assert_eq!(
                folder.resolve(&path("/photos/2026"), "beach.jpg").to_string(),
                expected,
                "{template}"
            );
        }
    }

    #[test]
    fn no_name_climbs_out_of_the_folder() {
        let folder = OutputFolder::parse("/processed/{stem}").unwrap();
        assert_eq!(folder.resolve(&FolderPath::default(), "...jpg").to_string(), "/processed/_");
    }

    #[test]
    fn folders_without_a_name_are_refused() {
        for bad in ["", "/", "//", "a//b", "../x", "/a/./b", "/{error}"] {
            assert!(OutputFolder::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_answer_is_covered_and_other_folders_are_not() {
        for template in ["/processed/{stem}", "thumbs", "/a/x-{stem}-x", "/{name}/{ext}/x", "r{stem}"] {
            let folder = OutputFolder::parse(template).unwrap();
            for name in ["beach.jpg", "x-x.x-x.webp", "-x", "xx", "r.r"] {
                let answer = folder.resolve(&path("/photos"), name);
                assert!(folder.covers(&answer), "{template} {name} {answer}");
            }
            assert!(!folder.covers(&path("/photos")) || template == "/{name}/{ext}/x", "{template}");
            assert!(!folder.covers(&FolderPath::default()), "{template}");
        }
        assert!(!OutputFolder::parse("/processed").unwrap().covers(&path("/x/processed")));
    }

    #[test]
    fn results_are_named_by_source_and_step() {
        let thumb = step("thumb");
        assert_eq!(result_name("beach.jpg", &thumb), "beach.thumb.webp");
        let id = "2ltsu-q4mja-cuv7p-gc5yd-lxnsj-wee4".parse().unwrap();
        assert_eq!(result_name_beside("beach.jpg", &id, &thumb), "beach.thumb.xnsjwee4.webp");
        assert_eq!(result_name(&"ä".repeat(300), &thumb).chars().count(), 255);
    }

    #[test]
    fn both_names_of_a_result_are_recognised() {
        let thumb = step("thumb");
        let id = "2ltsu-q4mja-cuv7p-gc5yd-lxnsj-wee4".parse().unwrap();
        for name in [result_name("beach.jpg", &thumb), result_name_beside("beach.jpg", &id, &thumb)] {
            assert!(has_result_name(&name, "thumb", &thumb.action), "{name}");
        }
        for name in ["beach.jpg", "beach.webp", "thumb.webp", "beach.thumb.jpg", "beach.xthumb.webp"] {
            assert!(!has_result_name(name, "thumb", &thumb.action), "{name}");
        }
    }
}
