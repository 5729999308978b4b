//! Which pipelines want which files.

use std::collections::BTreeSet;
use std::fmt;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Serialize};

use crate::event::EventKind;
use crate::results::FolderPath;
use crate::run::SourceFile;

/// A pattern that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A name pattern.
    #[error("names: pattern {pattern:?}: {problem}; write for example \"*.jpg\" or \"report-??.pdf\"")]
    Name {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A folder pattern.
    #[error(
        "folders: pattern {pattern:?}: {problem}; write for example \"/raw\" for one folder, \"/raw/*\" for those right \
         below it or \"/raw/**\" for it and everything below"
    )]
    Folder {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A MIME type pattern.
    #[error(
        "mimeTypes: pattern {pattern:?}: {problem}; write for example \"image/*\" or \"application/pdf\""
    )]
    MimeType {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The least size is over the greatest.
    #[error("minSize ({min} bytes) is more than maxSize ({max} bytes), so that no file could ever match")]
    Sizes {
        /// Least size.
        min: u64,
        /// Greatest size.
        max: u64,
    },
}

/// Why a pipeline does not want a file: shown in the result of the `FileEvent` workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "camelCase")]
pub enum Filtered {
    /// Not one of the kinds of event.
    Event {
        /// The event's kind.
        kind: EventKind,
    },
    /// None of the name patterns fits.
    Name {
        /// The file's name.
        name: String,
    },
    /// None of the folder patterns fits.
    Folder {
        /// The file's folder.
        folder: FolderPath,
    },
    /// Too small or too large.
    Size {
        /// The file's size in bytes.
        size: u64,
    },
    /// None of the MIME types fits.
    MimeType {
        /// The file's MIME type, if the service named one.
        mimetype: Option<String>,
    },
    /// A result of the pipeline named here, in its output folder: processing it would be a loop.
    OwnResult {
        /// Pipeline that made the file, as `namespace/name`.
        pipeline: String,
    },
    /// Our own key read the file, or the sender does not say who did: a run reads files, so each would be the reason for
    /// the next.
    OwnAccess,
}

impl fmt::Display for Filtered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event { kind } => write!(f, "{kind} is not one of the pipeline's events"),
            Self::Name { name } => write!(f, "{name:?} fits none of the pipeline's name patterns"),
            Self::Folder { folder } => {
                write!(f, "folder {folder} fits none of the pipeline's folder patterns")
            }
            Self::Size { size } => {
                write!(f, "{size} bytes are not between the pipeline's minSize and maxSize")
            }
            Self::MimeType { mimetype: Some(mimetype) } => {
                write!(f, "{mimetype:?} fits none of the pipeline's MIME types")
            }
            Self::MimeType { mimetype: None } => f.write_str("the service names no MIME type for the file"),
            Self::OwnResult { pipeline } => write!(f, "the file is a result of {pipeline}"),
            Self::OwnAccess => f.write_str("our own key read the file, or the sender does not say who did"),
        }
    }
}

/// The `match` part of a plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Patterns", into = "Patterns")]
pub struct Matcher {
    patterns: Patterns,
    names: GlobSet,
    folders: GlobSet,
    mime_types: GlobSet,
}

/// What a [`Matcher`] is compiled from and serialized as. An empty list lets everything through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Patterns {
    /// Wanted kinds of event.
    pub events: BTreeSet<EventKind>,
    /// Wanted file names. `*` and `?` do not care about letter case: cameras write `IMG_1.JPG`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Wanted folders, from the workspace's root, with the letter case that they have. `*` stands for one folder, `**` for
    /// any number of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<String>,
    /// Least size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_size: Option<u64>,
    /// Greatest size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_size: Option<u64>,
    /// Wanted MIME types.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mime_types: Vec<String>,
}

