"""Services for processes of the box: the way a Temporal outside of a cluster gets a name in it."""

from __future__ import annotations

from typing import Any

from .settings import NODE_IP, TEMPORAL_PORT, TEMPORAL_UI_PORT


def manifests() -> list[dict[str, Any]]:
    """`temporal-frontend.temporal.svc:7233`, and the UI beside it."""
    return service_of_the_node("temporal", "temporal-frontend", {"grpc": TEMPORAL_PORT, "ui": TEMPORAL_UI_PORT})


def service_of_the_node(namespace: str, name: str, ports: dict[str, int]) -> list[dict[str, Any]]:
    """A Service without selector, whose only endpoint is the node: the name of a process of the box."""
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"ports": [{"name": each, "port": port} for each, port in ports.items()]},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": {
                    "kubernetes.io/service-name": name,
                    "endpointslice.kubernetes.io/managed-by": "fastio-box",
                },
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": [NODE_IP], "conditions": {"ready": True}}],
            "ports": [{"name": each, "port": port, "protocol": "TCP"} for each, port in ports.items()],
        },
    ]
