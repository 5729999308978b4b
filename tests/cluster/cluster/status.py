"""What runs, for a person."""

from __future__ import annotations

from . import daemons, temporal
from .box import Box
from .kube_api import KubeApi
from .progress import say
from .settings import NODE_NAME, Layout


def show(layout: Layout) -> bool:
    """Prints the state of every part; True if all of it is well."""
    box = Box.find(layout)
    if box is None:
        say("The cluster is not running. `make up` starts it.")
        return False
    well = layout.ready_marker.exists()
    say(f"{'process':<24} {'pid':>8}  {'state':<8} note")
    for daemon in daemons.load_all(layout):
        state = daemon.state()
        well = well and state == "running"
        pid = daemon.process.pid if daemon.process and state != "gone" else "-"
        say(f"{daemon.name:<24} {pid:>8}  {state:<8} {daemon.note}".rstrip())
    api = KubeApi(box)
    parts = {
        "API server": api.ready(),
        f"node {NODE_NAME}": api.node_ready(NODE_NAME),
        "Temporal": temporal.ready(box),
    }
    for name, ready in parts.items():
        say(f"{name}: {'ready' if ready else 'NOT READY'}")
    say(f"logs: {layout.logs}")
    return well and all(parts.values())
