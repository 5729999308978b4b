use std::io::Read;
use std::time::Duration;

use fastio::{ErrorClass, NodeId};
use serde_json::{Value, json};

use super::*;
use crate::world::{World, request};

/// Bytes that do not repeat within a piece.
fn content(size: u32) -> Vec<u8> {
    (0..size).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
}

fn read(folder: &RunFolder) -> Vec<u8> {
    let mut bytes = Vec::new();
    folder.open_source().unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// Downloads at a slow pace and stops in the middle.
async fn interrupted(world: &World, source: &SourceFile, folder: &RunFolder) -> u64 {
    world.control("faults", json!({"kind": "bandwidth", "bytes_per_second": 2_000_000})).await;
    let progress = Progress::new(Downloading::default());
    let download = download(&world.client, source, folder, &progress);
    assert!(tokio::time::timeout(Duration::from_millis(800), download).await.is_err(), "not interrupted");
    assert!(folder.open_source().is_err());
    // What is under way to the disk gets there.
    tokio::time::sleep(Duration::from_millis(50)).await;
    folder.open_partial().unwrap().metadata().unwrap().len()
}

#[tokio::test]
async fn a_file_is_brought_once() {
    let world = World::start().await;
    let bytes = content(300_000);
    let source = world.source("beach.jpg", &bytes).await;
    let folder = world.claimed(&request(&source)).await;
    let progress = Progress::new(Downloading::default());
    for _ in 0..2 {
        download(&world.client, &source, &folder, &progress).await.unwrap();
        assert_eq!(read(&folder), bytes);
        assert_eq!(progress.get().ranges, Ranges::prefix(300_000));
    }
    assert_eq!(world.calls("download.read").await, [(200, 1)]);
}

#[tokio::test]
async fn an_empty_file_needs_no_read() {
    let world = World::start().await;
    let mut source = world.source("empty.bin", b"x").await;
    source.size = 0;
    source.hash = None;
    let folder = world.claimed(&request(&source)).await;
    download(&world.client, &source, &folder, &Progress::new(Downloading::default())).await.unwrap();
    assert!(read(&folder).is_empty());
}

#[tokio::test]
async fn an_interrupted_download_goes_on_where_it_stopped() {
    let world = World::start().await;
    let bytes = content(3_500_000);
    let source = world.source("beach.jpg", &bytes).await;
    let folder = world.claimed(&request(&source)).await;
    let kept = interrupted(&world, &source, &folder).await;
    assert!(kept > 200_000 && kept < 3_500_000, "{kept}");
    let progress = Progress::new(Downloading::default());
    download(&world.client, &source, &folder, &progress).await.unwrap();
    assert_eq!(read(&folder), bytes);
    assert_eq!(world.calls("download.read").await, [(200, 1), (206, 1)]);
}

#[tokio::test]
async fn a_service_without_ranges_sends_it_anew() {
    let world = World::start_with(|settings| settings.ranges = false).await;
    let bytes = content(3_500_000);
    let source = world.source("beach.jpg", &bytes).await;
    let folder = world.claimed(&request(&source)).await;
    assert!(interrupted(&world, &source, &folder).await > 0);
    download(&world.client, &source, &folder, &Progress::new(Downloading::default())).await.unwrap();
    assert_eq!(read(&folder), bytes);
    assert_eq!(world.calls("download.read").await, [(200, 2)]);
}

#[tokio::test]
async fn the_version_of_the_run_comes_even_if_there_is_a_newer_one() {
    let world = World::start().await;
    let bytes = content(50_000);
    let source = world.source("beach.jpg", &bytes).await;
    world.put(&world.other, &NodeId::root(), "beach.jpg", &content(70_000)).await;
    let folder = world.claimed(&request(&source)).await;
    download(&world.client, &source, &folder, &Progress::new(Downloading::default())).await.unwrap();
    assert_eq!(read(&folder), bytes);
}

#[tokio::test]
async fn what_is_not_the_file_is_thrown_away() {
    let world = World::start().await;
    let source = world.source("beach.jpg", &content(50_000)).await;
    let folder = world.claimed(&request(&source)).await;
    let wrong_hash = SourceFile {
        hash: Some(ContentHash { algorithm: "sha256".to_owned(), value: "00".repeat(32) }),
        ..source.clone()
    };
    let longer = SourceFile { size: 50_001, hash: None, ..source.clone() };
    let shorter = SourceFile { size: 49_999, hash: None, ..source.clone() };
    for (expected, source) in [
        ("its SHA-256 is", wrong_hash),
        ("50000 bytes instead of 50001", longer),
        ("more than its 49999", shorter),
    ] {
        let error = download(&world.client, &source, &folder, &Progress::new(Downloading::default())).await;
        let error = error.unwrap_err();
        assert!(matches!(error, DownloadError::Mismatch(_)), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        assert!(folder.open_source().is_err());
        assert_eq!(folder.open_partial().unwrap().metadata().unwrap().len(), 0);
    }
}

#[tokio::test]
async fn a_damaged_partial_file_costs_one_more_download() {
    let world = World::start().await;
    let bytes = content(50_000);
    let source = world.source("beach.jpg", &bytes).await;
    let folder = world.claimed(&request(&source)).await;
    std::io::Write::write_all(&mut folder.open_partial().unwrap(), &vec![9; 20_000]).unwrap();
    let progress = Progress::new(Downloading::default());
    let error = download(&world.client, &source, &folder, &progress).await.unwrap_err();
    assert!(matches!(error, DownloadError::Mismatch(_)), "{error}");
    download(&world.client, &source, &folder, &progress).await.unwrap();
    assert_eq!(read(&folder), bytes);
}

#[tokio::test]
async fn a_file_that_is_gone_is_gone_and_an_outage_is_not() {
    let world = World::start().await;
    let source = world.source("beach.jpg", &content(50_000)).await;
    let folder = world.claimed(&request(&source)).await;
    let class = async || {
        let error = download(&world.client, &source, &folder, &Progress::new(Downloading::default())).await;
        match error.unwrap_err() {
            DownloadError::Fastio(error) => error.class(),
            other => panic!("{other}"),
        }
    };
    world
        .control("faults", json!({"kind": "fail", "operation": "download.read", "status": 503, "times": 20}))
        .await;
    assert!(matches!(class().await, ErrorClass::Retry { .. }));
    world.no_faults().await;
    world.purge(&source).await;
    assert_eq!(class().await, ErrorClass::Gone);
}

#[tokio::test]
async fn a_file_in_the_trash_is_brought_from_there() {
    let world = World::start().await;
    let bytes = content(50_000);
    let mut source = world.source("beach.jpg", &bytes).await;
    source.trashed = true;
    world.other.delete_node(&world.workspace, &source.id.as_str().parse().unwrap()).await.unwrap();
    let folder = world.claimed(&request(&source)).await;
    download(&world.client, &source, &folder, &Progress::new(Downloading::default())).await.unwrap();
    assert_eq!(read(&folder), bytes);
}

/// Downloads with the faults and without them again. Gives what the first attempt kept, and how the second one ended.
async fn twice(
    world: &World,
    source: &SourceFile,
    faults: &[Value],
) -> (u64, Result<Vec<u8>, DownloadError>) {
    let folder = world.claimed(&request(source)).await;
    for fault in faults {
        world.control("faults", fault.clone()).await;
    }
    let progress = Progress::new(Downloading::default());
    let error = download(&world.client, source, &folder, &progress).await.unwrap_err();
    match &error {
        DownloadError::Fastio(error) => {
            assert!(matches!(error.class(), ErrorClass::Retry { .. }), "{error}");
        }
        other => panic!("{other}"),
    }
    world.no_faults().await;
    let kept = folder.open_partial().unwrap().metadata().unwrap().len();
    let second = download(&world.client, source, &folder, &progress).await;
    (kept, second.map(|()| read(&folder)))
}

#[tokio::test]
async fn an_answer_that_ends_too_early_is_gone_on_with() {
    let world = World::start().await;
    let bytes = content(600_000);
    let source = world.source("beach.jpg", &bytes).await;
    let truncate = json!({"kind": "truncate", "after_bytes": 250_000});
    let (kept, second) = twice(&world, &source, &[truncate]).await;
    assert_eq!((kept, second.unwrap()), (250_000, bytes));
    assert_eq!(world.calls("download.read").await, [(200, 1), (206, 1)]);
}

#[tokio::test]
async fn a_connection_that_is_reset_costs_no_more_than_what_was_on_its_way() {
    let world = World::start().await;
    let bytes = content(600_000);
    let source = world.source("beach.jpg", &bytes).await;
    let reset = json!({"kind": "reset", "after_bytes": 250_000});
    let (kept, second) = twice(&world, &source, &[reset]).await;
    assert_eq!(second.unwrap(), bytes);
    assert!(kept <= 250_000, "{kept}");
}

/// Puts another content of the same size in the place of the file while it is read, then breaks the connection.
fn replaced_half_way(size: usize) -> [Value; 2] {
    [
        json!({"kind": "replace_file", "after_bytes": 100_000, "content": "b".repeat(size)}),
        json!({"kind": "truncate", "after_bytes": 250_000}),
    ]
}

#[tokio::test]
async fn a_file_that_is_replaced_half_way_comes_in_the_version_of_the_run() {
    let world = World::start().await;
    let bytes = vec![b'a'; 600_000];
    let source = world.source("beach.jpg", &bytes).await;
    let (kept, second) = twice(&world, &source, &replaced_half_way(bytes.len())).await;
    assert_eq!((kept, second.unwrap() == bytes), (250_000, true));
}

#[tokio::test]
async fn two_halves_of_two_contents_are_never_a_file() {
    let world = World::start().await;
    let bytes = vec![b'a'; 600_000];
    let mut hashed = world.source("beach.jpg", &bytes).await;
    hashed.version = None;
    let mut plain = world.source("bench.jpg", &bytes).await;
    plain.version = None;
    plain.hash = None;
    let faults = replaced_half_way(bytes.len());
    let (_, second) = twice(&world, &hashed, &faults).await;
    assert!(matches!(second, Err(DownloadError::Mismatch(_))), "its hash tells");
    let (kept, second) = twice(&world, &plain, &faults).await;
    assert_eq!(kept, 250_000);
    assert!(
        second.unwrap().iter().all(|byte| *byte == b'b'),
        "nothing would tell, so it is not gone on with"
    );
}
