"""Temporal's development server, in memory, for as long as a round lasts."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster import tools

from .processes import BenchError, free_port, running, wait_until


def program() -> Path:
    return tools.TEMPORAL.folder() / "temporal"


@contextmanager
def temporal(cores: str, scratch: Path) -> Iterator[str]:
    """The address of a server of its own, empty."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    log = scratch / "temporal.log"
    argv = [
        str(program()),
        "server",
        "start-dev",
        "--headless",
        f"--port={port}",
        f"--http-port={free_port()}",
        f"--metrics-port={free_port()}",
        "--log-level=error",
    ]
    with running(cores, argv, log, {"HOME": str(scratch)}) as process:
        wait_until("Temporal", process, log, lambda: _healthy(address))
        yield address


def _healthy(address: str) -> bool:
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), 1).close()
    except OSError:
        return False
    return _cli(address, "operator", "namespace", "describe", "default").returncode == 0


def _cli(address: str, *argv: str) -> subprocess.CompletedProcess[str]:
    command = [str(program()), *argv, "--address", address, "--command-timeout", "5s"]
    return subprocess.run(command, capture_output=True, text=True, timeout=20)


def workflows(address: str) -> int:
    """How many workflows Temporal has."""
    done = _cli(address, "workflow", "count")
    found = re.search(r"Total:\s*(\d+)", done.stdout)
    if not found:
        raise BenchError(f"temporal workflow count: {done.stdout}{done.stderr}")
    return int(found[1])


def check_workflows(address: str, least: int, most: int) -> None:
    """An answer of 200 without a workflow would be a lie; its visibility store may need a moment."""
    deadline = time.monotonic() + 10
    while not least <= (found := workflows(address)) <= most:
        if time.monotonic() > deadline:
            raise BenchError(f"between {least} and {most} workflows were accepted, Temporal has {found}")
        time.sleep(0.2)
