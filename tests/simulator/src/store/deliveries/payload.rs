//! The bodies of deliveries.

use serde_json::{Value, json};

use crate::store::{
    events::Event,
    format::{EventNames, Format, PayloadStyle},
    nodes::Node,
    webhooks::EventType,
};

pub(super) fn payload(format: &Format, event: &Event, kind: EventType, node: &Node) -> Value {
    let name = match format.event_names() {
        EventNames::Guide => kind.as_str(),
        EventNames::Dotted => kind.dotted(),
        EventNames::Service => &event.name,
    };
    match format.payload {
        PayloadStyle::Guide => json!({
            "eventType": name,
            "workspaceId": event.workspace,
            "fileId": node.id,
            "fileName": node.name,
            "fileSize": node.content.as_ref().map_or(0, |version| version.size),
            "userId": event.user,
            "timestamp": event.created.iso(),
            "eventId": event.id,
        }),
        PayloadStyle::Events => json!({
            "event_id": event.id,
            "event": name,
            "category": event.category,
            "sub_category": event.sub_category,
            "created": event.created,
            "calling_user": event.user,
            "org_id": event.org,
            "workspace_id": event.workspace,
            "object_id": event.object,
        }),
    }
}
