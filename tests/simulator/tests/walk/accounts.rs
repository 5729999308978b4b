//! Rows 1 to 5: who calls, organisations, workspaces.

use reqwest::Method;
use serde_json::json;

use crate::table::{Row, control, get};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        get("A1", "/user/auth/check/").has(&["/id"]).save("user", "/id"),
        get("A1", "/user/auth/check/").without_key().refused(401, 10_011),
        get("A2", "/auth/scopes/")
            .has(&["/scopes/0", "/scopes_detail/0"])
            .equals("/auth_type", "api_key")
            .equals("/full_access", true)
            .equals("/admin", false)
            .equals("/legacy", false),
        get("A3", "/orgs/list/").has(&["/orgs/0/id", "/orgs/0/name", "/orgs/0/domain", "/pagination/total"]),
        control("A3", Method::POST, "/control/orgs", json!({ "name": "Somebody Else", "external": true }))
            .save("other_org", "/org_id"),
        get("A3", "/orgs/list/external/").equals("/orgs/0/id", "{other_org}").equals("/pagination/total", 1),
        get("A4", "/workspaces/all/")
            .has(&["/workspaces/0/id", "/workspaces/0/name", "/workspaces/0/folder_name"])
            .has(&["/workspaces/0/org_domain", "/pagination/limit", "/pagination/offset"])
            .equals("/pagination/has_more", false),
        get("A4", "/org/{org}/list/workspaces/").has(&["/workspaces/0/org_domain", "/pagination/total"]),
        get("A4", "/workspaces/available/").equals("/workspaces", json!([])),
        get("A5", "/workspace/{ws}/details/")
            .equals("/workspace/id", "{ws}")
            .equals("/workspace/name", "Test"),
        get("A5", "/workspace/test/details/").equals("/workspace/id", "{ws}"),
        get("A5", "/workspace/{ws}/limits/").has(&["/limits/storage/used", "/limits/storage/max"]),
        get("A5", "/workspace/{ws}/jobs/status/").has(&["/jobs/metadata_extract"]),
        get("A5", "/workspace/1234567890123456789/details/").refused(404, 1609),
    ]
}
