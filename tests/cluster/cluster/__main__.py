"""The command line: `python3 -m cluster COMMAND`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from . import daemons, images, prerequisites, status, tools, world
from .box import Box
from .daemons import Daemon
from .expose import expose
from .process import poll
from .progress import ClusterError, say, warn
from .settings import Layout

_SIGNALS = {"TERM": signal.SIGTERM, "KILL": signal.SIGKILL, "STOP": signal.SIGSTOP, "CONT": signal.SIGCONT}


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="cluster", description="A real one-node Kubernetes cluster with Temporal.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("prerequisites", help="check this machine and install missing Debian packages")
    commands.add_parser("tools", help="build the pinned tools, or find them in the cache")
    commands.add_parser("up", help="bring the cluster and Temporal up")
    commands.add_parser("down", help="remove everything except the cache")
    commands.add_parser("status", help="show what runs")

    load = commands.add_parser("images", help="build images and load them into the node")
    load.add_argument(
        "--load", nargs="+", metavar="NAME=BINARY", help="images to make, instead of this repository's release binaries"
    )

    execute = commands.add_parser("exec", help="run a command in the box")
    execute.usage = "cluster exec CMD…"

    start = commands.add_parser("start", help="start a daemon in the box; without CMD: again, as it was")
    start.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    start.add_argument("name")
    start.usage = "cluster start [-h] [--env NAME=VALUE] name [-- CMD…]"
    for command, text in (("stop", "stop a daemon and forget it"), ("pid", "print a daemon's process id")):
        commands.add_parser(command, help=text).add_argument("name")
    kill = commands.add_parser("kill", help="send a daemon a signal")
    kill.add_argument("name")
    kill.add_argument("--signal", choices=sorted(_SIGNALS), default="KILL")

    forward = commands.add_parser("expose", help="make a port of the box reachable on 127.0.0.1")
    forward.add_argument("name")
    forward.add_argument("port", type=int, help="the port in the box")
    forward.add_argument("--host-port", type=int, help="the port wanted on 127.0.0.1 (default: the same)")
    return top


def split_command(words: list[str]) -> tuple[list[str], list[str]]:
    """Our own arguments, and the command line for the box: all behind `exec`, or else behind the first `--`."""
    if words[:1] == ["exec"] and words[1:2] not in (["-h"], ["--help"]):
        return ["exec"], words[2:] if words[1:2] == ["--"] else words[1:]
    if "--" in words:
        at = words.index("--")
        return words[:at], words[at + 1 :]
    return words, []


def _pairs(texts: Sequence[str], what: str) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise ClusterError(f"{text!r}: expected {what}.")
        pairs[name] = value
    return pairs


def _start(layout: Layout, name: str, argv: list[str], env: dict[str, str]) -> None:
    box = Box.require(layout)
    daemon = Daemon(name, argv, env) if argv else daemons.require(layout, name)
    started = daemons.start(box, daemon, world.environment(layout))
    # A wrong argument shows within a moment; waiting for readiness is the caller's.
    if poll(lambda: started.state() == "gone", 0.1, every=0.02):
        if argv:
            daemons.stop(layout, name)  # forgotten: `up` would try it again
        raise ClusterError(f"{name} ended at once. {daemons.tail(layout, name)}")


def _exec(layout: Layout, argv: list[str]) -> None:
    if not argv:
        raise ClusterError("exec needs a command, such as `exec kubectl get pods`.")
    box = Box.require(layout)
    command = [*box.enter(), *argv]
    sys.stdout.flush()
    os.execvpe(command[0], command, world.exec_environment(layout))


def run(arguments: argparse.Namespace, argv: list[str], layout: Layout) -> int:
    command = arguments.command
    if command == "prerequisites":
        prerequisites.ensure()
    elif command == "tools":
        tools.ensure()
        say("\n".join(str(tool.folder()) for tool in tools.ALL))
    elif command == "up":
        prerequisites.ensure()
        tools.ensure()
        world.up(layout)
    elif command == "down":
        world.down(layout)
    elif command == "status":
        return 0 if status.show(layout) else 1
    elif command == "images":
        box = Box.require(layout)
        chosen = _pairs(arguments.load or [], "NAME=BINARY")
        binaries = {name: Path(path) for name, path in chosen.items()} or images.our_images()
        images.load_programs(world.image_store(box), binaries)
    elif command == "exec":
        _exec(layout, argv)
    elif command == "start":
        _start(layout, arguments.name, argv, _pairs(arguments.env, "NAME=VALUE"))
    elif command == "stop":
        daemons.stop(layout, arguments.name)
    elif command == "pid":
        daemon = daemons.require(layout, arguments.name)
        if daemon.process is None or not daemon.process.alive():
            raise ClusterError(f"{daemon.name} is not running.")
        say(str(daemon.process.pid))
    elif command == "kill":
        daemons.send(layout, arguments.name, _SIGNALS[arguments.signal])
    elif command == "expose":
        box = Box.require(layout)
        wanted = arguments.host_port or arguments.port
        say(expose(box, world.environment(layout), arguments.name, arguments.port, wanted))
    return 0


def main() -> int:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    prerequisites.extend_path()
    try:
        own, argv = split_command(sys.argv[1:])
        arguments = parser().parse_args(own)
        return run(arguments, argv, Layout.from_environment())
    except ClusterError as error:
        warn(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        warn("interrupted")
        return 130


if __name__ == "__main__":
    sys.exit(main())
