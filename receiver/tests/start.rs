//! What a receiver must not start with.

// Clippy knows functions with `#[test]` as tests, and not what they share.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::process::Command;

use fastio_receiver::descriptors::{DescriptorError, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Starts one that would run if nothing were wrong with it, and gives what it logs once it has ended.
fn refused(hard_limit: &str, flags: &[&str]) -> String {
    let output = Command::new("sh")
        .args(["-c", r#"ulimit -n "$0" && exec timeout 10 "$@""#, hard_limit])
        .arg(env!("CARGO_BIN_EXE_fastio-receiver"))
        .args([
            "--webhook=media/photos",
            "--path=/hook",
            "--events=upload",
            "--signing-secret-dir=/nonexistent",
        ])
        .args(["--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--temporal-address=127.0.0.1:1"])
        .args(flags)
        .output()
        .unwrap();
    let logged = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{logged}");
    assert!(!logged.contains("listening"), "{logged}");
    logged
}

#[test]
fn limits_that_contradict_each_other_end_the_start() {
    let logged = refused("1024", &["--lame-duck=30"]);
    assert!(logged.contains("--drain-timeout 20 is not more than --lame-duck 30"), "{logged}");
}

#[test]
fn more_connections_than_descriptors_end_the_start() {
    let logged = refused("1024", &["--max-connections=1000"]);
    assert!(logged.contains("--max-connections 1000 needs 1256 file descriptors"), "{logged}");
    assert!(logged.contains("lower --max-connections to 768"), "{logged}");
}

#[test]
fn the_soft_limit_is_raised_where_it_is_too_low() {
    let before = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(300), ..before }).unwrap();
    ensure(40).unwrap();
    assert_eq!(getrlimit(Resource::Nofile).current, Some(300), "enough is left as it is");
    ensure(512).unwrap();
    assert_eq!(getrlimit(Resource::Nofile).current, before.maximum);
    if before.maximum.is_some() {
        assert!(matches!(ensure(usize::MAX), Err(DescriptorError::TooFew { .. })));
    }
}
