"""Processes of this machine by an identity that survives the reuse of process ids."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")


@dataclass(frozen=True)
class Identity:
    """A process: its id and when it began, in clock ticks since boot (proc(5), field 22 of `stat`)."""

    pid: int
    began: int

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """The process that has this id now, if it lives."""
        fields = _stat(pid)
        return cls(pid, int(fields[19])) if fields else None

    @classmethod
    def load(cls, file: Path) -> Identity | None:
        try:
            return cls(**json.loads(file.read_text()))
        except FileNotFoundError:
            return None

    def save(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self)))

    def state(self) -> str | None:
        """One letter of proc(5) such as `S` (sleeps) or `T` (stopped); None once it is gone or a zombie."""
        fields = _stat(self.pid)
        if not fields or int(fields[19]) != self.began or fields[0] in "ZX":
            return None
        return fields[0]

    def alive(self) -> bool:
        return self.state() is not None

    def parent(self) -> int:
        """The id of its parent; 0 once it is gone."""
        fields = _stat(self.pid)
        return int(fields[1]) if fields else 0

    def signal(self, number: signal.Signals) -> bool:
        """Sends a signal; False if the process was gone."""
        if not self.alive():
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True

    def wait_until_gone(self, seconds: float) -> bool:
        return bool(poll(lambda: not self.alive(), seconds, every=0.01))


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the third (state) on."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()


def children(pid: int) -> list[int]:
    """The direct children of a process."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def outer_pid(reaper: int, inner: int) -> int | None:
    """The id on this machine of the child of `reaper` that is `inner` in their PID namespace."""
    for child in children(reaper):
        try:
            status = Path(f"/proc/{child}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for line in status.splitlines():
            if line.startswith("NSpid:") and int(line.split()[-1]) == inner:
                return child
    return None


def poll(probe: Callable[[], Found], seconds: float, every: float = 0.05) -> Found | None:
    """Calls `probe` until it answers something true; None when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > deadline:
            return None
        time.sleep(every)
