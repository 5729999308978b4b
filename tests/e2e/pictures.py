"""Pictures for the tests, and a look at what came back."""

from __future__ import annotations

import io
import random

from PIL import Image


def photo(width: int = 640, height: int = 400, seed: int = 0) -> bytes:
    """A JPEG of random colours, so that no two are alike."""
    noise = random.Random(seed).randbytes(16 * 10 * 3)
    picture = Image.frombytes("RGB", (16, 10), noise).resize((width, height), Image.Resampling.BICUBIC)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


def large_photo(seed: int = 0) -> bytes:
    """A JPEG of about 9 MB: noise does not compress."""
    picture = Image.frombytes("RGB", (2400, 1600), random.Random(seed).randbytes(2400 * 1600 * 3))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=97)
    return out.getvalue()


def size_and_format(content: bytes) -> tuple[int, int, str]:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture.width, picture.height, str(picture.format)
