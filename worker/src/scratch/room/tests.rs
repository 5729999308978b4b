use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use fastio_pipeline::seal::{SealError, SealedRun};

use super::*;
use crate::world::plan_key;

const MIB: u64 = 1 << 20;

fn claim(id: &str, run: &str, bytes: u64) -> Claim {
    let sealed: SealedRun = serde_json::from_str(r#"{"request":"{}","mac":"00"}"#).unwrap();
    Claim { workflow_id: id.to_owned(), run_id: run.to_owned(), bytes, sealed }
}

fn room(dir: &std::path::Path, bytes: u64, slots: usize) -> Room {
    Room::open(Scratch::open(dir).unwrap(), bytes, slots).unwrap()
}

#[tokio::test]
async fn slots_and_bytes_run_out_and_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let room = room(dir.path(), 100 * MIB, 2);
    room.claim(&claim("a", "1", 60 * MIB)).await.unwrap();
    assert!(matches!(room.claim(&claim("b", "1", 50 * MIB)).await, Err(RoomError::Full)), "bytes");
    room.claim(&claim("b", "1", 40 * MIB)).await.unwrap();
    assert!(matches!(room.claim(&claim("c", "1", 0)).await, Err(RoomError::Full)), "slots");
    room.release("a", "1").await.unwrap();
    room.claim(&claim("c", "1", MIB)).await.unwrap();
    let error = room.claim(&claim("d", "1", 101 * MIB)).await.unwrap_err();
    assert!(matches!(error, RoomError::TooBig { available, .. } if available == 100 * MIB));
}

#[tokio::test]
async fn a_claim_is_made_once_and_kept_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let first = room(dir.path(), 100 * MIB, 1);
    let mine = claim("fastio:run:media/photos:2a:3a", "1", 60 * MIB);
    first.claim(&mine).await.unwrap();
    first.claim(&mine).await.unwrap();
    drop(first);
    let second = room(dir.path(), 100 * MIB, 1);
    assert_eq!(second.claims().unwrap(), [mine]);
    assert!(matches!(second.claim(&claim("b", "1", 1)).await, Err(RoomError::Full)));
}

#[tokio::test]
async fn a_late_release_takes_nothing_from_a_later_execution() {
    let dir = tempfile::tempdir().unwrap();
    let room = room(dir.path(), MIB, 1);
    room.claim(&claim("a", "1", 1)).await.unwrap();
    room.claim(&claim("a", "2", 1)).await.unwrap();
    room.release("a", "1").await.unwrap();
    assert_eq!(room.claims().unwrap().len(), 1);
    room.release("a", "2").await.unwrap();
    room.release("a", "2").await.unwrap();
    assert_eq!(room.claims().unwrap().len(), 0);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn whoever_waits_is_told_of_a_release() {
    let dir = tempfile::tempdir().unwrap();
    let room = room(dir.path(), MIB, 1);
    room.claim(&claim("a", "1", 1)).await.unwrap();
    let waiting = room.freed(Duration::from_secs(30));
    let release = async {
        tokio::task::yield_now().await;
        room.release("a", "1").await.unwrap();
    };
    let started = std::time::Instant::now();
    tokio::join!(waiting, release);
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn what_no_claim_explains_is_removed_at_start_and_the_rest_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let leftover = dir.path().join("0123456789abcdef0123456789abcdef");
    fs::create_dir_all(leftover.join("results")).unwrap();
    fs::create_dir(dir.path().join("lost+found")).unwrap();
    room(dir.path(), MIB, 1).claim(&claim("a", "1", 1)).await.unwrap();
    let again = room(dir.path(), MIB, 1);
    assert!(!leftover.exists() && dir.path().join("lost+found").exists());
    assert_eq!(again.claims().unwrap().len(), 1);
}

#[tokio::test]
async fn a_step_that_ends_late_makes_no_folder_and_the_sweep_removes_what_nobody_claims() {
    let dir = tempfile::tempdir().unwrap();
    let room = room(dir.path(), MIB, 2);
    let file = serde_json::json!({"workspace": "1", "id": "2a", "version": "3a", "name": "beach.jpg", "folder": [], "size": 1});
    let plan = crate::world::request(&serde_json::from_value(file).unwrap()).plan;
    let step = plan.steps.iter().next().unwrap();
    room.claim(&claim("a", "1", 1)).await.unwrap();
    let folder = room.scratch().run("a");
    folder.write_result(step, b"first").unwrap();
    folder.write_result(step, b"again").unwrap();
    room.release("a", "1").await.unwrap();
    let error = folder.write_result(step, b"late").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);

    room.claim(&claim("b", "1", 1)).await.unwrap();
    fs::create_dir_all(dir.path().join("0123456789abcdef0123456789abcdef/results")).unwrap();
    fs::create_dir(dir.path().join("lost+found")).unwrap();
    assert_eq!(room.remove_unclaimed().await.unwrap(), 1);
    assert_eq!(room.remove_unclaimed().await.unwrap(), 0);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    assert_eq!(room.claims().unwrap().len(), 1);
}

