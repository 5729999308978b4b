//! Workspaces. Source: official CLI 0.2.13, `workspace.rs`; captured replies of May 2026.

use serde::Deserialize;

use crate::envelope::fields;
use crate::{Client, OrgId, Result, WorkspaceId};

/// A workspace.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name for people.
    #[serde(default, deserialize_with = "fields::opt_text")]
    pub name: Option<String>,
    /// Its name in URLs.
    #[serde(default, deserialize_with = "fields::opt_text")]
    pub folder_name: Option<String>,
    /// The organisation that it belongs to, where the reply tells.
    #[serde(default, deserialize_with = "fields::opt_id")]
    pub org_id: Option<OrgId>,
    /// The organisation's name in URLs.
    #[serde(default, deserialize_with = "fields::opt_text")]
    pub org_domain: Option<String>,
}

impl Client {
    /// One workspace: `GET /workspace/{id}/details/`.
    pub async fn workspace(&self, id: &WorkspaceId) -> Result<Workspace> {
        #[derive(Deserialize)]
        struct Reply {
            workspace: Workspace,
        }
        let reply: Reply =
            self.get("workspace.details", &["workspace", id.as_str(), "details"]).send().await?;
        Ok(reply.workspace)
    }

    /// All workspaces that the key can see: `GET /workspaces/all/`, every page.
    pub async fn workspaces(&self) -> Result<Vec<Workspace>> {
        self.offset_pages("workspaces.list", &["workspaces", "all"], "workspaces").await
    }
}

#[cfg(test)]
mod tests {
    use crate::client::stub::{Stub, json};

    #[tokio::test]
    async fn details_are_read() {
        let stub = Stub::start([json(
            r#"{"result":true,"workspace":{"id":1234567890123456789,"name":"Studio","folder_name":"studio",
                "org_domain":"acme","user_status":"joined","archived":false}}"#,
        )])
        .await;
        let workspace = stub.client().workspace(&"studio".parse().unwrap()).await.unwrap();
        assert_eq!(workspace.id.as_str(), "1234567890123456789");
        assert_eq!(workspace.name.as_deref(), Some("Studio"));
        assert_eq!(workspace.org_domain.as_deref(), Some("acme"));
        assert_eq!(stub.requests()[0].line(), "GET /current/workspace/studio/details/");
    }

    #[tokio::test]
    async fn every_page_is_followed() {
        let page = |id: &str, more: bool| {
            json(&format!(
                r#"{{"result":true,"workspaces":[{{"id":"{id}","name":"n"}}],
                    "pagination":{{"total":2,"limit":500,"offset":0,"has_more":{more}}}}}"#
            ))
        };
        let stub = Stub::start([page("1", true), page("2", false)]).await;
        let ids = stub.client().workspaces().await.unwrap();
        assert_eq!(ids.iter().map(|w| w.id.as_str()).collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(stub.requests()[1].line(), "GET /current/workspaces/all/?limit=500&offset=1");
    }
}
