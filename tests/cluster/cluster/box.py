"""The box: one network, mount and PID namespace in which the whole world lives, and dies with its process 1."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NotRequired, TypedDict

from . import cgroups
from .process import Identity, children, poll
from .progress import ClusterError
from .settings import CLUSTER_DOMAIN, NODE_IP, SERVICE_CIDR, Layout

#: Paths that Kubernetes programs have built in: each gets a folder of ours over it, inside the box only.
BUILT_IN_PATHS = ("/var/lib/kubelet", "/var/lib/cni", "/var/log/pods", "/var/log/containers")

#: Settings that the kubelet insists on and that are the whole machine's: in the box a plain file lies over each,
#: so that the kubelet is content and the machine is not changed.
GLOBAL_SYSCTLS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}

#: The bridge exists before the first pod, because the node's address is on it; the veth pair gives it carrier. The
#: route lets processes of the box reach Services. There is no default route: nothing in the box reaches the outside.
NETWORK = f"""\
link set lo up
link add cni0 type bridge
addr add {NODE_IP}/24 dev cni0
link set cni0 up
link add carrier0 type veth peer name carrier1
link set carrier0 master cni0 up
link set carrier1 up
route add {SERVICE_CIDR} dev cni0 src {NODE_IP}
"""


def resolv_conf() -> str:
    """Name resolution as in a pod, for the processes of the box."""
    return f"nameserver {NODE_IP}\nsearch svc.{CLUSTER_DOMAIN} {CLUSTER_DOMAIN}\noptions ndots:5\n"


class Step(TypedDict):
    """One command of process 1, and what it reads on standard input."""

    argv: list[str]
    input: NotRequired[str]


def plan(layout: Layout, resolv_conf_target: str) -> list[Step]:
    """The commands that process 1 runs, in order."""
    steps: list[Step] = [
        {"argv": ["mount", "--make-rprivate", "/"]},
        {"argv": ["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"]},
        {"argv": ["mkdir", "-p", "/run/lock", "/run/containerd"]},
    ]
    for path in BUILT_IN_PATHS:
        steps.append({"argv": ["mount", "--bind", str(layout.data(path.strip("/").replace("/", "-"))), path]})
    for name in GLOBAL_SYSCTLS:
        steps.append({"argv": ["mount", "--bind", str(sysctl_file(layout, name)), f"/proc/sys/{name}"]})
    if resolv_conf_target.startswith("/run/"):
        # A symbolic link into /run, as systemd-resolved makes it, points to nothing under the new /run.
        steps.append({"argv": ["install", "-D", "/dev/null", resolv_conf_target]})
    steps += [
        {"argv": ["mount", "--bind", str(layout.config / "resolv.conf"), resolv_conf_target]},
        # Volumes that the kubelet mounts must be seen by the container runtime's own namespaces.
        {"argv": ["mount", "--make-rshared", "/"]},
        {"argv": ["ip", "-batch", "-"], "input": NETWORK},
        {"argv": ["tee", "/proc/sys/net/ipv4/ip_forward"], "input": "1"},
        {"argv": ["tee", "/proc/sys/net/bridge/bridge-nf-call-iptables"], "input": "1"},
    ]
    return steps


def sysctl_file(layout: Layout, name: str) -> Path:
    return layout.config / "sysctl" / name.replace("/", ".")


class Box:
    """A running box."""

    def __init__(self, layout: Layout, init: Identity) -> None:
        self.layout = layout
        self.init = init

    @classmethod
    def find(cls, layout: Layout) -> Box | None:
        """The box that runs now, if one does."""
        init = Identity.load(layout.init_record)
        return cls(layout, init) if init and init.alive() else None

    @classmethod
    def require(cls, layout: Layout) -> Box:
        box = cls.find(layout)
        if box is None:
            raise ClusterError("The cluster is not running. `make up` starts it.")
        return box

    def path(self, inside: str) -> Path:
        """How a path of the box is reached from outside of it."""
        return Path(f"/proc/{self.init.pid}/root") / inside.lstrip("/")

    def machine_network(self) -> str:
        """The network namespace in which the box was started, also for a caller that is in the box's."""
        return f"/proc/{self.init.parent()}/ns/net"

    def enter(self, *, network: bool = True) -> list[str]:
        """The beginning of a command line that runs the rest in the box; without `network`, in the machine's own."""
        net = "--net" if network else f"--net={self.machine_network()}"
        return ["nsenter", "--target", str(self.init.pid), "--mount", "--pid", net, "--"]


class Starting:
    """A box on its way up. It lives only as long as this process, until `keep` is called."""

    def __init__(self, box: Box, wrapper: subprocess.Popen[str]) -> None:
        self.box = box
        self._wrapper = wrapper

    def keep(self) -> None:
        """The box goes on without this process."""
        stdin = self._wrapper.stdin
        assert stdin is not None
        stdin.write("keep\n")
        stdin.close()


def start(layout: Layout) -> Starting:
    """Makes the namespaces, mounts and network of the box."""
    _prepare_files(layout)
    cgroups.create(layout.name)
    target = os.path.realpath("/etc/resolv.conf")
    if not target.startswith("/run/") and not os.path.exists(target):
        raise ClusterError("/etc/resolv.conf: the file is missing; `touch /etc/resolv.conf` is enough.")
    plan_file = layout.config / "box-plan.json"
    plan_file.write_text(json.dumps(plan(layout, target), indent=1))
    log = layout.logs / "box.log"
    command = [
        # This first one stays, as the parent of process 1, and keeps the machine's network.
        *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "unshare", "--net"),
        *(sys.executable, "-ISB", str(Path(__file__).with_name("init.py")), str(plan_file)),
    ]
    with log.open("w") as errors:
        wrapper = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        )
    assert wrapper.stdout is not None
    if wrapper.stdout.readline() != "ready\n":
        raise ClusterError(f"The box could not be made: {log.read_text().strip() or 'no reason given'}")
    init = poll(lambda: next((Identity.of(pid) for pid in children(wrapper.pid)), None), 5)
    if init is None:
        raise ClusterError(f"The box ended at once; see {log}.")
    init.save(layout.init_record)
    return Starting(Box(layout, init), wrapper)


def _prepare_files(layout: Layout) -> None:
    for folder in (layout.pki, layout.config / "sysctl", layout.logs, layout.daemons):
        folder.mkdir(parents=True, exist_ok=True)
    layout.state.chmod(0o700)
    (layout.config / "resolv.conf").write_text(resolv_conf())
    for name, value in GLOBAL_SYSCTLS.items():
        sysctl_file(layout, name).write_text(value + "\n")
    created = []
    for path in BUILT_IN_PATHS:
        layout.data(path.strip("/").replace("/", "-")).mkdir(parents=True, exist_ok=True)
        if not os.path.isdir(path):
            created.append(path)
    # Written before the folders are made: what an interrupted start made is removed as well.
    layout.created_mount_points.write_text("\n".join(created))
    for path in created:
        os.makedirs(path)


def destroy(layout: Layout) -> None:
    """Ends the box and everything in it. The kernel lets process 1 go only when all others are gone."""
    init = Identity.load(layout.init_record)
    if init and init.signal(signal.SIGKILL) and not init.wait_until_gone(20):
        raise ClusterError(f"Process {init.pid}, the box's first, does not end although it was killed; see `dmesg`.")
    if layout.created_mount_points.exists():
        for path in layout.created_mount_points.read_text().split():
            try:
                os.rmdir(path)
            except OSError:
                continue  # gone already, or somebody else uses it now
    cgroups.remove(layout.name)
