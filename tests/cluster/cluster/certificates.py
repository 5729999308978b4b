"""The cluster's own certificate authority and the certificates of its parts, by openssl."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .progress import ClusterError
from .settings import API_SERVICE_IP, CLUSTER_DOMAIN, NODE_IP, NODE_NAME


@dataclass(frozen=True)
class Certificate:
    """Who it names. For a client, Kubernetes takes the common name as the user and the organisation as the group."""

    file: str
    common_name: str
    organisation: str = ""
    alternative_names: tuple[str, ...] = ()

    def subject(self) -> str:
        organisation = f"/O={self.organisation}" if self.organisation else ""
        return f"{organisation}/CN={self.common_name}"


CLIENTS = (
    Certificate("admin", "kubernetes-admin", "system:masters"),
    Certificate("controller-manager", "system:kube-controller-manager"),
    Certificate("scheduler", "system:kube-scheduler"),
    Certificate("kubelet", f"system:node:{NODE_NAME}", "system:nodes"),
    Certificate("kube-proxy", "system:kube-proxy"),
    Certificate("coredns", "coredns"),
    Certificate("apiserver-to-kubelet", "kube-apiserver-kubelet-client", "system:masters"),
)

SERVERS = (
    Certificate(
        "apiserver",
        "kube-apiserver",
        alternative_names=(
            "IP:127.0.0.1",
            f"IP:{NODE_IP}",
            f"IP:{API_SERVICE_IP}",
            "DNS:localhost",
            "DNS:kubernetes",
            "DNS:kubernetes.default",
            "DNS:kubernetes.default.svc",
            f"DNS:kubernetes.default.svc.{CLUSTER_DOMAIN}",
        ),
    ),
    Certificate("kubelet-server", NODE_NAME, alternative_names=(f"IP:{NODE_IP}", f"DNS:{NODE_NAME}")),
)


def issue_command(folder: Path, certificate: Certificate) -> list[str]:
    """The one command that makes a key and a certificate signed by the authority in `folder`."""
    usage = "serverAuth" if certificate.alternative_names else "clientAuth"
    command = [
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "365"),
        *("-CA", str(folder / "ca.crt"), "-CAkey", str(folder / "ca.key")),
        *("-keyout", str(folder / f"{certificate.file}.key"), "-out", str(folder / f"{certificate.file}.crt")),
        *("-subj", certificate.subject()),
        *("-addext", "basicConstraints=critical,CA:FALSE", "-addext", f"extendedKeyUsage={usage}"),
    ]
    if certificate.alternative_names:
        command += ["-addext", "subjectAltName=" + ",".join(certificate.alternative_names)]
    return command


def issue_all(folder: Path) -> None:
    """Makes the authority, all certificates and the key that signs service account tokens. About 0.2 s."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    authority = [
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "365"),
        *("-keyout", str(folder / "ca.key"), "-out", str(folder / "ca.crt"), "-subj", "/CN=fastio-box"),
        *("-addext", "keyUsage=critical,digitalSignature,keyCertSign,cRLSign"),
    ]
    tokens = ["openssl", "genrsa", "-out", str(folder / "service-accounts.key"), "2048"]
    with ThreadPoolExecutor() as pool:
        signing_key = pool.submit(_run, tokens)
        _run(authority)
        for done in [pool.submit(_run, issue_command(folder, each)) for each in CLIENTS + SERVERS]:
            done.result()
        signing_key.result()


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError(f"`{' '.join(command[:3])} …` failed: {done.stderr.strip()}")
