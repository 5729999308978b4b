"""Deliveries, well and badly signed. The digests come from Python's hmac module, which shares no code with the receiver."""

import base64
import hashlib
import hmac

SECRET = b"your_secret_your_secret"
OLD, NEW = b"the-old-secret-of-32-characters!", b"the-new-secret-of-32-characters!"
NOW = 1791000000
T = str(NOW)
BODY = (
    b'{"eventType":"upload","workspaceId":"1234567890123456789","fileId":"f3jm5-zqzfx-pxdr2-dx8z5-bvnb3-rpjfm4",'
    b'"fileName":"beach.jpg","fileSize":2400000,"userId":"9876543210987654321",'
    b'"timestamp":"2026-02-14T10:30:00Z","eventId":"evt-9a8b7c6d"}'
)
HEADERS = {"body-hex": "Fastio-Signature", "stamped-base64": "Fastio-Signature", "stamped-hex": "X-Fastio-Signature"}

vectors = []


def mac(body=BODY, stamp=None, secret=SECRET):
    signed = body if stamp is None else stamp.encode() + b"." + body
    return hmac.new(secret, signed, hashlib.sha256).digest()


def b64(data):
    return base64.b64encode(data).decode()


def value(text):
    if isinstance(text, str):
        return text
    try:
        return text.decode()
    except UnicodeDecodeError:
        return {"base64": b64(text)}


def vector(scheme, name, headers, reason=None, body=BODY, now=NOW, tolerance=300, secrets=None, **names):
    """`headers`: the value of the default header, or a list of pairs."""
    header = names.get("header", HEADERS[scheme])
    if isinstance(headers, (str, bytes)):
        headers = [(header, headers)]
    vectors.append(
        {
            "name": f"{scheme}: {name}",
            "scheme": scheme,
            "header": header,
            **({"timestampHeader": names.get("timestamp", "X-Fastio-Timestamp")} if scheme == "stamped-hex" else {}),
            "toleranceSeconds": tolerance,
            "secrets": secrets or [{"encoding": "raw", "text": SECRET.decode()}],
            "now": now,
            "headers": [[name, value(text)] for name, text in headers],
            "body": b64(body),
            "accept": reason is None,
            **({} if reason is None else {"reason": reason}),
        }
    )


def raw(*keys):
    return [{"encoding": "raw", "text": key.decode()} for key in keys]


