"""Where everything is: folders, addresses and versions. Nothing here touches the machine."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
TOOL_SOURCES = Path(__file__).resolve().parents[1] / "tools"

NODE_NAME = "node1"
NODE_IP = "10.244.0.1"
POD_CIDR = "10.244.0.0/24"
SERVICE_CIDR = "10.96.0.0/16"
API_SERVICE_IP = "10.96.0.1"
API_PORT = 6443
CLUSTER_DOMAIN = "cluster.local"

TEMPORAL_PORT = 7233
TEMPORAL_HTTP_PORT = 7243
TEMPORAL_UI_PORT = 8233
TEMPORAL_METRICS_PORT = 9233
TEMPORAL_NAMESPACE = "media"

SIMULATOR_PORT = 8080

PAUSE_IMAGE = "localhost/pause:1"

#: Image name and binary of each of our programs.
OUR_PROGRAMS = ("fastio-operator", "fastio-receiver", "fastio-intake", "fastio-worker")

#: What OCI calls this machine's processor.
OCI_ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def cache_root() -> Path:
    """`$FASTIO_CACHE`, or `~/.cache/fastio-operator`. Survives `down`."""
    configured = os.environ.get("FASTIO_CACHE")
    return Path(configured) if configured else Path.home() / ".cache" / "fastio-operator"


def release_binaries() -> Path:
    """The folder of `cargo build --release`."""
    configured = os.environ.get("CARGO_TARGET_DIR")
    target = Path(configured) if configured else cache_root() / "target" / "1.95.0"
    return target / "release"


@dataclass(frozen=True)
class Layout:
    """The box's one folder on disk. `down` removes it whole."""

    state: Path

    @classmethod
    def from_environment(cls) -> Layout:
        """`$FASTIO_BOX`, or `/var/lib/fastio-box`."""
        return cls(Path(os.environ.get("FASTIO_BOX", "/var/lib/fastio-box")))

    @property
    def name(self) -> str:
        """Names what is global on the machine: the cgroup."""
        return self.state.name

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def config(self) -> Path:
        return self.state / "config"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def daemons(self) -> Path:
        return self.state / "daemons"

    @property
    def admin_kubeconfig(self) -> Path:
        return self.config / "admin.kubeconfig"

    @property
    def init_record(self) -> Path:
        return self.state / "init.json"

    @property
    def created_mount_points(self) -> Path:
        """Lists the empty folders that `up` had to make on the machine itself, one a line."""
        return self.state / "created-mount-points"

    @property
    def ready_marker(self) -> Path:
        """Exists once `up` has come to its end."""
        return self.state / "ready"

    def data(self, name: str) -> Path:
        """The folder in which the program `name` keeps its data."""
        return self.state / "data" / name

    def kubeconfig(self, user: str) -> Path:
        return self.config / f"{user}.kubeconfig"
