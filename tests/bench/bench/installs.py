"""What is measured with, in folders of the cache that are named by what was asked for."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from cluster.settings import cache_root, release_binaries
from world.command import REPOSITORY
from world.programs import PROGRAMS, fingerprint

BENCH = REPOSITORY / "tests" / "bench"
PEERS = BENCH / "peers"


def node() -> Path:
    """The Node peers with their packages."""
    names = ("package.json", "package-lock.json", "endpoint.js", "express.js", "fastify.js")
    return _installed("node", [PEERS / "node" / name for name in names], _npm)


def python() -> Path:
    """The Python that has the packages of the FastAPI peer."""
    return _installed("python", [PEERS / "python" / "requirements.txt"], _pip) / "bin" / "python"


def plots() -> Path:
    """The Python that has matplotlib."""
    return _installed("plots", [BENCH / "requirements.txt"], _pip) / "bin" / "python"


def generator() -> Path:
    """The program `fastio-bench`."""
    manifests = [BENCH / "Cargo.toml", *(REPOSITORY / name for name in ("Cargo.lock", "rust-toolchain.toml"))]
    sources = sorted((BENCH / "src").glob("*.rs"))
    # It has the client of the API in it, which is a part of the programs.
    return _installed("generator", [*manifests, *sources], _cargo, also=fingerprint()) / "fastio-bench"


def _installed(kind: str, files: Sequence[Path], install: Callable[[Path], None], also: str = "") -> Path:
    digest = hashlib.sha256(also.encode())
    for file in files:
        digest.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    folder = cache_root() / "bench" / f"{kind}-{digest.hexdigest()[:12]}"
    if folder.exists():
        return folder
    print(f"• preparing the bench: {kind}", flush=True)
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for file in files:
        shutil.copy2(file, partial)
    install(partial)
    for old in folder.parent.glob(f"{kind}-*"):
        if old != partial:
            shutil.rmtree(old)
    partial.rename(folder)
    return folder


def _npm(folder: Path) -> None:
    # Fastify's test client asks for a newer Node than Fastify itself; nothing of it runs here.
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    subprocess.run(["npm", "ci", *quiet], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def _pip(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    requirements = str(folder / "requirements.txt")
    subprocess.run([*pip, "--require-hashes", "--no-deps", "--requirement", requirements], check=True)


def _cargo(folder: Path) -> None:
    # Named together with the others, because Cargo then takes the libraries that they are built of; alone it would
    # build Temporal's client again, with other features.
    packages = [f"--package={program}" for program in (*PROGRAMS, "fastio-bench")]
    subprocess.run(["cargo", "build", "--release", "--locked", *packages], check=True, cwd=REPOSITORY)
    shutil.copy2(release_binaries() / "fastio-bench", folder)
