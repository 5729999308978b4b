"""What is compared: our receiver, and the guide's handler on the three frameworks that a user would take."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from world import sender

from . import installs
from .installs import PEERS
from .processes import BenchError, free_port, running, wait_until

PATH = "/webhooks/fastio"
SECRET = "a signing secret that is long enough to be one"
OURS = "fastio-receiver"


@dataclass(frozen=True)
class Server:
    """How to start a server for deliveries."""

    name: str
    #: Command and environment, given the port, the engine's address and a folder for files.
    command: Callable[[int, str, Path], tuple[list[str], dict[str, str]]]
    folder: Path | None = None


@dataclass(frozen=True)
class Running:
    """A server that takes deliveries."""

    name: str
    pid: int
    address: str
    #: Starts that the attempts to reach it have led to, at most.
    attempts: int


def _ours(program: Path) -> Server:
    def command(port: int, engine: str, scratch: Path) -> tuple[list[str], dict[str, str]]:
        secrets = scratch / "secret"
        secrets.mkdir(exist_ok=True)
        (secrets / "current").write_text(SECRET)
        return [
            str(program),
            "--webhook=media/studio",
            f"--path={PATH}",
            "--events=upload,modify",
            f"--signing-secret-dir={secrets}",
            f"--listen=127.0.0.1:{port}",
            f"--admin-listen=127.0.0.1:{free_port()}",
            f"--temporal-address={engine}",
        ], {}

    return Server(OURS, command)


def _environment(port: int, engine: str) -> dict[str, str]:
    return {"HOST": "127.0.0.1", "PORT": str(port), "SECRET": SECRET, "TEMPORAL_ADDRESS": engine}


def _node(name: str, modules: Path) -> Server:
    def command(port: int, engine: str, scratch: Path) -> tuple[list[str], dict[str, str]]:
        return ["node", f"{name.lower()}.js"], {**_environment(port, engine), "NODE_ENV": "production"}

    return Server(name, command, modules)


def _fastapi(python: Path) -> Server:
    def command(port: int, engine: str, scratch: Path) -> tuple[list[str], dict[str, str]]:
        argv = [str(python), "-B", "-m", "uvicorn", "peer:app", "--host=127.0.0.1", f"--port={port}"]
        # A line for each request would cost it more than the request; Express and Fastify write none either.
        return [*argv, "--no-access-log", "--log-level=warning"], _environment(port, engine)

    return Server("FastAPI", command, PEERS / "python")


def all_servers(receiver: Path) -> list[Server]:
    """Ours first. Installs the peers, unless that was done before."""
    modules = installs.node()
    return [_ours(receiver), _node("Express", modules), _node("Fastify", modules), _fastapi(installs.python())]


@contextmanager
def serving(server: Server, cores: str, engine: str, scratch: Path, kind: str) -> Iterator[Running]:
    """A server for as long as the block lasts, once it answers 200 to an event of this kind."""
    port = free_port()
    argv, environment = server.command(port, engine, scratch)
    log = scratch / f"{server.name}.log"
    attempts = 0

    def answers() -> bool:
        nonlocal attempts
        attempts += 1
        return status(f"127.0.0.1:{port}", kind) == 200

    home = os.environ.get("HOME", "/")
    with running(cores, argv, log, {"HOME": home, **environment}, server.folder) as process:
        wait_until(server.name, process, log, answers)
        yield Running(server.name, process.pid, f"127.0.0.1:{port}", attempts)


def status(address: str, kind: str) -> int | None:
    """What one signed delivery is answered, None without a connection."""
    event = sender.event("1234567890123456789", "2ltsu-q4mja", "report.pdf", f"probe-{uuid.uuid4()}", kind)
    try:
        return sender.send(f"http://{address}{PATH}", event, SECRET).status
    except OSError:
        return None


def alive(server: Running) -> None:
    """A server that does not answer any more has no memory worth comparing."""
    if (answer := status(server.address, "access")) != 200:
        raise BenchError(f"{server.name} answers {answer} after the oversized bodies")
