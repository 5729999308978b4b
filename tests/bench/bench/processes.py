"""Processes that are bound to cores, and that end when they are not needed any more, whatever happens to us."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class BenchError(Exception):
    """Something that makes the figures worthless, or keeps them from being measured."""


@dataclass(frozen=True)
class Cores:
    """Which core does what. With two, the load shares one: with the stub engine, which does next to nothing, and at the
    real Temporal, which needs a core of its own, with the server."""

    server: str
    load: str
    load_at_temporal: str
    temporal: str

    @classmethod
    def of(cls, cores: Sequence[int]) -> Cores:
        if len(cores) < 2:
            raise BenchError("two cores are needed: one for what is measured, one for the load")
        first, second, rest = str(cores[0]), str(cores[1]), ",".join(map(str, cores[2:]))
        return cls(first, second, second if rest else first, rest or second)

    @classmethod
    def of_this_machine(cls) -> Cores:
        return cls.of(sorted(os.sched_getaffinity(0)))


def bound(cores: str, *argv: str) -> list[str]:
    """The command, on these cores only, and gone when its parent is. Both programs replace themselves by the next, so
    the process id is the command's."""
    return ["setpriv", "--pdeathsig", "KILL", "taskset", "--cpu-list", cores, *argv]


@contextmanager
def running(
    cores: str, argv: Sequence[str], log: Path, environment: Mapping[str, str], folder: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process for as long as the block lasts. It has nothing to lose, so it is killed at the end."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            bound(cores, *argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            env={"PATH": os.environ["PATH"], **environment},
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(
    what: str, process: subprocess.Popen[bytes], log: Path, probe: Callable[[], bool], seconds: float = 30
) -> None:
    """Waits for `probe`. A process that ends instead shows the end of its log."""
    deadline = time.monotonic() + seconds
    while not probe():
        if process.poll() is not None or time.monotonic() > deadline:
            lines = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise BenchError(f"{what}: not ready. {log} ends with:\n{lines}")
        time.sleep(0.05)


def cpu_seconds(pid: int) -> float:
    """Time in user and kernel that the process and its living descendants have taken so far, with all their threads.

    `/proc/PID/stat` has the same time in steps of 10 ms. This is the process's CPU-time clock, clock_getcpuclockid(3).
    Python has that for threads only; the formula is in the kernel's include/linux/posix-timers_types.h."""
    return time.clock_gettime(~pid << 3 | 2) + sum(map(cpu_seconds, children(pid)))


def children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += map(int, (task / "children").read_text().split())
        except FileNotFoundError:
            # A thread that ends while one looks.
            continue
    return found


@dataclass(frozen=True)
class Memory:
    """Resident memory in bytes: now, and the most it has been."""

    now: int
    peak: int


def memory(pid: int) -> Memory:
    return parse_memory(Path(f"/proc/{pid}/status").read_text())


def parse_memory(status: str) -> Memory:
    """`VmRSS` and `VmHWM` of proc(5), which are in KiB."""
    found = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB$", status, re.MULTILINE))
    return Memory(int(found["VmRSS"]) * 1024, int(found["VmHWM"]) * 1024)
