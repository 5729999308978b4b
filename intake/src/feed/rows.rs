//! From rows of the change feed or the event log to events about files. Pure.

use std::collections::HashSet;

use fastio::{Change, Event, EventId, NodeId, UserId, WorkspaceId};
use fastio_pipeline::event::{EventKind, FileEvent, Workspace};
use jiff::Timestamp;

/// Names of events about files, as the service documents them (documentation page on events, agent guide v1.41).
pub(super) const FILE_EVENTS: [&str; 11] = [
    "workspace_storage_file_added",
    "workspace_storage_file_copied",
    "workspace_storage_file_restored",
    "workspace_storage_file_sync_added",
    "workspace_storage_file_updated",
    "workspace_storage_file_version_restored",
    "workspace_storage_file_sync_updated",
    "workspace_storage_file_moved",
    "workspace_storage_file_deleted",
    "workspace_storage_download_token_created",
    "workspace_storage_zip_downloaded",
];

/// Those of them that are about reading.
pub(super) const ACCESS_EVENTS: [&str; 2] =
    ["workspace_storage_download_token_created", "workspace_storage_zip_downloaded"];

/// A row, whichever list it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) id: EventId,
    pub(super) name: String,
    pub(super) object: Option<NodeId>,
    pub(super) actor: Option<UserId>,
    pub(super) created: Option<Timestamp>,
}

impl Row {
    /// A row of the change feed, if it is about the workspace. It does not say who did it.
    pub(super) fn of_change(change: Change, profile: &WorkspaceId) -> Option<Self> {
        let here = without_hyphens(&change.profile).eq(without_hyphens(profile.as_str()));
        let is_workspace = matches!(change.profile_type.as_str(), "workspace" | "");
        (here && is_workspace).then_some(Self {
            id: change.id,
            name: change.name,
            object: change.object,
            actor: None,
            created: change.created,
        })
    }

    /// A row of the event log.
    pub(super) fn of_event(event: Event) -> Self {
        Self {
            id: event.id,
            name: event.name,
            object: event.object,
            actor: event.caller,
            created: event.created,
        }
    }

    fn event(self, workspace: &Workspace) -> Option<FileEvent> {
        let kind = EventKind::from_event_name(&self.name)?;
        let (id, file) = (self.id.as_str().parse(), self.object?.as_str().parse());
        let (Ok(id), Ok(file)) = (id, file) else {
            tracing::warn!(event = %self.id, name = self.name, "an event with an id that cannot be one");
            return None;
        };
        Some(FileEvent {
            id,
            kind,
            workspace: workspace.clone(),
            file,
            file_name: None,
            occurred_at: self.created.map(|at| at.to_string()),
            actor: self.actor.map(|actor| actor.to_string()),
        })
    }
}

/// The events about files. Of rows with the same id the last one counts.
pub(super) fn events(rows: Vec<Row>, workspace: &Workspace) -> Vec<FileEvent> {
    let mut seen = HashSet::new();
    let mut events: Vec<FileEvent> = rows
        .into_iter()
        .rev()
        .filter(|row| seen.insert(row.id.clone()))
        .filter_map(|row| row.event(workspace))
        .collect();
    events.reverse();
    events
}

fn without_hyphens(id: &str) -> impl Iterator<Item = char> + '_ {
    id.chars().filter(|character| *character != '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, name: &str, object: Option<&str>) -> Row {
        Row {
            id: id.parse().unwrap(),
            name: name.to_owned(),
            object: object.map(|object| object.parse().unwrap()),
            actor: Some("7".parse().unwrap()),
            created: Some("2026-10-05T12:00:00Z".parse().unwrap()),
        }
    }

    #[test]
    fn every_name_that_is_asked_for_is_about_a_file() {
        for name in FILE_EVENTS {
            let kind = EventKind::from_event_name(name);
            assert_eq!(kind == Some(EventKind::Access), ACCESS_EVENTS.contains(&name), "{name}");
            assert!(kind.is_some(), "{name}");
        }
    }

    #[test]
    fn of_one_event_the_last_row_counts_and_other_events_do_not() {
        let workspace = "123".parse().unwrap();
        let rows = vec![
            row("evt-1", "workspace_storage_file_added", Some("2abc")),
            row("evt-2", "workspace_storage_folder_created", Some("2abc")),
            row("evt-3", "workspace_storage_file_moved", Some("2abc")),
            row("evt-4", "workspace_storage_file_moved", None),
            row("evt-1", "workspace_storage_file_updated", Some("2def")),
        ];
        let events = events(rows, &workspace);
        let seen: Vec<_> = events.iter().map(|e| (e.id.as_str(), e.kind, e.file.as_str())).collect();
        assert_eq!(seen, [("evt-3", EventKind::Move, "2abc"), ("evt-1", EventKind::Modify, "2def")]);
        assert_eq!(events[0].workspace, workspace);
        assert_eq!(events[0].actor.as_deref(), Some("7"));
        assert_eq!(events[0].occurred_at.as_deref(), Some("2026-10-05T12:00:00Z"));
    }

    #[test]
    fn changes_elsewhere_are_not_ours() {
        let profile = "1234567890123456789".parse().unwrap();
        for (json, ours) in [
            (r#""profile_id":"1234567890123456789","profile_type":"workspace""#, true),
            (r#""profile_id":"12345-67890-12345-6789","profile_type":"workspace""#, true),
            (r#""profile_id":"1234567890123456788","profile_type":"workspace""#, false),
            (r#""profile_id":"1234567890123456789","profile_type":"share""#, false),
        ] {
            let change = format!(
                r#"{{"event_id":"evt-1","event":"workspace_storage_file_added","object_id":"2abc",{json}}}"#
            );
            let row = Row::of_change(serde_json::from_str(&change).unwrap(), &profile);
            assert_eq!(row.is_some(), ours, "{json}");
        }
    }
}
