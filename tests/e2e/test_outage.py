"""Temporal frozen, and Temporal killed, each for longer than the probes tolerate."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from pictures import photo
from world import kubectl, sender, temporal
from world.command import box
from world.studio import Studio

#: Liveness probes give up after less than this (period times threshold).
OUTAGE_SECONDS = 75

pytestmark = pytest.mark.outage


@pytest.fixture(params=["frozen", "killed"])
def outage(request: pytest.FixtureRequest) -> Iterator[tuple[list[str], list[str]]]:
    """The commands that begin and end the outage."""
    ways = {
        "frozen": (["kill", "temporal", "--signal", "STOP"], ["kill", "temporal", "--signal", "CONT"]),
        "killed": (["kill", "temporal", "--signal", "KILL"], ["start", "temporal"]),
    }
    begin, end = ways[request.param]
    yield begin, end
    if not _answers():
        box(*end)


def _answers() -> bool:
    try:
        temporal.temporal("operator", "cluster", "health", timeout=5)
    except Exception:
        return False
    return True


def test_temporal_away_means_503_and_then_everything_works_again(
    studio: Studio, outage: tuple[list[str], list[str]]
) -> None:
    begin, end = outage
    studio.ready()
    url, secret = studio.receiver()
    before = _restarts(studio)

    box(*begin)
    node = studio.workspace.upload("during.jpg", photo())
    payload = sender.event(studio.workspace.id, node, "during.jpg", "evt-outage")
    answers = []
    until = time.monotonic() + OUTAGE_SECONDS
    while time.monotonic() < until:
        answers.append(sender.send(url, payload, secret))
        time.sleep(1)
    assert len(answers) > 20
    assert {a.status for a in answers} == {503}, answers
    assert max(a.seconds for a in answers) < 2, max(a.seconds for a in answers)
    assert all(a.retry_after and int(a.retry_after) >= 1 for a in answers)

    box(*end)
    kubectl.wait_for("the receiver accepts again", lambda: sender.send(url, payload, secret).status == 200, 60, 1)
    # The service's own delivery of the upload was refused meanwhile and comes again; both are one run.
    studio.wait_until_done(node, 180)
    assert len(studio.runs()) == 1
    assert len(studio.workspace.comments(node)) == 1
    assert _restarts(studio) == before, "an outage of Temporal restarts no container"


def _restarts(studio: Studio) -> dict[str, int]:
    return {
        f"{pod['metadata']['name']}/{status['name']}": status["restartCount"]
        for pod in kubectl.items("pods", studio.namespace)
        for status in pod["status"].get("containerStatuses", [])
    }
