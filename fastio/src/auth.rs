//! Who the key belongs to and what it may do. Source: official CLI 0.2.13, `auth.rs`.

use serde::Deserialize;

use crate::envelope::fields;
use crate::{Client, Result, UserId};

/// What a key may do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Scopes {
    /// Kind of credential, for example `api_key`.
    #[serde(default, deserialize_with = "fields::opt_text")]
    pub auth_type: Option<String>,
    /// Scopes as `entity_type:entity_id:mode`, mode `r`, `rw` or `rwa`.
    #[serde(default, deserialize_with = "fields::or_default")]
    pub scopes: Vec<String>,
    /// The key may do what its user may.
    #[serde(default, deserialize_with = "fields::flag")]
    pub full_access: bool,
    /// The key may administrate.
    #[serde(default, deserialize_with = "fields::flag")]
    pub admin: bool,
    /// A key from before there were scopes.
    #[serde(default, deserialize_with = "fields::flag")]
    pub legacy: bool,
}

impl Client {
    /// Checks the key and tells whose it is: `GET /user/auth/check/`.
    pub async fn auth_check(&self) -> Result<UserId> {
        #[derive(Deserialize)]
        struct Reply {
            id: UserId,
        }
        let reply: Reply = self.get("auth.check", &["user", "auth", "check"]).send().await?;
        Ok(reply.id)
    }

    /// What the key may do: `GET /auth/scopes/`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let simulated = Simulated::start().await?;
    /// # let client = simulated.client()?;
    /// let user = client.auth_check().await?;
    /// let scopes = client.scopes().await?;
    /// if !scopes.full_access && !scopes.scopes.iter().any(|scope| scope.ends_with(":rw")) {
    ///     return Err(format!("the key of {user} may write nothing: it has {:?}", scopes.scopes).into());
    /// }
    /// assert_eq!(scopes.auth_type.as_deref(), Some("api_key"));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn scopes(&self) -> Result<Scopes> {
        self.get("auth.scopes", &["auth", "scopes"]).send().await
    }
}

#[cfg(test)]
mod tests {
    use crate::client::stub::{Stub, json};

    #[tokio::test]
    async fn the_user_comes_as_text_or_number() {
        let stub = Stub::start([
            json(r#"{"result":true,"id":"1234567890123456789","current_api_version":"1.0"}"#),
            json(r#"{"result":"yes","response":{"id":1234567890123456789}}"#),
        ])
        .await;
        let client = stub.client();
        assert_eq!(client.auth_check().await.unwrap(), client.auth_check().await.unwrap());
        assert_eq!(stub.requests()[0].line(), "GET /current/user/auth/check/");
    }

    #[tokio::test]
    async fn scopes_are_read() {
        let stub = Stub::start([json(
            r#"{"result":true,"auth_type":"api_key","scopes":["workspace:1234567890123456789:rw"],
                "scopes_detail":[{"entity_type":"workspace"}],"full_access":false,"admin":false,"legacy":false}"#,
        )])
        .await;
        let scopes = stub.client().scopes().await.unwrap();
        assert_eq!(scopes.auth_type.as_deref(), Some("api_key"));
        assert_eq!(scopes.scopes, ["workspace:1234567890123456789:rw"]);
        assert!(!scopes.full_access && !scopes.admin && !scopes.legacy);
        assert_eq!(stub.requests()[0].line(), "GET /current/auth/scopes/");
    }
}
