"""Named processes that go on in the box after the command that started them: the cluster's own, and any other."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from .box import Box
from .process import Identity, outer_pid, poll
from .progress import ClusterError
from .settings import Layout

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?")

#: Told to a shell that then becomes the program: the id by which the box knows it.
_LAUNCH = 'echo $$ >"$0" && exec "$@"'


@dataclass(frozen=True)
class Daemon:
    """What to run, and once it runs, which process it is."""

    name: str
    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)
    #: False for one that shares the machine's network instead of the box's.
    box_network: bool = True
    process: Identity | None = None
    #: Free text for `status`, such as the address at which a person reaches it.
    note: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ClusterError(f"{self.name!r} is no name of a daemon: use lower case letters, digits and dashes.")

    def state(self) -> str:
        """`running`, `stopped` (by SIGSTOP) or `gone`."""
        letter = self.process.state() if self.process else None
        if letter is None:
            return "gone"
        return "stopped" if letter in "Tt" else "running"


def record_file(layout: Layout, name: str) -> Path:
    return layout.daemons / f"{name}.json"


def log_file(layout: Layout, name: str) -> Path:
    return layout.logs / f"{name}.log"


def load(layout: Layout, name: str) -> Daemon | None:
    try:
        record = json.loads(record_file(layout, name).read_text())
    except FileNotFoundError:
        return None
    process = record.pop("process")
    return Daemon(**record, process=Identity(**process) if process else None)


def require(layout: Layout, name: str) -> Daemon:
    daemon = load(layout, name)
    if daemon is None:
        known = ", ".join(sorted(file.stem for file in layout.daemons.glob("*.json"))) or "none"
        raise ClusterError(f"There is no daemon {name!r}. Known: {known}.")
    return daemon


def load_all(layout: Layout) -> list[Daemon]:
    """All that were started, in the order of their names."""
    names = sorted(file.stem for file in layout.daemons.glob("*.json"))
    return [daemon for daemon in (load(layout, name) for name in names) if daemon]


def start(box: Box, daemon: Daemon, environment: dict[str, str]) -> Daemon:
    """Starts it and returns once the program has been reached, not once it is ready. `environment` is the box's."""
    layout = box.layout
    running = load(layout, daemon.name)
    if running and running.process and running.process.alive():
        raise ClusterError(f"{daemon.name} runs already, as process {running.process.pid}.")
    pid_file = layout.daemons / f"{daemon.name}.inner-pid"
    pid_file.unlink(missing_ok=True)
    # `setsid --fork` leaves the program to the box's process 1; otherwise nsenter would stay as its parent.
    launcher = ["setsid", "--fork", "sh", "-c", _LAUNCH, str(pid_file)]
    with log_file(layout, daemon.name).open("ab") as log:
        launched = subprocess.run(
            [*box.enter(network=daemon.box_network), *launcher, *daemon.argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**environment, **daemon.env},
            start_new_session=True,
            check=False,
        )
    if launched.returncode != 0:
        raise ClusterError(f"{daemon.name} could not be started. {tail(layout, daemon.name)}")
    process = poll(lambda: _launched(box, pid_file), 5, every=0.005)
    if process is None:
        raise ClusterError(f"{daemon.name} ended at once. {tail(layout, daemon.name)}")
    pid_file.unlink()
    started = replace(daemon, process=process)
    _save(layout, started)
    return started


def _launched(box: Box, pid_file: Path) -> Identity | None:
    try:
        inner = int(pid_file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    pid = outer_pid(box.init.pid, inner)
    return Identity.of(pid) if pid else None


def _save(layout: Layout, daemon: Daemon) -> None:
    file = record_file(layout, daemon.name)
    partial = file.with_suffix(".partial")
    partial.touch(mode=0o600)  # the environment may hold secrets
    partial.write_text(json.dumps(asdict(daemon), indent=1))
    partial.replace(file)


def stop(layout: Layout, name: str, grace: float = 10.0) -> None:
    """SIGTERM, SIGKILL after `grace` seconds, and its record is forgotten."""
    process = require(layout, name).process
    if process:
        process.signal(signal.SIGTERM)
        process.signal(signal.SIGCONT)
        if not process.wait_until_gone(grace):
            process.signal(signal.SIGKILL)
            process.wait_until_gone(grace)
    record_file(layout, name).unlink(missing_ok=True)


def send(layout: Layout, name: str, number: signal.Signals) -> None:
    """Sends a signal and waits for what it does to every process: killed or stopped when this returns.

    The record stays, so `start NAME` starts a killed one again.
    """
    process = require(layout, name).process
    if process is None or not process.signal(number):
        raise ClusterError(f"{name} is not running.")
    if number == signal.SIGSTOP:
        poll(lambda: process.state() in ("T", None), 10, every=0.002)
    if number == signal.SIGKILL and not process.wait_until_gone(10):
        raise ClusterError(f"{name}, process {process.pid}, does not end although it was killed.")


def tail(layout: Layout, name: str, lines: int = 5) -> str:
    """The end of its log, for an error message."""
    file = log_file(layout, name)
    text = file.read_text(errors="replace").splitlines()[-lines:] if file.exists() else []
    return f"{file} ends with:\n" + "\n".join(text)
