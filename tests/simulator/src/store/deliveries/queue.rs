//! The queue of the sender. It is the table of deliveries itself, so a restart forgets nothing.

use std::time::Duration;

use rusqlite::{Connection, Result};

use super::{COLUMNS, Delivery, Spoilt, State, all, delivery};
use crate::{store::webhooks, time::Instant};

/// What becomes of a delivery that the sender sees for the first time.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) dropped: bool,
    pub(crate) held_back: Duration,
    pub(crate) spoilt: Vec<Spoilt>,
    /// Further copies, each with its own way of being spoilt and the time until it is sent.
    pub(crate) copies: Vec<(Spoilt, Duration)>,
}

/// When the next delivery wants attention.
pub(crate) fn next_due(rows: &Connection) -> Result<Option<Instant>> {
    let sql = "SELECT min(next_attempt) FROM deliveries WHERE state IN (?1, ?2)";
    rows.prepare_cached(sql)?.query_row([State::Pending.as_str(), State::New.as_str()], |row| row.get(0))
}

/// Puts the new deliveries into the queue, in the order of their events, each as it is planned.
pub(crate) fn admit(rows: &Connection, mut plan: impl FnMut(&Delivery) -> Plan) -> Result<()> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries WHERE state = ?1 ORDER BY id");
    for delivery in all(rows, &sql, [State::New.as_str()], delivery)? {
        let plan = plan(&delivery);
        if plan == Plan::default() {
            continue;
        }
        let (state, finished) =
            if plan.dropped { (State::Dropped, Some(Instant::now())) } else { (State::Pending, None) };
        rows.execute(
            "UPDATE deliveries SET state = ?2, finished = ?3, next_attempt = ?4, spoilt = ?5 WHERE id = ?1",
            (
                delivery.id,
                state.as_str(),
                finished,
                delivery.created.plus(plan.held_back),
                json(&plan.spoilt),
            ),
        )?;
        for (spoilt, after) in plan.copies {
            copy(rows, &delivery, &spoilt, after)?;
        }
    }
    let sql = "UPDATE deliveries SET state = ?1 WHERE state = ?2";
    rows.execute(sql, (State::Pending.as_str(), State::New.as_str()))?;
    Ok(())
}

fn copy(rows: &Connection, delivery: &Delivery, spoilt: &Spoilt, after: Duration) -> Result<()> {
    rows.execute(
        "INSERT INTO deliveries (webhook, workspace, event, event_type, body, state, created, next_attempt, spoilt) \
         SELECT webhook, workspace, event, event_type, body, ?2, created, ?3, ?4 FROM deliveries WHERE id = ?1",
        (
            delivery.id,
            State::Pending.as_str(),
            delivery.created.plus(after),
            json(std::slice::from_ref(spoilt)),
        ),
    )?;
    Ok(())
}

/// Nothing for nothing: most deliveries are as they should be.
fn json(spoilt: &[Spoilt]) -> Option<String> {
    if spoilt.is_empty() { None } else { serde_json::to_string(spoilt).ok() }
}

/// Takes what is due out of the queue for an attempt, the most urgent first.
pub(crate) fn claim_due(rows: &Connection, limit: usize) -> Result<Vec<Delivery>> {
    let due = "SELECT id FROM deliveries WHERE state = ?1 AND next_attempt <= ?2 ORDER BY next_attempt, id";
    let sql =
        format!("UPDATE deliveries SET state = ?3 WHERE id IN ({due} LIMIT {limit}) RETURNING {COLUMNS}");
    let states = (State::Pending.as_str(), Instant::now(), State::Sending.as_str());
    let mut claimed = all(rows, &sql, states, delivery)?;
    // The order of RETURNING is not defined.
    claimed.sort_by_key(|delivery| (delivery.next_attempt, delivery.id));
    Ok(claimed)
}

/// Puts back what a stopped process was sending.
pub(crate) fn requeue(rows: &Connection) -> Result<()> {
    let sql = "UPDATE deliveries SET state = ?1 WHERE state = ?2";
    rows.execute(sql, (State::Pending.as_str(), State::Sending.as_str()))?;
    Ok(())
}

/// What an attempt came to.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) status: Option<u16>,
    pub(crate) error: Option<String>,
    pub(crate) outcome: Outcome,
}

/// What happens to the delivery next.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    Finished(State),
    RetryIn(Duration),
}

/// Writes an attempt into the log. A delivery that was cancelled meanwhile stays so. After
/// `suspend_after` failed attempts in a row the webhook is disabled; says whether that happened.
pub(crate) fn record(
    rows: &Connection,
    delivery: &Delivery,
    attempt: &Attempt,
    suspend_after: Option<u32>,
) -> Result<bool> {
    finish(rows, delivery, delivery.attempts + 1, attempt)?;
    let delivered = matches!(attempt.outcome, Outcome::Finished(State::Delivered));
    let failures = webhooks::count_failure(rows, &delivery.webhook, delivered)?;
    let suspend = suspend_after.is_some_and(|most| failures >= most);
    if suspend {
        webhooks::suspend(rows, &delivery.webhook)?;
        super::cancel(rows, &delivery.webhook)?;
    }
    Ok(suspend)
}

/// Writes down that a delivery is not attempted because its webhook is gone or disabled.
pub(crate) fn give_up(rows: &Connection, delivery: &Delivery) -> Result<()> {
    let attempt = Attempt {
        status: delivery.last_status,
        error: delivery.last_error.clone(),
        outcome: Outcome::Finished(State::Cancelled),
    };
    finish(rows, delivery, delivery.attempts, &attempt)
}

fn finish(rows: &Connection, delivery: &Delivery, attempts: u32, attempt: &Attempt) -> Result<()> {
    let now = Instant::now();
    let (state, next, finished) = match attempt.outcome {
        Outcome::Finished(state) => (state, now, Some(now)),
        Outcome::RetryIn(delay) => (State::Pending, now.plus(delay), None),
    };
    rows.execute(
        "UPDATE deliveries SET state = ?2, attempts = ?3, last_status = ?4, last_error = ?5, next_attempt = ?6, \
         finished = ?7 WHERE id = ?1 AND state = ?8",
        (
            delivery.id,
            state.as_str(),
            attempts,
            attempt.status,
            &attempt.error,
            next,
            finished,
            State::Sending.as_str(),
        ),
    )?;
    Ok(())
}
