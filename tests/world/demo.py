"""`make demo`: a photograph goes through the cluster, and one sees it happen."""

from __future__ import annotations

import datetime
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from cluster import debian
from cluster.settings import Layout, cache_root

from . import kubectl, simulator, temporal
from .command import REPOSITORY, box, run_in_network
from .simulator import Workspace

NAMESPACE = "media"

#: A photograph of a ladybird, 2560 by 1600 pixels, by Charles Barbin, GPL-2+ (Debian package mate-backgrounds).
PHOTO_PACKAGE = "mate-backgrounds"
PHOTO_IN_PACKAGE = "usr/share/backgrounds/mate/nature/LadyBird.jpg"

def photo() -> Path:
    """Where the photograph is, once `fetch_photo` has run."""
    return cache_root() / "photo" / "LadyBird.jpg"


def fetch_photo() -> None:
    """Fetches the photograph, once. Needs the machine's own network."""
    if photo().exists():
        return
    print("• fetching a photograph (Debian package mate-backgrounds, 47 MB)", flush=True)
    folder = photo().parent
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        debian.extract((PHOTO_PACKAGE,), Path(scratch), Path(scratch) / "root")
        (Path(scratch) / "root" / PHOTO_IN_PACKAGE).rename(photo())


def workspace() -> Workspace:
    """The demo's workspace: made once, then remembered beside the cluster's state."""
    remembered = Layout.from_environment().state / "demo-workspace"
    if remembered.exists():
        identity, key = remembered.read_text().split()
        return Workspace(identity, key)
    made = Workspace.create("studio")
    remembered.write_text(f"{made.id} {made.key}\n")
    remembered.chmod(0o600)
    return made


def shown(*argv: str) -> None:
    """Runs kubectl as a person would type it, and shows both."""
    print(f"\n$ kubectl {' '.join(argv)}")
    print(run_in_network("kubectl", *argv, timeout=150), end="", flush=True)


def apply_examples(space: Workspace) -> None:
    kubectl.create_namespace(NAMESPACE)
    kubectl.put_secret(NAMESPACE, "fastio-api", apiKey=space.key)
    for file in sorted((REPOSITORY / "examples").glob("*.yaml")):
        # The examples are what a user writes; only the workspace's id is not known before it exists.
        manifest = file.read_text().replace("1234567890123456789", space.id)
        print(f"$ kubectl apply -f examples/{file.name}\n{kubectl.apply(manifest)}", end="", flush=True)
    shown("-n", NAMESPACE, "wait", "--for=condition=Ready", "fastiowebhook/studio", "filepipeline/photos", "--timeout=120s")


def upload(file: Path) -> None:
    """Uploads a file through the API of the simulated Fast.io and reports what came of it."""
    space = workspace()
    name = f"{file.stem}-{datetime.datetime.now():%H%M%S}{file.suffix}"
    folder = space.folder("photos")
    print(f"\nUploading {file.name} ({file.stat().st_size:,} bytes) to /photos/{name} …", flush=True)
    began = time.monotonic()
    node = space.upload(name, file.read_bytes(), folder)
    stem = Path(name).stem
    wanted = {f"{stem}.thumbnail.jpg", f"{stem}.web.webp"}

    def finished() -> list[dict[str, Any]] | None:
        output = space.find(f"/processed/{stem}")
        results = space.children(output["id"]) if output else []
        done = wanted <= {result["name"] for result in results}
        return results if done and space.comments(node) else None

    results = kubectl.wait_for("the results and the comment", finished, 60, 0.05)
    seconds = time.monotonic() - began
    print(f"\nResults in /processed/{stem} after {seconds:.2f} s:")
    for result in sorted(results, key=lambda result: str(result["name"])):
        print(f"  {result['name']:<48} {int(result['size']):>9,} bytes")
    for comment in space.comments(node):
        print(f"Comment on {name}: {comment['body']!r}")
    version = space.details(node)["version"]
    run_id = f"fastio:run:{NAMESPACE}/photos:{node}:{version}"
    kubectl.wait_for("the run has completed", lambda: _status(run_id) == "Completed" or None, 20)
    print(f"Temporal workflow {run_id}: {_status(run_id)}", flush=True)


def _status(workflow: str) -> str:
    info = (temporal.describe(workflow) or {}).get("workflowExecutionInfo", {})
    return str(info.get("status", "")).removeprefix("WORKFLOW_EXECUTION_STATUS_").capitalize()


def demo() -> None:
    simulator.wait_until_up()
    apply_examples(workspace())
    upload(photo())
    shown("-n", NAMESPACE, "get", "fastiowebhooks,filepipelines")
    ui = box("expose", "temporal-ui", "8233").strip()
    page = box("expose", "simulator", "8080").strip()
    print(
        f"""
Everything keeps running:
  drop a picture with the mouse        {page}
  Temporal's UI                        {ui}/namespaces/{temporal.NAMESPACE}/workflows
  try a file of your own               make demo-upload FILE=path/to/picture.jpg
  kubectl, helm, temporal in the world tests/cluster/box kubectl -n {NAMESPACE} get pods
  take it all down                     make down
"""
    )
    sys.stdout.flush()
