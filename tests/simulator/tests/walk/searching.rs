//! Row 8 again: the search of storage with all its parameters.

use reqwest::Method;
use serde_json::json;

use super::files::{MISSING, upload};
use crate::table::{Row, control, get, post};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = vec![
        control("A8", Method::POST, "/control/workspaces", json!({ "name": "Searched" }))
            .save("searched", "/workspace_id"),
        post("A8", "/workspace/{searched}/storage/root/createfolder/")
            .form(&[("name", "Quarterly Plans")])
            .save("plans", "/node/id"),
    ];
    for (name, saved_as) in
        [("Quarterly Report.pdf", "report"), ("ÄNDERUNG.docx", "change"), ("a*b.txt", "star")]
    {
        rows.extend(upload("A8", name, b"found", "found"));
        rows.push(
            post("A8", "{s}/{found}/transfer/")
                .form(&[("target_workspace_id", "{searched}")])
                .save(saved_as, "/node/id"),
        );
    }
    rows.extend(names());
    rows.extend(places());
    rows.extend(scopes());
    rows
}

fn search(query: &str) -> Row {
    get("A8", &format!("/workspace/{{searched}}/storage/search/?{query}"))
}

fn names() -> Vec<Row> {
    let long = "x".repeat(257);
    let mut rows: Vec<Row> = [
        ("search=quarterly", 2),
        ("search=QUARTERLY&case_sensitive=true", 2),
        ("search=quarterly&case_sensitive=1&name_match=contains", 0),
        ("search=quarterly report&name_match=exact", 1),
        ("search=Quarterly Report.pdf&name_match=exact", 1),
        ("search=Quarterly&name_match=exact", 0),
        ("search=quarterly&name_match=PREFIX", 2),
        ("search=report&name_match=prefix", 0),
        ("search=report&name_match=contains", 1),
        ("search=a*b&name_match=contains", 1),
        ("search=Q*rt&name_match=contains", 0),
        ("search=Quarterly*.pdf&name_match=glob", 1),
        ("search=*.PDF&name_match=glob&case_sensitive=false", 1),
        ("search=*.PDF&name_match=glob&case_sensitive=true", 0),
        ("search=%C3%A4nderung.????&name_match=glob", 1),
    ]
    .into_iter()
    .map(|(query, total)| search(query).equals("/pagination/total", total))
    .collect();
    rows.extend([
        search("").refused(406, 1605),
        search("search=x&name_match=regex").refused(406, 1605),
        search("search=x&case_sensitive=maybe").refused(406, 1605),
        search("search=%20&name_match=exact").refused(406, 1605),
        search("search=**&name_match=glob").refused(406, 1605),
        search(&format!("search={long}&name_match=prefix")).refused(406, 144_711),
        search(&format!("search={long}&name_match=auto")).equals("/pagination/total", 0),
        search("search=x&limit=501").refused(406, 207_321),
        search("search=quarterly&limit=1&offset=1")
            .equals("/pagination/total", 2)
            .equals("/pagination/has_more", false)
            .equals("/files/{report}/name", "Quarterly Report.pdf"),
    ]);
    rows
}

/// `search_in`, and what an answer consists of.
fn places() -> Vec<Row> {
    vec![
        search("search=report").equals(
            "/files",
            json!({ "{report}": {
                "name": "Quarterly Report.pdf",
                "parent_id": "root",
                "type": "file",
                "content_snippet": null,
                "match_source": "keyword",
            } }),
        ),
        search("search=report").lacks("/search_metadata"),
        search("search=report&name_match=exact").lacks("/search_metadata"),
        search("search=report&search_in=FileName&output=terse")
            .equals("/files/{report}/type", "file")
            .equals(
                "/search_metadata",
                json!({
                    "intelligence_enabled": false,
                    "semantic_available": false,
                    "scoped": false,
                    "content_search_available": true,
                    "reason": null,
                }),
            ),
        search("search=report&search_in=both").equals("/pagination/total", 1),
        search("search=report&search_in=content")
            .equals("/files", json!({}))
            .equals("/search_metadata/content_search_available", true),
        search("search=report&search_in=summary").refused(406, 1605),
        search("search=report&details=true")
            .equals("/files/{report}/node/size", 5)
            .equals("/pagination/limit", 10),
        search("search=report&details=true&limit=50").equals("/pagination/limit", 50),
        search("search=report&details=maybe").refused(406, 1605),
        // Which operators there are is not published; a share has no such parameter, and does not filter.
        search("search=report&filters=[]").refused(406, 1605),
        get("A8", "/share/{share}/storage/search/?search=shared&filters=[]")
            .equals("/pagination/total", 1)
            .lacks("/metadata_filter"),
    ]
}

/// What narrows the search by meaning. By name it changes nothing.
fn scopes() -> Vec<Row> {
    let files = |pairs: &str| search(&format!("search=plans&files_scope={pairs}"));
    let folders = |pairs: &str| search(&format!("search=report&folders_scope={pairs}"));
    let many = |pair: &str| vec![pair; 101].join(",");
    vec![
        get("A7", "/workspace/{searched}/storage/{report}/details/").save("report_version", "/node/version"),
        files("{report}:{report_version},{star}:").equals("/pagination/total", 1),
        files("{report}").refused(406, 1605),
        files("0").refused(406, 1605),
        files("{star}:{report_version}").refused(406, 1605),
        files("{plans}:").refused(406, 1605),
        files(&format!("{MISSING}:")).refused(406, 1605),
        files("NOT_AN_ID:").refused(406, 1605),
        files(&many("{star}:")).refused(406, 1605),
        folders("{plans}:10").equals("/pagination/total", 1).equals("/files/{report}/parent_id", "root"),
        folders("{plans}:0").refused(406, 1605),
        folders("{plans}:11").refused(406, 1605),
        folders("{plans}").refused(406, 1605),
        folders("root:1").refused(406, 1605),
        folders("{report}:1").refused(406, 1605),
        folders(&many("{plans}:1")).refused(406, 1605),
    ]
}
