"""The ways an event comes in: pushed, pulled, or both with the feed as the safety net."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from pictures import photo
from world import kubectl, simulator, temporal
from world.studio import Studio

#: Every call of the webhook API.
WEBHOOK_API = ("webhooks.list", "webhooks.create", "webhooks.details", "webhooks.update", "webhooks.delete")


def _delivery(studio: Studio) -> str:
    return str((kubectl.get("fastiowebhook", "studio", studio.namespace) or {}).get("status", {}).get("delivery"))


def _receiver(studio: Studio) -> object:
    return kubectl.get("deployment", "studio-receiver", studio.namespace)


def test_pull_alone_needs_no_receiver_and_is_quick(make_studio: Callable[..., Studio]) -> None:
    studio = make_studio(delivery="Pull").ready()
    assert _delivery(studio) == "Pull"
    assert _receiver(studio) is None
    assert studio.workspace.webhooks() == []

    # The first long poll may only be beginning.
    time.sleep(1)
    began = time.monotonic()
    node = studio.workspace.upload("beach.jpg", photo())
    kubectl.wait_for("the run has started", lambda: temporal.describe(studio.run_id(node)), 30, 0.1)
    assert time.monotonic() - began < 5, "a nudge, not the next slow poll"
    studio.wait_until_done(node)
    assert studio.events() == [], "no delivery, no FileEvent"
    assert len(studio.runs()) == 1


def test_a_feed_that_nothing_happens_on_waits_in_a_long_poll(make_studio: Callable[..., Studio]) -> None:
    studio = make_studio(delivery="Pull").ready()
    organisation, workspace = studio.workspace.org, studio.workspace.id
    # What opening the feed has to look at is over.
    time.sleep(5)
    for of in (organisation, workspace):
        simulator.control("DELETE", f"calls?workspace={of}")
    time.sleep(30)
    calls = [line for of in (organisation, workspace) for line in simulator.control("GET", f"calls?workspace={of}")["calls"]]
    assert sum(line["count"] for line in calls) <= 6, calls


def test_a_service_without_webhooks_is_followed_by_the_feed(make_studio: Callable[..., Studio]) -> None:
    studio = make_studio(delivery="Auto")
    for operation in WEBHOOK_API:
        studio.fault("fail", operation=operation, status=404, code=9992, times=None)
    studio.ready()
    assert _delivery(studio) == "Pull"
    assert _receiver(studio) is None
    node = studio.workspace.upload("beach.jpg", photo())
    studio.wait_until_done(node)


def test_push_alone_has_no_feed_that_follows(studio: Studio) -> None:
    studio.ready()
    assert _delivery(studio) == "Push"
    studio.fault("drop_deliveries")
    lost = studio.workspace.upload("lost.jpg", photo(seed=1))
    node = studio.workspace.upload("beach.jpg", photo(seed=2))
    studio.wait_until_done(node)
    assert [d["state"] for d in studio.deliveries()].count("dropped") == 1
    assert studio.feed()["following"]["by"] == "off", "a net would find it later"
    assert temporal.describe(studio.run_id(lost)) is None


def test_both_ways_about_one_file_are_one_run(make_studio: Callable[..., Studio]) -> None:
    studio = make_studio(delivery="Auto").ready()
    assert _delivery(studio) == "Both"
    node = studio.workspace.upload("beach.jpg", photo())
    studio.wait_until_done(node)

    kubectl.wait_for("the delivery has started the run", lambda: studio.answered("push", "started") == 1, 30)
    kubectl.wait_for("the feed has found it a second time", lambda: studio.answered("feed", "duplicate") == 1, 60, 1)
    assert len(studio.runs()) == 1
    assert len(studio.workspace.comments(node)) == 1


def test_a_delivery_that_never_comes_is_one_run_within_a_minute(make_studio: Callable[..., Studio]) -> None:
    studio = make_studio(delivery="Both").ready()
    studio.fault("drop_deliveries")
    began = time.monotonic()
    node = studio.workspace.upload("beach.jpg", photo())
    kubectl.wait_for("the run has started", lambda: temporal.describe(studio.run_id(node)), 60, 0.5)
    assert time.monotonic() - began < 60
    assert "dropped" in [d["state"] for d in studio.deliveries()]
    studio.wait_until_done(node)
    assert studio.answered("feed", "started") == 1
    assert len(studio.runs()) == 1


def test_from_both_to_pull_and_back(make_studio: Callable[..., Studio]) -> None:
    studio = make_studio(delivery="Both").ready()
    assert len(studio.workspace.webhooks()) == 1
    studio.delivery = "Pull"
    studio.apply_webhook()
    kubectl.wait_for("the receiver is gone", lambda: _receiver(studio) is None, 60)
    kubectl.wait_for("the webhook is gone", lambda: studio.workspace.webhooks() == [], 60)
    kubectl.wait_ready("fastiowebhook", "studio", studio.namespace)
    node = studio.workspace.upload("pulled.jpg", photo(seed=1))
    studio.wait_until_done(node)

    studio.delivery = "Both"
    studio.apply_webhook()
    kubectl.wait_for("both ways", lambda: _delivery(studio) == "Both", 60)
    kubectl.wait_ready("fastiowebhook", "studio", studio.namespace)
    assert len(studio.workspace.webhooks()) == 1
    node = studio.workspace.upload("pushed.jpg", photo(seed=2))
    studio.wait_until_done(node)
    assert len(studio.runs()) == 2


def test_an_expired_cursor_loses_nothing(make_studio: Callable[..., Studio]) -> None:
    studio = make_studio(delivery="Pull").ready()
    # Twice: when the feed is read on, and when the same position is tried once more.
    studio.fault_of_feed(status=406, code=187907, reason="cursor_expired", times=2)
    nodes = [studio.workspace.upload(f"beach-{number}.jpg", photo(seed=number)) for number in range(3)]
    for node in nodes:
        studio.wait_until_done(node, 90)
    assert len(studio.runs()) == 3

    def listed() -> bool:
        return studio.intake_metric("fastio_intake_answers_total", source="relist") >= 1

    kubectl.wait_for("the workspace is listed, for something may have been missed", listed, 60, 1)
    assert len(studio.runs()) == 3


def test_a_key_that_may_not_read_the_change_feed_searches_events(make_studio: Callable[..., Studio]) -> None:
    studio = make_studio(delivery="Pull")
    studio.fault_of_feed(status=403, code=135626, times=None)
    studio.ready()
    assert studio.feed()["following"]["by"] == "search", studio.feed()
    nodes = [studio.workspace.upload(f"beach-{number}.jpg", photo(seed=number)) for number in range(3)]
    for node in nodes:
        studio.wait_until_done(node, 90)
    assert len(studio.runs()) == 3


def test_backfill_processes_what_was_there_before(make_studio: Callable[..., Studio]) -> None:
    studio = make_studio(delivery="Pull")
    old = [studio.workspace.upload(f"old-{number}.jpg", photo(seed=number)) for number in range(5)]
    other = studio.workspace.upload("notes.txt", b"not a picture")
    studio.ready(backfill={"filesPerMinute": 600})
    for node in old:
        studio.wait_until_done(node, 90)
    new = studio.workspace.upload("new.jpg", photo(seed=9))
    studio.wait_until_done(new)
    assert temporal.describe(studio.run_id(other)) is None
    assert len(studio.runs()) == 6


def test_a_second_backfill_finds_the_results_of_the_first(make_studio: Callable[..., Studio]) -> None:
    studio = make_studio(delivery="Pull")
    node = studio.workspace.upload("old.jpg", photo())
    studio.ready(backfill={"filesPerMinute": 600})
    workflow = studio.wait_until_done(node, 90)
    assert temporal.result(workflow)["outcome"] == "Processed"

    # As after the namespace's retention: Temporal has forgotten the run, and a new pipeline object asks again.
    kubectl.kubectl("delete", "filepipeline", "photos", "--timeout=60s", namespace=studio.namespace, timeout=70)
    temporal.temporal("workflow", "delete", "--workflow-id", workflow)
    kubectl.wait_for("the run is forgotten", lambda: temporal.describe(workflow) is None, 60, 0.5)
    studio.apply_pipeline(backfill={"filesPerMinute": 600})
    kubectl.wait_for("a second run", lambda: temporal.describe(workflow), 90, 0.5)
    studio.wait_until_done(node, 60)
    assert temporal.result(workflow)["outcome"] == "AlreadyProcessed"
    result = studio.workspace.find("/processed/old/old.thumbnail.webp")
    assert result and len(studio.workspace.versions(result["id"])) <= 1
    assert len(studio.workspace.comments(node)) == 1


@pytest.mark.parametrize("delivery", ["Push", "Pull"])
def test_a_file_that_is_moved_into_a_folder_is_processed_there(make_studio: Callable[..., Studio], delivery: str) -> None:
    studio = make_studio(delivery=delivery, subscribed=["upload", "move"])
    studio.ready(match={"events": ["move"], "folders": ["/approved"]})
    node = studio.workspace.upload("beach.jpg", photo())
    approved = studio.workspace.folder("approved")
    studio.workspace.move(node, approved)
    studio.wait_until_done(node)
    assert len(studio.runs()) == 1


@pytest.mark.parametrize("delivery", ["Push", "Pull"])
def test_a_deleted_file_is_taken_from_the_trash(make_studio: Callable[..., Studio], delivery: str) -> None:
    studio = make_studio(delivery=delivery, subscribed=["delete"])
    studio.ready(match={"events": ["delete"], "names": ["*.jpg"]}, comment={})
    node = studio.workspace.upload("beach.jpg", photo())
    studio.workspace.trash(node)
    studio.wait_for_result("/processed/beach/beach.thumbnail.webp", 60)
    assert len(studio.runs()) == 1


@pytest.mark.parametrize("delivery", ["Push", "Pull"])
def test_reading_a_file_is_an_event_but_for_our_own_reading(make_studio: Callable[..., Studio], delivery: str) -> None:
    studio = make_studio(delivery=delivery, subscribed=["access"])
    studio.ready(match={"events": ["access"], "names": ["*.jpg"]})
    node = studio.workspace.upload("beach.jpg", photo())
    studio.workspace.somebody_else().read(node)
    studio.wait_for_result("/processed/beach/beach.thumbnail.webp", 60)

    def seen() -> float:
        source = "push" if delivery == "Push" else "feed"
        return studio.intake_metric("fastio_intake_decisions_total", source=source)

    # The run's own download is an event as well.
    kubectl.wait_for("it is decided", lambda: seen() >= 2, 30)
    time.sleep(2)
    assert len(studio.runs()) == 1


@pytest.mark.parametrize("delivery", ["Push", "Pull"])
def test_an_infected_file_goes_to_no_pipeline(make_studio: Callable[..., Studio], delivery: str) -> None:
    studio = make_studio(delivery=delivery).ready()
    studio.fault("infect_files", name="worm.jpg")
    infected = studio.workspace.upload("worm.jpg", photo(seed=1))
    clean = studio.workspace.upload("beach.jpg", photo(seed=2))
    studio.wait_until_done(clean)
    source = "push" if delivery == "Push" else "feed"

    def refused() -> bool:
        return studio.intake_metric("fastio_intake_decisions_total", source=source, outcome="infected") == 1

    kubectl.wait_for("the infected file is decided", refused, 30)
    assert temporal.describe(studio.run_id(infected)) is None
    assert len(studio.runs()) == 1


def test_folders_sizes_and_types_decide(studio: Studio) -> None:
    match = {"folders": ["/raw/**"], "minSize": "1Ki", "maxSize": "1Mi", "mimeTypes": ["image/*"]}
    studio.ready(match=match)
    raw = studio.workspace.folder("raw")
    elsewhere = studio.workspace.upload("elsewhere.jpg", photo(seed=1))
    small = studio.workspace.upload("small.jpg", b"\xff\xd8\xff", raw)
    text = studio.workspace.upload("text.txt", b"x" * 2048, raw)
    wanted = studio.workspace.upload("wanted.jpg", photo(seed=2), raw)
    studio.wait_until_done(wanted)
    kubectl.wait_for("all are decided", lambda: len([e for e in studio.events() if "COMPLETED" in e["status"]]) >= 5, 30)
    for node in (elsewhere, small, text):
        assert temporal.describe(studio.run_id(node)) is None
