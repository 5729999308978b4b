"""Container images as OCI archives (image-spec 1.1). The same content gives the same bytes, so also the same digest."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .settings import OCI_ARCHITECTURE

NONROOT = 65532


@dataclass(frozen=True)
class Entry:
    """A folder (`content` None), a file, or a symbolic link (`link` set) of a layer."""

    path: str
    content: bytes | None = None
    link: str = ""
    mode: int = 0o755


def layer(entries: Iterable[Entry]) -> bytes:
    """An uncompressed layer: sorted, owned by root, without times."""
    by_path = {entry.path.strip("/"): entry for entry in entries}
    for path in list(by_path):
        for parent in Path(path).parents:
            if str(parent) != ".":
                by_path.setdefault(str(parent), Entry(str(parent)))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in sorted(by_path):
            entry = by_path[path]
            header = tarfile.TarInfo(path)
            header.mode = entry.mode
            if entry.link:
                header.type, header.linkname, header.mode = tarfile.SYMTYPE, entry.link, 0o777
                archive.addfile(header)
            elif entry.content is None:
                header.type = tarfile.DIRTYPE
                archive.addfile(header)
            else:
                header.size = len(entry.content)
                archive.addfile(header, io.BytesIO(entry.content))
    return buffer.getvalue()


def digest(blob: bytes) -> str:
    return "sha256:" + hashlib.sha256(blob).hexdigest()


@dataclass(frozen=True)
class Image:
    """A program on its layers, run as a user without rights."""

    name: str
    entrypoint: str
    layers: tuple[bytes, ...]

    def config(self) -> bytes:
        environment = ["PATH=/usr/local/bin:/usr/bin:/bin", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"]
        return _json(
            {
                "architecture": OCI_ARCHITECTURE,
                "os": "linux",
                "config": {
                    "User": f"{NONROOT}:{NONROOT}",
                    "Entrypoint": [self.entrypoint],
                    "Env": environment,
                    "WorkingDir": "/",
                },
                "rootfs": {"type": "layers", "diff_ids": [digest(each) for each in self.layers]},
            }
        )

    def manifest(self) -> bytes:
        return _json(
            {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": _descriptor("application/vnd.oci.image.config.v1+json", self.config()),
                "layers": [_descriptor("application/vnd.oci.image.layer.v1.tar", each) for each in self.layers],
            }
        )

    def digest(self) -> str:
        """What names exactly this image."""
        return digest(self.manifest())

    def size(self) -> int:
        """Bytes of all layers."""
        return sum(len(each) for each in self.layers)

    def archive(self) -> bytes:
        """The OCI layout in one tar, as `ctr images import` and `skopeo copy oci-archive:…` read it."""
        manifest = self.manifest()
        described = _descriptor("application/vnd.oci.image.manifest.v1+json", manifest)
        # The one is read by containerd, the other by everything that follows the image-spec ("annotations").
        tag = self.name.rpartition(":")[2]
        described["annotations"] = {"io.containerd.image.name": self.name, "org.opencontainers.image.ref.name": tag}
        index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [described]}
        files = [
            Entry("oci-layout", _json({"imageLayoutVersion": "1.0.0"}), mode=0o644),
            Entry("index.json", _json(index), mode=0o644),
        ]
        for blob in (self.config(), manifest, *self.layers):
            files.append(Entry(f"blobs/sha256/{digest(blob).removeprefix('sha256:')}", blob, mode=0o644))
        return layer(files)


def _descriptor(media_type: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(blob), "size": len(blob)}


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
