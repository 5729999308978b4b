"""CoreDNS as a process of the box, on the node's address."""

from __future__ import annotations

from typing import Any

from .daemons import Daemon
from .settings import CLUSTER_DOMAIN, NODE_IP, Layout

READY_PORT = 8181


def corefile(layout: Layout) -> str:
    """The second block turns names outside of the cluster into "no such name" instead of "try again later"."""
    return f"""\
{CLUSTER_DOMAIN} in-addr.arpa {{
    bind {NODE_IP}
    errors
    ready {NODE_IP}:{READY_PORT}
    kubernetes {CLUSTER_DOMAIN} in-addr.arpa {{
        kubeconfig {layout.kubeconfig("coredns")}
        ttl 1
    }}
}}
. {{
    bind {NODE_IP}
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""


def rbac() -> list[dict[str, Any]]:
    """What CoreDNS's kubernetes plugin watches, for the user of its client certificate."""
    verbs = ["list", "watch"]
    return [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "coredns"},
            "rules": [
                {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": verbs},
                {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": verbs},
            ],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "coredns"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "coredns"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "coredns"}],
        },
    ]


def coredns(layout: Layout) -> Daemon:
    return Daemon("coredns", ["coredns", "-conf", str(layout.config / "Corefile")])
