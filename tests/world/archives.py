"""The images as OCI archives, for registries and for nodes."""

from __future__ import annotations

import re
from pathlib import Path

from cluster import images

from . import programs
from .command import REPOSITORY

CHART = REPOSITORY / "charts" / "fastio-operator" / "Chart.yaml"


def version() -> str:
    """The tag that the chart uses by default."""
    found = re.search(r'^appVersion: "(.+)"$', CHART.read_text(), re.MULTILINE)
    assert found, f"{CHART} has no appVersion"
    return found.group(1)


def save(folder: Path) -> None:
    """Builds what is not built yet and writes one archive for each image."""
    programs.build()
    folder.mkdir(parents=True, exist_ok=True)
    for part in programs.PARTS:
        name = f"fastio-{part}"
        image = images.program_image(f"{name}:{version()}", programs.folder() / name)
        archive = folder / f"{name}.tar"
        archive.write_bytes(image.archive())
        print(f"  {archive}: {image.name}, {image.size() / 1e6:.1f} MB, {image.digest()}")
