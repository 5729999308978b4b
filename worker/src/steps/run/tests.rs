use std::io::{Cursor, Read, Write};

use ::image::{GenericImageView, ImageFormat, RgbImage};

use super::*;
use crate::scratch::{Claim, Room, Scratch};
use crate::world::{self, plan_key};

const WORKFLOW: &str = "fastio:run:media/photos:2a:3a";

/// The folder of a claimed run of `beach.thumb.webp` (from the source) and `beach.tiny.png` (from the thumb).
async fn folder(dir: &std::path::Path, source: Option<&[u8]>) -> RunFolder {
    let file = serde_json::json!({"workspace": "1", "id": "2a", "version": "3a", "name": "beach.jpg", "folder": [], "size": 1});
    let request = world::request(&serde_json::from_value(file).unwrap());
    let claim = Claim {
        workflow_id: WORKFLOW.to_owned(),
        run_id: "1".to_owned(),
        bytes: 1,
        sealed: plan_key().seal(&request).unwrap(),
    };
    let room = Room::open(Scratch::open(dir).unwrap(), 1, 1).unwrap();
    room.claim(&claim).await.unwrap();
    let folder = room.scratch().run(WORKFLOW);
    if let Some(source) = source {
        folder.open_partial().unwrap().write_all(source).unwrap();
        folder.complete_source().unwrap();
    }
    folder
}

fn picture() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::new(640, 480).write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

fn plenty() -> Memory {
    Memory::new(1 << 30)
}

fn name(step: &str) -> StepName {
    StepName::new(step).unwrap()
}

#[tokio::test]
async fn a_step_takes_what_the_step_before_it_made() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(dir.path(), Some(&picture())).await;
    let request = folder.unverified_request().unwrap();
    for (step, dimensions) in request.plan.steps.iter().zip([(320, 240), (32, 24)]) {
        let size = run(folder.clone(), step.name.clone(), &Cpu::new(1), &plenty()).await.unwrap();
        let mut bytes = Vec::new();
        folder.open_result(step).unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(size, bytes.len() as u64);
        assert_eq!(::image::load_from_memory(&bytes).unwrap().dimensions(), dimensions, "{}", step.name);
    }
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let cpu = Cpu::new(1);
    let unclaimed = Scratch::open(dir.path()).unwrap().run("another run");
    let error = run(unclaimed, name("thumb"), &cpu, &plenty()).await.unwrap_err();
    assert!(matches!(error, StepError::Claim(ClaimError::Missing)), "{error}");
    let folder = folder(dir.path(), None).await;
    for (step, expected) in [
        ("thumb", "the input of step \"thumb\" is not on this host"),
        ("tiny", "the input of step \"tiny\" is not on this host"),
        ("other", "the plan has no step \"other\""),
    ] {
        assert_eq!(run(folder.clone(), name(step), &cpu, &plenty()).await.unwrap_err().to_string(), expected);
    }
}

#[tokio::test]
async fn a_bad_picture_is_a_sentence_and_leaves_no_result() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(dir.path(), Some(b"%PDF-1.7")).await;
    let error = run(folder.clone(), name("thumb"), &Cpu::new(1), &plenty()).await.unwrap_err();
    assert_eq!(error.to_string(), "step \"thumb\": the file is not a JPEG, PNG, WebP or GIF picture");
    let request = folder.unverified_request().unwrap();
    assert!(folder.open_result(request.plan.steps.iter().next().unwrap()).is_err());
}

#[tokio::test]
async fn steps_wait_for_the_memory_that_they_need() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(dir.path(), Some(&picture())).await;
    let source = std::io::BufReader::new(folder.open_source().unwrap());
    let request = folder.unverified_request().unwrap();
    let Action::ImageResize(resize) = &request.plan.steps.iter().next().unwrap().action;
    let needed = image::memory(source, resize).unwrap();
    let memory = Memory::new(needed + (64 << 20));
    let others = memory.take(65 << 20).await;
    let cpu = Cpu::new(4);
    let mut step = std::pin::pin!(run(folder.clone(), name("thumb"), &cpu, &memory));
    let waiting = tokio::time::timeout(std::time::Duration::from_millis(200), step.as_mut()).await;
    assert!(waiting.is_err(), "{waiting:?}");
    drop(others);
    step.await.unwrap();
    // A file that no memory is enough for is worked on alone, and gives everything back.
    let little = Memory::new(1);
    for _ in 0..2 {
        run(folder.clone(), name("thumb"), &cpu, &little).await.unwrap();
    }
}
