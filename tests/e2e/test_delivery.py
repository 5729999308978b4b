"""Deliveries as an independent sender signs them."""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

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


def test_a_signed_delivery_that_is_no_event_is_kept_where_it_can_be_read(studio: Studio) -> None:
    studio.ready()
    url, secret = studio.receiver()
    payload = {"eventType": "upload", "workspaceId": studio.workspace.id, "note": "there is no file in this"}
    for _ in range(2):
        answer = sender.send(url, payload, secret)
        assert answer.status == 200, answer

    def kept() -> list[dict[str, Any]]:
        return [w for w in temporal.started(f"fastio:unusable:{studio.namespace}/studio:") if "FAILED" in w["status"]]

    kubectl.wait_for("it is kept", lambda: len(kept()) == 1, 30)
    workflow = kept()[0]["execution"]["workflowId"]
    assert json.loads(temporal.input(workflow)["body"]["text"]) == payload
    assert studio.events() == []


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
    assert studio.answered("push", "started") == 1


def test_a_signing_secret_is_rotated_and_no_delivery_refused(make_studio: Callable[..., Studio]) -> None:
    old, new = "the-signing-secret-of-yesterday", "the-signing-secret-of-today"
    reference = {"name": "hand-made", "key": "secret"}
    studio = make_studio(signature={"secretRef": reference, "previousSecretKey": "previous"})
    kubectl.put_secret(studio.namespace, "hand-made", secret=old)
    studio.ready()
    url = studio.receiver_url()
    node = _uploaded_without_delivery(studio)
    numbers = iter(range(1000))

    def status(secret: str) -> int:
        payload = sender.event(studio.workspace.id, node, "beach.jpg", f"probe-{next(numbers)}")
        return sender.send(url, payload, secret).status

    assert (status(old), status(new)) == (200, 401)

    def rotate() -> None:
        kubectl.put_secret(studio.namespace, "hand-made", secret=new, previous=old)
        kubectl.wait_for("the new secret is taken", lambda: status(new) == 200, 150, 2)

    # The sender signs with the old one until it is told.
    answers = _deliver_during(rotate, studio, url, node, old, "rotating")
    assert [a for a in answers if a.status != 200] == []
    kubectl.put_secret(studio.namespace, "hand-made", secret=new)
    answers = _deliver_during(
        lambda: kubectl.wait_for("the old secret is dropped", lambda: status(old) == 401, 150, 2),
        studio, url, node, new, "rotated",
    )
    assert [a for a in answers if a.status != 200] == []


def _deliver_during(
    action: Callable[[], object], studio: Studio, url: str, node: str, secret: str, name: str
) -> list[sender.Answer]:
    """The answers to deliveries that are sent one after another for as long as something takes."""
    answers: list[sender.Answer] = []
    over = threading.Event()

    def deliver() -> None:
        while not over.is_set():
            payload = sender.event(studio.workspace.id, node, "beach.jpg", f"{name}-{len(answers)}")
            answers.append(sender.send(url, payload, secret))
            time.sleep(0.05)

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(deliver)
        try:
            action()
        finally:
            over.set()
        sending.result()
    return answers


def test_a_rolling_update_of_the_receiver_refuses_and_loses_nothing(make_studio: Callable[..., Studio]) -> None:
    studio = make_studio(replicas=2).ready()
    url, secret = studio.receiver()
    node = _uploaded_without_delivery(studio)

    def restart() -> None:
        kubectl.kubectl("rollout", "restart", "deployment/studio-receiver", namespace=studio.namespace)
        kubectl.kubectl("rollout", "status", "deployment/studio-receiver", "--timeout=120s", namespace=studio.namespace,
                        timeout=130)
        # The old pods go on for a while after the new ones are ready.
        time.sleep(8)

    answers = _deliver_during(restart, studio, url, node, secret, "rolling")
    assert len(answers) > 100
    assert [a for a in answers if a.status != 200] == []

    def mine() -> list[str]:
        ids = [str(event["execution"]["workflowId"]) for event in studio.events()]
        return [identity for identity in ids if ":rolling-" in identity]

    kubectl.wait_for("every delivery is a workflow", lambda: len(mine()) == len(answers), 30)
    studio.wait_until_done(node)
    assert len(studio.runs()) == 1
