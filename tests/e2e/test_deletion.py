"""Deleting a FastioWebhook removes what it made, here and at Fast.io, or says why it cannot yet."""

from __future__ import annotations

from world import kubectl
from world.studio import Studio


def _gone(studio: Studio) -> bool:
    return kubectl.get("fastiowebhook", "studio", studio.namespace) is None


def _children(studio: Studio) -> list[str]:
    text = kubectl.kubectl(
        "get", "deployments,services,secrets,roles,rolebindings,serviceaccounts", "--selector",
        "app.kubernetes.io/managed-by=fastio-operator", "--output", "name", namespace=studio.namespace,
    )
    return text.split()


def test_deletion_removes_the_remote_webhook_and_the_children(studio: Studio) -> None:
    studio.ready()
    assert len(studio.workspace.webhooks()) == 1
    assert _children(studio)

    kubectl.kubectl("delete", "filepipeline", "photos", "--timeout=60s", namespace=studio.namespace, timeout=70)
    kubectl.kubectl("delete", "fastiowebhook", "studio", "--timeout=60s", namespace=studio.namespace, timeout=70)

    assert studio.workspace.webhooks() == []
    kubectl.wait_for("no child is left", lambda: not _children(studio), 60)


def test_deletion_without_the_api_key_is_explained_and_goes_on_with_it(studio: Studio) -> None:
    studio.ready()
    kubectl.kubectl("delete", "secret", "fastio-api", namespace=studio.namespace)
    kubectl.kubectl("delete", "fastiowebhook", "studio", "--wait=false", namespace=studio.namespace)

    def explained() -> str | None:
        thing = kubectl.get("fastiowebhook", "studio", studio.namespace)
        stalled = kubectl.condition(thing, "Stalled")
        return str(stalled["message"]) if stalled.get("status") == "True" else None

    message = kubectl.wait_for("the condition explains", explained, 60)
    assert "fastio-api" in message and "Retain" in message, message
    assert len(studio.workspace.webhooks()) == 1

    studio.set_api_key(studio.workspace.key)
    kubectl.wait_for("the object is gone", lambda: _gone(studio), 60)
    assert studio.workspace.webhooks() == []


def test_retain_lets_go_without_the_api_key(studio: Studio) -> None:
    studio.ready()
    kubectl.kubectl("delete", "secret", "fastio-api", namespace=studio.namespace)
    kubectl.kubectl("patch", "fastiowebhook", "studio", "--type=merge", "--patch",
                    '{"spec":{"deletionPolicy":"Retain"}}', namespace=studio.namespace)
    kubectl.kubectl("delete", "fastiowebhook", "studio", "--timeout=60s", namespace=studio.namespace, timeout=70)
    assert len(studio.workspace.webhooks()) == 1
