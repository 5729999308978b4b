"""TCP connections into the box from a process outside of it, and the other way round.

A socket belongs to the network namespace in which it was made, whoever uses it afterwards. So a thread enters the box's
namespace, connects, hands the socket over and ends.
"""

from __future__ import annotations

import ctypes
import http.client
import os
import socket
import threading
from collections.abc import Callable
from typing import TypeVar

from .box import Box

Result = TypeVar("Result")

_CLONE_NEWNET = 0x40000000  # sched.h; Python has os.setns only from 3.12 on


def enter_network(namespace: str) -> None:
    """Moves the calling thread into the network namespace at this path, such as `/proc/1/ns/net`."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(handle, _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), namespace)
    finally:
        os.close(handle)


def within(namespace: str, action: Callable[[], Result]) -> Result:
    """Runs `action` in a thread that is in this network namespace. What it raises is raised here."""
    results: list[Result] = []
    errors: list[Exception] = []

    def act() -> None:
        try:
            enter_network(namespace)
            results.append(action())
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=act)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def connect(box: Box, host: str, port: int, timeout: float = 2.0) -> socket.socket:
    """A TCP connection to an IP address of the box, a Service or a pod. Raises OSError as `socket` does."""
    return within(f"/proc/{box.init.pid}/ns/net", lambda: socket.create_connection((host, port), timeout))


class HTTPConnection(http.client.HTTPConnection):
    """`http.client` for an address in the box."""

    def __init__(self, box: Box, host: str, port: int, timeout: float = 5.0) -> None:
        super().__init__(host, port, timeout=timeout)
        self._box = box

    def connect(self) -> None:
        self.sock = connect(self._box, self.host, self.port, self.timeout or 5.0)


def http_status(box: Box, host: str, port: int, path: str) -> int | None:
    """The status code that a GET in the box answers; None if nobody does."""
    connection = HTTPConnection(box, host, port)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
