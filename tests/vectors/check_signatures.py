#!/usr/bin/env python3
"""Checks signatures.json with a verifier that is written from docs/signatures.md and uses the standard library alone."""

import base64
import hashlib
import hmac
import json
import re
import sys
from pathlib import Path


class Refused(Exception):
    """Not signed; the argument is the reason."""


def strict_base64(text: bytes) -> bytes | None:
    try:
        decoded = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    # Python does not look at the unused bits of the last character.
    return decoded if base64.b64encode(decoded) == text else None


def decode_secret(encoding: str, text: bytes) -> bytes:
    if not text:
        raise Refused("empty")
    if encoding == "raw":
        key = text
    elif encoding == "hex":
        key = bytes.fromhex(text.decode()) if re.fullmatch(rb"([0-9a-fA-F]{2})+", text) else None
    else:
        if encoding == "whsec":
            prefix, text = text[:6], text[6:]
            if prefix != b"whsec_":
                raise Refused("encoding")
        key = strict_base64(text.rstrip(b"=") + b"=" * (-len(text.rstrip(b"=")) % 4))
    if key is None:
        raise Refused("encoding")
    if len(key) < 16:
        raise Refused("too-short" if key else "empty")
    return key


def only(headers: list[tuple[str, bytes]], name: str) -> bytes:
    values = [value for key, value in headers if key.lower() == name.lower()]
    if not values:
        raise Refused("missing")
    if len(values) > 1:
        raise Refused("duplicate")
    return values[0].strip(b" \t")


def from_hex(text: bytes) -> bytes | None:
    return bytes.fromhex(text.decode()) if re.fullmatch(rb"[0-9a-fA-F]{64}", text) else None


def from_base64(text: bytes) -> bytes | None:
    decoded = strict_base64(text)
    return decoded if decoded is not None and len(decoded) == 32 else None


def verify(config: dict, keys: list[bytes], now: int, headers: list[tuple[str, bytes]], body: bytes) -> None:
    value = only(headers, config["header"])
    parts = [part.strip(b" \t") for part in value.split(b",")]
    stamp = None
    if config["scheme"] == "stamped-base64":
        stamps = [part[2:] for part in parts if part.startswith(b"t=")]
        stamp = stamps[0] if len(stamps) == 1 else b""
        claimed = [from_hex(part[3:]) or from_base64(part[3:]) for part in parts if part.startswith(b"v1=")]
    else:
        if config["scheme"] == "stamped-hex":
            stamp = only(headers, config["timestampHeader"])
        claimed = [from_hex(part[7:]) for part in parts if part.startswith(b"sha256=")]
    claimed = [signature for signature in claimed if signature][:8]
    if not claimed or (stamp is not None and not re.fullmatch(rb"[0-9]{1,12}", stamp)):
        raise Refused("malformed")
    if stamp is not None and abs(now - int(stamp)) > config["toleranceSeconds"]:
        raise Refused("stale")
    signed = body if stamp is None else stamp + b"." + body
    good = False
    for key in keys:
        expected = hmac.new(key, signed, hashlib.sha256).digest()
        for signature in claimed:
            good |= hmac.compare_digest(expected, signature)
    if not good:
        raise Refused("mismatch")


def outcome(check, *arguments):
    try:
        return check(*arguments), None
    except Refused as refused:
        return None, str(refused)


def main() -> None:
    file = json.loads(Path(__file__).with_name("signatures.json").read_text())
    wrong = []
    for vector in file["signatures"]:
        keys = [decode_secret(secret["encoding"], secret["text"].encode()) for secret in vector["secrets"]]
        headers = [
            (name, value.encode() if isinstance(value, str) else base64.b64decode(value["base64"]))
            for name, value in vector["headers"]
        ]
        _, reason = outcome(verify, vector, keys, vector["now"], headers, base64.b64decode(vector["body"]))
        if (reason is None, reason) != (vector["accept"], vector.get("reason")):
            wrong.append(f"{vector['name']}: {reason or 'accepted'}, not {vector.get('reason', 'accepted')}")
    for secret in file["secrets"]:
        key, reason = outcome(decode_secret, secret["encoding"], secret["text"].encode())
        if (key and key.hex(), reason) != (secret.get("key"), secret.get("reason")):
            wrong.append(f"secret {secret['name']}: {reason or key.hex()}")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"Python agrees on {len(file['signatures'])} deliveries and {len(file['secrets'])} secrets")


main()
