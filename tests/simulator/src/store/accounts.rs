//! Users, API keys, organisations, workspaces and shares.

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
    /// The caller is no member; somebody of it shares with them.
    pub(crate) external: bool,
}

/// What holds files. Both kinds do it in the same way, below different paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProfileKind {
    Workspace,
    Share,
}

impl ProfileKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Share => "share",
        }
    }

    pub(crate) fn of(text: &str) -> Self {
        if text == "share" { Self::Share } else { Self::Workspace }
    }
}

/// A workspace, or a share with files of its own.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    pub(crate) id: ProfileId,
    pub(crate) kind: ProfileKind,
    pub(crate) org: ProfileId,
    pub(crate) org_domain: String,
    pub(crate) name: String,
    pub(crate) folder_name: String,
    pub(crate) created: Instant,
}

/// What a key may do beside working with files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Rights {
    /// Search the event log.
    pub(crate) events_search: bool,
    /// Follow the change feed of an organisation.
    pub(crate) org_changes: bool,
}

impl Default for Rights {
    fn default() -> Self {
        Self { events_search: true, org_changes: true }
    }
}

const ORG: &str = "SELECT id, name, domain, created, external FROM orgs";
const WORKSPACE: &str = "SELECT w.id, w.org, o.domain, w.name, w.folder_name, w.created, w.kind \
                         FROM workspaces w JOIN orgs o ON o.id = w.org";

fn org(row: &Row<'_>) -> Result<Org> {
    Ok(Org {
        id: row.get(0)?,
        name: row.get(1)?,
        domain: row.get(2)?,
        created: row.get(3)?,
        external: row.get(4)?,
    })
}

fn workspace(row: &Row<'_>) -> Result<Workspace> {
    let kind: String = row.get(6)?;
    Ok(Workspace {
        id: row.get(0)?,
        kind: ProfileKind::of(&kind),
        org: row.get(1)?,
        org_domain: row.get(2)?,
        name: row.get(3)?,
        folder_name: row.get(4)?,
        created: row.get(5)?,
    })
}

pub(crate) fn user_of_key(rows: &Connection, key: &str) -> Result<Option<(ProfileId, Rights)>> {
    one(rows, "SELECT user, events_search, org_changes FROM api_keys WHERE key = ?1", [key], |row| {
        Ok((row.get(0)?, Rights { events_search: row.get(1)?, org_changes: row.get(2)? }))
    })
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
pub(crate) fn put_key(rows: &Connection, key: &str, user: &ProfileId, rights: Rights) -> Result<()> {
    rows.execute(
        "INSERT OR REPLACE INTO api_keys (key, user, events_search, org_changes) VALUES (?1, ?2, ?3, ?4)",
        (key, user, rights.events_search, rights.org_changes),
    )?;
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

/// Makes an organisation one that the callers are not members of, or are.
pub(crate) fn set_external(rows: &Connection, org: &ProfileId, external: bool) -> Result<()> {
    rows.execute("UPDATE orgs SET external = ?2 WHERE id = ?1", (org, external))?;
    Ok(())
}

/// Those that the callers are members of, or the others.
pub(crate) fn orgs(rows: &Connection, external: bool) -> Result<Vec<Org>> {
    all(rows, &format!("{ORG} WHERE external = ?1 ORDER BY created"), [external], org)
}

/// By id or by domain, as paths may name it.
pub(crate) fn find_org(rows: &Connection, named: &str) -> Result<Option<Org>> {
    one(rows, &format!("{ORG} WHERE id = ?1 OR domain = ?1"), [named], org)
}

/// Makes a workspace or a share. The folder name is unique over all of both: a taken one gets the
/// id behind it.
pub(crate) fn create_profile(
    rows: &Connection,
    id: &ProfileId,
    org: &ProfileId,
    name: &str,
    kind: ProfileKind,
) -> Result<Workspace> {
    let mut folder_name = slug(name);
    if find_profile(rows, &folder_name)?.is_some() {
        folder_name = format!("{folder_name}-{id}");
    }
    rows.execute(
        "INSERT INTO workspaces (id, org, name, folder_name, created, kind) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (id, org, name, folder_name, Instant::now(), kind.as_str()),
    )?;
    rows.query_row(&format!("{WORKSPACE} WHERE w.id = ?1"), [id], workspace)
}

pub(crate) fn workspaces(rows: &Connection, org: Option<&ProfileId>) -> Result<Vec<Workspace>> {
    let sql =
        format!("{WORKSPACE} WHERE (?1 IS NULL OR w.org = ?1) AND w.kind = 'workspace' ORDER BY w.created");
    all(rows, &sql, [org], workspace)
}

pub(crate) fn shares(rows: &Connection, org: &ProfileId) -> Result<Vec<Workspace>> {
    let sql = format!("{WORKSPACE} WHERE w.org = ?1 AND w.kind = 'share' ORDER BY w.created");
    all(rows, &sql, [org], workspace)
}

/// By id or by folder name, as paths may name it.
pub(crate) fn find_workspace(rows: &Connection, named: &str) -> Result<Option<Workspace>> {
    Ok(find_profile(rows, named)?.filter(|found| found.kind == ProfileKind::Workspace))
}

pub(crate) fn find_share(rows: &Connection, named: &str) -> Result<Option<Workspace>> {
    Ok(find_profile(rows, named)?.filter(|found| found.kind == ProfileKind::Share))
}

/// A workspace or a share.
pub(crate) fn find_profile(rows: &Connection, named: &str) -> Result<Option<Workspace>> {
    one(rows, &format!("{WORKSPACE} WHERE w.id = ?1 OR w.folder_name = ?1"), [named], workspace)
}

pub(crate) fn workspace_named(rows: &Connection, org: &ProfileId, name: &str) -> Result<Option<Workspace>> {
    let sql = format!("{WORKSPACE} WHERE w.org = ?1 AND w.name = ?2 AND w.kind = 'workspace'");
    one(rows, &sql, (org, name), workspace)
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
