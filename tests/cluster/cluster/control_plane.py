"""etcd, API server, controller manager and scheduler: their command lines and kubeconfig files."""

from __future__ import annotations

import json
from typing import Any

from .daemons import Daemon
from .settings import API_PORT, CLUSTER_DOMAIN, NODE_IP, POD_CIDR, SERVICE_CIDR, Layout


def kubeconfig(layout: Layout, user: str) -> dict[str, Any]:
    """Connects as the client certificate `user`. It only names files, so it holds nothing secret itself."""
    cluster = {"server": f"https://{NODE_IP}:{API_PORT}", "certificate-authority": str(layout.pki / "ca.crt")}
    credentials = {
        "client-certificate": str(layout.pki / f"{user}.crt"),
        "client-key": str(layout.pki / f"{user}.key"),
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "fastio", "cluster": cluster}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": "fastio", "context": {"cluster": "fastio", "user": user}}],
        "current-context": "fastio",
    }


def write_kubeconfigs(layout: Layout) -> None:
    for user in ("admin", "controller-manager", "scheduler", "kubelet", "kube-proxy", "coredns"):
        layout.kubeconfig(user).write_text(json.dumps(kubeconfig(layout, user), indent=1))


def etcd(layout: Layout) -> Daemon:
    """On loopback, and without waiting for the disk: nothing in it is meant to survive the machine."""
    return Daemon(
        "etcd",
        [
            "etcd",
            f"--data-dir={layout.data('etcd')}",
            "--listen-client-urls=http://127.0.0.1:2379",
            "--advertise-client-urls=http://127.0.0.1:2379",
            "--listen-peer-urls=http://127.0.0.1:2380",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ],
    )


def apiserver(layout: Layout) -> Daemon:
    pki = layout.pki
    return Daemon(
        "kube-apiserver",
        [
            "kube-apiserver",
            "--etcd-servers=http://127.0.0.1:2379",
            f"--secure-port={API_PORT}",
            f"--advertise-address={NODE_IP}",
            f"--service-cluster-ip-range={SERVICE_CIDR}",
            f"--client-ca-file={pki / 'ca.crt'}",
            f"--tls-cert-file={pki / 'apiserver.crt'}",
            f"--tls-private-key-file={pki / 'apiserver.key'}",
            f"--kubelet-certificate-authority={pki / 'ca.crt'}",
            f"--kubelet-client-certificate={pki / 'apiserver-to-kubelet.crt'}",
            f"--kubelet-client-key={pki / 'apiserver-to-kubelet.key'}",
            # By default it asks DNS for the node's name, and the node is in none.
            "--kubelet-preferred-address-types=InternalIP",
            f"--service-account-issuer=https://kubernetes.default.svc.{CLUSTER_DOMAIN}",
            f"--service-account-key-file={pki / 'service-accounts.key'}",
            f"--service-account-signing-key-file={pki / 'service-accounts.key'}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged",
        ],
    )


def controller_manager(layout: Layout) -> Daemon:
    pki = layout.pki
    return Daemon(
        "kube-controller-manager",
        [
            "kube-controller-manager",
            f"--kubeconfig={layout.kubeconfig('controller-manager')}",
            f"--service-account-private-key-file={pki / 'service-accounts.key'}",
            f"--root-ca-file={pki / 'ca.crt'}",
            f"--cluster-signing-cert-file={pki / 'ca.crt'}",
            f"--cluster-signing-key-file={pki / 'ca.key'}",
            f"--cluster-cidr={POD_CIDR}",
            "--use-service-account-credentials",
            # With the default of 20 calls a second its controllers are up five seconds later.
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
            "--leader-elect=false",
        ],
    )


def scheduler(layout: Layout) -> Daemon:
    return Daemon(
        "kube-scheduler",
        ["kube-scheduler", f"--kubeconfig={layout.kubeconfig('scheduler')}", "--leader-elect=false"],
    )