impl Matcher {
    /// Compiles patterns.
    pub fn new(patterns: Patterns) -> Result<Self, PatternError> {
        if let (Some(min), Some(max)) = (patterns.min_size, patterns.max_size)
            && min > max
        {
            return Err(PatternError::Sizes { min, max });
        }
        let names = globs(&patterns.names, Case::Any, name_problem)
            .map_err(|(pattern, problem)| PatternError::Name { pattern, problem })?;
        let folders = globs(&patterns.folders, Case::Exact, folder_problem)
            .map_err(|(pattern, problem)| PatternError::Folder { pattern, problem })?;
        let mime_types = globs(&patterns.mime_types, Case::Any, mime_problem)
            .map_err(|(pattern, problem)| PatternError::MimeType { pattern, problem })?;
        Ok(Self { patterns, names, folders, mime_types })
    }

    /// Whether events of this kind are wanted at all. Needs no look at the file.
    #[must_use]
    pub fn wants(&self, kind: EventKind) -> bool {
        self.patterns.events.contains(&kind)
    }

    /// Whether a file is wanted after an event, or why not.
    pub fn check(&self, kind: EventKind, source: &SourceFile) -> Result<(), Filtered> {
        if self.wants(kind) { self.check_file(source) } else { Err(Filtered::Event { kind }) }
    }

    /// Whether a file is wanted, whatever happened to it, or why not.
    pub fn check_file(&self, source: &SourceFile) -> Result<(), Filtered> {
        let Patterns { events: _, names, folders, min_size, max_size, mime_types } = &self.patterns;
        if !names.is_empty() && !self.names.is_match(&source.name) {
            return Err(Filtered::Name { name: source.name.clone() });
        }
        if !folders.is_empty() && !self.folders.is_match(source.folder.to_string()) {
            return Err(Filtered::Folder { folder: source.folder.clone() });
        }
        if min_size.is_some_and(|min| source.size < min) || max_size.is_some_and(|max| source.size > max) {
            return Err(Filtered::Size { size: source.size });
        }
        let fits = |mimetype: &String| self.mime_types.is_match(essence(mimetype));
        if !mime_types.is_empty() && !source.mimetype.as_ref().is_some_and(fits) {
            return Err(Filtered::MimeType { mimetype: source.mimetype.clone() });
        }
        Ok(())
    }
}

/// A MIME type without its parameters.
fn essence(mimetype: &str) -> &str {
    mimetype.split_once(';').map_or(mimetype, |(essence, _)| essence).trim()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Any,
    Exact,
}

/// Compiles patterns, or gives the first that is wrong with its problem.
fn globs(
    patterns: &[String],
    case: Case,
    problem: fn(&str) -> Option<&'static str>,
) -> Result<GlobSet, (String, String)> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        if let Some(problem) = problem(pattern) {
            return Err((pattern.clone(), problem.to_owned()));
        }
        // `/raw/**` means the folder itself too, which it does not for the library.
        let below = pattern.strip_suffix("/**");
        for text in below.into_iter().filter(|text| !text.is_empty()).chain([pattern.as_str()]) {
            let glob =
                GlobBuilder::new(text).case_insensitive(case == Case::Any).literal_separator(true).build();
            set.add(glob.map_err(|error| (pattern.clone(), error.kind().to_string()))?);
        }
    }
    set.build().map_err(|error| (patterns.join(", "), error.kind().to_string()))
}

fn name_problem(pattern: &str) -> Option<&'static str> {
    pattern.contains('/').then_some("a name has no '/'")
}

fn folder_problem(pattern: &str) -> Option<&'static str> {
    if !pattern.starts_with('/') {
        Some("does not start with '/', the workspace's root")
    } else if pattern.len() > 1 && pattern.ends_with('/') {
        Some("ends with '/'")
    } else if pattern.contains("//") {
        Some("has an empty part")
    } else {
        None
    }
}

fn mime_problem(pattern: &str) -> Option<&'static str> {
    (pattern.matches('/').count() != 1).then_some("is not of the form type/subtype")
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.patterns == other.patterns
    }
}

impl Eq for Matcher {}

impl TryFrom<Patterns> for Matcher {
    type Error = PatternError;

    fn try_from(patterns: Patterns) -> Result<Self, PatternError> {
        Self::new(patterns)
    }
}

impl From<Matcher> for Patterns {
    fn from(matcher: Matcher) -> Self {
        matcher.patterns
    }
}

#[cfg(test)]
mod tests;
