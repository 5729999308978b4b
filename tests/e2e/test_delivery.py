"""Deliveries as an independent sender signs them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from pictures import photo
from world import kubectl, sender, temporal
from world.studio import Studio


def _uploaded_without_delivery(studio: Studio, name: str = "beach.jpg") -> str:
    """A file in the workspace whose delivery by the service itself never comes."""
    studio.fault("drop_deliveries")
    return studio.workspace.upload(name, photo())


def test_a_wrong_signature_is_refused_and_starts_nothing(studio: Studio) -> None:
    studio.ready()
    url, secret = studio.receiver()
    node = _uploaded_without_delivery(studio)
    payload = sender.event(studio.workspace.id, node, "beach.jpg", "evt-forged")

    for signature in (sender.sign(b"another body", secret), sender.sign(b"", "another-secret-of-some-length"),
                      "sha256=", "sha256=" + "0" * 64, "md5=00", "sha256=" + "0" * 63, "é"):
        answer = sender.send(url, payload, secret, signature.encode("latin-1").decode("latin-1"))
        assert answer.status == 401, (signature, answer)
    assert temporal.describe(f"fastio:event:{studio.namespace}/studio:evt-forged") is None
    assert studio.runs() == []


def test_one_delivery_sent_twenty_times_is_one_run(studio: Studio) -> None:
    studio.ready()
    url, secret = studio.receiver()
    node = _uploaded_without_delivery(studio)
    payload = sender.event(studio.workspace.id, node, "beach.jpg", "evt-many")

    with ThreadPoolExecutor(10) as pool:
        first = list(pool.map(lambda _: sender.send(url, payload, secret), range(10)))
    assert [a.status for a in first] == [200] * 10, first
    workflow = studio.wait_until_done(node)

    again = [sender.send(url, payload, secret) for _ in range(10)]
    assert [a.status for a in again] == [200] * 10, again
    time.sleep(2)
    mine = [e for e in studio.events() if e["execution"]["workflowId"].endswith(":evt-many")]
    assert len(mine) == 1
    assert [r["execution"]["workflowId"] for r in studio.runs()] == [workflow]
    assert len(studio.workspace.comments(node)) == 1


def test_two_events_about_one_version_are_one_run(studio: Studio) -> None:
    studio.ready()
    url, secret = studio.receiver()
    node = _uploaded_without_delivery(studio)
    for event_id in ("evt-a", "evt-b"):
        payload = sender.event(studio.workspace.id, node, "beach.jpg", event_id)
        assert sender.send(url, payload, secret).status == 200
    studio.wait_until_done(node)

    def decision(event_id: str) -> dict[str, object] | None:
        workflow = f"fastio:event:{studio.namespace}/studio:{event_id}"
        status = str((temporal.describe(workflow) or {}).get("workflowExecutionInfo", {}).get("status"))
        return temporal.result(workflow) if status.endswith("COMPLETED") else None

    answers = sorted(
        kubectl.wait_for(f"{e} is decided", lambda e=e: decision(e), 30)["pipelines"][0]["answer"]
        for e in ("evt-a", "evt-b")
    )
    assert answers == ["duplicate", "started"]


def test_signed_events_that_mean_nothing_are_acknowledged(studio: Studio) -> None:
    studio.ready()
    url, secret = studio.receiver()
    payload = sender.event(studio.workspace.id, "2abc", "x.jpg", "evt-x", "workspace.member_added")
    assert sender.send(url, payload, secret).status == 200
    assert temporal.describe(f"fastio:event:{studio.namespace}/studio:evt-x") is None
