#!/usr/bin/env python3
"""Writes signatures.json. With --check: fails if the file is not what this script writes."""

import json
import sys
from pathlib import Path

from deliveries import SECRET, b64, deliveries

FILE = Path(__file__).with_name("signatures.json")

secrets = []


def secret_texts():
    def case(name, encoding, text, key=None, reason=None):
        outcome = {"accept": False, "reason": reason} if key is None else {"accept": True, "key": key.hex()}
        secrets.append({"name": f"{encoding}: {name}", "encoding": encoding, "text": text, **outcome})

    key = bytes(range(0xE0, 0x100))
    padded = b64(key)
    case("as it is", "raw", SECRET.decode(), key=SECRET)
    case("16 bytes", "raw", "sixteen-letters!", key=b"sixteen-letters!")
    case("a newline is part of it", "raw", "sixteen-letters!\n", key=b"sixteen-letters!\n")
    case("letters of two bytes", "raw", "äöüäöüäö", key="äöüäöüäö".encode())
    case("15 bytes", "raw", "fifteen-letters", reason="too-short")
    case("lower case", "hex", key.hex(), key=key)
    case("upper case", "hex", key.hex().upper(), key=key)
    case("15 bytes", "hex", "00" * 15, reason="too-short")
    case("an odd number of digits", "hex", key.hex()[:-1], reason="encoding")
    case("a letter that is no digit", "hex", key.hex()[:-1] + "g", reason="encoding")
    case("0x", "hex", "0x" + key.hex(), reason="encoding")
    case("a space", "hex", key.hex() + " ", reason="encoding")
    case("with padding", "base64", padded, key=key)
    case("without padding", "base64", padded.rstrip("="), key=key)
    case("URL alphabet", "base64", padded.replace("+", "-").replace("/", "_"), reason="encoding")
    case("a line end", "base64", padded + "\n", reason="encoding")
    case("padding in the middle", "base64", padded + padded, reason="encoding")
    case("unused bits that are not zero", "base64", b64(b"\xff" * 17).replace("8=", "9="), reason="encoding")
    case("a length that no bytes have", "base64", "AAAAAAAAAAAAAAAAAAAAA", reason="encoding")
    case("15 bytes", "base64", b64(bytes(15)), reason="too-short")
    case("with padding", "whsec", "whsec_" + padded, key=key)
    case("without padding", "whsec", "whsec_" + padded.rstrip("="), key=key)
    case("without prefix", "whsec", padded, reason="encoding")
    case("prefix in upper case", "whsec", "WHSEC_" + padded, reason="encoding")
    case("only the prefix", "whsec", "whsec_", reason="empty")
    case("3 bytes", "whsec", "whsec_AAAA", reason="too-short")
    for encoding in ("raw", "hex", "base64", "whsec"):
        case("nothing", encoding, "", reason="empty")


def main():
    vectors = deliveries()
    secret_texts()
    names = [vector["name"] for vector in vectors]
    assert len(names) == len(set(names)), "two vectors of one name"
    lines = [json.dumps(vector, ensure_ascii=True) for vector in vectors]
    secret_lines = [json.dumps(secret, ensure_ascii=True) for secret in secrets]
    text = (
        '{\n"description": "Signatures of Fast.io webhooks, good and bad. docs/signatures.md says how to use this file.",\n'
        '"version": 1,\n"signatures": [\n' + ",\n".join(lines) + '\n],\n"secrets": [\n' + ",\n".join(secret_lines) + "\n]\n}\n"
    )
    if sys.argv[1:] == ["--check"]:
        if FILE.read_text() != text:
            sys.exit(f"{FILE.name} is not what make_signatures.py writes: run it")
    else:
        FILE.write_text(text)
    print(f"{FILE.name}: {len(vectors)} deliveries ({sum(v['accept'] for v in vectors)} good), {len(secrets)} secrets")


main()
