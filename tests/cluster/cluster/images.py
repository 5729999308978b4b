"""Builds images out of binaries and puts them into the node's containerd, each only if it has changed."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from pathlib import Path

from . import base_image
from .box import Box
from .oci import Entry, Image, layer
from .progress import ClusterError, say
from .settings import OUR_PROGRAMS, PAUSE_IMAGE, cache_root, release_binaries

_PAUSE_SOURCE = Path(__file__).with_name("pause.c")


def program_image(name: str, binary: Path) -> Image:
    """One dynamically linked program on the base layer, as `/usr/local/bin/<its file name>`."""
    try:
        content = binary.read_bytes()
    except FileNotFoundError:
        raise ClusterError(f"{binary} is missing: `cargo build --release -p {binary.name}` builds it.") from None
    if not content.startswith(b"\x7fELF"):
        raise ClusterError(f"{binary} is not a Linux program.")
    path = f"/usr/local/bin/{binary.name}"
    return Image(name, path, (base_image.build(), layer([Entry(path, content)])))


def our_images() -> dict[str, Path]:
    """The images of this repository's programs, and their binaries."""
    return {f"localhost/{program}:dev": release_binaries() / program for program in OUR_PROGRAMS}


def pause_image() -> Image:
    """The program that holds a pod's namespaces, compiled once."""
    key = hashlib.sha256(_PAUSE_SOURCE.read_bytes()).hexdigest()[:12]
    binary = cache_root() / "images" / f"pause-{key}"
    if not binary.exists():
        binary.parent.mkdir(parents=True, exist_ok=True)
        partial = binary.with_suffix(".partial")
        command = ["cc", "-static", "-Os", "-s", "-o", str(partial), str(_PAUSE_SOURCE)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ClusterError(f"The pause program could not be compiled: {done.stderr.strip()}")
        partial.replace(binary)
    return Image(PAUSE_IMAGE, "/pause", (layer([Entry("/pause", binary.read_bytes())]),))


class ImageStore:
    """The images of the node."""

    def __init__(self, box: Box, environment: dict[str, str]) -> None:
        self._box = box
        self._environment = environment

    def digests(self) -> dict[str, str]:
        """Name and digest of every image."""
        rows = [line.split() for line in self._ctr("list").splitlines()[1:]]
        return {row[0]: row[2] for row in rows}

    def load(self, image: Image) -> bool:
        """Imports the image; False if the node has exactly this one."""
        if self.digests().get(image.name) == image.digest():
            return False
        with tempfile.NamedTemporaryFile(suffix=".tar") as archive:
            archive.write(image.archive())
            archive.flush()
            self._ctr("import", "--digests=false", archive.name)
        return True

    def _ctr(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._box.enter(), "ctr", "--namespace", "k8s.io", "images", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=self._environment,
            check=False,
        )
        if done.returncode != 0:
            raise ClusterError(f"`ctr images {' '.join(arguments)}` failed: {done.stderr.strip()}")
        return done.stdout


def load_programs(store: ImageStore, binaries: dict[str, Path]) -> None:
    """Builds and loads one image for each name, and says its size."""
    for name, binary in binaries.items():
        image = program_image(name, binary)
        loaded = store.load(image)
        own = len(image.layers[-1]) / 1e6
        outcome = "loaded" if loaded else "unchanged"
        say(f"  {name}: {image.size() / 1e6:.1f} MB, of which its own {own:.1f} MB, {outcome}")
