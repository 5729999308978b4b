"""A FastioWebhook that brings its own Temporal connection: CA, client certificate, API key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pictures import photo
from tls_proxy import SERVER_NAME, Certificates, proxy
from world import kubectl
from world.studio import Studio


@pytest.fixture
def tls_port(tmp_path: Path) -> Iterator[int]:
    """Temporal behind TLS, for longer than the studio that uses it."""
    with proxy(Certificates.make(tmp_path), ("127.0.0.1", 7233)) as port:
        yield port


def test_files_are_processed_over_mutual_tls(tls_port: int, studio: Studio, tmp_path: Path) -> None:
    webhook = studio.webhook()
    webhook["spec"]["temporal"] = {
        "address": f"10.244.0.1:{tls_port}",
        "namespace": "media",
        "tls": {
            "caSecretRef": {"name": "temporal-ca"},
            "clientCertSecretRef": {"name": "temporal-client"},
            "serverName": SERVER_NAME,
        },
        "apiKeySecretRef": {"name": "temporal-key"},
    }
    kubectl.apply(json.dumps(webhook))
    studio.apply_pipeline()

    def explained() -> bool:
        stalled = kubectl.condition(kubectl.get("fastiowebhook", "studio", studio.namespace), "Stalled")
        return stalled.get("reason") == "SecretNotFound" and "temporal-" in str(stalled.get("message"))

    kubectl.wait_for("the missing Secrets are named", explained, 30)
    for name, contents in (
        ("temporal-ca", [f"--from-file=ca.crt={tmp_path}/ca.crt"]),
        ("temporal-client", [f"--from-file=tls.crt={tmp_path}/client.crt", f"--from-file=tls.key={tmp_path}/client.key"]),
        ("temporal-key", ["--from-literal=apiKey=a-key-for-temporal"]),
    ):
        kubectl.kubectl("create", "secret", "generic", name, *contents, namespace=studio.namespace)

    kubectl.wait_ready("filepipeline", "photos", studio.namespace)
    node = studio.workspace.upload("beach.jpg", photo())
    studio.wait_until_done(node)
    assert len(studio.workspace.comments(node)) == 1
