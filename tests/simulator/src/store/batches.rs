//! Answers of batch uploads: kept for an hour as they were given, and never brought up to date.

use std::time::Duration;

use rusqlite::{Connection, Result};
use serde_json::Value;

use super::one;
use crate::{
    ids::{ProfileId, UploadId},
    time::Instant,
};

const LIFETIME: Duration = Duration::from_hours(1);

pub(crate) fn put(rows: &Connection, id: &UploadId, user: &ProfileId, answer: &Value) -> Result<()> {
    rows.execute(
        "INSERT INTO batches (id, user, answer, created) VALUES (?1, ?2, ?3, ?4)",
        (id, user, answer.to_string(), Instant::now()),
    )?;
    Ok(())
}

pub(crate) fn find(rows: &Connection, id: &UploadId, user: &ProfileId) -> Result<Option<Value>> {
    let found =
        one(rows, "SELECT answer, created FROM batches WHERE id = ?1 AND user = ?2", (id, user), |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Instant>(1)?))
        })?;
    Ok(found
        .filter(|(_, created)| created.plus(LIFETIME) > Instant::now())
        .and_then(|(answer, _)| serde_json::from_str(&answer).ok()))
}
