//! Who am I, and what may I do.

use axum::Extension;
use serde_json::json;

use crate::{
    envelope::Reply,
    routes::{Caller, Routes, Scope},
    store::accounts::Rights,
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/user/auth/check/", "auth.check", Scope::Account, check).get(
        "/auth/scopes/",
        "auth.scopes",
        Scope::Account,
        scopes,
    )
}

async fn check(Extension(caller): Extension<Caller>) -> Reply {
    Reply::new().with("id", caller.user)
}

/// Keys of the simulator are made without scopes, which the service turns into `user:*:rw`. One whose rights
/// the control API has restricted has no full access.
async fn scopes(Extension(caller): Extension<Caller>) -> Reply {
    Reply::new()
        .with("auth_type", "api_key")
        .with("scopes", ["user:*:rw"])
        .with("scopes_detail", json!([{ "entity_type": "user", "entity_id": "*", "mode": "rw" }]))
        .with("full_access", caller.rights == Rights::default())
        .with("admin", false)
        .with("legacy", false)
}
