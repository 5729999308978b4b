"""A sender of signed deliveries in the guide's scheme, on its own: nothing here comes from the receiver's code."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    retry_after: str | None
    seconds: float


def event(workspace: str, file: str, name: str, event_id: str, kind: str = "upload") -> dict[str, Any]:
    return {
        "eventType": kind,
        "workspaceId": workspace,
        "fileId": file,
        "fileName": name,
        "fileSize": 1,
        "userId": "1000000000000000001",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "eventId": event_id,
    }


def sign(body: bytes, secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def send(url: str, payload: dict[str, Any], secret: str, signature: str | None = None, timeout: float = 10) -> Answer:
    body = json.dumps(payload).encode()
    parts = urlsplit(url)
    began = time.monotonic()
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        headers = {"Content-Type": "application/json", "Fastio-Signature": signature or sign(body, secret)}
        connection.request("POST", parts.path, body, headers)
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
        return Answer(response.status, text, response.getheader("Retry-After"), time.monotonic() - began)
    finally:
        connection.close()
