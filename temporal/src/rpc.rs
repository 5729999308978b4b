//! How calls are made.

use std::time::Duration;

use temporalio_client::{RetryOptions, RpcOptions};

/// One attempt that takes so long at most. The client's own retries would go on for longer than anybody here waits; who
/// tries again, and when, is the caller's business.
#[must_use]
pub fn one_attempt(within: Duration) -> RpcOptions {
    RpcOptions::builder().timeout(within).retry_options(RetryOptions::no_retries()).build()
}
