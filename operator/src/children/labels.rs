//! Labels of child objects: the recommended ones, and never those of the parent, which tools use to track what they own.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

/// Recommended label: the program.
pub const NAME: &str = "app.kubernetes.io/name";
/// Recommended label: which of the objects of that program.
pub const INSTANCE: &str = "app.kubernetes.io/instance";
/// Recommended label: the part in the whole.
pub const COMPONENT: &str = "app.kubernetes.io/component";
/// Recommended label: the whole.
pub const PART_OF: &str = "app.kubernetes.io/part-of";
/// Recommended label: who makes the object.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// Value of [`MANAGED_BY`].
pub const OPERATOR: &str = "fastio-operator";
/// Value of [`PART_OF`].
pub const SYSTEM: &str = "fastio";

/// Selects all child objects.
pub const SELECTOR: &str = "app.kubernetes.io/managed-by=fastio-operator";

/// A part that has pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Takes the deliveries of a webhook.
    Receiver,
    /// Decides what an event of a webhook means.
    Intake,
    /// Works on the files of a pipeline.
    Worker,
}

impl Part {
    /// The part's word, in labels and as the end of names.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receiver => "receiver",
            Self::Intake => "intake",
            Self::Worker => "worker",
        }
    }

    /// Name of this part's objects for the parent `parent`. At most 49 characters, as the parent has at most 40.
    #[must_use]
    pub fn name(self, parent: &str) -> String {
        format!("{parent}-{}", self.as_str())
    }

    /// The labels that select this part's pods. A Deployment's selector cannot be changed: neither must these.
    #[must_use]
    pub fn pod_labels(self, parent: &str) -> BTreeMap<String, String> {
        let name = format!("fastio-{}", self.as_str());
        [(NAME, name.as_str()), (INSTANCE, parent)].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
    }

    /// All labels of this part's objects and pods.
    #[must_use]
    pub fn labels(self, parent: &str) -> BTreeMap<String, String> {
        let mut labels = self.pod_labels(parent);
        labels.insert(COMPONENT.to_owned(), self.as_str().to_owned());
        labels.extend(common());
        labels
    }

    /// Selector of this part's pods.
    #[must_use]
    pub fn selector(self, parent: &str) -> LabelSelector {
        LabelSelector { match_labels: Some(self.pod_labels(parent)), match_expressions: None }
    }
}

/// Labels of objects that belong to no part with pods.
#[must_use]
pub fn shared(parent: &str) -> BTreeMap<String, String> {
    let mut labels: BTreeMap<_, _> = common().into_iter().collect();
    labels.insert(INSTANCE.to_owned(), parent.to_owned());
    labels
}

fn common() -> [(String, String); 2] {
    [(PART_OF, SYSTEM), (MANAGED_BY, OPERATOR)].map(|(k, v)| (k.to_owned(), v.to_owned()))
}
