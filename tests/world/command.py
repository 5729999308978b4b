"""Running programs: the pinned tools first on PATH, the cluster's administrator as Kubernetes user."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from cluster import world as cluster_world
from cluster.box import Box
from cluster.settings import Layout

REPOSITORY = Path(__file__).resolve().parents[2]

#: Set in a process that is in the box's network already.
_INSIDE = "FASTIO_WORLD_INSIDE"


class CommandFailed(Exception):
    """A program that ended with an error. Its text is what the program said."""

    def __init__(self, argv: Sequence[str], code: int, output: str) -> None:
        super().__init__(f"{' '.join(argv)}: exit {code}\n{output}")
        self.output = output


def environment() -> dict[str, str]:
    """Variables for the pinned tools."""
    return cluster_world.exec_environment(Layout.from_environment())


def run(*argv: str, stdin: str | None = None, timeout: float = 60) -> str:
    """Runs a program and returns what it printed on standard output."""
    done = subprocess.run(
        argv, input=stdin, capture_output=True, text=True, timeout=timeout, env=environment(), cwd=REPOSITORY
    )
    if done.returncode != 0:
        raise CommandFailed(argv, done.returncode, (done.stdout + done.stderr).strip())
    return done.stdout


def box(*argv: str, timeout: float = 60) -> str:
    """Runs a command of the cluster, such as `box("kill", "temporal", "--signal", "STOP")`."""
    folder = REPOSITORY / "tests" / "cluster"
    done = subprocess.run(
        [sys.executable, "-B", "-m", "cluster", *argv],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )
    if done.returncode != 0:
        raise CommandFailed(["cluster", *argv], done.returncode, (done.stdout + done.stderr).strip())
    return done.stdout


def node_process(container: str) -> int:
    """Process id, as the machine sees it, of a container of the node."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if container in (folder / "cgroup").read_text():
                    return int(folder.name)
            except OSError:
                continue
    raise LookupError(f"no process of container {container}")


def in_network() -> bool:
    """Whether this program runs in the box's network."""
    return _INSIDE in os.environ


def run_in_network(*argv: str, stdin: str | None = None, timeout: float = 60) -> str:
    """`run`, for programs that talk to the cluster. Outside of the box's network its addresses are somebody else's."""
    if not in_network():
        raise RuntimeError(f"{argv[0]} must be run in the box's network")
    return run(*argv, stdin=stdin, timeout=timeout)


def enter_network() -> None:
    """Starts this program again in the box's network, where pods and Services are reached as from the node."""
    if in_network():
        return
    network = f"/proc/{Box.require(Layout.from_environment()).init.pid}/ns/net"
    argv = ["nsenter", f"--net={network}", "--", sys.executable, "-B", "-m", "world", *sys.argv[1:]]
    sys.stdout.flush()
    os.execvpe(argv[0], argv, {**os.environ, _INSIDE: "1"})
