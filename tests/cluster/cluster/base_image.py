"""The layer under our programs: glibc, libgcc and the certificate authorities, out of Debian's packages."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from . import debian
from .oci import NONROOT, Entry, layer
from .progress import say
from .settings import OCI_ARCHITECTURE, cache_root

PACKAGES = ("libc6", "libgcc-s1", "ca-certificates")

#: Changes with the recipe below, so that a cached layer of an older recipe is not used.
RECIPE = 1

_ACCOUNTS = {
    "etc/passwd": f"root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:{NONROOT}:{NONROOT}:nonroot:/:/sbin/nologin\n",
    "etc/group": f"root:x:0:\nnonroot:x:{NONROOT}:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


def is_library(path: str) -> bool:
    """Shared libraries only: no documentation, no locales, no character set converters, no audit plugins."""
    parts = path.split("/")
    if not {"lib", "lib64"} & set(parts[:2]):
        return False
    if {"gconv", "audit", "locale"} & set(parts):
        return False
    return ".so" in parts[-1]


def merged_path(path: str) -> str:
    """Where a file of /lib or /lib64 is in a root whose /lib is a link into /usr."""
    return path if path.startswith("usr/") else f"usr/{path}"


def build() -> bytes:
    """The layer; from the cache if this recipe was used before."""
    key = hashlib.sha256(repr((RECIPE, PACKAGES, OCI_ARCHITECTURE, _release())).encode()).hexdigest()[:12]
    cached = cache_root() / "images" / f"base-{key}.tar"
    if cached.exists():
        return cached.read_bytes()
    say(f"  base image: downloading {', '.join(PACKAGES)}")
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "root"
        debian.extract(PACKAGES, Path(scratch), root)
        built = layer(_entries(root))
    cached.parent.mkdir(parents=True, exist_ok=True)
    partial = cached.with_suffix(".partial")
    partial.write_bytes(built)
    partial.replace(cached)
    return built


def _release() -> str:
    """The machine's release: the binaries were linked against its glibc."""
    return Path("/etc/os-release").read_text()


def _entries(root: Path) -> list[Entry]:
    entries = [Entry("lib", link="usr/lib"), Entry("lib64", link="usr/lib64"), Entry("usr/lib64")]
    entries.append(Entry("tmp", mode=0o1777))
    entries += [Entry(path, text.encode(), mode=0o644) for path, text in _ACCOUNTS.items()]
    for folder, _, files in os.walk(root):
        for name in files:
            file = Path(folder) / name
            path = str(file.relative_to(root))
            if not is_library(path):
                continue
            if file.is_symlink():
                entries.append(Entry(merged_path(path), link=os.readlink(file)))
            else:
                entries.append(Entry(merged_path(path), file.read_bytes()))
    # The package's post-install script would make this file out of the same parts.
    authorities = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    bundle = b"".join(each.read_bytes() for each in authorities)
    entries.append(Entry("etc/ssl/certs/ca-certificates.crt", bundle, mode=0o644))
    return entries
