//! What a registration of the retired `outbound_webhook_subscriptions` API has beside its row among the
//! webhooks.

use rusqlite::{Connection, Result, Row};

use super::{all, one};
use crate::{
    ids::{ProfileId, WebhookId},
    time::Instant,
};

/// A subscription. URL, secret and whether it is enabled are those of the webhook with its id.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub(crate) id: WebhookId,
    pub(crate) workspace: ProfileId,
    /// Names of events of the service.
    pub(crate) event_types: Vec<String>,
    pub(crate) description: Option<String>,
    /// 0 is without a cap.
    pub(crate) rate_limit_per_hour: u32,
    pub(crate) family_allowlist: Vec<String>,
    pub(crate) created: Instant,
}

const COLUMNS: &str =
    "id, workspace, event_types, description, rate_limit_per_hour, family_allowlist, created";

fn subscription(row: &Row<'_>) -> Result<Subscription> {
    let (event_types, family_allowlist): (String, String) = (row.get(2)?, row.get(5)?);
    Ok(Subscription {
        id: row.get(0)?,
        workspace: row.get(1)?,
        event_types: serde_json::from_str(&event_types).unwrap_or_default(),
        description: row.get(3)?,
        rate_limit_per_hour: row.get(4)?,
        family_allowlist: serde_json::from_str(&family_allowlist).unwrap_or_default(),
        created: row.get(6)?,
    })
}

/// Adds a subscription or replaces the one with its id.
pub(crate) fn put(rows: &Connection, subscription: &Subscription) -> Result<()> {
    let json = |list: &[String]| serde_json::Value::from(list).to_string();
    rows.execute(
        &format!("INSERT OR REPLACE INTO subscriptions ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
        (
            &subscription.id,
            &subscription.workspace,
            json(&subscription.event_types),
            &subscription.description,
            subscription.rate_limit_per_hour,
            json(&subscription.family_allowlist),
            subscription.created,
        ),
    )?;
    Ok(())
}

pub(crate) fn find(rows: &Connection, id: &WebhookId) -> Result<Option<Subscription>> {
    one(rows, &format!("SELECT {COLUMNS} FROM subscriptions WHERE id = ?1"), [id], subscription)
}

pub(crate) fn list(rows: &Connection, workspace: &ProfileId) -> Result<Vec<Subscription>> {
    let sql = format!("SELECT {COLUMNS} FROM subscriptions WHERE workspace = ?1 ORDER BY created");
    all(rows, &sql, [workspace], subscription)
}

pub(crate) fn delete(rows: &Connection, id: &WebhookId) -> Result<()> {
    rows.execute("DELETE FROM subscriptions WHERE id = ?1", [id])?;
    Ok(())
}

/// Whether a webhook wants an event of that name: always, unless it is a subscription that does not
/// name it, or one that has had as many deliveries in this hour as it wants.
pub(super) fn wants(rows: &Connection, webhook: &WebhookId, event: &str) -> Result<bool> {
    let Some(subscription) = find(rows, webhook)? else { return Ok(true) };
    if !subscription.event_types.iter().any(|name| name == event) {
        return Ok(false);
    }
    if subscription.rate_limit_per_hour == 0 {
        return Ok(true);
    }
    let hour = 3_600_000_000;
    let since = Instant::now().micros().div_euclid(hour) * hour;
    let sql = "SELECT count(*) FROM deliveries WHERE webhook = ?1 AND created >= ?2";
    let made: u32 = rows.prepare_cached(sql)?.query_row((webhook, since), |row| row.get(0))?;
    Ok(made < subscription.rate_limit_per_hour)
}
