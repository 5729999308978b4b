//! Download tokens: JSON Web Tokens (HS256) that are bound to one file, for about two hours.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::{
    ids::{NodeId, ProfileId, VersionId},
    time::Instant,
};

pub(crate) const LIFETIME: Duration = Duration::from_hours(2);

/// What a token allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) workspace: ProfileId,
    pub(crate) node: NodeId,
    pub(crate) version: Option<VersionId>,
    /// Unix seconds.
    exp: i64,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("The download token is not valid")]
    Invalid,
    #[error("The download token has expired")]
    Expired,
}

/// Issues and checks tokens. The key is kept with the state, so tokens outlive a restart.
pub(crate) struct Tokens {
    key: Vec<u8>,
}

impl Tokens {
    pub(crate) fn new(key: Vec<u8>) -> Self {
        Self { key }
    }

    pub(crate) fn issue(
        &self,
        workspace: &ProfileId,
        node: &NodeId,
        version: Option<VersionId>,
        lifetime: Duration,
    ) -> String {
        let expires = Instant::now().plus(lifetime).seconds();
        let claims = Claims { workspace: workspace.clone(), node: node.clone(), version, exp: expires };
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims).unwrap_or_default());
        let signed = format!("{header}.{payload}");
        let signature = URL_SAFE_NO_PAD.encode(self.mac(&signed).finalize().into_bytes());
        format!("{signed}.{signature}")
    }

    pub(crate) fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Invalid)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Invalid)?;
        self.mac(signed).verify_slice(&signature).map_err(|_| TokenError::Invalid)?;
        let (_, payload) = signed.split_once('.').ok_or(TokenError::Invalid)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| TokenError::Invalid)?;
        let claims: Claims = serde_json::from_slice(&payload).map_err(|_| TokenError::Invalid)?;
        if claims.exp <= Instant::now().seconds() { Err(TokenError::Expired) } else { Ok(claims) }
    }

    fn mac(&self, signed: &str) -> Hmac<Sha256> {
        let mut mac = keyed(&self.key);
        mac.update(signed.as_bytes());
        mac
    }
}

/// HMAC-SHA256 with a key of any length.
#[allow(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104)")]
pub(crate) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of every length")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_bound_to_its_file_and_cannot_be_changed() {
        let tokens = Tokens::new(b"key".to_vec());
        let (workspace, node) = (ProfileId::random(), NodeId::random());
        let token = tokens.issue(&workspace, &node, None, LIFETIME);
        assert_eq!(tokens.verify(&token).unwrap().node, node);
        assert_eq!(Tokens::new(b"other".to_vec()).verify(&token), Err(TokenError::Invalid));
        assert_eq!(tokens.verify(&token.replacen('.', ".A", 1)), Err(TokenError::Invalid));
        assert_eq!(tokens.verify("nonsense"), Err(TokenError::Invalid));
        let expired = tokens.issue(&workspace, &node, None, Duration::ZERO);
        assert_eq!(tokens.verify(&expired), Err(TokenError::Expired));
    }
}
