"""TLS in front of Temporal, as a production frontend has it: asks for a client certificate and passes bytes on."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HOST = "10.244.0.1"
SERVER_NAME = "temporal.internal"


@dataclass(frozen=True)
class Certificates:
    """A CA, and certificates by it for the server and for a client."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Certificates:
        def openssl(*argv: str) -> None:
            subprocess.run(["openssl", *argv], cwd=folder, check=True, capture_output=True)

        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=Test CA", "-days", "2")
        for name, subject in (("server", SERVER_NAME), ("client", "worker")):
            openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={subject}")
            (folder / f"{name}.ext").write_text(f"subjectAltName=DNS:{subject}\n")
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                    "-out", f"{name}.crt", "-days", "2", "-extfile", f"{name}.ext")
        return cls(folder)


@contextlib.contextmanager
def proxy(certificates: Certificates, target: tuple[str, int]) -> Iterator[int]:
    """Serves until the end of the block, on the port that it yields."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.folder / "server.crt", certificates.folder / "server.key")
    context.load_verify_locations(certificates.folder / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(_serve(context, target))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        open_connections = asyncio.all_tasks(loop)
        for connection in open_connections:
            connection.cancel()
        loop.run_until_complete(asyncio.gather(*open_connections, return_exceptions=True))
        loop.close()


async def _serve(context: ssl.SSLContext, target: tuple[str, int]) -> asyncio.Server:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The end of the block cancels what is still open.
        with contextlib.suppress(asyncio.CancelledError):
            back, forth = await asyncio.open_connection(*target)
            await asyncio.gather(_copy(reader, forth), _copy(back, writer))

    return await asyncio.start_server(serve, HOST, 0, ssl=context)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # A client that goes away ends its own connection only.
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
