//! What a Deployment's status says.

use std::time::Duration;

use fastio_crds::conditions::Reason;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentCondition};
use kube::ResourceExt;

use crate::problem::Problem;

/// How far a Deployment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollout {
    /// `ready/wanted` pods.
    pub pods: String,
    /// Pods that can be used.
    pub available: i32,
    /// Where it stands.
    pub state: RolloutState,
}

/// Where a Deployment stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RolloutState {
    /// All pods were replaced by pods of the current template, and at least one of them can be used.
    Complete,
    /// On the way.
    Progressing(String),
    /// Pods are refused (quota, policy, admission) before all were replaced; pods of an earlier template may still work.
    Rejected(String),
}

impl Rollout {
    /// Reads the status that came back from apply.
    #[must_use]
    pub fn of(deployment: &Deployment) -> Self {
        let status = deployment.status.clone().unwrap_or_default();
        let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
        let available = status.available_replicas.unwrap_or(0);
        let pods = format!("{}/{wanted}", status.ready_replicas.unwrap_or(0));
        let name = deployment.name_any();
        let conditions = status.conditions.unwrap_or_default();
        let condition = |type_: &str| conditions.iter().find(|condition| condition.type_ == type_);
        let current = status.observed_generation >= deployment.metadata.generation;
        let refused = condition("ReplicaFailure").filter(|condition| condition.status == "True");
        let state = match refused {
            // The reason stays when a pod is lost later, and goes as soon as the template changes.
            _ if current && available > 0 && is_rolled_out(condition("Progressing")) => {
                RolloutState::Complete
            }
            // Old conditions say nothing about a template that the controller has not seen.
            Some(refused) if current => RolloutState::Rejected(format!(
                "the pods of Deployment {name} are refused: {}",
                message(refused)
            )),
            _ => RolloutState::Progressing(format!("{pods} pods of Deployment {name} are ready")),
        };
        Self { pods, available, state }
    }

    /// What keeps the parent from being ready, if anything. Deployments are watched: `look_again` is for a change that
    /// the watch has missed.
    #[must_use]
    pub fn problem(&self, look_again: Duration) -> Option<Problem> {
        match &self.state {
            RolloutState::Complete => None,
            RolloutState::Progressing(message) => {
                Some(Problem::waiting(Reason::RollingOut, message, look_again))
            }
            RolloutState::Rejected(message) => {
                Some(Problem::needs_action(Reason::ChildRejected, message, look_again))
            }
        }
    }
}

fn is_rolled_out(progressing: Option<&DeploymentCondition>) -> bool {
    progressing.is_some_and(|condition| condition.reason.as_deref() == Some("NewReplicaSetAvailable"))
}

fn message(condition: &DeploymentCondition) -> &str {
    condition.message.as_deref().unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn state(status: &Value) -> RolloutState {
        let deployment = json!({
            "metadata": {"name": "photos-worker", "generation": 4},
            "spec": {"replicas": 2, "selector": {}, "template": {}},
            "status": status,
        });
        Rollout::of(&serde_json::from_value(deployment).unwrap()).state
    }

    fn condition(type_: &str, reason: &str) -> Value {
        json!({"type": type_, "status": "True", "reason": reason, "message": "exceeded quota"})
    }

    #[test]
    fn complete_means_the_current_template_runs() {
        let rolled_out = condition("Progressing", "NewReplicaSetAvailable");
        let status = |generation, available, condition: &Value| json!({"observedGeneration": generation, "availableReplicas": available, "conditions": [condition]});
        assert_eq!(state(&status(4, 2, &rolled_out)), RolloutState::Complete);
        // One of two pods is enough to work on.
        assert_eq!(state(&status(4, 1, &rolled_out)), RolloutState::Complete);
        let updating = condition("Progressing", "ReplicaSetUpdated");
        for not_yet in
            [json!({}), status(3, 2, &rolled_out), status(4, 0, &rolled_out), status(4, 2, &updating)]
        {
            assert!(matches!(state(&not_yet), RolloutState::Progressing(_)), "{not_yet}");
        }
    }

    #[test]
    fn refused_pods_are_told() {
        let refused = condition("ReplicaFailure", "FailedCreate");
        let RolloutState::Rejected(message) =
            state(&json!({"observedGeneration": 4, "conditions": [refused]}))
        else {
            panic!("not rejected");
        };
        assert!(message.ends_with("refused: exceeded quota"), "{message}");
        let status = |generation, reason| {
            json!({"observedGeneration": generation, "availableReplicas": 1,
                "conditions": [condition("Progressing", reason), refused]})
        };
        // A pod of the template before still works, and the new ones never come.
        assert!(matches!(state(&status(4, "ReplicaSetUpdated")), RolloutState::Rejected(_)));
        // Too few pods, of the current template.
        assert_eq!(state(&status(4, "NewReplicaSetAvailable")), RolloutState::Complete);
        // The refusal may be that of the template before.
        assert!(matches!(state(&status(3, "ReplicaSetUpdated")), RolloutState::Progressing(_)));
    }
}
