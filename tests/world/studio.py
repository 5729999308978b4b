"""A namespace with everything in it that a user would put there: API key, FastioWebhook, FilePipeline."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any

from . import kubectl, simulator, temporal
from .simulator import Workspace

PIPELINE = """\
apiVersion: pipelines.fast.io/v1alpha1
kind: FilePipeline
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  webhookRef: {{name: studio}}
  match: {{names: {names}}}
  steps:
    - name: thumbnail
      image: {{resize: {{width: 320, height: 320}}}}
  output: {{folder: "{folder}"}}
  comment: {{success: "Ready in {{output.folder}}: {{results}}", failure: "Failed: {{error}}"}}
  workers: {{scratch: {{size: 1Gi}}}}
"""

WEBHOOK = """\
apiVersion: pipelines.fast.io/v1alpha1
kind: FastioWebhook
metadata: {{name: studio, namespace: {namespace}}}
spec:
  workspaceId: "{workspace}"
  apiKeySecretRef: {{name: fastio-api}}
  events: [upload, modify, move]
  endpoint: {{url: "http://studio-receiver.{namespace}.svc:8080"}}
  receiver: {{replicas: {replicas}}}
"""

@dataclass
class Studio:
    """One namespace and one workspace, for one test."""

    namespace: str
    workspace: Workspace
    replicas: int = 1

    @classmethod
    def create(cls, namespace: str, replicas: int = 1) -> Studio:
        studio = cls(namespace, Workspace.create(namespace), replicas)
        kubectl.create_namespace(namespace)
        studio.set_api_key(studio.workspace.key)
        return studio

    def set_api_key(self, key: str) -> None:
        kubectl.put_api_key(self.namespace, key)

    def apply_webhook(self) -> None:
        kubectl.apply(
            WEBHOOK.format(namespace=self.namespace, workspace=self.workspace.id, replicas=self.replicas)
        )

    def apply_pipeline(self, name: str = "photos", names: str = '["*.jpg"]', folder: str = "/processed/{stem}") -> None:
        manifest = PIPELINE.format(name=name, namespace=self.namespace, names=names, folder=folder)
        kubectl.apply(manifest)

    def ready(self) -> Studio:
        """With webhook and pipeline applied and Ready."""
        self.apply_webhook()
        self.apply_pipeline()
        kubectl.wait_ready("fastiowebhook", "studio", self.namespace)
        kubectl.wait_ready("filepipeline", "photos", self.namespace)
        return self

    def receiver(self) -> tuple[str, str]:
        """URL by which the receiver is reached from the node, and the signing secret."""
        service = kubectl.get("service", "studio-receiver", self.namespace) or {}
        webhook = kubectl.get("fastiowebhook", "studio", self.namespace) or {}
        path = "/" + webhook["status"]["url"].split("/", 3)[3]
        address = (service["spec"]["clusterIP"], 8080)
        # kube-proxy writes its rules at most once a second: so long a Service may lead nowhere after its pod is ready.
        kubectl.wait_for("the Service leads to the receiver", lambda: _connects(address), 2, 0.05)
        return f"http://{address[0]}:{address[1]}{path}", self.signing_secret()

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
