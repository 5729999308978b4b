//! `spec.match` and `spec.backfill`: which files.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// What happened to a file: `upload` (also copied or restored), `modify` (a new version), `move`, `delete` (to the trash) or
/// `access` (somebody got a download).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum FileEventKind {
    /// A file appeared.
    Upload,
    /// A file has a new version.
    Modify,
    /// A file is in another folder.
    Move,
    /// A file went to the trash. The run takes it from there.
    Delete,
    /// Somebody else than the API key's user got a download of a file.
    Access,
}

/// Which files a pipeline wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct MatchRules {
    /// Wanted events. `upload`, `modify` and `move` lead to one run for each version of a file, `delete` and `access` to one for
    /// each event. Default: `[upload]`.
    #[serde(default = "default_events")]
    #[schemars(length(min = 1, max = 5))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub events: Vec<FileEventKind>,

    /// Wanted file names as glob patterns, with `*`, `?`, `[a-z]` and `{a,b}`. Letter case does not matter. Default: all
    /// names. Example: `["*.jpg", "*.png"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 255)))]
    #[x_kube(validation = Rule::new("self.all(n, !n.contains('/'))").message("a name pattern must not contain '/': it is compared with the file's name, not with its path; use `folders` for the path"))]
    pub names: Vec<String>,

    /// Wanted folders as glob patterns, from the workspace's root: `/raw` for one folder, `/raw/*` for those right below it,
    /// `/raw/**` for it and everything below. Letter case matters. Default: all folders. Example: `["/raw/**"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 1024)))]
    #[x_kube(validation = Rule::new("self.all(f, f.startsWith('/'))").message("a folder pattern must start with '/', the workspace's root, for example \"/raw/**\""))]
    pub folders: Vec<String>,

    /// Least size of a file as a Kubernetes quantity, in bytes without a unit. Default: none. Example: `1Ki`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20), regex(pattern = "^[0-9]+(Ki|Mi|Gi|Ti)?$"))]
    pub min_size: Option<String>,

    /// Greatest size of a file as a Kubernetes quantity, in bytes without a unit. Default: none; what does not fit into the
    /// workers' scratch space fails. Example: `20Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20), regex(pattern = "^[0-9]+(Ki|Mi|Gi|Ti)?$"))]
    pub max_size: Option<String>,

    /// Wanted MIME types as Fast.io reports them, with `*`. Default: all. Example: `["image/*", "application/pdf"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 3, max = 255)))]
    #[x_kube(validation = Rule::new("self.all(m, m.matches('^[^/]+/[^/]+$'))").message("a MIME type must be of the form type/subtype, for example \"image/*\" or \"application/pdf\""))]
    pub mime_types: Vec<String>,
}

fn default_events() -> Vec<FileEventKind> {
    vec![FileEventKind::Upload]
}

impl Default for MatchRules {
    fn default() -> Self {
        Self {
            events: default_events(),
            names: Vec::new(),
            folders: Vec::new(),
            min_size: None,
            max_size: None,
            mime_types: Vec::new(),
        }
    }
}

/// What to do about files that are there already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Backfill {
    /// Most files in a minute, of those that the pipeline wants, so that new files do not have to wait for old ones. Files that
    /// it does not want are passed over at once. Default: 60.
    #[serde(default = "sixty")]
    #[schemars(range(min = 1, max = 6000))]
    pub files_per_minute: i32,
}

fn sixty() -> i32 {
    60
}
