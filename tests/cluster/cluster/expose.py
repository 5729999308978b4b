"""Makes a port of the box reachable from the machine, for a browser or a test."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from . import daemons, netns
from .box import Box
from .daemons import Daemon
from .process import poll
from .progress import ClusterError
from .settings import NODE_IP


def expose(box: Box, environment: dict[str, str], name: str, port: int, wanted: int) -> str:
    """Forwards 127.0.0.1:`wanted`, or the next free port, to `port` in the box. Returns the URL.

    Asked again under the same name, it returns the same URL.
    """
    daemon_name = f"expose-{name}"
    running = daemons.load(box.layout, daemon_name)
    if running and running.state() == "running":
        return running.note
    machine = box.machine_network()
    chosen = netns.within(machine, lambda: free_port(wanted))
    url = f"http://127.0.0.1:{chosen}"
    program = [sys.executable, "-B", "-m", "cluster.forward", str(chosen), NODE_IP, str(port)]
    package = {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    daemons.start(box, Daemon(daemon_name, program, package, box_network=False, note=url), environment)
    if not poll(lambda: netns.within(machine, lambda: _listens(chosen)), 5):
        raise ClusterError(f"{daemon_name} does not listen. {daemons.tail(box.layout, daemon_name)}")
    return url


def free_port(wanted: int) -> int:
    """`wanted` if nobody has it, else the first free one after it."""
    for port in range(wanted, wanted + 50):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise ClusterError(f"No port from {wanted} to {wanted + 49} is free on 127.0.0.1.")


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
