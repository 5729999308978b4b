"""Brings the whole world up in the order that is quickest, and takes it down so that nothing is left."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from . import box as boxes
from . import certificates, control_plane, daemons, dns, images, netns, node, node_services, temporal, tools
from .box import Box
from .daemons import Daemon
from .kube_api import KubeApi
from .oci import Image
from .process import poll
from .progress import ClusterError, say, step
from .settings import API_SERVICE_IP, NODE_IP, NODE_NAME, TEMPORAL_PORT, Layout, cache_root

#: Bounds that only a broken start reaches.
_PATIENCE = 90.0


def environment(layout: Layout) -> dict[str, str]:
    """What every program in the box finds set. Clients keep their caches in the box's folder, not in the home."""
    variables = {
        "PATH": tools.search_path(),
        "HOME": os.environ.get("HOME", "/root"),
        "LANG": "C.UTF-8",
        "KUBECONFIG": str(layout.admin_kubeconfig),
        "KUBECACHEDIR": str(layout.state / "cache" / "kube"),
        "TEMPORAL_ADDRESS": f"{NODE_IP}:{TEMPORAL_PORT}",
    }
    for kind in ("CACHE", "CONFIG", "DATA"):
        variables[f"HELM_{kind}_HOME"] = str(layout.state / "cache" / f"helm-{kind.lower()}")
    return variables


def exec_environment(layout: Layout) -> dict[str, str]:
    """For a command that a person runs in the box: their own variables, and the box's over them."""
    own = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")}
    return {**own, **environment(layout)}


def image_store(box: Box) -> images.ImageStore:
    return images.ImageStore(box, environment(box.layout))


@contextmanager
def _alone() -> Iterator[None]:
    """One `up` or `down` at a time on this machine."""
    cache_root().mkdir(parents=True, exist_ok=True)
    with (cache_root() / "box.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another `up` or `down` to end.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def up(layout: Layout) -> None:
    """A cluster that is ready when this returns. What runs already is left alone; what is half there is made anew."""
    with _alone():
        box = Box.find(layout)
        if box and layout.ready_marker.exists():
            repaired = _repair(box)
            say(f"The cluster runs already{'; started again: ' + ', '.join(repaired) if repaired else '.'}")
            return
        if layout.state.exists():
            say("Clearing away what an interrupted run left.")
            _tear_down(layout)
        try:
            _bring_up(layout)
        except BaseException:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            kept = _keep_logs(layout)
            _tear_down(layout)
            say(f"The cluster did not come up and was taken down again. Logs: {kept}")
            raise


def down(layout: Layout) -> None:
    """Removes every process, mount, namespace, cgroup and file of the world. The cache of tools and images stays."""
    with _alone():
        if not layout.state.exists():
            say("The cluster is not running.")
            return
        _tear_down(layout)
        step("cluster down, nothing left")


def _tear_down(layout: Layout) -> None:
    boxes.destroy(layout)
    shutil.rmtree(layout.state)


def _keep_logs(layout: Layout) -> Path:
    kept = cache_root() / "logs-of-the-failed-start"
    shutil.rmtree(kept, ignore_errors=True)
    if layout.logs.exists():
        shutil.copytree(layout.logs, kept)
    return kept


def _bring_up(layout: Layout) -> None:
    starting = boxes.start(layout)
    box = starting.box
    step("namespaces and network")
    env = environment(layout)

    def run(daemon: Daemon) -> None:
        layout.data(daemon.name).mkdir(parents=True, exist_ok=True)
        daemons.start(box, daemon, env)

    with ThreadPoolExecutor() as pool:
        pause = pool.submit(images.pause_image)
        node.write_configs(layout)
        (layout.config / "Corefile").write_text(dns.corefile(layout))
        for daemon in (control_plane.etcd(layout), node.containerd(layout), temporal.server(layout)):
            run(daemon)
        certificates.issue_all(layout.pki)
        control_plane.write_kubeconfigs(layout)
        run(control_plane.apiserver(layout))
        step("etcd, containerd, Temporal and the API server are starting")
        pause_loaded = pool.submit(lambda: _load_pause(box, pause.result()))

        api = KubeApi(box)
        _wait(box, "kube-apiserver", api.ready)
        step("API server ready")
        for daemon in (
            control_plane.controller_manager(layout),
            control_plane.scheduler(layout),
            node.kubelet(layout),
            node.kube_proxy(layout),
        ):
            run(daemon)
        for manifest in [*dns.rbac(), *node_services.manifests()]:
            api.apply(manifest)
        run(dns.coredns(layout))
        pause_loaded.result()
        _wait_until_ready(box, api)
    starting.keep()
    layout.ready_marker.touch()
    step("cluster and Temporal ready")


def _load_pause(box: Box, image: Image) -> None:
    _wait(box, "containerd", box.path(node.CONTAINERD_SOCKET).exists)
    image_store(box).load(image)


def _wait_until_ready(box: Box, api: KubeApi) -> None:
    _wait(box, "kubelet", lambda: api.node_ready(NODE_NAME))
    _wait(
        box,
        "kube-controller-manager",
        lambda: api.get_object("/api/v1/namespaces/default/serviceaccounts/default") is not None,
    )
    _wait(box, "kube-proxy", lambda: _connects(box, API_SERVICE_IP, 443))
    _wait(box, "coredns", lambda: netns.http_status(box, NODE_IP, dns.READY_PORT, "/ready") == 200)
    _wait(box, "temporal", lambda: temporal.ready(box))


def _connects(box: Box, host: str, port: int) -> bool:
    """Short, because a first packet that is sent before kube-proxy's rules are there is never answered."""
    try:
        netns.connect(box, host, port, timeout=0.2).close()
    except OSError:
        return False
    return True


def _wait(box: Box, name: str, probe: Callable[[], bool]) -> None:
    """Waits for what the daemon `name` brings about, and tells at once when it has died instead."""

    def ready_or_dead() -> str | None:
        if probe():
            return "ready"
        daemon = daemons.load(box.layout, name)
        return "dead" if daemon and daemon.state() == "gone" else None

    outcome = poll(ready_or_dead, _PATIENCE)
    if outcome != "ready":
        problem = "ended" if outcome == "dead" else f"was not ready after {_PATIENCE:.0f} s"
        raise ClusterError(f"{name} {problem}. {daemons.tail(box.layout, name)}")


def _repair(box: Box) -> list[str]:
    """Starts again what has died and continues what was stopped, in a world that was up before. Returns the names."""
    repaired = []
    for daemon in daemons.load_all(box.layout):
        state = daemon.state()
        if state == "stopped":
            daemons.send(box.layout, daemon.name, signal.SIGCONT)
        elif state == "gone":
            daemons.start(box, daemon, environment(box.layout))
        if state != "running":
            repaired.append(daemon.name)
    api = KubeApi(box)
    _wait(box, "kube-apiserver", api.ready)
    _wait_until_ready(box, api)
    return repaired
