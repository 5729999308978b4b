"""Ready means: an upload made one second later is processed."""

from __future__ import annotations

import time

from pictures import photo
from world import kubectl
from world.studio import Studio

TIMES = 20


def test_no_file_uploaded_right_after_ready_is_missed(studio: Studio) -> None:
    studio.apply_webhook()
    kubectl.wait_ready("fastiowebhook", "studio", studio.namespace)
    uploaded: list[tuple[str, str]] = []
    for number in range(TIMES):
        name = f"p{number}"
        studio.apply_pipeline(name, folder=f"/out/{name}", match={"names": [f"{name}-*.jpg"]})
        kubectl.wait_ready("filepipeline", name, studio.namespace)
        began = time.monotonic()
        node = studio.workspace.upload(f"{name}-x.jpg", photo(64, 40, seed=number))
        assert time.monotonic() - began < 1, "the upload itself must come within a second"
        uploaded.append((name, node))
        if number >= 3:
            # Only the newest few stay: the point is the moment after Ready, not the number of pods.
            old, old_node = uploaded[number - 3]
            studio.wait_until_done(old_node, pipeline=old)
            kubectl.kubectl("delete", "filepipeline", old, "--wait=false", namespace=studio.namespace)
    for name, node in uploaded[TIMES - 3 :]:
        studio.wait_until_done(node, pipeline=name)
    for name, _ in uploaded:
        assert len(studio.runs(name)) == 1, name
