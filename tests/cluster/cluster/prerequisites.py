"""Looks whether this machine has what is needed, and installs the Debian packages that are missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .progress import ClusterError, say
from .settings import OCI_ARCHITECTURE

GO = "1.26.8"

#: Where programs for root are; a user's PATH may lack them.
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


@dataclass(frozen=True)
class Requirement:
    """A program that a person installs, and the command that does it."""

    program: str
    purpose: str
    install: str


TOOLCHAINS = (
    Requirement("cargo", "Rust", "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y"),
    Requirement(
        "go",
        f"Go {GO} or newer",
        f"curl -fsSL https://go.dev/dl/go{GO}.linux-{OCI_ARCHITECTURE}.tar.gz | tar -C /usr/local -xz"
        " && ln -s /usr/local/go/bin/go /usr/local/bin/go",
    ),
    Requirement("cc", "a C compiler", "apt-get install -y build-essential"),
    Requirement("node", "Node.js", "apt-get install -y nodejs"),
)

#: Files that must exist, and the Debian package that has each.
PACKAGE_OF = {
    "containerd": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "/usr/lib/cni/portmap": "containernetworking-plugins",
    "nft": "nftables",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "mount": "mount",
    "openssl": "openssl",
    "dpkg-deb": "dpkg",
}

#: Kernel modules by a path that exists when they are there; all are built in on many kernels.
MODULES = {
    "br_netfilter": "/proc/sys/net/bridge/bridge-nf-call-iptables",
    "overlay": "/sys/module/overlay",
}


def extend_path() -> None:
    """Lets this process and its children find the programs for root, and cargo where rustup puts it."""
    folders = os.environ.get("PATH", "").split(":")
    wanted = [*SYSTEM_FOLDERS, "/usr/local/go/bin", str(Path.home() / ".cargo" / "bin")]
    os.environ["PATH"] = ":".join(folders + [folder for folder in wanted if folder not in folders])


def exists(program: str) -> bool:
    return os.path.exists(program) if program.startswith("/") else shutil.which(program) is not None


def go_version_problem(answer: str) -> str | None:
    """What is wrong with the answer of `go version`."""
    match = re.search(r"go(\d+)\.(\d+)", answer)
    if match and (int(match[1]), int(match[2])) >= (1, 26):
        return None
    return f"this is {answer.strip() or 'unknown'}"


def problems() -> list[str]:
    """One line for each thing that only a person can put right."""
    found = []
    if os.geteuid() != 0:
        found.append("root: namespaces and mounts need it; run the same command with `sudo -E`")
    if sys.version_info < (3, 11):
        found.append(f"Python 3.11 or newer: this is {sys.version.split()[0]}; install: apt-get install -y python3")
    if not exists("apt-get"):
        found.append("apt-get: this needs Debian 12 or newer, or a release made from it")
    for requirement in TOOLCHAINS:
        problem = None if exists(requirement.program) else f"`{requirement.program}` is missing"
        if problem is None and requirement.program == "go":
            problem = go_version_problem(_output(["go", "version"]))
        if problem:
            found.append(f"{requirement.purpose}: {problem}; install: {requirement.install}")
    return found


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def missing_packages() -> list[str]:
    """The Debian packages to install."""
    return sorted({package for program, package in PACKAGE_OF.items() if not exists(program)})


def ensure() -> None:
    """Returns when the machine has everything, or raises with one line for each thing it lacks."""
    found = problems()
    if found:
        raise ClusterError("Missing on this machine:\n" + "\n".join(f"  {line}" for line in found))
    packages = missing_packages()
    if packages:
        _install(packages)
    for module, path in MODULES.items():
        if not os.path.exists(path) and subprocess.run(["modprobe", module], check=False).returncode != 0:
            raise ClusterError(f"The kernel has no `{module}`; `modprobe {module}` says why.")


def _install(packages: list[str]) -> None:
    say(f"Installing Debian packages: {' '.join(packages)}")
    command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:  # the package lists may be missing or old
        subprocess.run(["apt-get", "update", "--quiet"], capture_output=True, check=False)
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        raise ClusterError(f"`{' '.join(command)}` failed:\n{done.stderr.strip()}")
    still = missing_packages()
    if still:
        raise ClusterError(f"Installed, but their programs were not found: {' '.join(still)}")
