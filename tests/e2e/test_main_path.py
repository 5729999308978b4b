"""The main job: a file lands, and its results and a comment come back."""

from __future__ import annotations

from pictures import photo, size_and_format
from world import kubectl, temporal
from world.studio import Studio


def test_a_photo_becomes_a_thumbnail_and_a_comment(studio: Studio) -> None:
    studio.ready()
    node = studio.workspace.upload("beach.jpg", photo(), studio.workspace.folder("photos"))

    result = studio.wait_for_result("/processed/beach/beach.thumbnail.webp")
    workflow = studio.wait_until_done(node)

    assert size_and_format(studio.workspace.read(result["id"])) == (320, 200, "WEBP")
    assert [c["body"] for c in studio.workspace.comments(node)] == ["Ready in /processed/beach: beach.thumbnail.webp"]
    report = temporal.result(workflow)
    assert [r["name"] for r in report["results"]] == ["beach.thumbnail.webp"]
    # The result is an upload too: its event starts nothing.
    def result_event_is_decided() -> bool:
        return len([e for e in studio.events() if e["status"].endswith("COMPLETED")]) >= 2

    kubectl.wait_for("the event of the result is decided", result_event_is_decided, 30)
    assert len(studio.runs()) == 1


def test_names_decide_which_files_are_processed(studio: Studio) -> None:
    studio.ready()
    other = studio.workspace.upload("notes.txt", b"not a picture")
    wanted = studio.workspace.upload("UPPER.JPG", photo(seed=2))

    studio.wait_until_done(wanted)
    kubectl.wait_for("both uploads are decided", lambda: len(studio.events()) >= 2, 30)
    assert temporal.describe(studio.run_id(other)) is None


def test_a_broken_picture_fails_with_a_comment_that_says_so(studio: Studio) -> None:
    studio.ready()
    node = studio.workspace.upload("broken.jpg", b"\xff\xd8\xff\xe0 this is no JPEG")

    comments = kubectl.wait_for("the failure's comment", lambda: studio.workspace.comments(node) or None, 60)
    assert comments[0]["body"].startswith("Failed: "), comments
    info = kubectl.wait_for(
        "the run has failed",
        lambda: (temporal.describe(studio.run_id(node)) or {}).get("workflowExecutionInfo")
        if "FAILED" in str(temporal.describe(studio.run_id(node)))
        else None,
        30,
    )
    assert info["status"] == "WORKFLOW_EXECUTION_STATUS_FAILED"
    assert studio.workspace.find("/processed/broken/broken.thumbnail.webp") is None


def test_a_new_version_of_a_file_is_processed_again(studio: Studio) -> None:
    studio.apply_webhook()
    kubectl.apply(
        f"""
apiVersion: pipelines.fast.io/v1alpha1
kind: FilePipeline
metadata: {{name: photos, namespace: {studio.namespace}}}
spec:
  webhookRef: {{name: studio}}
  match: {{events: [upload, modify], names: ["*.jpg"]}}
  steps: [{{name: thumbnail, image: {{resize: {{width: 320}}}}}}]
  output: {{folder: thumbs}}
"""
    )
    kubectl.wait_ready("filepipeline", "photos", studio.namespace)
    first = studio.workspace.upload("beach.jpg", photo(seed=1))
    studio.wait_until_done(first)
    second = studio.workspace.upload("beach.jpg", photo(600, 600, seed=2))
    assert second == first, "an upload onto the same name keeps the node"
    studio.wait_until_done(second)

    results = studio.workspace.children(studio.workspace.folder("thumbs"))
    assert [r["name"] for r in results] == ["beach.thumbnail.webp"], "replaced in place, because it is ours"
    assert size_and_format(studio.workspace.read(results[0]["id"])) == (320, 320, "WEBP")
    assert len(studio.runs()) == 2
