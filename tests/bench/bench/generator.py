"""`fastio-bench`, which puts the load on: see `src/`."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .processes import BenchError, bound, cpu_seconds, free_port

Report = dict[str, Any]

#: Longest time of one run of it.
LONGEST = 300


@dataclass(frozen=True)
class Generator:
    """The program, bound to its cores."""

    program: Path

    def deliver(self, cores: str, to: str, path: str, secret: str, pid: int, **shape: Any) -> Report:
        """Sends deliveries to the server with this process id. Every one has to be answered 200."""
        argv = ["deliver", "--to", to, "--path", path, "--secret", secret]
        return self._load(cores, argv, lambda: cpu_seconds(pid), **shape)

    def start(self, cores: str, temporal: str, **shape: Any) -> Report:
        """Starts workflows with the bare client. Every one has to be new."""
        return self._load(cores, ["start", "--temporal", temporal], lambda: None, **shape)

    def oversized(self, cores: str, to: str, path: str, size: int, forged: bool) -> Report:
        """Sends a body that is far too large, without a signature or with a forged one."""
        kind = ["--forged"] if forged else []
        argv = ["oversized", "--to", to, "--path", path, "--bytes", str(size), *kind]
        done = subprocess.run(
            bound(cores, str(self.program), *argv), stdout=subprocess.PIPE, timeout=LONGEST, start_new_session=True
        )
        return _report(argv[0], done.returncode, done.stdout)

    def transfer(self, cores: str, base_url: str, key: str, workspace: str, size: int) -> Report:
        """Sends a large file to a Fast.io and reads it again."""
        argv = ["transfer", "--base-url", base_url, "--workspace", workspace, "--bytes", str(size)]
        done = subprocess.run(
            bound(cores, str(self.program), *argv),
            stdout=subprocess.PIPE,
            timeout=LONGEST,
            start_new_session=True,
            env={**os.environ, "FASTIO_API_KEY": key},
        )
        return _report(argv[0], done.returncode, done.stdout)

    def _load(self, cores: str, argv: Sequence[str], cpu: Callable[[], float | None], **shape: Any) -> Report:
        flags = [word for name, value in shape.items() for word in (f"--{name.replace('_', '-')}", str(value))]
        process = subprocess.Popen(
            bound(cores, str(self.program), *argv, "--hold", *flags),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        limit = threading.Timer(LONGEST, process.kill)
        limit.start()
        try:
            assert process.stdin and process.stdout
            # Before its first and after its last request: the server has nothing to do, so every request counts whole.
            process.stdout.readline()
            before = cpu()
            output, _ = process.communicate(b"go\n")
            after = cpu()
        finally:
            limit.cancel()
            process.kill()
            process.wait()
        report = _report(argv[0], process.returncode, output)
        report["cpu_seconds"] = None if before is None or after is None else after - before
        check_answers(report)
        return report

    @contextmanager
    def engine(self, cores: str) -> Iterator[Engine]:
        """The stub engine for as long as the block lasts. Its counts are known after it."""
        address = f"127.0.0.1:{free_port()}"
        process = subprocess.Popen(
            bound(cores, str(self.program), "engine", "--listen", address),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )
        engine = Engine(address)
        try:
            yield engine
            counts, _ = process.communicate(timeout=10)
            engine.starts = json.loads(counts)["starts"]
        finally:
            process.kill()
            process.wait()


@dataclass
class Engine:
    """The stub engine."""

    address: str
    #: Workflows that it was asked to start, once it has ended.
    starts: int = field(default=0)


def _report(command: str, code: int, output: bytes) -> Report:
    if code != 0:
        raise BenchError(f"fastio-bench {command}: exit {code}")
    report: Report = json.loads(output)
    return report


def check_answers(report: Report) -> None:
    """A server that refuses is quick: figures count only if every delivery was taken."""
    answers, requests = report["answers"], report["requests"]
    if requests == 0 or answers != {"200": requests}:
        raise BenchError(
            f"{requests} requests, answered {answers}: not every one was taken, the figures are worth nothing"
        )


def order(subjects: Sequence[str], turn: int) -> list[str]:
    """The subjects, beginning with another one in each round: nobody is always the first after a pause."""
    shift = turn % len(subjects)
    return [*subjects[shift:], *subjects[:shift]]
