"""Many files in a row while something breaks: none is lost, none is processed twice."""

from __future__ import annotations

import json
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


def _ready(studios: list[Studio]) -> None:
    for studio in studios:
        studio.ready(steps=[TINY], folder="/thumbs", comment={}, workers={"slots": 16})


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
    studio = make_studio(delivery="Both", subscribed=["upload"])
    _ready([studio])
    studio.fault("drop_deliveries", probability=0.2, seed=1, times=None)
    studio.fault("duplicate_deliveries", probability=0.3, seed=2, times=None)
    studio.fault("reorder_deliveries", probability=0.3, seed=3, times=None, window_milliseconds=3000)
    began = time.monotonic()
    nodes = _stream(studio, MANY)
    uploaded = time.monotonic() - began
    _all_once(studio, nodes, 900)
    print(f"{MANY} files: uploaded in {uploaded:.0f} s, processed after {time.monotonic() - began:.0f} s")
    wanted = set(nodes)
    deliveries = [d for d in studio.deliveries() if json.loads(d["body"])["fileId"] in wanted]
    states = Counter(str(d["state"]) for d in deliveries)
    doubled = len(deliveries) - len({d["event_id"] for d in deliveries})
    print(f"deliveries: {dict(states)}, {doubled} of them a second one")
    assert MANY * 0.15 < states["dropped"] < MANY * 0.25, states
    assert MANY * 0.19 < doubled < MANY * 0.29, doubled
    delivered = {d["event_id"] for d in deliveries if d["state"] == "delivered"}

    def pushed() -> float:
        return studio.answered("push", "started") + studio.answered("push", "duplicate")

    # Whichever of the two is first starts the run. But each delivery that came was decided, once however often it came, and
    # what never came can only have been found by the feed.
    kubectl.wait_for("each delivery is decided", lambda: pushed() >= len(delivered), 120, 2)
    started = {source: studio.answered(source, "started") for source in ("push", "feed", "relist")}
    print(f"runs started by what came in which way: {started}")
    assert started["push"] > MANY * 0.1, started
    assert started["feed"] >= MANY - len(delivered), started
    assert sum(started.values()) == MANY, started


def _studios(make_studio: Callable[..., Studio]) -> list[Studio]:
    """One to which events are pushed and one that pulls them: each has to come through the same trouble."""
    return [make_studio(delivery=delivery, subscribed=["upload"]) for delivery in ("Push", "Pull")]


def test_temporal_stops_for_a_minute_in_the_middle(make_studio: Callable[..., Studio]) -> None:
    studios = _studios(make_studio)
    _ready(studios)
    with ThreadPoolExecutor(len(studios)) as pool:
        streams = [pool.submit(_stream, studio, SOME, 90) for studio in studios]
        time.sleep(15)
        box("kill", "temporal", "--signal", "KILL")
        try:
            time.sleep(60)
        finally:
            box("start", "temporal")
    for studio, stream in zip(studios, streams, strict=True):
        _all_once(studio, stream.result(), 300)


def test_the_api_key_is_revoked_and_replaced_in_the_middle(make_studio: Callable[..., Studio]) -> None:
    studios = _studios(make_studio)
    theirs = [studio.workspace.somebody_else() for studio in studios]
    _ready(studios)
    with ThreadPoolExecutor(len(studios)) as pool:
        uploaders = [Studio(studio.namespace, their) for studio, their in zip(studios, theirs, strict=True)]
        streams = [pool.submit(_stream, uploader, SOME, 40) for uploader in uploaders]
        time.sleep(10)
        for studio in studios:
            simulator.control("DELETE", f"api-keys/{studio.workspace.key}")
        time.sleep(20)
        for studio in studios:
            studio.set_api_key(simulator.control("POST", "api-keys", {})["key"])
    for studio, stream, their in zip(studios, streams, theirs, strict=True):
        studio.workspace = their
        _all_once(studio, stream.result(), 300)
