"""The release binaries, built once for the same sources: a fresh clone of a commit that was built here builds nothing."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from cluster.settings import cache_root, release_binaries

from .command import REPOSITORY

PARTS = ("operator", "receiver", "intake", "worker")
PROGRAMS = tuple(f"fastio-{name}" for name in (*PARTS, "simulator"))

#: What the programs are made of.
SOURCES = (
    "Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "crds", "pipeline", "fastio", "temporal", "service", "operator",
    "receiver", "intake", "worker", "tests/simulator",
)

#: Builds that are kept.
KEPT = 3


def fingerprint() -> str:
    """Changes with every file that the programs are made of."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *SOURCES],
        check=True, capture_output=True, cwd=REPOSITORY,
    ).stdout
    digest = hashlib.sha256()
    for name in sorted(name for name in listed.split(b"\0") if name):
        file = REPOSITORY / os.fsdecode(name)
        if file.is_file():
            digest.update(name + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def folder() -> Path:
    """Where the programs of these sources are, once they are built."""
    return cache_root() / "programs" / fingerprint()


def build() -> None:
    """Builds the programs of these sources, unless that was done before."""
    wanted = folder()
    if wanted.exists():
        print("• release binaries: built before from the same sources", flush=True)
        wanted.touch()
        return
    print("• building the release binaries (about ten minutes the first time)", flush=True)
    packages = [f"--package={program}" for program in PROGRAMS]
    subprocess.run(["cargo", "build", "--release", "--locked", *packages], check=True, cwd=REPOSITORY)
    partial = wanted.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for program in PROGRAMS:
        shutil.copy2(release_binaries() / program, partial / program)
    partial.rename(wanted)
    for old in sorted(wanted.parent.iterdir(), key=lambda entry: entry.stat().st_mtime, reverse=True)[KEPT:]:
        shutil.rmtree(old)
