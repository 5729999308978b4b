"""A few calls to the API server from outside of the box, without the start-up time of kubectl."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any

from . import netns
from .box import Box
from .progress import ClusterError
from .settings import API_PORT, NODE_IP

_COLLECTIONS = {
    "Namespace": "/api/v1/namespaces",
    "Service": "/api/v1/namespaces/{namespace}/services",
    "EndpointSlice": "/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
}


def object_path(manifest: dict[str, Any]) -> str:
    """The path of an object of one of the kinds that the cluster itself creates."""
    metadata = manifest["metadata"]
    collection = _COLLECTIONS[manifest["kind"]].format(namespace=metadata.get("namespace"))
    return f"{collection}/{metadata['name']}"


class _Connection(netns.HTTPConnection):
    def __init__(self, box: Box) -> None:
        super().__init__(box, NODE_IP, API_PORT)
        pki = box.layout.pki
        self._tls = ssl.create_default_context(cafile=pki / "ca.crt")
        self._tls.load_cert_chain(pki / "admin.crt", pki / "admin.key")

    def connect(self) -> None:
        super().connect()
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=NODE_IP)


class KubeApi:
    """The API server as the cluster's administrator."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def get(self, path: str) -> tuple[int, bytes] | None:
        """Status and body; None when the server does not answer."""
        try:
            return self._request("GET", path)
        except (OSError, http.client.HTTPException):
            return None

    def get_object(self, path: str) -> dict[str, Any] | None:
        """An object; None when the server does not answer or has none."""
        answer = self.get(path)
        if answer is None or answer[0] != 200:
            return None
        parsed: dict[str, Any] = json.loads(answer[1])
        return parsed

    def ready(self) -> bool:
        answer = self.get("/readyz")
        return answer is not None and answer[0] == 200

    def node_ready(self, name: str) -> bool:
        node = self.get_object(f"/api/v1/nodes/{name}")
        conditions = node["status"].get("conditions", []) if node else []
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    def apply(self, manifest: dict[str, Any]) -> None:
        """Server-side apply."""
        path = f"{object_path(manifest)}?fieldManager=fastio-box&force=true"
        # JSON is YAML, and the server takes only the YAML media type for this.
        status, body = self._request("PATCH", path, json.dumps(manifest), "application/apply-patch+yaml")
        if status not in (200, 201):
            name = f"{manifest['kind']} {manifest['metadata']['name']}"
            raise ClusterError(f"The API server refused {name}: {status} {body.decode(errors='replace')[:400]}")

    def _request(
        self, method: str, path: str, body: str | None = None, media_type: str = "application/json"
    ) -> tuple[int, bytes]:
        connection = _Connection(self._box)
        try:
            connection.request(method, path, body, {"Content-Type": media_type} if body else {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()
