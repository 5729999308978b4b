"""Carries TCP connections from the machine's loopback address into the box. Run as a program by `expose`.

It begins in the machine's network, listens there, and then enters the box's network: the listening socket stays where
it was made, and every connection that is made from then on is made in the box.
"""

from __future__ import annotations

import asyncio
import socket
import sys

from .netns import enter_network


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.close()  # one side is gone; the other sees the end


async def _serve(listener: socket.socket, host: str, port: int) -> None:
    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            to_reader, to_writer = await asyncio.open_connection(host, port)
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(_copy(reader, to_writer), _copy(to_reader, writer))
        finally:
            to_writer.close()
            writer.close()

    server = await asyncio.start_server(carry, sock=listener)
    await server.serve_forever()


def main(listen_port: int, host: str, port: int) -> None:
    listener = socket.create_server(("127.0.0.1", listen_port))
    enter_network("/proc/1/ns/net")
    asyncio.run(_serve(listener, host, port))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
