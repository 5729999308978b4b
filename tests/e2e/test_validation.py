"""Manifests against the real API server: good ones are taken, bad ones refused with a sentence that helps."""

from __future__ import annotations

import re

import pytest
import yaml
from world import kubectl
from world.command import REPOSITORY, CommandFailed
from world.studio import Studio

WEBHOOK = """
apiVersion: pipelines.fast.io/v1alpha1
kind: FastioWebhook
metadata: {name: studio, namespace: default}
spec:
  workspaceId: "1234567890123456789"
  apiKeySecretRef: {name: fastio-api}
  endpoint: {url: "https://hooks.studio.example"}
"""

PIPELINE = """
apiVersion: pipelines.fast.io/v1alpha1
kind: FilePipeline
metadata: {name: photos, namespace: default}
spec:
  webhookRef: {name: studio}
  match: {events: [upload], names: ["*.jpg"]}
  steps:
    - name: web
      image: {resize: {width: 1600}}
    - name: thumbnail
      from: web
      image: {resize: {width: 320, height: 320, fit: Cover, format: jpeg, quality: 70}}
  output: {folder: "/processed/{stem}"}
  comment: {success: "Ready in {output.folder}", failure: "Failed: {error}"}
  workers: {replicas: 2, slots: 8, scratch: {size: 20Gi}, resources: {cpu: "1", memory: 2Gi}}
"""


def _dry_run(manifest: str) -> str:
    return kubectl.kubectl("apply", "--dry-run=server", "--filename", "-", stdin=manifest)


@pytest.mark.parametrize("manifest", [WEBHOOK, PIPELINE], ids=["webhook", "pipeline"])
def test_good_manifests_are_taken(manifest: str) -> None:
    assert "created (server dry run)" in _dry_run(manifest)


def test_the_examples_and_the_readme_are_taken() -> None:
    pages = {file.name: file.read_text() for file in sorted((REPOSITORY / "examples").glob("*.yaml"))}
    pages["README.md"] = "\n---\n".join(re.findall(r"```yaml\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.S))
    for name, text in pages.items():
        documents = list(yaml.safe_load_all(text))
        assert documents, name
        for document in documents:
            document["metadata"]["namespace"] = "default"
            document["metadata"]["name"] += "-example"
            assert "(server dry run)" in _dry_run(yaml.safe_dump(document)), name


@pytest.mark.parametrize(
    ("manifest", "good", "bad", "sentence"),
    [
        (WEBHOOK, '"1234567890123456789"', '"studio"', "spec.workspaceId"),
        (WEBHOOK, "https://hooks.studio.example", "hooks.studio.example", "spec.endpoint.url"),
        (WEBHOOK, "https://hooks.studio.example", "https://hooks.studio.example/path", "spec.endpoint.url"),
        (WEBHOOK, "{name: studio,", f"{{name: {'x' * 41},", "must be no longer than 40 characters"),
        (WEBHOOK, "{name: studio,", "{name: 1studio,", "must start with a letter"),
        (WEBHOOK, "apiKeySecretRef: {name: fastio-api}", "apiKeySecretRef: {nam: fastio-api}", 'unknown field "spec.apiKeySecretRef.nam"'),
        (WEBHOOK, "endpoint:", "events: [uploaded]\n  endpoint:", "supported values"),
        (PIPELINE, "from: web", "from: wob", "`from` must be the name of another step"),
        (PIPELINE, "name: thumbnail", "name: web", "Duplicate value"),
        (PIPELINE, "name: thumbnail", "name: Thumbnail", "spec.steps[1].name"),
        (PIPELINE, "      image: {resize: {width: 1600}}", "", "a step must have exactly one action"),
        (PIPELINE, "height: 320, ", "", "`height` must be set when `fit` is Cover"),
        (PIPELINE, "quality: 70", "quality: 0", "greater than or equal to 1"),
        (PIPELINE, "width: 1600", "width: 5000000000", "spec.steps[0].image.resize.width"),
        (PIPELINE, "format: jpeg", "format: bmp", "supported values"),
        (PIPELINE, '"*.jpg"', '"raw/*.jpg"', "must not contain '/'"),
        (PIPELINE, '"/processed/{stem}"', '"/"', "spec.output.folder must name a folder"),
        (PIPELINE, '"/processed/{stem}"', '"a//b"', "spec.output.folder must name a folder"),
        (WEBHOOK, 'endpoint: {url: "https://hooks.studio.example"}', "delivery: Push", "spec.endpoint must be set for delivery Push"),
        (WEBHOOK, "endpoint:", "receiver: {signature: {scheme: StampedHex}}\n  endpoint:", "`secretRef` must be set for this scheme"),
        (WEBHOOK, "endpoint:", "receiver: {signature: {toleranceSeconds: 60}}\n  endpoint:", "needs a scheme with a timestamp"),
        (WEBHOOK, "endpoint:", "receiver: {signature: {previousSecretKey: old}}\n  endpoint:", "set both, or neither"),
        (WEBHOOK, "endpoint:", "receiver: {signature: {secretRef: {name: a, key: b}, previousSecretKey: b}}\n  endpoint:", "must not be the key in `secretRef`"),
        (PIPELINE, 'names: ["*.jpg"]', "folders: [raw]", "a folder pattern must start with '/'"),
        (PIPELINE, 'names: ["*.jpg"]', "maxSize: 20GB", "spec.match.maxSize"),
        (PIPELINE, 'names: ["*.jpg"]', "mimeTypes: [image]", "must be of the form type/subtype"),
        (PIPELINE, "steps:", "backfill: {filesPerMinute: 0}\n  steps:", "spec.backfill.filesPerMinute"),
        (PIPELINE, "size: 20Gi", "size: 20GB", "spec.workers.scratch.size"),
        (PIPELINE, "replicas: 2", "replicas: 0", "spec.workers.replicas"),
    ],
)
def test_bad_manifests_are_refused_with_a_sentence(manifest: str, good: str, bad: str, sentence: str) -> None:
    assert good in manifest
    with pytest.raises(CommandFailed) as refused:
        _dry_run(manifest.replace(good, bad, 1))
    assert sentence.lower() in refused.value.output.lower(), refused.value.output


def test_a_mistake_that_only_we_can_see_stalls_the_pipeline(studio: Studio) -> None:
    studio.apply_pipeline(folder="/processed/{stam}")

    def stalled() -> str | None:
        found = kubectl.condition(kubectl.get("filepipeline", "photos", studio.namespace), "Stalled")
        return str(found["message"]) if found.get("reason") == "InvalidSpec" else None

    message = kubectl.wait_for("Stalled", stalled, 30)
    assert "spec.output.folder" in message and "{stam}" in message and "{stem}" in message, message


def test_a_new_object_is_not_taken_for_finished(studio: Studio) -> None:
    created = kubectl.kubectl(
        "create", "--dry-run=server", "--output", "jsonpath={.status.observedGeneration}", "--filename", "-",
        stdin=PIPELINE.replace("namespace: default", f"namespace: {studio.namespace}"),
    )
    assert created == "-1"


def test_what_must_not_change_is_refused(studio: Studio) -> None:
    studio.apply_webhook()
    with pytest.raises(CommandFailed, match="must not be changed"):
        kubectl.kubectl("patch", "fastiowebhook", "studio", "--type=merge", "--patch",
                        '{"spec":{"workspaceId":"42"}}', namespace=studio.namespace)
