"""Deliveries as an independent sender signs them."""

from __future__ import annotations

import base64
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from pictures import photo
from world import kubectl, sender, temporal
from world.simulator import control
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


@pytest.mark.parametrize(("scheme", "word"), [("StampedBase64", "stamped-base64"), ("StampedHex", "stamped-hex")])
def test_a_webhook_made_by_hand_signs_in_its_own_way(
    make_studio: Callable[..., Studio], scheme: str, word: str
) -> None:
    secret = "whsec_" + base64.b64encode(os.urandom(24)).decode()
    reference = {"name": "hand-made", "key": "secret"}
    studio = make_studio(signature={"scheme": scheme, "secretRef": reference, "secretEncoding": "Whsec"})
    studio.apply_webhook()

    def missing() -> bool:
        stalled = kubectl.condition(kubectl.get("fastiowebhook", "studio", studio.namespace), "Stalled")
        return stalled.get("reason") == "SecretNotFound" and "hand-made" in str(stalled.get("message"))

    kubectl.wait_for("the missing Secret is named", missing, 30)
    kubectl.kubectl("create", "secret", "generic", "hand-made", f"--from-literal=secret={secret}", namespace=studio.namespace)
    studio.ready()
    status = (kubectl.get("fastiowebhook", "studio", studio.namespace) or {})["status"]
    assert "webhookId" not in status, "nothing is registered"
    # As a person does it in the service's dashboard, with the URL that the status shows.
    endpoint = {"workspace": studio.workspace.id, "url": status["url"], "secret": secret, "secret_encoding": "whsec",
                "scheme": word, "payload": "events", "events": ["upload"]}
    control("POST", "webhooks", endpoint)
    node = studio.workspace.upload("beach.jpg", photo())
    studio.wait_until_done(node)
    assert studio.intake_metric("fastio_intake_answers_total", source="push", answer="started") == 1


def test_a_rolling_update_of_the_receiver_refuses_and_loses_nothing(make_studio: Callable[..., Studio]) -> None:
    studio = make_studio(replicas=2).ready()
    url, secret = studio.receiver()
    node = _uploaded_without_delivery(studio)
    answers: list[sender.Answer] = []
    rolled = threading.Event()

    def deliver() -> None:
        while not rolled.is_set():
            payload = sender.event(studio.workspace.id, node, "beach.jpg", f"rolling-{len(answers)}")
            answers.append(sender.send(url, payload, secret))
            time.sleep(0.05)

    def restart() -> None:
        kubectl.kubectl("rollout", "restart", "deployment/studio-receiver", namespace=studio.namespace)
        kubectl.kubectl("rollout", "status", "deployment/studio-receiver", "--timeout=120s", namespace=studio.namespace,
                        timeout=130)
        # The old pods go on for a while after the new ones are ready.
        time.sleep(8)

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(deliver)
        try:
            restart()
        finally:
            rolled.set()
        sending.result()
    assert len(answers) > 100
    assert [a for a in answers if a.status != 200] == []

    def mine() -> list[str]:
        ids = [str(event["execution"]["workflowId"]) for event in studio.events()]
        return [identity for identity in ids if ":rolling-" in identity]

    kubectl.wait_for("every delivery is a workflow", lambda: len(mine()) == len(answers), 30)
    studio.wait_until_done(node)
    assert len(studio.runs()) == 1
