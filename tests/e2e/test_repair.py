"""What is deleted comes back, and nothing in flight is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from pictures import large_photo, photo
from world import kubectl, temporal
from world.command import node_process
from world.studio import Studio

CHILDREN = (
    ("deployment", "studio-receiver"),
    ("deployment", "studio-intake"),
    ("deployment", "photos-worker"),
    ("service", "studio-receiver"),
    ("secret", "studio-signing-secret"),
    ("secret", "studio-plan-key"),
    ("serviceaccount", "studio-receiver"),
    ("serviceaccount", "studio-intake"),
    ("role", "studio-intake"),
    ("rolebinding", "studio-intake"),
)


def _downloading(workflow: str) -> bool:
    pending = (temporal.describe(workflow) or {}).get("pendingActivities", [])
    return any(p["activityType"]["name"] == "DownloadSource" and p["state"].endswith("STARTED") for p in pending)


def test_every_deleted_child_comes_back(studio: Studio) -> None:
    studio.ready()
    secrets = {n: (kubectl.get("secret", n, studio.namespace) or {})["data"] for k, n in CHILDREN if k == "secret"}
    uids = {child: (kubectl.get(*child, studio.namespace) or {})["metadata"]["uid"] for child in CHILDREN}
    studio.fault("bandwidth", bytes_per_second=1_000_000)
    in_flight = studio.workspace.upload("slow.jpg", large_photo())
    kubectl.wait_for("the download runs", lambda: _downloading(studio.run_id(in_flight)), 30)
    studio.no_faults()

    for kind, name in CHILDREN:
        kubectl.kubectl("delete", kind, name, "--wait=false", namespace=studio.namespace)

    def is_back(child: tuple[str, str]) -> bool:
        found = kubectl.get(*child, studio.namespace)
        return found is not None and found["metadata"]["uid"] != uids[child]

    for child in CHILDREN:
        kubectl.wait_for(f"{child[0]}/{child[1]} is back", lambda child=child: is_back(child), 60)
    for name, data in secrets.items():
        assert (kubectl.get("secret", name, studio.namespace) or {})["data"] == data, f"{name} has another value"
    kubectl.wait_ready("fastiowebhook", "studio", studio.namespace)
    kubectl.wait_ready("filepipeline", "photos", studio.namespace)

    studio.wait_until_done(in_flight, 120)
    after = studio.workspace.upload("after.jpg", photo(seed=9))
    studio.wait_until_done(after, 90)
    assert len(studio.workspace.webhooks()) == 1


def test_a_deleted_pod_of_each_deployment_costs_no_file(make_studio: Callable[..., Studio]) -> None:
    studio = make_studio(replicas=2).ready()
    nodes = []
    for number, component in enumerate(("receiver", "intake", "worker")):
        nodes.append(studio.workspace.upload(f"before-{component}.jpg", photo(seed=number)))
        pods = kubectl.items("pods", studio.namespace, f"app.kubernetes.io/component={component}")
        assert pods, component
        kubectl.kubectl("delete", "pod", pods[0]["metadata"]["name"], "--wait=false", namespace=studio.namespace)
        nodes.append(studio.workspace.upload(f"during-{component}.jpg", photo(seed=10 + number)))
    for node in nodes:
        studio.wait_until_done(node, 120)
    kubectl.wait_ready("filepipeline", "photos", studio.namespace)
    assert len(studio.runs()) == len(nodes)


def test_a_worker_killed_while_bytes_are_in_flight_finishes_the_run_once(studio: Studio) -> None:
    studio.ready()
    studio.fault("bandwidth", bytes_per_second=1_500_000)
    node = studio.workspace.upload("large.jpg", large_photo(seed=3))
    workflow = studio.run_id(node)
    kubectl.wait_for("the download runs", lambda: _downloading(workflow), 30)

    pod = kubectl.items("pods", studio.namespace, "app.kubernetes.io/component=worker")[0]["metadata"]["name"]
    _kill_container(studio.namespace, pod, "transfer")

    studio.no_faults()
    studio.wait_until_done(node, 120)
    assert temporal.highest_attempt(workflow, "DownloadSource") >= 2
    results = studio.workspace.children(studio.workspace.find("/processed/large")["id"])  # type: ignore[index]
    assert [r["name"] for r in results] == ["large.thumbnail.webp"]
    assert len(studio.workspace.versions(results[0]["id"])) == 1, "the result was uploaded once"
    assert len(studio.workspace.comments(node)) == 1
    after = kubectl.get("pod", pod, studio.namespace)
    counts = {c["name"]: c["restartCount"] for c in (after or {})["status"]["containerStatuses"]}
    assert counts["transfer"] == 1, counts


def _kill_container(namespace: str, pod: str, container: str) -> None:
    """kill -9 of a container's process, from the node, as the kernel would do it."""
    statuses = (kubectl.get("pod", pod, namespace) or {})["status"]["containerStatuses"]
    identity = next(s["containerID"] for s in statuses if s["name"] == container).removeprefix("containerd://")
    os.kill(node_process(identity), signal.SIGKILL)
