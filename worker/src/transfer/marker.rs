//! The marker on a result: which source and which plan it came from.
//!
//! Kept as metadata facts of the result file. A result with the marker of a source and a pipeline may be replaced by a
//! newer result of that source by that pipeline; any other file belongs to somebody else.

use std::collections::BTreeMap;

use fastio::VersionId;
use fastio_pipeline::run::RunRequest;
use sha2::{Digest, Sha256};

/// Fact with the id of the source file.
pub const MARKER_SOURCE: &str = "fastio_operator_source";
/// Fact with the version of the source file; absent if the service names no versions.
pub const MARKER_VERSION: &str = "fastio_operator_version";
/// Fact with the pipeline that made it, `namespace/name`.
pub const MARKER_PIPELINE: &str = "fastio_operator_pipeline";
/// Fact with a hash of what was done: SHA-256 of the pipeline's name and its steps, the first 32 hexadecimal digits.
pub const MARKER_PLAN: &str = "fastio_operator_plan";

/// What a result of a run says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marker {
    source: String,
    version: Option<String>,
    pipeline: String,
    plan: String,
}

impl Marker {
    pub(super) fn of(request: &RunRequest) -> Self {
        let mut hash = Sha256::new();
        hash.update(request.plan.pipeline.to_string());
        for step in request.plan.steps.iter() {
            // Steps are plain data: names and numbers always have a JSON form.
            hash.update(serde_json::to_vec(step).unwrap_or_default());
        }
        let mut plan = hex::encode(hash.finalize());
        plan.truncate(32);
        Self {
            source: request.source.id.to_string(),
            version: request.source.version.as_ref().map(ToString::to_string),
            pipeline: request.plan.pipeline.to_string(),
            plan,
        }
    }

    /// The marker in a file's facts, if it has one.
    pub(super) fn read(facts: &BTreeMap<String, String>) -> Option<Self> {
        Some(Self {
            source: facts.get(MARKER_SOURCE)?.clone(),
            version: facts.get(MARKER_VERSION).filter(|version| !version.is_empty()).cloned(),
            pipeline: facts.get(MARKER_PIPELINE).cloned().unwrap_or_default(),
            plan: facts.get(MARKER_PLAN).cloned().unwrap_or_default(),
        })
    }

    /// As facts. A version that is not known is written as empty: it must not stay that of an earlier result.
    pub(super) fn facts(&self) -> BTreeMap<String, String> {
        let version = self.version.clone().unwrap_or_default();
        [
            (MARKER_SOURCE, self.source.clone()),
            (MARKER_VERSION, version),
            (MARKER_PIPELINE, self.pipeline.clone()),
            (MARKER_PLAN, self.plan.clone()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
    }

    /// The same pipeline made both of the same file, whatever its version.
    pub(super) fn same_line(&self, other: &Self) -> bool {
        same_id(&self.source, &other.source) && self.pipeline == other.pipeline
    }

    /// Both were made of the same version of the same file by the same pipeline in the same way. Versions that are not
    /// known are not the same.
    pub(super) fn same_result(&self, other: &Self) -> bool {
        let versions = self.version.as_ref().zip(other.version.as_ref());
        self.same_line(other)
            && versions.is_some_and(|(one, other)| same_id(one, other))
            && self.plan == other.plan
    }

    /// Both come from the same version of their file, or nobody can tell.
    pub(super) fn same_version(&self, other: &Self) -> bool {
        match (&self.version, &other.version) {
            (Some(one), Some(other)) => same_id(one, other),
            _ => true,
        }
    }

    /// Whether `current`, the version that the source has now, is the one that this comes from. A service that names no
    /// versions is given the benefit of the doubt.
    pub(super) fn is_of(&self, current: Option<&VersionId>) -> bool {
        match (&self.version, current) {
            (Some(ours), Some(current)) => same_id(ours, current.as_str()),
            _ => true,
        }
    }
}

/// Some replies of the service show ids grouped by hyphens, some do not.
fn same_id(one: &str, other: &str) -> bool {
    one.replace('-', "") == other.replace('-', "")
}
