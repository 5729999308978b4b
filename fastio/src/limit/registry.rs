//! The limiters of this process.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::Limiter;
use crate::base_url::BaseUrl;

/// Service and key, as a digest: a second copy of every key would be one too many.
type KeyDigest = [u8; 32];

static LIMITERS: LazyLock<Mutex<HashMap<KeyDigest, Arc<Limiter>>>> = LazyLock::new(Mutex::default);
/// Keeps processes apart that were told the same moment.
static SPREAD: LazyLock<f64> = LazyLock::new(rand::random);

/// The limiter of a key at a service, the same for every client of this process.
///
/// It outlives its clients as long as it has something to remember: a client that is made for each reconcile must not
/// forget a hold.
pub(crate) fn limiter_of(base: &BaseUrl, key: &str) -> Arc<Limiter> {
    let digest = digest(base, key);
    let mut limiters = LIMITERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(limiter) = limiters.get(&digest) {
        return limiter.clone();
    }
    // Only here, where the table grows. Nobody else can get hold of one whose only owner is the table.
    limiters.retain(|_, limiter| Arc::strong_count(limiter) > 1 || !limiter.is_idle());
    limiters.entry(digest).or_insert_with(|| Arc::new(Limiter::new(*SPREAD))).clone()
}

fn digest(base: &BaseUrl, key: &str) -> KeyDigest {
    let mut hash = Sha256::new();
    hash.update(base.to_string());
    // No URL and no key has this byte, so no two pairs run together.
    hash.update([0xff]);
    hash.update(key);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> BaseUrl {
        text.parse().unwrap()
    }

    #[test]
    fn one_limiter_for_each_key_and_service() {
        let at = base("https://registry.test/one");
        let first = limiter_of(&at, "key-a");
        assert!(Arc::ptr_eq(&first, &limiter_of(&base("https://registry.test/one/"), "key-a")));
        assert!(!Arc::ptr_eq(&first, &limiter_of(&at, "key-b")));
        assert!(!Arc::ptr_eq(&first, &limiter_of(&base("https://registry.test/two"), "key-a")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_hold_outlives_the_client_and_nothing_else_does() {
        let at = base("https://registry.test/hold");
        let limiter = limiter_of(&at, "held");
        let permit = limiter.pass("test").await.unwrap();
        let headers = [(reqwest::header::RETRY_AFTER, "60".parse().unwrap())].into_iter().collect();
        permit.settle(reqwest::StatusCode::TOO_MANY_REQUESTS, &headers, std::time::SystemTime::now());
        drop(limiter);
        drop(limiter_of(&at, "passing"));
        let known = |key| LIMITERS.lock().unwrap().contains_key(&digest(&at, key));
        assert!(known("passing"));
        drop(limiter_of(&at, "another"));
        assert!(known("held") && !known("passing"));
        tokio::time::advance(std::time::Duration::from_secs(62)).await;
        drop(limiter_of(&at, "yet another"));
        assert!(!known("held"));
    }
}