#[tokio::test]
async fn only_regular_files_of_a_claims_size_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let room = room(dir.path(), MIB, 1);
    room.claim(&claim("a", "1", 1)).await.unwrap();
    let run = fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
    let folder = room.scratch().run("a");
    let pipe = |name: &str| {
        let path = run.join(name);
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    };
    pipe("source.partial");
    pipe("source");
    // First those whose opening never waits, so that a pipe that is taken for a file is an error, not a hang.
    assert_eq!(folder.open_partial().unwrap_err().kind(), io::ErrorKind::InvalidInput);
    assert_eq!(folder.open_source().unwrap_err().kind(), io::ErrorKind::InvalidInput);
    let mut large = fs::read(run.join("claim.json")).unwrap();
    large.resize(usize::try_from(MIB).unwrap(), b' ');
    fs::write(run.join("claim.json"), &large).unwrap();
    assert!(matches!(folder.claim(), Ok(Some(_))));
    large.push(b' ');
    fs::write(run.join("claim.json"), &large).unwrap();
    assert!(matches!(folder.claim(), Err(ClaimError::Io(_))));
    fs::remove_file(run.join("claim.json")).unwrap();
    pipe("claim.json");
    assert!(matches!(folder.claim(), Err(ClaimError::Io(_))));
}

#[tokio::test]
async fn a_claim_without_the_seal_gives_no_power() {
    let dir = tempfile::tempdir().unwrap();
    let room = room(dir.path(), MIB, 1);
    assert!(matches!(room.scratch().run("a").authentic_request(&plan_key(), "a"), Err(ClaimError::Missing)));
    room.claim(&claim("a", "1", 1)).await.unwrap();
    let found = room.scratch().run("a").authentic_request(&plan_key(), "a");
    assert!(matches!(found, Err(ClaimError::Seal(SealError::NotAuthentic))));
}

#[tokio::test]
async fn links_lead_nowhere() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("apiKey"), "secret").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let room = room(dir.path(), MIB, 1);
    room.claim(&claim("a", "1", 1)).await.unwrap();
    let run = fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
    symlink(outside.path().join("apiKey"), run.join("source")).unwrap();
    symlink(outside.path().join("new"), run.join("source.partial")).unwrap();
    let folder = room.scratch().run("a");
    assert!(folder.open_source().is_err());
    assert!(folder.open_partial().is_err());
    assert!(!outside.path().join("new").exists());
    room.release("a", "1").await.unwrap();
    assert!(!run.exists() && outside.path().join("apiKey").exists());
}

#[test]
fn a_run_gets_room_for_its_results_too() {
    assert_eq!(Room::bytes_for(0), 64 * MIB);
    assert_eq!(Room::bytes_for(10 * MIB), 84 * MIB);
    assert_eq!(Room::bytes_for(u64::MAX), u64::MAX);
}
