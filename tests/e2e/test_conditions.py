"""What a person reads when something is missing, and that it heals by itself once it is there."""

from __future__ import annotations

from world import kubectl
from world.simulator import control
from world.studio import Studio


def _stalled(studio: Studio) -> dict[str, object] | None:
    found = kubectl.condition(kubectl.get("fastiowebhook", "studio", studio.namespace), "Stalled")
    return found if found.get("status") == "True" else None


def test_a_missing_api_key_stalls_and_heals(studio: Studio) -> None:
    kubectl.kubectl("delete", "secret", "fastio-api", namespace=studio.namespace)
    studio.apply_webhook()
    stalled = kubectl.wait_for("Stalled", lambda: _stalled(studio), 30)
    assert stalled["reason"] == "SecretNotFound" and "fastio-api" in str(stalled["message"]), stalled

    studio.set_api_key(studio.workspace.key)
    kubectl.wait_ready("fastiowebhook", "studio", studio.namespace)
    assert kubectl.condition(kubectl.get("fastiowebhook", "studio", studio.namespace), "Stalled") == {}


def test_a_rejected_api_key_stalls_and_heals(studio: Studio) -> None:
    studio.set_api_key("not-a-key-that-the-service-knows")
    studio.apply_webhook()
    stalled = kubectl.wait_for("Stalled", lambda: _stalled(studio), 30)
    assert stalled["reason"] == "ApiKeyRejected", stalled
    assert "not-a-key" not in str(kubectl.get("fastiowebhook", "studio", studio.namespace))

    studio.set_api_key(studio.workspace.key)
    kubectl.wait_ready("fastiowebhook", "studio", studio.namespace)


def test_the_order_of_the_manifests_does_not_matter(studio: Studio) -> None:
    studio.apply_pipeline()

    def waits() -> bool:
        ready = kubectl.condition(kubectl.get("filepipeline", "photos", studio.namespace), "Ready")
        return ready.get("reason") == "WebhookNotFound"

    kubectl.wait_for("the pipeline waits for its webhook", waits, 30)
    studio.apply_webhook()
    kubectl.wait_ready("filepipeline", "photos", studio.namespace)


def test_a_webhook_is_registered_once_and_repaired_when_it_is_gone(studio: Studio) -> None:
    studio.ready()
    (registered,) = studio.workspace.webhooks()
    workspace = studio.workspace
    workspace.api("DELETE", f"/workspaces/{workspace.id}/webhooks/{registered['id']}/")

    def registered_again() -> bool:
        found = workspace.webhooks()
        status = (kubectl.get("fastiowebhook", "studio", studio.namespace) or {})["status"]
        return len(found) == 1 and status.get("webhookId") == found[0]["id"]

    kubectl.wait_for("the webhook is registered again", registered_again, 150, 1)
    calls = control("GET", f"calls?workspace={workspace.id}")["calls"]
    created = [c for c in calls if "webhooks" in c["operation"] and "create" in c["operation"]]
    assert [c["count"] for c in created] == [2], calls