def body_hex():
    def case(*args, **names):
        vector("body-hex", *args, **names)

    def sha256(*args, **names):
        return "sha256=" + mac(*args, **names).hex()

    good, bad, digits = sha256(), "sha256=" + "0" * 64, mac().hex()
    case("the guide's delivery", good)
    case("empty body", sha256(b""), body=b"")
    every_byte = bytes(range(256))
    case("every byte", sha256(every_byte), body=every_byte)
    case("a body that is not JSON", sha256(b"hello"), body=b"hello")
    case("a body that is not UTF-8, signed as it is", sha256(b"\xff"), body=b"\xff")
    case("a body that is not UTF-8, signed as U+FFFD", sha256("\ufffd".encode()), "mismatch", body=b"\xff")
    case("RFC 4231 test case 6: a key longer than a block",
         "sha256=60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
         body=b"Test Using Larger Than Block-Size Key - Hash Key First", secrets=[{"encoding": "hex", "text": "aa" * 131}])
    case("RFC 4231 test case 3",
         "sha256=773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
         body=b"\xdd" * 50, secrets=[{"encoding": "hex", "text": "aa" * 20}])
    case("upper case digits", "sha256=" + digits.upper())
    case("header name in lower case", [("fastio-signature", good)])
    case("header name in upper case", [("FASTIO-SIGNATURE", good)])
    case("a header of another name", good, header="X-Signature")
    case("other headers beside it", [("X-Fastio-Signature", bad), ("Fastio-Signature", good)])
    # Lists.
    case("a wrong one before the good one", f"{bad},{good}")
    case("a wrong one after the good one", f"{good}, {bad}")
    case("garbage before the good one", f"garbage, {good}")
    case("garbage after the good one", f"{good},x")
    case("empty parts, spaces and tabs", f" ,, {good} ,\t")
    case("seven wrong ones before the good one", f"{bad}," * 7 + good)
    case("eight wrong ones before the good one", f"{bad}," * 8 + good, "mismatch")
    # Rotation.
    case("two live secrets, signed with the old one", sha256(secret=OLD), secrets=raw(OLD, NEW))
    case("two live secrets, signed with the new one", sha256(secret=NEW), secrets=raw(OLD, NEW))
    case("two live secrets, signed with a third", good, "mismatch", secrets=raw(OLD, NEW))
    # Not signed.
    case("no header", [], "missing")
    case("another header", [("X-Fastio-Signature", good)], "missing")
    case("the header twice", [("Fastio-Signature", good), ("Fastio-Signature", good)], "duplicate")
    case("the header twice, one wrong", [("Fastio-Signature", bad), ("fastio-signature", good)], "duplicate")
    case("empty", "", "malformed")
    case("only the prefix", "sha256=", "malformed")
    case("no prefix", digits, "malformed")
    case("prefix in upper case", f"SHA256={digits}", "malformed")
    case("space before the equals sign", f"sha256 ={digits}", "malformed")
    case("space after the equals sign", f"sha256= {digits}", "malformed")
    case("sha1", "sha1=" + hmac.new(SECRET, BODY, hashlib.sha1).hexdigest(), "malformed")
    case("sha512", "sha512=" + hmac.new(SECRET, BODY, hashlib.sha512).hexdigest(), "malformed")
    for length in (0, 2, 62, 63):
        case(f"{length} digits", f"sha256={digits[:length]}", "malformed")
    case("66 digits", f"sha256={digits}00", "malformed")
    case("a digit that is none", f"sha256={digits[:63]}g", "malformed")
    case("a full-width digit", f"sha256={digits[:63]}\uff10", "malformed")
    case("0x", f"sha256=0x{digits}", "malformed")
    case("quotes", f'sha256="{digits}"', "malformed")
    case("a parameter", f"sha256={digits};v=1", "malformed")
    case("a semicolon list", f"{bad};{good}", "malformed")
    case("bytes that are not UTF-8", b"\xff" * 64, "malformed")
    case("bytes that are not UTF-8 before the good one", b"\xff\xfe," + good.encode())
    case("base64 instead of hex", "sha256=" + b64(mac()), "malformed")
    # Signed by somebody or something else.
    case("zeros", bad, "mismatch")
    case("the last bit differs", f"sha256={digits[:-1]}{int(digits[-1], 16) ^ 1:x}", "mismatch")
    case("another secret", sha256(secret=OLD), "mismatch")
    case("a space more in the body", good, "mismatch", body=BODY + b" ")
    case("a line end more in the body", good, "mismatch", body=BODY + b"\n")
    case("another body", good, "mismatch", body=BODY.replace(b"beach", b"peach"))
    case("the guide's sample code, which forgets the body", sha256(b""), "mismatch")
    case("SHA-256 without a key", "sha256=" + hashlib.sha256(BODY).hexdigest(), "mismatch")
    case("signed over timestamp and body", sha256(stamp=T), "mismatch")
    case("a stamped-base64 header", f"t={T},v1={b64(mac(stamp=T))}", "malformed")


