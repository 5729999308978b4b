"""Temporal's development server as a process of the box."""

from __future__ import annotations

from . import netns
from .box import Box
from .daemons import Daemon
from .settings import (
    NODE_IP,
    TEMPORAL_HTTP_PORT,
    TEMPORAL_METRICS_PORT,
    TEMPORAL_NAMESPACE,
    TEMPORAL_PORT,
    TEMPORAL_UI_PORT,
    Layout,
)


def server(layout: Layout) -> Daemon:
    """Its data is in a file, so that it can be killed and started again."""
    return Daemon(
        "temporal",
        [
            "temporal",
            "server",
            "start-dev",
            # Not the node's address: Temporal's services listen on this one, but call each other on loopback.
            "--ip=0.0.0.0",
            f"--port={TEMPORAL_PORT}",
            f"--http-port={TEMPORAL_HTTP_PORT}",
            f"--ui-ip={NODE_IP}",
            f"--ui-port={TEMPORAL_UI_PORT}",
            f"--metrics-port={TEMPORAL_METRICS_PORT}",
            f"--db-filename={layout.data('temporal') / 'temporal.db'}",
            "--sqlite-pragma=journal_mode=wal",
            "--sqlite-pragma=synchronous=normal",
            f"--namespace={TEMPORAL_NAMESPACE}",
            "--log-level=warn",
        ],
    )


def ready(box: Box) -> bool:
    """Whether the server answers for our namespace."""
    path = f"/api/v1/namespaces/{TEMPORAL_NAMESPACE}"
    return netns.http_status(box, NODE_IP, TEMPORAL_HTTP_PORT, path) == 200
