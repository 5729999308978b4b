"""A simulated Fast.io with nothing in it."""

from __future__ import annotations

import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .processes import free_port, running, wait_until

WORKSPACE = "1234567890123456789"
KEY = "key-of-the-bench"


@dataclass(frozen=True)
class Service:
    """A running one."""

    pid: int
    base_url: str
    key: str = KEY
    workspace: str = WORKSPACE


@contextmanager
def simulated(program: Path, cores: str, scratch: Path) -> Iterator[Service]:
    """The service for as long as the block lasts. Its data are on the disk, and gone afterwards."""
    address = f"127.0.0.1:{free_port()}"
    log = scratch / "simulator.log"

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://{address}/control/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    with tempfile.TemporaryDirectory(dir=scratch) as data:
        argv = [str(program), "--listen", address, "--data", data, "--workspace", f"Bench={WORKSPACE}", "--api-key", KEY]
        with running(cores, argv, log, {"HOME": os.environ.get("HOME", "/")}) as process:
            wait_until("the simulated Fast.io", process, log, answers)
            yield Service(process.pid, f"http://{address}/current")
