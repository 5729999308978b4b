"""Debian's packages as files, without installing them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .progress import ClusterError


def extract(packages: tuple[str, ...], downloads: Path, root: Path) -> None:
    """Downloads packages into `downloads` and unpacks them below `root`. Needs the machine's own network."""
    # As root, apt would warn that its own user cannot write into a folder of ours.
    download = ["apt-get", "-o", "APT::Sandbox::User=root", "-qq", "download", *packages]
    done = subprocess.run(download, cwd=downloads, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        # A fresh machine has no package lists yet, or old ones.
        subprocess.run(["apt-get", "-qq", "update"], capture_output=True, check=False)
        done = subprocess.run(download, cwd=downloads, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError(f"`apt-get download {' '.join(packages)}` failed: {done.stderr.strip()}")
    for package in sorted(downloads.glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", str(package), str(root)], check=True)
