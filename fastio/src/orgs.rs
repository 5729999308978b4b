//! Organisations and their workspaces. Source: official CLI 0.2.13, `org.rs`; captured replies of May 2026.

use serde::Deserialize;

use crate::envelope::fields;
use crate::{Client, OrgId, Result, Workspace};

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Org {
    /// Its id.
    pub id: OrgId,
    /// Its name for people.
    #[serde(default, deserialize_with = "fields::opt_text")]
    pub name: Option<String>,
    /// Its name in URLs.
    #[serde(default, deserialize_with = "fields::opt_text")]
    pub domain: Option<String>,
}

impl Client {
    /// The organisations that the key's user is a member of: `GET /orgs/list/`, every page.
    pub async fn orgs(&self) -> Result<Vec<Org>> {
        self.offset_pages("orgs.list", &["orgs", "list"], "orgs").await
    }

    /// The workspaces of an organisation that the key can see: `GET /org/{org}/list/workspaces/`, every page.
    pub async fn org_workspaces(&self, org: &OrgId) -> Result<Vec<Workspace>> {
        self.offset_pages("orgs.workspaces", &["org", org.as_str(), "list", "workspaces"], "workspaces").await
    }

    /// The organisation that a workspace belongs to; `None` if the key sees none that it is in. What the workspace says of it
    /// counts first: its id needs no call, its name in URLs one ([`Self::orgs`]). Else the workspaces of all organisations
    /// are searched.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let simulated = Simulated::start().await?;
    /// # let (client, ws) = (simulated.client()?, &simulated.workspace);
    /// // The change feed belongs to an organisation, and a pipeline knows its workspace alone.
    /// let workspace = client.workspace(ws).await?;
    /// let org = client.organisation_of(&workspace).await?.ok_or("the key sees no organisation of it")?;
    ///
    /// assert!(client.orgs().await?.iter().any(|seen| seen.id == org));
    /// let siblings = client.org_workspaces(&org).await?;
    /// assert!(siblings.iter().any(|sibling| sibling.id == *ws));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn organisation_of(&self, workspace: &Workspace) -> Result<Option<OrgId>> {
        if workspace.org_id.is_some() {
            return Ok(workspace.org_id.clone());
        }
        let orgs = match self.orgs().await {
            Ok(orgs) => orgs,
            Err(error) if error.is_closed_to_key() => return Ok(None),
            Err(error) => return Err(error),
        };
        let named = orgs.iter().find(|org| org.domain.is_some() && org.domain == workspace.org_domain);
        if let Some(org) = named {
            return Ok(Some(org.id.clone()));
        }
        for org in orgs {
            match self.org_workspaces(&org.id).await {
                Ok(workspaces) if workspaces.iter().any(|other| other.id == workspace.id) => {
                    return Ok(Some(org.id));
                }
                Ok(_) => {}
                Err(error) if error.is_closed_to_key() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use crate::client::stub::{Stub, json, reply};
    use crate::{Error, OrgId, Workspace};

    #[tokio::test]
    async fn organisations_are_listed() {
        let stub = Stub::start([json(
            r#"{"result":true,"orgs":[{"id":1234567890123456789,"name":"Acme","domain":"acme","member":true},{"id":"2"}],
                "pagination":{"total":2,"limit":500,"offset":0,"has_more":false}}"#,
        )])
        .await;
        let orgs = stub.client().orgs().await.unwrap();
        assert_eq!(orgs[0].id.as_str(), "1234567890123456789");
        assert_eq!((orgs[0].name.as_deref(), orgs[0].domain.as_deref()), (Some("Acme"), Some("acme")));
        assert_eq!((&orgs[1].name, &orgs[1].domain), (&None, &None));
        assert_eq!(stub.requests()[0].line(), "GET /current/orgs/list/?limit=500&offset=0");
    }

    #[tokio::test]
    async fn workspaces_of_an_organisation_are_listed() {
        let stub = Stub::start([
            json(r#"{"result":true,"workspaces":[{"id":"1","folder_name":"raw","org_domain":"acme"}]}"#),
            json(r#"{"result":true,"workspaces":null}"#),
        ])
        .await;
        let client = stub.client();
        let org = "1234567890123456789".parse().unwrap();
        let workspaces = client.org_workspaces(&org).await.unwrap();
        assert_eq!(workspaces[0].folder_name.as_deref(), Some("raw"));
        assert!(client.org_workspaces(&org).await.unwrap().is_empty());
        assert_eq!(
            stub.requests()[0].line(),
            "GET /current/org/1234567890123456789/list/workspaces/?limit=500&offset=0"
        );
    }

    const ORGS: &str = r#"{"result":true,"orgs":[{"id":"1","domain":"acme"},{"id":"2"}]}"#;

    fn workspace(more: &str) -> Workspace {
        serde_json::from_str(&format!(r#"{{"id":"7"{more}}}"#)).unwrap()
    }

    /// The organisation of a workspace, and how many calls found it.
    async fn find(
        more: &str,
        answers: impl IntoIterator<Item = axum::response::Response>,
    ) -> (Result<Option<OrgId>, Error>, usize) {
        let stub = Stub::start(answers).await;
        let found = stub.client().organisation_of(&workspace(more)).await;
        (found, stub.requests().len())
    }

    #[tokio::test]
    async fn the_organisation_of_a_workspace_is_found_in_as_few_calls_as_it_takes() {
        let org = |id: &str| Some(id.parse().unwrap());
        let (found, calls) = find(r#","org_id":9,"org_domain":"acme""#, []).await;
        assert_eq!((found.unwrap(), calls), (org("9"), 0));
        let (found, calls) = find(r#","org_domain":"acme""#, [json(ORGS)]).await;
        assert_eq!((found.unwrap(), calls), (org("1"), 1));

        let forbidden = || reply(403, &[], r#"{"result":false,"error":{"code":10545}}"#);
        let own = || json(r#"{"result":true,"workspaces":[{"id":"7"}]}"#);
        let (found, calls) = find("", [json(ORGS), forbidden(), own()]).await;
        assert_eq!((found.unwrap(), calls), (org("2"), 3));
        let others = json(r#"{"result":true,"workspaces":[{"id":"8"}]}"#);
        let (found, calls) = find(r#","org_domain":"other""#, [json(ORGS), others, forbidden()]).await;
        assert_eq!((found.unwrap(), calls), (None, 3));
        let (found, calls) = find("", [forbidden()]).await;
        assert_eq!((found.unwrap(), calls), (None, 1));
    }

    #[tokio::test]
    async fn a_key_that_is_not_accepted_is_no_lack_of_an_organisation() {
        let rejected = || reply(401, &[], r#"{"result":false,"error":{"code":10011}}"#);
        assert!(find("", [rejected()]).await.0.is_err());
        assert!(find("", [json(ORGS), rejected()]).await.0.is_err());
    }
}
