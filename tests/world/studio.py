"""A namespace with everything in it that a user would put there: API key, FastioWebhook, FilePipeline."""

from __future__ import annotations

import json
import socket
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from . import kubectl, simulator, temporal
from .simulator import Workspace


@dataclass
class Studio:
    """One namespace and one workspace, for one test."""

    namespace: str
    workspace: Workspace
    replicas: int = 1
    #: `spec.delivery`. Most tests are about deliveries, and no feed may interfere.
    delivery: str = "Push"
    subscribed: list[str] = field(default_factory=lambda: ["upload", "modify", "move"])
    #: `spec.receiver.signature`, where it is not the default.
    signature: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def create(cls, namespace: str, **settings: Any) -> Studio:
        studio = cls(namespace, Workspace.create(namespace), **settings)
        kubectl.create_namespace(namespace)
        studio.set_api_key(studio.workspace.key)
        return studio

    def set_api_key(self, key: str) -> None:
        kubectl.put_secret(self.namespace, "fastio-api", apiKey=key)

    def webhook(self) -> dict[str, Any]:
        """The FastioWebhook as a person would write it."""
        spec: dict[str, Any] = {
            "workspaceId": self.workspace.id,
            "apiKeySecretRef": {"name": "fastio-api"},
            "events": self.subscribed,
            "delivery": self.delivery,
            "receiver": {"replicas": self.replicas},
        }
        if self.delivery != "Pull":
            spec["endpoint"] = {"url": f"http://studio-receiver.{self.namespace}.svc:8080"}
        if self.signature:
            spec["receiver"]["signature"] = self.signature
        metadata = {"name": "studio", "namespace": self.namespace}
        return {"apiVersion": "pipelines.fast.io/v1alpha1", "kind": "FastioWebhook", "metadata": metadata, "spec": spec}

    def apply_webhook(self) -> None:
        kubectl.apply(json.dumps(self.webhook()))

    def pipeline(self, name: str = "photos", folder: str = "/processed/{stem}", **spec: Any) -> dict[str, Any]:
        """A FilePipeline that makes thumbnails of photos; `spec` replaces or adds fields."""
        thumbnail = {"name": "thumbnail", "image": {"resize": {"width": 320, "height": 320}}}
        comment = {"success": "Ready in {output.folder}: {results}", "failure": "Failed: {error}"}
        full = {
            "webhookRef": {"name": "studio"},
            "match": {"names": ["*.jpg"]},
            "steps": [thumbnail],
            "output": {"folder": folder},
            "comment": comment,
            "workers": {"scratch": {"size": "1Gi"}},
            **spec,
        }
        metadata = {"name": name, "namespace": self.namespace}
        return {"apiVersion": "pipelines.fast.io/v1alpha1", "kind": "FilePipeline", "metadata": metadata, "spec": full}

    def apply_pipeline(self, name: str = "photos", folder: str = "/processed/{stem}", **spec: Any) -> None:
        kubectl.apply(json.dumps(self.pipeline(name, folder, **spec)))

    def ready(self, **pipeline: Any) -> Studio:
        """With webhook and pipeline applied and Ready."""
        self.apply_webhook()
        self.apply_pipeline(**pipeline)
        kubectl.wait_ready("fastiowebhook", "studio", self.namespace)
        kubectl.wait_ready("filepipeline", "photos", self.namespace)
        return self

    def receiver(self) -> tuple[str, str]:
        """URL by which the receiver is reached from the node, and the signing secret."""
        return self.receiver_url(), self.signing_secret()

    def receiver_url(self) -> str:
        """URL by which the receiver is reached from the node."""
        service = kubectl.get("service", "studio-receiver", self.namespace) or {}
        webhook = kubectl.get("fastiowebhook", "studio", self.namespace) or {}
        path = "/" + webhook["status"]["url"].split("/", 3)[3]
        address = (service["spec"]["clusterIP"], 8080)
        # kube-proxy writes its rules at most once a second: so long a Service may lead nowhere after its pod is ready.
        kubectl.wait_for("the Service leads to the receiver", lambda: _connects(address), 2, 0.05)
        return f"http://{address[0]}:{address[1]}{path}"

    def signing_secret(self) -> str:
        encoded = kubectl.kubectl(
            "get", "secret", "studio-signing-secret", "--output", "go-template={{.data.current | base64decode}}",
            namespace=self.namespace,
        )
        return encoded.strip()

    def runs(self, pipeline: str = "photos") -> list[dict[str, Any]]:
        return temporal.started(f"fastio:run:{self.namespace}/{pipeline}:")

    def events(self) -> list[dict[str, Any]]:
        return temporal.started(f"fastio:event:{self.namespace}/studio:")

    def intake_metric(self, name: str, **labels: str) -> float:
        """Sum of a metric over the intake's pods, for the series that have these labels."""
        total = 0.0
        for pod in kubectl.items("pods", self.namespace, "app.kubernetes.io/component=intake"):
            with urllib.request.urlopen(f"http://{pod['status']['podIP']}:9090/metrics", timeout=5) as answer:
                for line in answer.read().decode().splitlines():
                    series, _, value = line.rpartition(" ")
                    wanted = all(f'{label}="{text}"' in series for label, text in labels.items())
                    if series.split("{")[0] == name and wanted:
                        total += float(value)
        return total

    def answered(self, source: str, answer: str) -> float:
        """How many answers of pipelines there were to what came in one way."""
        return self.intake_metric("fastio_intake_answers_total", source=source, answer=answer)

    def deliveries(self) -> list[dict[str, Any]]:
        """The service's log of deliveries to this workspace's webhooks."""
        found = simulator.control("GET", f"deliveries?workspace={self.workspace.id}&limit=10000")
        deliveries: list[dict[str, Any]] = found["deliveries"]
        return deliveries

    def feed(self) -> dict[str, Any]:
        """What the feed says about itself."""
        return temporal.query(f"fastio:feed:{self.namespace}/studio", "status")

    def run_id(self, node: str, pipeline: str = "photos") -> str:
        """Workflow id of the run for a file as it is now."""
        version = self.workspace.details(node)["version"]
        return f"fastio:run:{self.namespace}/{pipeline}:{node}:{version}"

    def wait_for_result(self, path: str, seconds: float = 60) -> dict[str, Any]:
        return kubectl.wait_for(f"{path} in {self.namespace}", lambda: self.workspace.find(path), seconds, 0.1)

    def wait_until_done(self, node: str, seconds: float = 60, pipeline: str = "photos") -> str:
        """Waits until the run for a file has completed, and returns its workflow id."""
        workflow = self.run_id(node, pipeline)

        def done() -> bool:
            found = temporal.describe(workflow)
            status = (found or {}).get("workflowExecutionInfo", {}).get("status", "")
            assert status not in ("WORKFLOW_EXECUTION_STATUS_FAILED", "WORKFLOW_EXECUTION_STATUS_TERMINATED"), found
            return status == "WORKFLOW_EXECUTION_STATUS_COMPLETED"

        kubectl.wait_for(f"{workflow} has completed", done, seconds, 0.2)
        return workflow

    def deployment(self, name: str) -> dict[str, Any]:
        return kubectl.get("deployment", name, self.namespace) or {}

    def fault(self, kind: str, **settings: Any) -> None:
        """Makes the simulated service misbehave for this workspace."""
        simulator.control("POST", "faults", {"kind": kind, "workspace": self.workspace.id, **settings})

    def fault_of_feed(self, **settings: Any) -> None:
        """Makes the change feed of the workspace's organisation refuse calls."""
        fault = {"kind": "fail", "operation": "events.changes", "workspace": self.workspace.org, **settings}
        simulator.control("POST", "faults", fault)

    def no_faults(self) -> None:
        simulator.control("DELETE", f"faults?workspace={self.workspace.id}")

    def delete(self) -> None:
        """Removes the pipelines and the webhook as a person would, then the namespace."""
        kubectl.kubectl("delete", "filepipelines,fastiowebhooks", "--all", "--timeout=60s", namespace=self.namespace,
                        timeout=70)
        kubectl.kubectl("delete", "namespace", self.namespace, "--wait=false")


def _connects(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True