def stamped_base64():
    def case(*args, **names):
        vector("stamped-base64", *args, **names)

    def header(stamp=T, signed=None, **names):
        return f"t={stamp},v1={b64(mac(stamp=signed or stamp, **names))}"

    good, bad = header(), "v1=" + b64(bytes(32))
    signature = b64(mac(stamp=T))
    case("signed now", good)
    case("empty body", header(body=b""), body=b"")
    case("a body that is not UTF-8", header(body=b"\xff"), body=b"\xff")
    case("a body that begins like a timestamp", header(body=b"5.x"), body=b"5.x")
    case("a header of another name", good, header="Webhook-Signature")
    case("secret in hexadecimal", header(secret=bytes(range(32))), secrets=[{"encoding": "hex", "text": bytes(range(32)).hex()}])
    case("secret in base64", header(secret=bytes(range(32))), secrets=[{"encoding": "base64", "text": b64(bytes(range(32)))}])
    whsec = "C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
    case("secret with whsec_", header(secret=base64.b64decode(whsec)), secrets=[{"encoding": "whsec", "text": f"whsec_{whsec}"}])
    case("secret with whsec_, taken as it is written", header(secret=f"whsec_{whsec}".encode()), "mismatch",
         secrets=[{"encoding": "whsec", "text": f"whsec_{whsec}"}])
    # Form.
    case("signature in hexadecimal", f"t={T},v1={mac(stamp=T).hex()}")
    case("signature in upper case hexadecimal", f"t={T},v1={mac(stamp=T).hex().upper()}")
    case("signature before timestamp", f"v1={signature},t={T}")
    case("spaces and tabs around parts", f" t={T} ,\tv1={signature} ")
    case("keys of other versions", f"t={T},v0=00,v1={signature},v2=x,=,novalue")
    case("several signatures, the last is good", f"t={T},{bad},v1={signature}")
    case("several signatures, the first is good", f"t={T},v1={signature},{bad}")
    case("several signatures, one in hexadecimal", f"t={T},{bad},v1={mac(stamp=T).hex()}")
    case("several signatures, none is good", f"t={T},{bad},{bad}", "mismatch")
    case("two live secrets, signed with the old one", header(secret=OLD), secrets=raw(NEW, OLD))
    # Time.
    for offset in (-300, 300):
        case(f"{offset} s", header(str(NOW + offset)))
    for offset in (-301, 301, -86400, 10**9):
        case(f"{offset} s", header(str(NOW + offset)), "stale")
    case("60 s with a tolerance of 60 s", header(str(NOW - 60)), tolerance=60)
    case("61 s with a tolerance of 60 s", header(str(NOW - 61)), "stale", tolerance=60)
    case("a replay of an old delivery with a new timestamp", header(signed=str(NOW - 3600)), "mismatch")
    case("timestamp zero", header("0"), "stale")
    case("twelve digits", header("999999999999"), "stale")
    # Timestamps that libraries read in different ways.
    case("leading zeros, signed as received", header(f"00{T}"))
    case("leading zeros, signed without", header(f"00{T}", signed=T), "mismatch")
    for name, stamp in [
        ("empty", ""), ("plus sign", f"+{T}"), ("minus sign", f"-{T}"), ("fraction", f"{T}.9"), ("letters behind", f"{T}abc"),
        ("exponent", "1.791e9"), ("hexadecimal", f"0x{NOW:x}"), ("thirteen digits", f"000{T}"), ("milliseconds", f"{T}000"),
        ("the lowest 64-bit number", "-9223372036854775808"), ("the highest 64-bit number", "9223372036854775807"),
        ("beyond 64 bits", "18446744073709551616"), ("underscore", "1_791_000_000"), ("space before", f" {T}"),
        ("full-width digits", "".join(chr(0xFF10 + int(digit)) for digit in T)),
        ("Arabic digits", "".join(chr(0x660 + int(digit)) for digit in T)), ("a date", "2026-10-03T04:00:00Z"), ("quotes", f'"{T}"'),
    ]:
        case(f"timestamp: {name}", header(stamp), "malformed")
    case("timestamp with a space inside", header(f"{T[:5]} {T[5:]}"), "malformed")
    case("timestamp that borrows from the body", f"t={T}.5,v1={b64(mac(b'5.x', stamp=T))}", "malformed", body=b"x")
    case("no timestamp", f"v1={signature}", "malformed")
    case("the timestamp twice", f"t={T},{good}", "malformed")
    case("two timestamps, the signed one first", f"t={T},t={NOW + 1},v1={signature}", "malformed")
    case("timestamp's key in upper case", f"T={T},v1={signature}", "malformed")
    # Signatures.
    case("no header", [], "missing")
    case("the header twice", [("Fastio-Signature", good), ("Fastio-Signature", good)], "duplicate")
    case("empty", "", "malformed")
    case("no signature", f"t={T}", "malformed")
    case("an empty signature", f"t={T},v1=", "malformed")
    case("only another version", f"t={T},v0={signature}", "malformed")
    case("version in upper case", f"t={T},V1={signature}", "malformed")
    case("semicolons", good.replace(",", ";"), "malformed")
    case("no padding", f"t={T},v1={signature.rstrip('=')}", "malformed")
    case("too much padding", f"t={T},v1={signature}=", "malformed")
    urlsafe_body = next(b"%d" % n for n in range(1000) if {"+", "/"} <= set(b64(mac(b"%d" % n, stamp=T))))
    urlsafe = base64.urlsafe_b64encode(mac(urlsafe_body, stamp=T)).decode()
    case("URL alphabet", f"t={T},v1={urlsafe}", "malformed", body=urlsafe_body)
    case("a foreign character inside", f"t={T},v1={signature[:20]}!{signature[20:]}", "malformed")
    case("a foreign character instead of one", f"t={T},v1={signature[:20]}!{signature[21:]}", "malformed")
    case("a space inside", f"t={T},v1={signature[:20]} {signature[20:]}", "malformed")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    loose = signature[:42] + alphabet[alphabet.index(signature[42]) | 1] + "="
    assert base64.b64decode(loose) == mac(stamp=T) and loose != signature
    case("unused bits that are not zero", f"t={T},v1={loose}", "malformed")
    case("31 bytes", f"t={T},v1={b64(mac(stamp=T)[:31])}", "malformed")
    case("33 bytes", f"t={T},v1={b64(mac(stamp=T) + b'0')}", "malformed")
    case("63 hexadecimal digits", f"t={T},v1={mac(stamp=T).hex()[:63]}", "malformed")
    case("bytes that are not UTF-8", b"t=" + T.encode() + b",v1=" + b"\xff" * 44, "malformed")
    # Signed by somebody or something else.
    case("another secret", header(secret=OLD), "mismatch")
    case("another body", good, "mismatch", body=BODY + b" ")
    case("signed without the dot", f"t={T},v1={b64(mac(T.encode() + BODY))}", "mismatch")
    case("signed over the body alone", f"t={T},v1={b64(mac())}", "mismatch")
    case("a body-hex header", "sha256=" + mac().hex(), "malformed")
    case("a body-hex signature beside a timestamp", f"t={T},sha256={mac().hex()}", "malformed")
    case("a stamped-hex pair", [("X-Fastio-Signature", "sha256=" + mac(stamp=T).hex()), ("X-Fastio-Timestamp", T)], "missing")


