"""The command line: `python3 -m bench`, with tests/, tests/cluster/ and tests/bench/ on PYTHONPATH."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from cluster.progress import ClusterError
from world import programs
from world.command import REPOSITORY

from . import installs, machine, plan, servers
from .figures import Figures, cpu_microseconds, goals, milliseconds, per_second
from .generator import Generator
from .measurements import BARE, Bench, Row
from .processes import BenchError, Cores
from .report import insert, measured, number
from .servers import OURS

PARTS = ("verification", "stub", "temporal", "accept", "memory", "transfer")

#: A machine that has something else to do gives figures of that.
BUSY = 0.5


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="bench", description="Measures the receiver and its peers, writes docs/benchmarks.md."
    )
    top.add_argument(
        "--quick", action="store_true", help="a minute that shows that it works; writes into --output alone"
    )
    top.add_argument(
        "--output", type=Path, help="folder for the results (default: docs; with --quick a new one in /tmp)"
    )
    top.add_argument("--receiver", type=Path, help="measure this binary (default: built from the sources)")
    top.add_argument("--generator", type=Path, help="put load on with this binary (default: built from the sources)")
    top.add_argument("--render", type=Path, metavar="ROWS.json", help="measure nothing, write these rows once more")
    top.add_argument("--part", action="append", choices=PARTS, help="only this part, printed and written nowhere")
    return top


def stop(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def say(row: Row) -> None:
    """One line for each measurement."""
    where = f"round {row['round'] + 1}  {row['part']:<12} {row['subject']:<21}"
    if row["part"] == "memory":
        mib = [
            f"{name} {row[name] / 1048576:.1f}" for name in ("idle", "after_deliveries", "unsigned_peak", "forged_peak")
        ]
        print(f"  {where} MiB: {', '.join(mib)}", flush=True)
        return
    if row["part"] == "transfer":
        peaks = f"peak {row['client_peak'] / 1048576:.1f} MiB, of the service {row['service_peak'] / 1048576:.1f} MiB"
        print(f"  {where} {peaks}, up {row['up'] / 1e6:.0f} MB/s, down {row['down'] / 1e6:.0f} MB/s", flush=True)
        return
    cpu = f"{number(cpu_microseconds(row))} µs CPU, " if row["cpu_seconds"] is not None else ""
    rate = f"at {row['rate']}/s, " if "rate" in row else ""
    p50, p99 = (number(milliseconds(percentile)(row)) for percentile in ("p50", "p99"))
    print(f"  {where} {rate}{cpu}{number(per_second(row))}/s, p50 {p50} ms, p99 {p99} ms", flush=True)


def rows(bench: Bench, parts: tuple[str, ...]) -> Iterator[Row]:
    for part in parts:
        yield from getattr(bench, part)()


def measure(arguments: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Everything that was found, and with what it was found."""
    chosen = plan.QUICK if arguments.quick else plan.FULL
    subprocess.run([sys.executable, "-B", "-m", "cluster", "tools"], check=True, stdout=subprocess.DEVNULL)
    parts = tuple(arguments.part or PARTS)
    if arguments.receiver is None or "transfer" in parts:
        programs.build()
    receiver: Path = arguments.receiver or programs.folder() / OURS
    program: Path = arguments.generator or installs.generator()
    compared = servers.all_servers(receiver.resolve())
    installs.plots()
    made: dict[str, Any] = {
        "date": machine.date(),
        "machine": machine.machine(),
        "versions": machine.versions(receiver),
        "plan": asdict(chosen),
    }
    if float(made["machine"]["load_before"]) > BUSY:
        print(
            f"warning: the machine is busy (load {made['machine']['load_before']}): the figures will be worth little",
            flush=True,
        )
    simulator = programs.folder() / "fastio-simulator"
    bench = Bench(chosen, Cores.of_this_machine(), Generator(program), compared, simulator, scratch)
    found: list[Row] = []
    for row in rows(bench, parts):
        found.append(row)
        say(row)
    return {"made": made, "rows": found}


def write(arguments: argparse.Namespace, results: dict[str, Any]) -> int:
    """Writes rows, plots and tables; 1 if a goal is missed."""
    output = arguments.output or (
        Path(tempfile.mkdtemp(prefix="fastio-bench-")) if arguments.quick else REPOSITORY / "docs"
    )
    folder = output / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    raw = folder / "rows.json"
    lines = ",\n".join(json.dumps(row) for row in results["rows"])
    raw.write_text(f'{{"made": {json.dumps(results["made"])},\n"rows": [\n{lines}\n]}}\n')
    subprocess.run([str(installs.plots()), "-B", "-m", "bench.plots", str(raw), str(folder)], check=True)
    figures = Figures(results["rows"])
    achieved = goals(figures, OURS, "Express", BARE)
    document = (REPOSITORY / "docs" / "benchmarks.md").read_text()
    (output / "benchmarks.md").write_text(insert(document, measured(results["made"], figures, achieved, OURS)))
    print(f"\n{output / 'benchmarks.md'}")
    for goal in achieved:
        print(
            f"  {'met   ' if goal.met else 'MISSED'} {goal.promise}: {goal.found:.3g} {goal.unit}, "
            f"limit {goal.limit:.3g}"
        )
    return 0 if arguments.quick or all(goal.met for goal in achieved) else 1


def main() -> int:
    arguments = parser().parse_args()
    signal.signal(signal.SIGTERM, stop)
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="fastio-bench-") as scratch:
            render: Path | None = arguments.render
            results = json.loads(render.read_text()) if render else measure(arguments, Path(scratch))
            code = 0 if arguments.part else write(arguments, results)
    except (BenchError, ClusterError, OSError, subprocess.SubprocessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    print(f"bench: exit {code} after {time.monotonic() - began:.0f} s", flush=True)
    return code


if __name__ == "__main__":
    os.chdir(REPOSITORY)
    sys.exit(main())
