"""The pinned programs: Kubernetes, etcd, CoreDNS and Helm in one binary, Temporal in another, built from Go modules."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from .progress import ClusterError, say
from .settings import TOOL_SOURCES, cache_root

KUBERNETES_VERSION = "v1.37.2"
KUBERNETES_BUILD_DATE = "2026-10-27T12:01:04Z"
HELM_VERSION = "v4.3.1"
TEMPORAL_CLI_VERSION = "1.5.1"

_SECONDS_BETWEEN_REPORTS = 30


def _kubernetes_variables() -> dict[str, str]:
    """What `kubectl version` and a chart's `kubeVersion` read."""
    major, minor, _ = KUBERNETES_VERSION.removeprefix("v").split(".")
    values = {
        "gitVersion": KUBERNETES_VERSION,
        "gitMajor": major,
        "gitMinor": minor,
        "gitCommit": "unknown",
        "gitTreeState": "clean",
        "buildDate": KUBERNETES_BUILD_DATE,
    }
    variables = {
        f"{package}.{name}": value
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
        for name, value in values.items()
    }
    variables["helm.sh/helm/v4/internal/version.version"] = HELM_VERSION
    return variables


@dataclass(frozen=True)
class Tool:
    """A Go module under `tools/`, and the names by which its binary is called."""

    name: str
    title: str
    package: str
    variables: dict[str, str]
    programs: tuple[str, ...]
    #: Measured on two cores with an empty build cache.
    minutes: int

    @property
    def source(self) -> Path:
        return TOOL_SOURCES / self.name

    def build_flags(self) -> list[str]:
        """No debug information: a third less to write, and nobody debugs these."""
        linker = ["-s", "-w", *(f"-X {name}={value}" for name, value in self.variables.items())]
        return ["-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false", f"-ldflags={' '.join(linker)}"]

    def fingerprint(self) -> str:
        """Changes with the pinned versions, our own source and the flags."""
        digest = hashlib.sha256(json.dumps([self.package, self.build_flags(), self.programs]).encode())
        for file in sorted(self.source.iterdir()):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
        return digest.hexdigest()[:12]

    def folder(self) -> Path:
        return cache_root() / "tools" / f"{self.name}-{self.fingerprint()}"


KUBE = Tool(
    name="kube",
    title=f"Kubernetes {KUBERNETES_VERSION}, etcd, CoreDNS and Helm {HELM_VERSION}",
    package=".",
    variables=_kubernetes_variables(),
    programs=(
        *("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"),
        *("kubectl", "etcd", "coredns", "helm"),
    ),
    minutes=7,
)

TEMPORAL = Tool(
    name="temporal",
    title=f"Temporal CLI {TEMPORAL_CLI_VERSION} with its server and UI",
    package="github.com/temporalio/cli/cmd/temporal",
    variables={"github.com/temporalio/cli/temporalcli.Version": TEMPORAL_CLI_VERSION},
    programs=("temporal",),
    minutes=3,
)

ALL = (KUBE, TEMPORAL)


def missing() -> list[Tool]:
    return [tool for tool in ALL if not tool.folder().exists()]


def search_path() -> str:
    """PATH in the box: our tools first, then the machine's programs."""
    system = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return ":".join([*(str(tool.folder()) for tool in ALL), system])


def ensure() -> None:
    """Builds what is missing. An interrupted build goes on where it was, thanks to Go's build cache."""
    to_build = missing()
    if not to_build:
        return
    minutes = sum(tool.minutes for tool in to_build)
    say(f"Building the pinned tools from their Go modules, once: about {minutes} minutes on two cores.")
    for tool in to_build:
        _build(tool)
    # Only ever used again when a version changes, and then little of it fits: about six gigabytes.
    shutil.rmtree(_build_cache(), ignore_errors=True)


def _build_cache() -> Path:
    return cache_root() / "go-build"


def _build(tool: Tool) -> None:
    folder = tool.folder()
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    log = folder.with_suffix(".log")
    command = ["go", "build", *tool.build_flags(), "-o", str(partial / tool.name), tool.package]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOCACHE": str(_build_cache()), "GOFLAGS": "-mod=readonly"}
    say(f"  {tool.title}: downloading and building, about {tool.minutes} minutes ({log})")
    began = time.monotonic()
    with log.open("w") as output:
        build = subprocess.Popen(
            command,
            cwd=tool.source,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            _report_while_running(build, tool, began)
        except BaseException:
            os.killpg(build.pid, signal.SIGTERM)
            build.wait()
            raise
    if build.returncode != 0:
        end = "\n".join(log.read_text().splitlines()[-15:])
        raise ClusterError(f"{tool.title} could not be built. {log} ends with:\n{end}")
    for program in tool.programs:
        if program != tool.name:
            (partial / program).symlink_to(tool.name)
    partial.rename(folder)
    log.unlink()
    say(f"  {tool.title}: built in {_minutes(time.monotonic() - began)}")


def _report_while_running(build: subprocess.Popen[bytes], tool: Tool, began: float) -> None:
    while True:
        try:
            build.wait(_SECONDS_BETWEEN_REPORTS)
            return
        except subprocess.TimeoutExpired:
            say(f"  {tool.title}: {_minutes(time.monotonic() - began)} of about {tool.minutes} min")


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60} min {int(seconds) % 60:02} s"
