"""Processes, cgroups and ports, on throw-away ones of this machine."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import cgroups
from cluster.expose import free_port
from cluster.process import Identity, children


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def test_a_process_is_known_until_it_ends(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    identity = Identity.of(sleeper.pid)
    assert identity is not None and identity.alive()
    identity.save(tmp_path / "identity")
    assert Identity.load(tmp_path / "identity") == identity
    assert identity.signal(signal.SIGKILL)
    assert identity.wait_until_gone(5)
    assert not identity.signal(signal.SIGKILL)


def test_a_reused_process_id_is_another_process(sleeper: subprocess.Popen[bytes]) -> None:
    identity = Identity.of(sleeper.pid)
    assert identity is not None
    earlier = Identity(identity.pid, identity.began - 1)
    assert not earlier.alive()
    assert not earlier.signal(signal.SIGKILL)
    assert identity.alive()


def test_children_are_found(sleeper: subprocess.Popen[bytes]) -> None:
    parent = int(Path(f"/proc/{sleeper.pid}/stat").read_text().rpartition(")")[2].split()[1])
    assert sleeper.pid in children(parent)


def test_a_taken_port_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wanted = taken.getsockname()[1]
        assert wanted < free_port(wanted) < wanted + 50


def test_cgroups_of_the_old_interface_get_the_processors_of_the_machine(tmp_path: Path) -> None:
    for controller in ("memory", "cpuset", "unified"):
        (tmp_path / controller).mkdir()
    (tmp_path / "cpuset" / "cpuset.cpus").write_text("0-1\n")
    cgroups.create("box", tmp_path)
    assert (tmp_path / "cpuset" / "box" / "cpuset.cpus").read_text() == "0-1\n"
    assert not (tmp_path / "unified" / "box").exists()
    (tmp_path / "cpuset" / "box" / "cpuset.cpus").unlink()  # a real one vanishes with its folder
    (tmp_path / "memory" / "box" / "pod" / "container").mkdir(parents=True)
    (tmp_path / "unified" / "box" / "pod").mkdir(parents=True)  # by the container runtime
    (tmp_path / "memory" / "other").mkdir()
    cgroups.remove("box", tmp_path)
    assert [path.name for path in tmp_path.glob("*/*") if path.is_dir()] == ["other"]


def test_controllers_of_the_new_interface_are_handed_down(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu memory\n")
    group = tmp_path / "box"
    group.mkdir()
    (group / "cgroup.controllers").write_text("memory\n")
    cgroups.create("box", tmp_path)
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+memory"
    assert (group / "cgroup.subtree_control").read_text() == "+memory"
