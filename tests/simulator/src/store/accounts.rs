//! Users, API keys, organisations and workspaces.

use rusqlite::{Connection, Result, Row};

use super::{all, one};
use crate::{ids::ProfileId, time::Instant};

/// An organisation.
#[derive(Debug, Clone)]
pub(crate) struct Org {
    pub(crate) id: ProfileId,
    pub(crate) name: String,
    pub(crate) domain: String,
    pub(crate) created: Instant,
}

/// A workspace.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    pub(crate) id: ProfileId,
    pub(crate) org: ProfileId,
    pub(crate) org_domain: String,
    pub(crate) name: String,
    pub(crate) folder_name: String,
    pub(crate) created: Instant,
}

const ORG: &str = "SELECT id, name, domain, created FROM orgs";
const WORKSPACE: &str = "SELECT w.id, w.org, o.domain, w.name, w.folder_name, w.created \
                         FROM workspaces w JOIN orgs o ON o.id = w.org";

fn org(row: &Row<'_>) -> Result<Org> {
    Ok(Org { id: row.get(0)?, name: row.get(1)?, domain: row.get(2)?, created: row.get(3)? })
}

fn workspace(row: &Row<'_>) -> Result<Workspace> {
    Ok(Workspace {
        id: row.get(0)?,
        org: row.get(1)?,
        org_domain: row.get(2)?,
        name: row.get(3)?,
        folder_name: row.get(4)?,
        created: row.get(5)?,
    })
}

pub(crate) fn user_of_key(rows: &Connection, key: &str) -> Result<Option<ProfileId>> {
    one(rows, "SELECT user FROM api_keys WHERE key = ?1", [key], |row| row.get(0))
}

/// The user of that name, made when there is none.
pub(crate) fn user(rows: &Connection, name: &str) -> Result<ProfileId> {
    rows.execute(
        "INSERT INTO users (id, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        (ProfileId::random(), name),
    )?;
    rows.query_row("SELECT id FROM users WHERE name = ?1", [name], |row| row.get(0))
}

/// Adds a key; a key that exists already goes to the new user.
pub(crate) fn put_key(rows: &Connection, key: &str, user: &ProfileId) -> Result<()> {
    rows.execute("INSERT OR REPLACE INTO api_keys (key, user) VALUES (?1, ?2)", (key, user))?;
    Ok(())
}

/// Whether there was such a key.
pub(crate) fn delete_key(rows: &Connection, key: &str) -> Result<bool> {
    Ok(rows.execute("DELETE FROM api_keys WHERE key = ?1", [key])? > 0)
}

/// The organisation of that name, made when there is none.
pub(crate) fn put_org(rows: &Connection, name: &str) -> Result<Org> {
    rows.execute(
        "INSERT INTO orgs (id, name, domain, created) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        (ProfileId::random(), name, slug(name), Instant::now()),
    )?;
    rows.prepare_cached(&format!("{ORG} WHERE name = ?1 OR domain = ?2"))?.query_row((name, slug(name)), org)
}

pub(crate) fn orgs(rows: &Connection) -> Result<Vec<Org>> {
    all(rows, &format!("{ORG} ORDER BY created"), [], org)
}

/// By id or by domain, as paths may name it.
pub(crate) fn find_org(rows: &Connection, named: &str) -> Result<Option<Org>> {
    one(rows, &format!("{ORG} WHERE id = ?1 OR domain = ?1"), [named], org)
}

/// Makes a workspace. The folder name is unique over all workspaces: a taken one gets the id
/// behind it.
pub(crate) fn create_workspace(
    rows: &Connection,
    id: &ProfileId,
    org: &ProfileId,
    name: &str,
) -> Result<Workspace> {
    let mut folder_name = slug(name);
    if find_workspace(rows, &folder_name)?.is_some() {
        folder_name = format!("{folder_name}-{id}");
    }
    rows.execute(
        "INSERT INTO workspaces (id, org, name, folder_name, created) VALUES (?1, ?2, ?3, ?4, ?5)",
        (id, org, name, folder_name, Instant::now()),
    )?;
    rows.query_row(&format!("{WORKSPACE} WHERE w.id = ?1"), [id], workspace)
}

pub(crate) fn workspaces(rows: &Connection, org: Option<&ProfileId>) -> Result<Vec<Workspace>> {
    all(rows, &format!("{WORKSPACE} WHERE ?1 IS NULL OR w.org = ?1 ORDER BY w.created"), [org], workspace)
}

/// By id or by folder name, as paths may name it.
pub(crate) fn find_workspace(rows: &Connection, named: &str) -> Result<Option<Workspace>> {
    one(rows, &format!("{WORKSPACE} WHERE w.id = ?1 OR w.folder_name = ?1"), [named], workspace)
}

pub(crate) fn workspace_named(rows: &Connection, org: &ProfileId, name: &str) -> Result<Option<Workspace>> {
    one(rows, &format!("{WORKSPACE} WHERE w.org = ?1 AND w.name = ?2"), (org, name), workspace)
}

/// Lower-case letters, digits and single hyphens.
fn slug(name: &str) -> String {
    let words: Vec<String> = name
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    if words.is_empty() { "unnamed".to_owned() } else { words.join("-") }
}
