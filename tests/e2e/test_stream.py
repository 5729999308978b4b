"""Many files in a row while something breaks: none is lost, none is processed twice."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from pictures import photo
from world import kubectl, simulator
from world.command import box
from world.studio import Studio

pytestmark = pytest.mark.outage

#: Files of the test with lost, doubled and disordered deliveries.
MANY = 1000

#: Files of the tests in which something is away for a while.
SOME = 120

TINY = {"name": "thumbnail", "image": {"resize": {"width": 16}}}


def _stream(studio: Studio, count: int, seconds: float = 0) -> list[str]:
    """Uploads files, spread over a time, and returns their ids."""
    content = photo(32, 20)
    pause = seconds / count

    def upload(number: int) -> str:
        time.sleep(pause * number if seconds else 0)
        return studio.workspace.upload(f"f{number:04}.jpg", content + number.to_bytes(4, "big"))

    with ThreadPoolExecutor(8 if not seconds else count) as pool:
        return list(pool.map(upload, range(count)))


def _runs(studio: Studio) -> Counter[str]:
    """Executions by status, over every run there ever was."""
    return Counter(str(run["status"]).removeprefix("WORKFLOW_EXECUTION_STATUS_") for run in studio.runs())


def _all_once(studio: Studio, nodes: list[str], seconds: float) -> None:
    def done() -> bool:
        runs = _runs(studio)
        assert sum(runs.values()) <= len(nodes), f"more runs than files: {runs}"
        assert set(runs) <= {"RUNNING", "COMPLETED"}, runs
        return runs["COMPLETED"] == len(nodes)

    try:
        kubectl.wait_for(f"{len(nodes)} runs have completed", done, seconds, 2)
    except AssertionError as failure:
        raise AssertionError(f"{failure}; there are {_runs(studio)}; the feed says {studio.feed()}") from failure
    ids = {run["execution"]["workflowId"] for run in studio.runs()}
    assert ids == {studio.run_id(node) for node in nodes}
    results = studio.workspace.children(studio.workspace.folder("thumbs"))
    assert len(results) == len(nodes)
    assert {str(result["name"]) for result in results} == {f"f{n:04}.thumbnail.webp" for n in range(len(nodes))}


def test_lost_doubled_and_disordered_deliveries(make_studio: Callable[..., Studio]) -> None:
    studio = make_studio(delivery="Both", subscribed=["upload"]).ready(
        steps=[TINY], folder="/thumbs", comment={}, workers={"slots": 16}
    )
    studio.fault("drop_deliveries", probability=0.2, seed=1, times=None)
    studio.fault("duplicate_deliveries", probability=0.3, seed=2, times=None)
    studio.fault("reorder_deliveries", probability=0.3, seed=3, times=None, window_milliseconds=3000)
    began = time.monotonic()
    nodes = _stream(studio, MANY)
    uploaded = time.monotonic() - began
    _all_once(studio, nodes, 900)
    print(f"{MANY} files: uploaded in {uploaded:.0f} s, processed after {time.monotonic() - began:.0f} s")
    deliveries = Counter(d["state"] for d in simulator.control("GET", f"deliveries?workspace={studio.workspace.id}&limit=5000")["deliveries"])
    assert MANY * 0.1 < deliveries["dropped"], deliveries


@pytest.mark.parametrize("delivery", ["Push", "Pull"])
def test_temporal_stops_for_a_minute_in_the_middle(make_studio: Callable[..., Studio], delivery: str) -> None:
    studio = make_studio(delivery=delivery, subscribed=["upload"]).ready(
        steps=[TINY], folder="/thumbs", comment={}, workers={"slots": 16}
    )
    nodes: list[str] = []
    uploading = threading.Thread(target=lambda: nodes.extend(_stream(studio, SOME, 90)))
    uploading.start()
    time.sleep(15)
    box("kill", "temporal", "--signal", "KILL")
    try:
        time.sleep(60)
    finally:
        box("start", "temporal")
    uploading.join()
    assert len(nodes) == SOME
    _all_once(studio, nodes, 300)


@pytest.mark.parametrize("delivery", ["Push", "Pull"])
def test_the_api_key_is_revoked_and_replaced_in_the_middle(make_studio: Callable[..., Studio], delivery: str) -> None:
    studio = make_studio(delivery=delivery, subscribed=["upload"])
    theirs = studio.workspace.somebody_else()
    studio.ready(steps=[TINY], folder="/thumbs", comment={}, workers={"slots": 16})
    nodes: list[str] = []
    uploader = Studio(studio.namespace, theirs)
    uploading = threading.Thread(target=lambda: nodes.extend(_stream(uploader, SOME, 40)))
    uploading.start()
    time.sleep(10)
    simulator.control("DELETE", f"api-keys/{studio.workspace.key}")
    time.sleep(20)
    studio.set_api_key(simulator.control("POST", "api-keys", {})["key"])
    uploading.join()
    assert len(nodes) == SOME
    studio.workspace = theirs
    _all_once(studio, nodes, 300)
