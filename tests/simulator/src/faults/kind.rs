//! The kinds of faults, as the control API takes them.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

/// Any operation.
pub(crate) const ANY: &str = "*";
/// What an error says that a fault has made.
pub(super) const INJECTED: &str = "Injected by the control API of the simulator";
/// The status of a file in which the virus scan has found something.
pub(crate) const INFECTED: &str = "infected";

/// What goes wrong. Names and fields are those of the control API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Kind {
    /// Answers calls of an operation with an error, before anything is done.
    Fail {
        status: u16,
        #[serde(default)]
        code: Option<u32>,
        /// `error.params.reason`.
        #[serde(default)]
        reason: Option<String>,
        /// Seconds for a `Retry-After` header.
        #[serde(default)]
        retry_after: Option<u32>,
        /// Seconds from now for `x-ve-limit-expires`.
        #[serde(default)]
        limit_expires: Option<u32>,
        #[serde(default)]
        limit_form: ExpiresForm,
    },
    /// Holds calls of an operation back before they are handled.
    Latency { milliseconds: u64 },
    /// Caps the bytes per second of each body, in both directions.
    Bandwidth { bytes_per_second: NonZeroU64 },
    /// Resets the connection (TCP RST) after so many bytes of a body.
    Reset {
        #[serde(default)]
        after_bytes: u64,
        #[serde(default)]
        during: Direction,
    },
    /// Ends an answer and its connection after so many bytes; `Content-Length` promises all of them.
    Truncate {
        #[serde(default)]
        after_bytes: u64,
    },
    /// Download tokens that are valid for so many seconds only.
    ExpireToken {
        #[serde(default)]
        after_seconds: u64,
    },
    /// The upload session that is called does not exist any more.
    LoseSession {},
    /// Assembling an upload ends in `assembly_failed`.
    FailAssembly {
        #[serde(default)]
        message: Option<String>,
    },
    /// The virus scan finds something in a file that arrives, before anybody can see the file.
    InfectFiles {
        /// Only in files of this name.
        #[serde(default)]
        name: Option<String>,
        #[serde(default = "infected")]
        status: String,
        #[serde(default = "injected")]
        reason: String,
    },
    /// The file that is read gets a new version: before its first byte, or after so many.
    ReplaceFile {
        #[serde(default)]
        after_bytes: Option<u64>,
        /// Its new text; by default the old bytes and a line end.
        #[serde(default)]
        content: Option<String>,
    },
    /// The change feed answers with the same cursor, no changes and `has_more`.
    StallFeed {},
    /// Answers in the older envelope: `yes` and `no`, keys below `response`.
    Envelope {
        #[serde(default = "yes")]
        yes_no: bool,
        #[serde(default = "yes")]
        nested: bool,
    },
    /// Webhook deliveries that are never sent.
    DropDeliveries {},
    /// Webhook deliveries that are sent twice.
    DuplicateDeliveries {
        /// Time between the two.
        #[serde(default)]
        milliseconds: u64,
    },
    /// Webhook deliveries that wait a random time, so that later ones overtake them.
    ReorderDeliveries { window_milliseconds: u64 },
    /// Webhook deliveries that wait.
    DelayDeliveries { milliseconds: u64 },
    /// Webhook deliveries of which another copy comes, signed long ago.
    ReplayDeliveries {
        #[serde(default = "an_hour")]
        age_seconds: u64,
    },
    /// Webhook deliveries whose body is not the one that was signed.
    TamperDeliveries {
        /// Their first attempts that are; `null` for all.
        #[serde(default = "first")]
        attempts: Option<u32>,
    },
    /// Webhook deliveries that are signed with a wrong secret.
    ForgeDeliveries {
        /// Their first attempts that are; `null` for all.
        #[serde(default = "first")]
        attempts: Option<u32>,
    },
}

/// The two forms of `x-ve-limit-expires` that sources name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum ExpiresForm {
    /// Seconds since the Unix epoch.
    #[default]
    Epoch,
    /// `YYYY-MM-DD HH:MM:SS UTC`
    Date,
}

/// The body that a connection is reset in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Direction {
    Request,
    #[default]
    Response,
}

/// Which operations a kind is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operations {
    /// The fault must name one.
    Named,
    /// The fault may name one.
    Default(&'static str),
    /// Always the same one, or none.
    Fixed(Option<&'static str>),
}

impl Kind {
    pub(super) const fn operations(&self) -> Operations {
        match self {
            Self::Fail { .. } | Self::Latency { .. } => Operations::Named,
            Self::Bandwidth { .. } | Self::Reset { .. } | Self::Truncate { .. } => {
                Operations::Default("download.read")
            }
            Self::LoseSession {} => Operations::Default("upload.chunk"),
            Self::Envelope { .. } => Operations::Default(ANY),
            Self::ExpireToken { .. } => Operations::Fixed(Some("download.requestread")),
            Self::ReplaceFile { .. } => Operations::Fixed(Some("download.read")),
            Self::StallFeed {} => Operations::Fixed(Some("events.changes")),
            Self::FailAssembly { .. }
            | Self::InfectFiles { .. }
            | Self::DropDeliveries {}
            | Self::DuplicateDeliveries { .. }
            | Self::ReorderDeliveries { .. }
            | Self::DelayDeliveries { .. }
            | Self::ReplayDeliveries { .. }
            | Self::TamperDeliveries { .. }
            | Self::ForgeDeliveries { .. } => Operations::Fixed(None),
        }
    }

    /// Whether it goes on until it is removed, when nothing is said about that.
    pub(super) const fn lasts(&self) -> bool {
        matches!(self, Self::Latency { .. } | Self::Bandwidth { .. } | Self::Envelope { .. })
    }
}

const fn yes() -> bool {
    true
}

fn infected() -> String {
    INFECTED.to_owned()
}

fn injected() -> String {
    INJECTED.to_owned()
}

const fn an_hour() -> u64 {
    3600
}

#[allow(clippy::unnecessary_wraps, reason = "a serde default has the type of its field")]
const fn first() -> Option<u32> {
    Some(1)
}
