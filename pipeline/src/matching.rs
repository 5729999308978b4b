//! Which pipelines want which files.

use std::collections::BTreeSet;
use std::fmt;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Serialize};

use crate::event::EventKind;

/// A pattern that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("name pattern {pattern:?}: {problem}; write for example \"*.jpg\" or \"report-??.pdf\"")]
pub struct PatternError {
    pattern: String,
    problem: String,
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
    /// A result of the pipeline named here, in its output folder: processing it would be a loop.
    OwnResult {
        /// Pipeline that made the file, as `namespace/name`.
        pipeline: String,
    },
}

impl fmt::Display for Filtered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event { kind } => write!(f, "{kind} is not one of the pipeline's events"),
            Self::Name { name } => write!(f, "{name:?} fits none of the pipeline's name patterns"),
            Self::OwnResult { pipeline } => write!(f, "the file is a result of {pipeline}"),
        }
    }
}

/// The `match` part of a plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Patterns", into = "Patterns")]
pub struct Matcher {
    patterns: Patterns,
    names: GlobSet,
}

/// What a [`Matcher`] is compiled from and serialized as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patterns {
    /// Wanted kinds of event.
    pub events: BTreeSet<EventKind>,
    /// Wanted file names; all if empty. `*` and `?` do not care about letter case: cameras write `IMG_1.JPG`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

impl Matcher {
    /// Compiles patterns.
    pub fn new(patterns: Patterns) -> Result<Self, PatternError> {
        let mut set = GlobSetBuilder::new();
        for pattern in &patterns.names {
            let error = |problem: String| PatternError { pattern: pattern.clone(), problem };
            if pattern.contains('/') {
                return Err(error("a name has no '/'".to_owned()));
            }
            let glob = GlobBuilder::new(pattern).case_insensitive(true).literal_separator(true).build();
            set.add(glob.map_err(|e| error(e.kind().to_string()))?);
        }
        let names = set.build().map_err(|e| PatternError {
            pattern: patterns.names.join(", "),
            problem: e.kind().to_string(),
        })?;
        Ok(Self { patterns, names })
    }

    /// Whether a file is wanted, or why not.
    pub fn check(&self, kind: EventKind, name: &str) -> Result<(), Filtered> {
        if !self.patterns.events.contains(&kind) {
            return Err(Filtered::Event { kind });
        }
        if !self.patterns.names.is_empty() && !self.names.is_match(name) {
            return Err(Filtered::Name { name: name.to_owned() });
        }
        Ok(())
    }
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
mod tests {
    use super::*;

    fn matcher(names: &[&str]) -> Result<Matcher, PatternError> {
        let names = names.iter().map(|&n| n.to_owned()).collect();
        Matcher::new(Patterns { events: BTreeSet::from([EventKind::Upload]), names })
    }

    #[test]
    fn events_and_names_decide() {
        let photos = matcher(&["*.jpg", "*.{jpeg,png}"]).unwrap();
        assert_eq!(photos.check(EventKind::Upload, "beach.jpg"), Ok(()));
        assert_eq!(photos.check(EventKind::Upload, "IMG_1.JPG"), Ok(()));
        assert_eq!(photos.check(EventKind::Upload, "a.png"), Ok(()));
        assert!(matches!(photos.check(EventKind::Upload, "notes.txt"), Err(Filtered::Name { .. })));
        assert!(matches!(photos.check(EventKind::Delete, "beach.jpg"), Err(Filtered::Event { .. })));
        assert_eq!(matcher(&[]).unwrap().check(EventKind::Upload, "anything"), Ok(()));
    }

    #[test]
    fn bad_patterns_are_named() {
        let error = matcher(&["*.jpg", "[a-"]).unwrap_err().to_string();
        assert!(error.starts_with("name pattern \"[a-\": "), "{error}");
        assert!(matcher(&["raw/*.jpg"]).unwrap_err().to_string().contains("has no '/'"));
    }
}
