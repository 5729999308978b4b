"""The one cgroup under which the kubelet puts all pods, in both versions of the interface."""

from __future__ import annotations

import os
from pathlib import Path

from .process import poll
from .progress import ClusterError

ROOT = Path("/sys/fs/cgroup")


def is_v2(root: Path = ROOT) -> bool:
    """Whether the machine has the one unified hierarchy (cgroups(7))."""
    return (root / "cgroup.controllers").exists()


def hierarchies(root: Path = ROOT) -> list[Path]:
    """The top folder of each hierarchy; the links `cpu` → `cpu,cpuacct` are left out."""
    if is_v2(root):
        return [root]
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.is_symlink())


def create(name: str, root: Path = ROOT) -> None:
    """Makes the cgroup `/name` in every hierarchy, as the kubelet's `cgroupRoot` wants to find it."""
    for hierarchy in hierarchies(root):
        group = hierarchy / name
        if is_v2(root):
            _delegate(hierarchy)
            group.mkdir(exist_ok=True)
            _delegate(group)
            continue
        if hierarchy.name == "unified":
            continue  # beside the old hierarchies it has no controllers; the runtime makes its groups there itself
        group.mkdir(exist_ok=True)
        for file in ("cpuset.cpus", "cpuset.mems"):  # a new cpuset is empty and takes no process
            if (hierarchy / file).exists():
                (group / file).write_text((hierarchy / file).read_text())


def _delegate(group: Path) -> None:
    """Turns on, for the children of a v2 cgroup, every controller that it has."""
    for controller in (group / "cgroup.controllers").read_text().split():
        try:
            (group / "cgroup.subtree_control").write_text(f"+{controller}")
        except OSError:
            continue  # one that cannot be delegated here, such as `cpu` beside real-time processes


def remove(name: str, root: Path = ROOT) -> None:
    """Removes `/name` and all below it. A cgroup stays busy for a moment after its last process has ended."""
    if not poll(lambda: not _remove_once(name, root), 10, every=0.02):
        raise ClusterError(f"The cgroup /{name} is still in use: {', '.join(map(str, _remove_once(name, root)))}")


def _remove_once(name: str, root: Path) -> list[Path]:
    left = []
    for hierarchy in hierarchies(root):
        for folder, _, _ in os.walk(hierarchy / name, topdown=False):
            try:
                os.rmdir(folder)
            except FileNotFoundError:
                continue
            except OSError:
                left.append(Path(folder))
    return left
