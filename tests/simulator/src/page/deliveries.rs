//! The newest webhook deliveries of a workspace.

use rusqlite::Result;
use serde_json::Value;

use super::{Shown, html::Html};
use crate::store::deliveries::{self, Delivery, Spoilt};

const SHOWN: usize = 40;

pub(super) fn write(shown: &Shown<'_>, html: &mut Html) -> Result<()> {
    let log = deliveries::log(shown.rows, Some(shown.workspace.id.as_str()), SHOWN)?;
    html.raw("<section id=deliveries><h3>Webhook deliveries</h3>");
    if log.is_empty() {
        html.raw(
            "<p class=empty>No webhook wants the events of this workspace, or there were none.</p></section>",
        );
        return Ok(());
    }
    html.raw("<div class=scroll><table><thead><tr><th>Time<th>Event<th>File<th>State<th>Attempts<th>Answer<th>Faults");
    html.raw("<tbody>");
    for delivery in &log {
        row(delivery, html);
    }
    html.raw("</table></div></section>");
    Ok(())
}

fn row(delivery: &Delivery, html: &mut Html) {
    html.raw("<tr id=delivery-").number(delivery.id).raw("><td>").text(&delivery.created.time_of_day());
    html.raw("<td>").text(&delivery.event_type).raw("<td>").text(&file(&delivery.body));
    html.raw("<td><span class=\"state ").text(&delivery.state).raw("\">").text(&delivery.state);
    html.raw("</span><td>").number(delivery.attempts).raw("<td>");
    if let Some(status) = delivery.last_status {
        html.number(status);
    }
    html.text(delivery.last_error.as_deref().unwrap_or_default()).raw("<td>");
    for spoilt in &delivery.spoilt {
        html.raw("<span class=fault>").text(said(spoilt)).raw("</span> ");
    }
}

/// What a payload says about its file.
fn file(body: &[u8]) -> String {
    let payload: Value = serde_json::from_slice(body).unwrap_or_default();
    let named = payload["fileName"].as_str().or(payload["object_id"].as_str());
    named.unwrap_or_default().to_owned()
}

const fn said(spoilt: &Spoilt) -> &'static str {
    match spoilt {
        Spoilt::HeldBack { .. } => "held back",
        Spoilt::Duplicate => "duplicate",
        Spoilt::Replay { .. } => "replay",
        Spoilt::Tampered { .. } => "tampered",
        Spoilt::Forged { .. } => "wrong secret",
    }
}
