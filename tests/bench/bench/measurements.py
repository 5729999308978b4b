"""The parts of the bench. Each gives one row for each server and round."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .generator import Engine, Generator, order
from .plan import Plan
from .processes import BenchError, Cores, memory
from .servers import OURS, PATH, SECRET, Running, Server, alive, serving
from .simulated import simulated
from .temporal import check_workflows, temporal

#: Neither our receiver nor the peers are subscribed to this kind of event.
UNSUBSCRIBED = "access"
SUBSCRIBED = "upload"

BARE = "bare Temporal client"

FILE = "one large file"

Row = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """What the parts are measured with."""

    plan: Plan
    cores: Cores
    generator: Generator
    servers: list[Server]
    #: The program of the simulated Fast.io.
    simulator: Path
    scratch: Path

    @property
    def ours(self) -> Server:
        return self.servers[0]

    def verification(self) -> Iterator[Row]:
        """Signed deliveries that start nothing: the price of HTTP, HMAC and JSON."""
        yield from self._at_stub("verification", UNSUBSCRIBED)

    def stub(self) -> Iterator[Row]:
        """Signed deliveries that start a workflow at an engine that answers at once: that price and the client's."""
        yield from self._at_stub("stub", SUBSCRIBED)

    def _at_stub(self, part: str, kind: str) -> Iterator[Row]:
        for turn, server in self._turns():
            with self.generator.engine(self.cores.load) as engine:
                with serving(server, self.cores.server, engine.address, self.scratch, kind) as running:
                    report = self._deliver(
                        running,
                        self.cores.load,
                        kind,
                        in_flight=self.plan.in_flight,
                        warm_up=self.plan.warm_up,
                        seconds=self.plan.seconds,
                        count=10_000_000,
                    )
            check_starts(engine, report["sent_in_all"] if kind == SUBSCRIBED else 0, running.attempts)
            yield row(part, server.name, turn, report)

    def temporal(self) -> Iterator[Row]:
        """The same at a real Temporal."""
        plan = self.plan
        for turn in range(plan.rounds):
            sent = attempts = 0
            with temporal(self.cores.temporal, self.scratch) as address:
                for server in self._in_order(turn):
                    with serving(server, self.cores.server, address, self.scratch, SUBSCRIBED) as running:
                        report = self._deliver(
                            running,
                            self.cores.load_at_temporal,
                            SUBSCRIBED,
                            in_flight=plan.temporal_in_flight,
                            warm_up=plan.temporal_warm_up,
                            count=plan.temporal_starts,
                        )
                    sent += report["sent_in_all"]
                    attempts += running.attempts
                    yield row("temporal", server.name, turn, report)
                check_workflows(address, sent, sent + attempts)

    def accept(self) -> Iterator[Row]:
        """Time from an event to its accepted start, when events come at a fixed rate whatever the answers: ours,
        and Temporal's client alone."""
        plan = self.plan
        for turn in range(plan.rounds):
            with temporal(self.cores.temporal, self.scratch) as address:
                with serving(self.ours, self.cores.server, address, self.scratch, SUBSCRIBED) as running:
                    sent = 0
                    for rate in plan.rates:
                        shape = {
                            "rate": rate,
                            "count": round(rate * plan.rate_seconds),
                            "warm_up": plan.temporal_warm_up,
                        }
                        for subject in order((OURS, BARE), turn):
                            if subject == OURS:
                                report = self._deliver(running, self.cores.load_at_temporal, SUBSCRIBED, **shape)
                            else:
                                report = self.generator.start(
                                    self.cores.load_at_temporal, address, run=uuid.uuid4().hex, **shape
                                )
                            sent += report["sent_in_all"]
                            yield {**row("accept", subject, turn, report), "rate": rate}
                check_workflows(address, sent, sent + running.attempts)

    def transfer(self) -> Iterator[Row]:
        """A large file to Fast.io and back, by the client of the workers, which makes it as it goes; and the memory that
        client and simulated service take for it."""
        for turn in range(self.plan.rounds):
            with simulated(self.simulator, self.cores.server, self.scratch) as service:
                idle = memory(service.pid).now
                report = self.generator.transfer(
                    self.cores.load, service.base_url, service.key, service.workspace, self.plan.large_file
                )
                served = memory(service.pid)
            yield {
                "part": "transfer",
                "subject": FILE,
                "round": turn,
                "client_peak": report["peak"],
                "service_idle": idle,
                "service_peak": served.peak,
                "up": report["bytes"] / report["upload_seconds"],
                "down": report["bytes"] / report["download_seconds"],
            }

    def memory(self) -> Iterator[Row]:
        """Memory after many deliveries that started a workflow, and after a body that is far too large, without a
        signature and then with a forged one. The peers, which take minutes for as many, get fewer of them."""
        plan = self.plan
        for turn, server in self._turns():
            with self.generator.engine(self.cores.load) as engine:
                with serving(server, self.cores.server, engine.address, self.scratch, SUBSCRIBED) as running:
                    found: Row = {"part": "memory", "subject": server.name, "round": turn}
                    found["idle"] = memory(running.pid).now
                    count = plan.deliveries if server is self.ours else plan.peer_deliveries
                    report = self._deliver(running, self.cores.load, SUBSCRIBED, in_flight=plan.in_flight, count=count)
                    after = memory(running.pid)
                    found |= {
                        "deliveries": report["requests"],
                        "after_deliveries": after.now,
                        "peak_deliveries": after.peak,
                    }
                    for kind, forged in (("unsigned", False), ("forged", True)):
                        said = self.generator.oversized(self.cores.load, running.address, PATH, plan.body_bytes, forged)
                        after = memory(running.pid)
                        found |= {
                            f"{kind}_status": said["status"],
                            f"{kind}_sent": said["sent"],
                            f"{kind}_after": after.now,
                            f"{kind}_peak": after.peak,
                        }
                    alive(running)
            check_starts(engine, report["sent_in_all"], running.attempts)
            yield found

    def _turns(self) -> Iterator[tuple[int, Server]]:
        for turn in range(self.plan.rounds):
            for server in self._in_order(turn):
                yield turn, server

    def _in_order(self, turn: int) -> list[Server]:
        by_name = {server.name: server for server in self.servers}
        return [by_name[name] for name in order(list(by_name), turn)]

    def _deliver(self, to: Running, cores: str, kind: str, **shape: Any) -> Row:
        return self.generator.deliver(
            cores, to.address, PATH, SECRET, run=uuid.uuid4().hex, kind=kind, pid=to.pid, **shape
        )


def row(part: str, subject: str, turn: int, report: Row) -> Row:
    return {"part": part, "subject": subject, "round": turn, **report}


def check_starts(engine: Engine, sent: int, attempts: int) -> None:
    """Each accepted delivery has to have reached the engine, and nothing else."""
    if not sent <= engine.starts <= sent + attempts:
        raise BenchError(f"{sent} deliveries and up to {attempts} attempts before led to {engine.starts} starts")
