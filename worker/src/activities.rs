//! The activities: thin translations between Temporal and the engines, one file each.

#![expect(missing_docs, reason = "what the macros generate cannot be documented")]

mod claim_host;
mod comment;
mod download_source;
mod find_results;
mod heartbeat;
mod release_host;
mod run_step;
mod transfer;
mod upload_result;

pub use claim_host::{ClaimHost, Host};
pub use comment::{CommentRequest, WriteComment};
pub use download_source::DownloadSource;
pub use find_results::FindResults;
pub use release_host::ReleaseHost;
pub use run_step::RunStep;
pub use transfer::Transfer;
pub use upload_result::UploadResult;