def stamped_hex():
    def case(*args, **names):
        vector("stamped-hex", *args, **names)

    def pair(stamp=T, signed=None, **names):
        signature = "sha256=" + mac(stamp=signed or stamp, **names).hex()
        return [("X-Fastio-Signature", signature), ("X-Fastio-Timestamp", stamp)]

    signature, stamp = pair()
    bad = "sha256=" + "0" * 64
    case("signed now", pair())
    case("headers in the other order", [stamp, signature])
    case("header names in lower case", [(name.lower(), text) for name, text in pair()])
    case("headers of other names", [("Webhook-Signature", signature[1]), ("Webhook-Time", T)], header="Webhook-Signature", timestamp="Webhook-Time")
    case("empty body", pair(body=b""), body=b"")
    case("a list of signatures", [("X-Fastio-Signature", f"{bad}, {signature[1]}"), stamp])
    case("spaces around both", [("X-Fastio-Signature", f" {signature[1]}\t"), ("X-Fastio-Timestamp", f"\t{T} ")])
    case("leading zeros, signed as received", pair(f"00{T}"))
    case("two live secrets, signed with the new one", pair(secret=NEW), secrets=raw(OLD, NEW))
    for offset in (-300, 300):
        case(f"{offset} s", pair(str(NOW + offset)))
    for offset in (-301, 301):
        case(f"{offset} s", pair(str(NOW + offset)), "stale")
    case("leading zeros, signed without", pair(f"00{T}", signed=T), "mismatch")
    case("no signature", [stamp], "missing")
    case("no timestamp", [signature], "missing")
    case("the signature twice", [signature, signature, stamp], "duplicate")
    case("the timestamp twice", [signature, stamp, stamp], "duplicate")
    case("two timestamps joined by a proxy", pair(f"{T}, {T}", signed=T), "malformed")
    for name, text in [("empty", ""), ("plus sign", f"+{T}"), ("fraction", f"{T}.0"), ("thirteen digits", f"000{T}"), ("a date", "Sat, 03 Oct 2026 04:00:00 GMT")]:
        case(f"timestamp: {name}", pair(text, signed=T), "malformed")
    case("timestamp of bytes that are not UTF-8", [signature, ("X-Fastio-Timestamp", b"\xff\xff")], "malformed")
    case("signature in base64", [("X-Fastio-Signature", "sha256=" + b64(mac(stamp=T))), stamp], "malformed")
    case("signed over the body alone", [("X-Fastio-Signature", "sha256=" + mac().hex()), stamp], "mismatch")
    case("a new timestamp for an old signature", pair(signed=str(NOW - 3600)), "mismatch")
    case("another body", pair(), "mismatch", body=BODY[:-1])
    case("a body-hex header", [("Fastio-Signature", "sha256=" + mac().hex())], "missing")
    case("a stamped-base64 header", [("X-Fastio-Signature", f"t={T},v1={b64(mac(stamp=T))}")], "missing")


def deliveries():
    for part in (body_hex, stamped_base64, stamped_hex):
        part()
    return vectors
