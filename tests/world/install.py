"""From nothing to an installed chart: cluster, images, simulator, Helm. Every part is skipped when it is there already."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster import base_image, daemons, images, world as cluster_world
from cluster.box import Box
from cluster.settings import NODE_IP, SIMULATOR_PORT, Layout

from . import programs
from .command import box, run_in_network
from .kubectl import apply, create_namespace
from .programs import PARTS

#: Where pods find the simulator.
SIMULATOR_BASE_URL = "http://fastio-simulator.fastio-simulator.svc:8080/current"

SIMULATOR_SERVICE = f"""\
apiVersion: v1
kind: Namespace
metadata: {{name: fastio-simulator}}
---
apiVersion: v1
kind: Service
metadata: {{name: fastio-simulator, namespace: fastio-simulator}}
spec:
  ports: [{{name: http, port: {SIMULATOR_PORT}}}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: fastio-simulator
  namespace: fastio-simulator
  labels: {{kubernetes.io/service-name: fastio-simulator}}
addressType: IPv4
endpoints: [{{addresses: ["{NODE_IP}"]}}]
ports: [{{name: http, port: {SIMULATOR_PORT}}}]
"""

@contextmanager
def step(text: str) -> Iterator[None]:
    """Says what is being done, and how long it took."""
    print(f"• {text} … ", end="", flush=True)
    began = time.monotonic()
    try:
        yield
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{time.monotonic() - began:.1f} s", flush=True)


def tag(binary: Path) -> str:
    """An image tag that changes with the program, so that a new program rolls out."""
    with binary.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def load_images(folder: Path) -> dict[str, str]:
    """Loads one image for each part into the node and returns their tags."""
    tags = {part: tag(folder / f"fastio-{part}") for part in PARTS}
    layout = Layout.from_environment()
    programs = {f"localhost/fastio-{part}:{tags[part]}": folder / f"fastio-{part}" for part in PARTS}
    images.load_programs(cluster_world.image_store(Box.require(layout)), programs)
    return tags


def start_simulator(folder: Path) -> None:
    """Starts the simulator, or starts it again when its program has changed. Its data stay."""
    apply(SIMULATOR_SERVICE)
    layout = Layout.from_environment()
    binary = folder / "fastio-simulator"
    build = tag(binary)
    running = daemons.load(layout, "simulator")
    if running is not None and running.state() == "running" and running.env.get("BUILD") == build:
        return
    if running is not None:
        box("stop", "simulator")
    data = layout.data("simulator")
    data.mkdir(parents=True, exist_ok=True)
    listen = f"0.0.0.0:{SIMULATOR_PORT}"
    box(
        "start", "--env", f"BUILD={build}", "simulator", "--",
        str(binary), "--listen", listen, "--data", str(data), "--webhooks", "guide",
    )


def install_chart(tags: dict[str, str]) -> None:
    """`helm upgrade --install … --wait`, into a namespace that enforces PodSecurity `restricted`."""
    create_namespace("fastio-system")
    settings = {
        "fastio.baseUrl": SIMULATOR_BASE_URL,
        "temporal.address": "temporal-frontend.temporal:7233",
        "temporal.namespace": "media",
        **{f"images.{part}.tag": tags[part] for part in PARTS},
        "image.registry": "localhost",
    }
    argv = [word for name, value in settings.items() for word in ("--set-string", f"{name}={value}")]
    run_in_network(
        "helm", "upgrade", "--install", "fastio", "charts/fastio-operator", "--namespace", "fastio-system", "--wait",
        "--timeout", "120s", *argv, timeout=150,
    )


def prepare() -> None:
    """What needs the machine's own network: tools, programs and packages are fetched here."""
    subprocess.run([sys.executable, "-B", "-m", "cluster", "up"], check=True)
    programs.build()
    base_image.build()


def install() -> None:
    """What needs the box's network: images, simulator, chart."""
    folder = programs.folder()
    with step("loading the images into the node"):
        tags = load_images(folder)
    with step("starting the simulated Fast.io"):
        start_simulator(folder)
    with step("helm upgrade --install fastio charts/fastio-operator --wait"):
        install_chart(tags)
