"""containerd, kubelet and kube-proxy: their configuration and command lines."""

from __future__ import annotations

import json
from typing import Any

from . import cgroups
from .daemons import Daemon
from .settings import CLUSTER_DOMAIN, NODE_IP, NODE_NAME, PAUSE_IMAGE, POD_CIDR, Layout

CNI_PLUGINS = "/usr/lib/cni"
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"


def containerd_config(layout: Layout) -> str:
    """All on our own paths; the state is under the box's private /run."""
    return f"""\
version = 2
root = "{layout.data("containerd")}"
state = "/run/containerd"
oom_score = 0

[grpc]
address = "{CONTAINERD_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{CNI_PLUGINS}"
conf_dir = "{layout.config / "cni"}"
"""


def cni_config() -> dict[str, Any]:
    """Pods on the bridge, addresses from .10 on. No masquerading: there is no way out of the box."""
    return {
        "cniVersion": "0.4.0",
        "name": "fastio",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isGateway": True,
                "hairpinMode": True,
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "dataDir": "/run/cni-addresses",
                    "ranges": [[{"subnet": POD_CIDR, "rangeStart": "10.244.0.10", "gateway": NODE_IP}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def kubelet_config(layout: Layout, cgroup_v2: bool) -> dict[str, Any]:
    config: dict[str, Any] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_IP,
        "tlsCertFile": str(layout.pki / "kubelet-server.crt"),
        "tlsPrivateKeyFile": str(layout.pki / "kubelet-server.key"),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(layout.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        # Apart from any other kubelet of the machine: a kubelet removes pod cgroups that it does not know.
        "cgroupRoot": f"/{layout.name}",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "oomScoreAdj": 0,
        "maxOpenFiles": 20000,
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"nodefs.available": "1%", "imagefs.available": "1%", "memory.available": "100Mi"},
        "enforceNodeAllocatable": ["pods"],
        "clusterDNS": [NODE_IP],
        "clusterDomain": CLUSTER_DOMAIN,
        "resolvConf": str(layout.config / "resolv.conf"),
        "failSwapOn": False,
        "seccompDefault": True,
        "nodeStatusUpdateFrequency": "5s",
        # A changed ConfigMap or Secret reaches its pods within seconds instead of a minute.
        "syncFrequency": "5s",
    }
    if not cgroup_v2:
        config["failCgroupV1"] = False
    return config


def kube_proxy_config(layout: Layout) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(layout.kubeconfig("kube-proxy"))},
        "mode": "nftables",
        "clusterCIDR": POD_CIDR,
        "hostnameOverride": NODE_NAME,
        "conntrack": {"maxPerCore": 0, "min": 0},  # the machine's table stays as it is
        "oomScoreAdj": 0,
    }


def write_configs(layout: Layout) -> None:
    (layout.config / "cni").mkdir(parents=True, exist_ok=True)
    (layout.config / "cni" / "10-fastio.conflist").write_text(json.dumps(cni_config(), indent=1))
    (layout.config / "containerd.toml").write_text(containerd_config(layout))
    (layout.config / "kubelet.json").write_text(json.dumps(kubelet_config(layout, cgroups.is_v2()), indent=1))
    (layout.config / "kube-proxy.json").write_text(json.dumps(kube_proxy_config(layout), indent=1))


def containerd(layout: Layout) -> Daemon:
    return Daemon("containerd", ["containerd", "--config", str(layout.config / "containerd.toml")])


def kubelet(layout: Layout) -> Daemon:
    return Daemon(
        "kubelet",
        [
            "kubelet",
            f"--config={layout.config / 'kubelet.json'}",
            f"--kubeconfig={layout.kubeconfig('kubelet')}",
            f"--hostname-override={NODE_NAME}",
            f"--node-ip={NODE_IP}",
        ],
    )


def kube_proxy(layout: Layout) -> Daemon:
    return Daemon("kube-proxy", ["kube-proxy", f"--config={layout.config / 'kube-proxy.json'}"])
