"""The chart without a cluster: lint, schema, and what it renders. Installing it is for the end-to-end tests."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from world.command import REPOSITORY, CommandFailed, run

CHART = "charts/fastio-operator"


def render(*settings: str) -> list[dict[str, Any]]:
    argv = [word for setting in settings for word in ("--set", setting)]
    text = run("helm", "template", "fastio", CHART, "--namespace", "fastio-system", *argv)
    return [document for document in yaml.safe_load_all(text) if document]


def one(documents: list[dict[str, Any]], kind: str, name: str = "fastio-operator") -> dict[str, Any]:
    return next(d for d in documents if d["kind"] == kind and d["metadata"]["name"] == name)


def arguments(documents: list[dict[str, Any]]) -> list[str]:
    found: list[str] = one(documents, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"]
    return found


def test_lint_is_clean() -> None:
    assert "0 chart(s) failed" in run("helm", "lint", "--strict", CHART)


def test_crds_are_the_generated_ones_and_kept_on_uninstall() -> None:
    crds = [d for d in render() if d["kind"] == "CustomResourceDefinition"]
    generated = [yaml.safe_load(file.read_text()) for file in sorted((REPOSITORY / "crds/yaml").glob("*.yaml"))]
    assert [c["spec"] for c in crds] == [g["spec"] for g in generated]
    assert all(c["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep" for c in crds)
    assert not any("keep" in str(d["metadata"].get("annotations")) for d in render("crds.keep=false"))
    assert not any(d["kind"] == "CustomResourceDefinition" for d in render("crds.enabled=false"))


def test_secrets_are_never_listed_or_watched_and_only_children_deleted() -> None:
    rules = one(render(), "ClusterRole")["rules"]
    verbs = {verb for rule in rules if "secrets" in rule["resources"] for verb in rule["verbs"]}
    assert verbs == {"get", "create", "patch", "delete"}
    deletable = {resource for rule in rules if "delete" in rule["verbs"] for resource in rule["resources"]}
    assert deletable == {"secrets", "services", "serviceaccounts", "deployments"}
    assert not any("deletecollection" in rule["verbs"] for rule in rules)
    assert not any("*" in rule["verbs"] + rule["resources"] + rule["apiGroups"] for rule in rules)


def test_the_pod_meets_the_restricted_profile() -> None:
    pod = one(render(), "Deployment")["spec"]["template"]["spec"]
    container = pod["containers"][0]["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["capabilities"] == {"drop": ["ALL"]} and not container["allowPrivilegeEscalation"]
    assert container["readOnlyRootFilesystem"]


def test_images_by_tag_digest_and_registry() -> None:
    digest = "sha256:" + "0" * 64
    documents = render("image.registry=registry.example/x", "images.worker.tag=v7", f"images.intake.digest={digest}")
    args = arguments(documents)
    assert "--worker-image=registry.example/x/fastio-worker:v7" in args
    assert f"--intake-image=registry.example/x/fastio-intake@{digest}" in args
    assert "--receiver-image=registry.example/x/fastio-receiver:0.1.0" in args


def test_temporal_settings_become_flags() -> None:
    args = arguments(
        render("temporal.address=temporal:7233", "temporal.namespace=media", "temporal.tls.enabled=true",
               "temporal.tls.caSecretName=ca", "temporal.apiKeySecretRef.name=cloud")
    )
    for flag in ("--temporal-address=temporal:7233", "--temporal-namespace=media", "--temporal-tls-ca-secret=ca",
                 "--temporal-api-key-secret=cloud", "--temporal-api-key-secret-key=apiKey"):
        assert flag in args, args
    assert not any("temporal" in argument for argument in arguments(render()))


def test_the_relist_interval_becomes_a_flag() -> None:
    assert "--intake-relist-seconds=3600" in arguments(render())
    # Helm reads large numbers of a values file as floating point.
    assert "--intake-relist-seconds=86400" in arguments(render("intake.relistSeconds=86400"))


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("temporal.adress=temporal:7233", "adress"),
        ("temporal.address=http://temporal:7233", "/temporal/address"),
        ("image.pullPolicy=Sometimes", "/image/pullPolicy"),
        ("log.format=xml", "/log/format"),
        ("intake.relistSeconds=5", "/intake/relistSeconds"),
        ("temporal.tls.enabled=true", "temporal.tls.enabled needs temporal.address"),
        ("temporal.tls.caSecretName=ca", "need temporal.tls.enabled=true"),
    ],
)
def test_mistakes_fail_at_once(setting: str, sentence: str) -> None:
    with pytest.raises(CommandFailed) as failed:
        render(setting)
    assert sentence in failed.value.output, failed.value.output


def test_the_notes_tell_the_next_command_and_warn() -> None:
    argv = ["helm", "install", "fastio", CHART, "--namespace", "fastio-system", "--dry-run=client"]
    assert "No default Temporal connection is set" in run(*argv)
    plain = run(*argv, "--set", "temporal.address=temporal:7233")
    assert "WARNING: temporal.tls.enabled is false" in plain
    assert "kubectl -n media create secret generic fastio-api" in plain
    assert "WARNING" not in run(*argv, "--set", "temporal.address=temporal:7233,temporal.tls.enabled=true")
