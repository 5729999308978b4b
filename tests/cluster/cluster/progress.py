"""What a person sees while they wait, and the one error type that ends a command with a sentence."""

from __future__ import annotations

import sys
import time

STARTED = time.monotonic()


class ClusterError(Exception):
    """Something that the person at the keyboard has to know; its text says what and what to do."""


def say(text: str) -> None:
    """Prints one line at once, also into a pipe."""
    print(text, flush=True)


def step(text: str) -> None:
    """Prints one line with the seconds since the command began."""
    say(f"  {time.monotonic() - STARTED:5.1f} s  {text}")


def warn(text: str) -> None:
    """Prints one line on standard error."""
    print(text, file=sys.stderr, flush=True)
