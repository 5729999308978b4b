//! From the bytes of a delivery to a [`FileEvent`].
//!
//! The bytes are parsed once, into a typed value, after the signature was checked. What is handed on is our own
//! canonical form and never the sender's bytes: two JSON parsers can disagree about duplicate keys or broken
//! surrogates, so nobody behind the receiver sees them.
//!
//! Two forms are known, and told apart by their keys:
//!
//! | form | keys | source |
//! |---|---|---|
//! | guide | `eventType`, `eventId`, `workspaceId`, `fileId`, `fileName`, `userId`, `timestamp` | the article "How to Integrate Fast.io Webhooks with Temporal.io" |
//! | events API | `event`, `event_id`, `workspace_id`, `object_id`, `calling_user`, `created` | rows of the documented events API, and Fast.io's article about webhooks with Express |

mod value;

use serde::Deserialize;

use crate::event::{EventId, EventKind, FileEvent, FileId, IdError, Workspace};
use value::Value;

/// Why a signed delivery cannot become a [`FileEvent`]. Sending it again cannot help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// JSON of another kind, or no JSON at all.
    #[error("the body is not a Fast.io event: it is not a JSON object")]
    NotAnObject,
    /// Not JSON, or an object that has a key twice. Never quotes the body: this is logged.
    #[error("the body is not a Fast.io event: {0}")]
    Malformed(String),
    /// Neither form's name of the event.
    #[error("the body is not a Fast.io event: it has neither the key eventType nor the key event")]
    UnknownForm,
    /// Both forms' names of the event: which of them counts would be a guess.
    #[error("the body has both the key eventType and the key event: only one of them names the event")]
    TwoForms,
    /// A field that an event needs.
    #[error("the field {field} is missing")]
    Missing {
        /// JSON field.
        field: &'static str,
    },
    /// A field that is neither text nor a whole number.
    #[error("the field {field} is {got}, and text is expected")]
    WrongType {
        /// JSON field.
        field: &'static str,
        /// What it is.
        got: &'static str,
    },
    /// An id in it cannot be one.
    #[error("field {field}: {source}")]
    Id {
        /// JSON field.
        field: &'static str,
        /// What is wrong with it.
        source: IdError,
    },
    /// An event that is not about a file's life, for example `workspace.member_added`.
    #[error("event type {0:?} is not about a file")]
    UnknownEvent(String),
    /// An event about a file of a share, which is in no workspace.
    #[error("event type {0:?} is about a file of a share and not of the workspace")]
    OfShare(String),
}

impl PayloadError {
    /// It is an event, and not about a file that a pipeline could be there for.
    #[must_use]
    pub fn is_about_something_else(&self) -> bool {
        matches!(self, Self::UnknownEvent(_) | Self::OfShare(_))
    }
}

/// Every key of both forms. Which of them count is decided when all are read; the others are like unknown ones.
#[derive(Deserialize)]
struct Keys {
    #[serde(rename = "eventType")]
    event_type: Option<Value>,
    #[serde(rename = "eventId")]
    guide_event_id: Option<Value>,
    #[serde(rename = "workspaceId")]
    guide_workspace_id: Option<Value>,
    #[serde(rename = "fileId")]
    file_id: Option<Value>,
    #[serde(rename = "fileName")]
    file_name: Option<Value>,
    timestamp: Option<Value>,
    #[serde(rename = "userId")]
    user_id: Option<Value>,

    event: Option<Value>,
    event_id: Option<Value>,
    workspace_id: Option<Value>,
    share_id: Option<Value>,
    object_id: Option<Value>,
    created: Option<Value>,
    calling_user: Option<Value>,
}

/// A field with the name that the sender gave it, for error messages.
type Field = (&'static str, Option<Value>);

/// What both forms say, each by names of its own.
struct Form {
    event: Field,
    id: Field,
    workspace: Field,
    /// The share that it happened in, if that is what it names.
    share: Option<Value>,
    file: Field,
    file_name: Option<Value>,
    occurred_at: Option<Value>,
    actor: Option<Value>,
}

impl Keys {
    fn form(self) -> Result<Form, PayloadError> {
        match (&self.event_type, &self.event) {
            (Some(_), None) => Ok(Form {
                event: ("eventType", self.event_type),
                id: ("eventId", self.guide_event_id),
                workspace: ("workspaceId", self.guide_workspace_id),
                share: None,
                file: ("fileId", self.file_id),
                file_name: self.file_name,
                occurred_at: self.timestamp,
                actor: self.user_id,
            }),
            (None, Some(_)) => Ok(Form {
                event: ("event", self.event),
                id: ("event_id", self.event_id),
                workspace: ("workspace_id", self.workspace_id),
                share: self.share_id,
                file: ("object_id", self.object_id),
                // Rows of the events API carry ids and no names.
                file_name: None,
                occurred_at: self.created,
                actor: self.calling_user,
            }),
            (None, None) => Err(PayloadError::UnknownForm),
            (Some(_), Some(_)) => Err(PayloadError::TwoForms),
        }
    }
}

/// Parses a delivery in either form. Unknown fields are ignored; duplicate fields are refused.
///
/// Name, time and actor are hints of the sender: one that cannot be what it should be is left out, for it is no reason to
/// lose the event.
pub fn parse(body: &[u8]) -> Result<FileEvent, PayloadError> {
    // In fields that it ignores, the parser would let any bytes pass.
    let body = std::str::from_utf8(body).map_err(|error| PayloadError::Malformed(error.to_string()))?;
    // The parser would quote whatever else it is.
    if !body.trim_ascii_start().starts_with('{') {
        return Err(PayloadError::NotAnObject);
    }
    let keys: Keys =
        serde_json::from_str(body).map_err(|error| PayloadError::Malformed(error.to_string()))?;
    let form = keys.form()?;
    let name = required(form.event)?;
    let short = || name.chars().take(64).collect();
    let kind = EventKind::from_event_name(&name).ok_or_else(|| PayloadError::UnknownEvent(short()))?;
    if form.workspace.1.is_none() && form.share.is_some() {
        return Err(PayloadError::OfShare(short()));
    }
    Ok(FileEvent {
        id: id::<EventId>(form.id)?,
        kind,
        workspace: id::<Workspace>(form.workspace)?,
        file: id::<FileId>(form.file)?,
        file_name: form.file_name.and_then(text),
        occurred_at: form.occurred_at.and_then(text),
        actor: form.actor.and_then(actor),
    })
}

fn text(value: Value) -> Option<String> {
    value.into_text().ok()
}

fn required((field, value): Field) -> Result<String, PayloadError> {
    let value = value.ok_or(PayloadError::Missing { field })?;
    value.into_text().map_err(|got| PayloadError::WrongType { field, got })
}

fn id<T: std::str::FromStr<Err = IdError>>(field: Field) -> Result<T, PayloadError> {
    let name = field.0;
    required(field)?.parse().map_err(|source| PayloadError::Id { field: name, source })
}

/// The user, if it can be one: user ids keep to the same rule as all other ids.
fn actor(value: Value) -> Option<String> {
    Some(value.into_id()?.parse::<EventId>().ok()?.into())
}

#[cfg(test)]
mod tests;
