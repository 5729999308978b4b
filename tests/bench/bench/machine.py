"""On what, and with which versions: figures without these are hearsay."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import time
from pathlib import Path

from cluster.tools import TEMPORAL_CLI_VERSION
from world.command import REPOSITORY

from .installs import PEERS


def machine() -> dict[str, str]:
    memory = re.search(r"MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return {
        "processor": model[1] if model else platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{int(memory[1]) / 1024 / 1024:.0f} GiB" if memory else "unknown",
        "kernel": platform.release(),
        "load_before": f"{os.getloadavg()[0]:.2f}",
    }


def versions(receiver: Path) -> dict[str, str]:
    node = json.loads((PEERS / "node" / "package.json").read_text())["dependencies"]
    python = dict(
        re.findall(r"^([\w-]+)(?:\[\w+\])?==(\S+)", (PEERS / "python" / "requirements.in").read_text(), re.MULTILINE)
    )
    return {
        "fastio-receiver": f"{_said(str(receiver), '--version').split()[-1]}, commit {_commit()}",
        "Node": _said("node", "--version").lstrip("v"),
        "Express": node["express"],
        "Fastify": node["fastify"],
        "@temporalio/client": node["@temporalio/client"],
        "Python": platform.python_version(),
        "FastAPI": python["fastapi"],
        "uvicorn": f"{python['uvicorn']} with uvloop and httptools",
        "temporalio": python["temporalio"],
        "Temporal CLI": TEMPORAL_CLI_VERSION,
    }


def date() -> str:
    return time.strftime("%Y-%m-%d")


def _commit() -> str:
    commit = _said("git", "rev-parse", "--short=10", "HEAD")
    changed = _said(
        "git",
        "status",
        "--porcelain",
        "--untracked-files=no",
        "--",
        "receiver",
        "fastio",
        "pipeline",
        "temporal",
        "service",
    )
    return f"{commit} with changes" if changed else commit


def _said(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True, cwd=REPOSITORY).stdout.strip()
