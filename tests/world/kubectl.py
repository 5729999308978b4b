"""Kubernetes, by kubectl."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from .command import CommandFailed, run_in_network

Object = dict[str, Any]
T = TypeVar("T")


def kubectl(*argv: str, namespace: str | None = None, stdin: str | None = None, timeout: float = 60) -> str:
    scope = ["--namespace", namespace] if namespace else []
    return run_in_network("kubectl", *scope, *argv, stdin=stdin, timeout=timeout)


def apply(manifest: str, namespace: str | None = None) -> str:
    return kubectl("apply", "--filename", "-", namespace=namespace, stdin=manifest)


def create_namespace(name: str) -> None:
    """A namespace that enforces PodSecurity `restricted`, as every one with pods of ours does here."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    apply(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}))


def put_secret(namespace: str, name: str, **values: str) -> None:
    """A Secret with these values and no others, made or changed."""
    literals = [f"--from-literal={key}={value}" for key, value in values.items()]
    manifest = kubectl(
        "create", "secret", "generic", name, *literals, "--dry-run=client", "--output", "yaml", namespace=namespace
    )
    apply(manifest, namespace)


def get(kind: str, name: str, namespace: str) -> Object | None:
    """The object, or None if there is none."""
    text = kubectl("get", kind, name, "--output", "json", "--ignore-not-found", namespace=namespace)
    return json.loads(text) if text.strip() else None


def items(kind: str, namespace: str, selector: str = "") -> list[Object]:
    argv = ["get", kind, "--output", "json", *(["--selector", selector] if selector else [])]
    found: list[Object] = json.loads(kubectl(*argv, namespace=namespace))["items"]
    return found


def condition(thing: Object | None, kind: str) -> Object:
    """The condition of this type, or an empty one."""
    conditions = (thing or {}).get("status", {}).get("conditions", [])
    return next((c for c in conditions if c["type"] == kind), {})


def wait_ready(kind: str, name: str, namespace: str, seconds: float = 120) -> None:
    """As people wait, so that a stale condition does not count."""
    try:
        kubectl("wait", "--for=condition=Ready", f"{kind}/{name}", f"--timeout={int(seconds)}s", namespace=namespace,
                timeout=seconds + 10)
    except CommandFailed as failure:
        raise AssertionError(f"{failure}\n{describe(kind, name, namespace)}") from failure


def describe(kind: str, name: str, namespace: str) -> str:
    thing = get(kind, name, namespace) or {}
    pods = kubectl("get", "pods", "--output", "wide", namespace=namespace)
    return json.dumps(thing.get("status"), indent=2) + "\n" + pods


def wait_for(what: str, probe: Callable[[], T | None], seconds: float = 60, every: float = 0.2) -> T:
    """The first answer of `probe` that is neither None nor False."""
    end = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer is not None and answer is not False:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(every)
