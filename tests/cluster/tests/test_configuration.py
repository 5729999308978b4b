"""What is rendered for the programs of the cluster."""

import json
from pathlib import Path

import pytest

from cluster import box, certificates, control_plane, daemons, dns, kube_api, node, node_services, temporal, tools
from cluster.base_image import is_library, merged_path
from cluster.prerequisites import go_version_problem
from cluster.progress import ClusterError
from cluster.settings import Layout

LAYOUT = Layout(Path("/var/lib/some-box"))


def test_mounts_are_private_before_anything_is_mounted() -> None:
    commands = [" ".join(step["argv"]) for step in box.plan(LAYOUT, "/etc/resolv.conf")]
    assert commands[0] == "mount --make-rprivate /"
    assert commands.index("mount --make-rshared /") > max(
        index for index, command in enumerate(commands) if command.startswith("mount --bind")
    )


@pytest.mark.parametrize(
    ("target", "made"), [("/etc/resolv.conf", False), ("/run/systemd/resolve/stub-resolv.conf", True)]
)
def test_a_resolv_conf_under_run_is_made_before_it_is_bound(target: str, made: bool) -> None:
    commands = [step["argv"] for step in box.plan(LAYOUT, target)]
    assert (["install", "-D", "/dev/null", target] in commands) is made
    assert ["mount", "--bind", "/var/lib/some-box/config/resolv.conf", target] in commands


def test_the_box_has_no_way_out() -> None:
    assert "default" not in box.NETWORK
    assert node.cni_config()["plugins"][0]["ipMasq"] is False


def test_a_client_certificate_carries_user_and_group() -> None:
    kubelet = next(each for each in certificates.CLIENTS if each.file == "kubelet")
    command = certificates.issue_command(Path("/pki"), kubelet)
    assert command[command.index("-subj") + 1] == "/O=system:nodes/CN=system:node:node1"
    assert "extendedKeyUsage=clientAuth" in command


def test_the_api_server_is_certified_for_the_name_that_pods_use() -> None:
    apiserver = next(each for each in certificates.SERVERS if each.file == "apiserver")
    names = certificates.issue_command(Path("/pki"), apiserver)[-1]
    assert "DNS:kubernetes.default.svc" in names and "IP:10.96.0.1" in names


@pytest.mark.parametrize("v2", [True, False])
def test_only_the_old_cgroup_interface_needs_a_permission(v2: bool) -> None:
    config = node.kubelet_config(LAYOUT, cgroup_v2=v2)
    assert ("failCgroupV1" in config) is not v2
    assert config["cgroupRoot"] == "/some-box"


def test_every_kubeconfig_uses_a_certificate_that_is_issued() -> None:
    issued = {each.file for each in certificates.CLIENTS}
    for user in ("admin", "controller-manager", "scheduler", "kubelet", "kube-proxy", "coredns"):
        (entry,) = control_plane.kubeconfig(LAYOUT, user)["users"]
        assert Path(entry["user"]["client-certificate"]).stem in issued


def test_a_name_outside_of_the_cluster_is_answered_with_no_such_name() -> None:
    assert "rcode NXDOMAIN" in dns.corefile(LAYOUT)


def test_temporal_keeps_its_data_in_a_file_and_listens_for_its_own_services() -> None:
    argv = temporal.server(LAYOUT).argv
    assert "--db-filename=/var/lib/some-box/data/temporal/temporal.db" in argv
    assert "--ip=0.0.0.0" in argv


def test_a_process_of_the_box_gets_a_service_without_selector() -> None:
    namespace, service, slice_ = node_services.service_of_the_node("temporal", "temporal-frontend", {"grpc": 7233})
    assert namespace["metadata"]["name"] == "temporal"
    assert "selector" not in service["spec"]
    assert slice_["metadata"]["labels"]["kubernetes.io/service-name"] == service["metadata"]["name"]
    assert slice_["endpoints"][0]["addresses"] == ["10.244.0.1"]
    assert kube_api.object_path(slice_) == (
        "/apis/discovery.k8s.io/v1/namespaces/temporal/endpointslices/temporal-frontend"
    )


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("lib/x86_64-linux-gnu/libc.so.6", True),
        ("lib64/ld-linux-x86-64.so.2", True),
        ("usr/lib/x86_64-linux-gnu/libm.so.6", True),
        ("usr/lib/x86_64-linux-gnu/gconv/BIG5.so", False),
        ("usr/lib/x86_64-linux-gnu/audit/sotruss-lib.so", False),
        ("usr/share/doc/libc6/copyright", False),
        ("etc/ld.so.conf.d/x86_64-linux-gnu.conf", False),
    ],
)
def test_the_base_layer_keeps_libraries_only(path: str, kept: bool) -> None:
    assert is_library(path) is kept


def test_libraries_end_up_under_usr() -> None:
    assert merged_path("lib/x/libc.so.6") == merged_path("usr/lib/x/libc.so.6") == "usr/lib/x/libc.so.6"


def test_a_tool_is_built_again_when_what_it_is_made_of_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "TOOL_SOURCES", tmp_path)
    source = tmp_path / "kube"
    source.mkdir()
    (source / "go.mod").write_text("module one")
    before = tools.KUBE.fingerprint()
    assert tools.KUBE.fingerprint() == before
    (source / "go.mod").write_text("module two")
    assert tools.KUBE.fingerprint() != before


@pytest.mark.parametrize(
    ("answer", "good"),
    [
        ("go version go1.26.8 linux/amd64", True),
        ("go version go1.30 linux/arm64", True),
        ("go version go1.19.8 linux/amd64", False),
        ("", False),
    ],
)
def test_an_old_go_is_named(answer: str, good: bool) -> None:
    assert (go_version_problem(answer) is None) is good


@pytest.mark.parametrize("name", ["", "Temporal", "../x", "a b", "-a"])
def test_a_daemon_needs_a_plain_name(name: str) -> None:
    with pytest.raises(ClusterError, match="lower case"):
        daemons.Daemon(name, ["true"])


def test_the_plan_is_plain_data() -> None:
    assert json.loads(json.dumps(box.plan(LAYOUT, "/etc/resolv.conf"))) == box.plan(LAYOUT, "/etc/resolv.conf")
