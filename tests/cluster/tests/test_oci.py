"""Image archives: what is in them, and that the same content always gives the same bytes."""

import io
import json
import tarfile

from cluster.oci import Entry, Image, digest, layer


def members(archive: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return {member.name: member for member in opened.getmembers()}


def content(archive: bytes, path: str) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        file = opened.extractfile(path)
        assert file is not None
        return file.read()


def test_a_layer_does_not_depend_on_the_order_of_its_entries() -> None:
    entries = [Entry("usr/bin/a", b"a"), Entry("tmp", mode=0o1777), Entry("lib", link="usr/lib")]
    assert layer(entries) == layer(reversed(entries))
    assert layer(entries) != layer([*entries, Entry("b", b"")])


def test_a_layer_has_parents_modes_and_no_times() -> None:
    found = members(
        layer([Entry("/usr/local/bin/worker", b"\x7fELF"), Entry("tmp", mode=0o1777), Entry("lib", link="usr/lib")])
    )
    assert list(found) == ["lib", "tmp", "usr", "usr/local", "usr/local/bin", "usr/local/bin/worker"]
    assert found["usr/local"].isdir() and found["usr/local/bin/worker"].mode == 0o755
    assert found["tmp"].mode == 0o1777
    assert found["lib"].issym() and found["lib"].linkname == "usr/lib"
    assert {(member.mtime, member.uid, member.gid) for member in found.values()} == {(0, 0, 0)}


def test_an_archive_names_its_blobs_by_their_digests() -> None:
    image = Image(
        "localhost/worker:dev", "/usr/local/bin/worker", (layer([Entry("a", b"1")]), layer([Entry("b", b"2")]))
    )
    archive = image.archive()
    for name, member in members(archive).items():
        if name.startswith("blobs/sha256/") and member.isfile():
            assert digest(content(archive, name)) == "sha256:" + name.rpartition("/")[2]
    index = json.loads(content(archive, "index.json"))
    (described,) = index["manifests"]
    assert described["digest"] == image.digest()
    assert described["annotations"] == {
        "io.containerd.image.name": "localhost/worker:dev",
        "org.opencontainers.image.ref.name": "dev",
    }
    manifest = json.loads(content(archive, "blobs/" + image.digest().replace(":", "/")))
    assert [each["digest"] for each in manifest["layers"]] == [digest(each) for each in image.layers]


def test_an_image_runs_without_rights_and_its_digest_follows_its_content() -> None:
    one = Image("localhost/worker:dev", "/worker", (layer([Entry("worker", b"1")]),))
    same = Image("localhost/worker:dev", "/worker", (layer([Entry("worker", b"1")]),))
    other = Image("localhost/worker:dev", "/worker", (layer([Entry("worker", b"2")]),))
    assert one.archive() == same.archive()
    assert one.digest() != other.digest()
    config = json.loads(one.config())
    assert config["config"]["User"] == "65532:65532"
    assert config["config"]["Entrypoint"] == ["/worker"]
