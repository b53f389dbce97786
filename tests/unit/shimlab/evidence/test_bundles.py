"""What config.json asked for beside what the process has: a pod of kube-proxy, recorded on each runtime's node.

evidence/*.json hold what the probe found there. Left out of them are other pods, the parts of config.json that nothing
reads, and where on its host a node's mounts come from.
"""

from __future__ import annotations

import copy
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from shimlab.errors import LabError
from shimlab.evidence import bundles, listing, plain
from shimlab.evidence.mounts import followed, mounts_of

RECORDED = {
    file.stem: json.loads(file.read_text()) for file in (Path(__file__).parent / "recorded").glob("*.json")
}
BOTH = sorted(RECORDED)


def findings(recorded: dict[str, Any]) -> dict[str, bytes]:
    """Make of a recording what the probe gave."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, bundle in recorded["bundles"].items():
            for file, content in (
                ("config.json", json.dumps(bundle["config"])),
                ("init.pid", str(bundle["pid"])),
                ("runtime", f"/x/{name[:4]}"),
            ):
                member = tarfile.TarInfo(f"{name}/{file}")
                member.size = len(content.encode())
                tar.addfile(member, io.BytesIO(content.encode()))
    lines = {name: "\n".join(recorded[name]) + "\n" for name in ("files", "status", "programs", "mounts")}
    words = {
        "links": "".join(f"{each}\0" for each in recorded["links"]),
        "inside": "".join(f"{name}\0{target}\0" for name, target in recorded["inside"]),
    }
    kept = {name: recorded[name] for name in ("clock", "self", "networks")}
    return {
        **{name: text.encode() for name, text in {**lines, **words, **kept}.items()},
        "bundles": archive.getvalue(),
    }


def containers(label: str, change: Any = None) -> dict[str, bundles.OciContainer]:
    recorded = copy.deepcopy(RECORDED[label])
    if change:
        change(recorded)
    return {each.process.comm: each for each in bundles.parse(findings(recorded))}


def broken(container: bundles.OciContainer) -> list[str]:
    return [check.what for check in container.checks if not check.kept]


def test_there_is_a_recording_of_each_runtime():
    assert BOTH == ["containerd", "dockershim"]


@pytest.mark.parametrize(("label", "store"), [("containerd", "k8s.io"), ("dockershim", "moby")])
def test_both_runtimes_keep_what_was_asked_for(label, store):
    found = containers(label)
    assert sorted(found) == ["kube-proxy", "pause"]
    for each in found.values():
        assert (each.store, broken(each), each.kept) == (store, [], True)
        assert each.runtime == f"/x/{store[:4]}"
        assert {"mnt", "pid"} <= set(each.process.apart)
        assert each.process.pid_inside == 1
        assert each.asked.cgroups_path.endswith(each.id)
    # The pod is on the host's network: it asks for none, or joins the one of its sandbox, which is the node's.
    assert "net" not in found["kube-proxy"].process.apart
    assert len({each.pod_uid for each in found.values()}) == 1


@pytest.mark.parametrize("label", BOTH)
def test_the_container_joins_the_namespaces_of_its_sandbox(label):
    found = containers(label)
    ipc = {name: each.process.namespaces["ipc"] for name, each in found.items()}
    assert ipc["kube-proxy"] == ipc["pause"]
    (asked,) = [each for each in found["kube-proxy"].asked.namespaces if each.kind == "ipc"]
    assert asked.path == f"/proc/{found['pause'].process.pid}/ns/ipc"


def config(recorded: dict[str, Any], ends: str = "kube-proxy") -> Any:
    """Return the config.json of a container by its program."""
    found = [each["config"] for each in recorded["bundles"].values()]
    return next(each for each in found if each["process"]["args"][0].endswith(ends))


def ask_for_user_namespace(recorded: dict[str, Any]) -> None:
    config(recorded)["linux"]["namespaces"].append({"type": "user"})


def ask_for_node_pids(recorded: dict[str, Any]) -> None:
    linux = config(recorded)["linux"]
    linux["namespaces"] = [each for each in linux["namespaces"] if each["type"] != "pid"]


def ask_for_other_ipc(recorded: dict[str, Any]) -> None:
    (ipc,) = [each for each in config(recorded)["linux"]["namespaces"] if each["type"] == "ipc"]
    ipc["path"] = "/proc/1/ns/ipc"


def ask_for_other_cgroup(recorded: dict[str, Any]) -> None:
    config(recorded)["linux"]["cgroupsPath"] += "x"


def ask_for_other_rootfs(recorded: dict[str, Any]) -> None:
    config(recorded)["root"]["path"] = config(recorded, "pause")["root"]["path"] + "/elsewhere"


def ask_for_more_mounts(recorded: dict[str, Any]) -> None:
    config(recorded)["mounts"].append(
        {"destination": "/secret", "type": "bind", "source": "/x", "options": []}
    )


def ask_for_other_type(recorded: dict[str, Any]) -> None:
    next(each for each in config(recorded)["mounts"] if each["destination"] == "/proc")["type"] = "tmpfs"


@pytest.mark.parametrize("label", BOTH)
@pytest.mark.parametrize(
    ("change", "what"),
    [
        (ask_for_user_namespace, "namespace user"),
        (ask_for_node_pids, "namespace pid"),
        (ask_for_other_ipc, "namespace ipc"),
        (ask_for_other_cgroup, "cgroup"),
        (ask_for_other_rootfs, "rootfs"),
        (ask_for_more_mounts, "mount /secret"),
        (ask_for_other_type, "mount /proc"),
    ],
)
def test_what_was_asked_for_and_is_not_there_is_told(label, change, what):
    found = containers(label, change)
    assert broken(found["kube-proxy"]) == [what]
    assert broken(found["pause"]) == []


def test_a_pid_that_went_to_another_process_is_not_the_container():
    def reused(recorded: dict[str, Any]) -> None:
        for each in recorded["bundles"].values():
            each["pid"] = 1

    assert containers("dockershim", reused) == {}


def test_a_bundle_that_is_being_made_is_left_out():
    def unfinished(recorded: dict[str, Any]) -> None:
        next(iter(recorded["bundles"].values()))["pid"] = ""

    assert len(containers("containerd", unfinished)) == 1


def test_a_node_without_containers():
    empty = {**findings(RECORDED["containerd"]), "bundles": b""}
    assert bundles.parse(empty) == []


@pytest.mark.parametrize(
    ("asked", "kernels"),
    [
        ("/kubelet/kubepods/podx/id", "/kubelet/kubepods/podx/id"),
        (
            "kubepods-burstable-pod0_1.slice:cri-containerd:id",
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0_1.slice/cri-containerd-id.scope",
        ),
        ("system.slice:docker:id", "/system.slice/docker-id.scope"),
        ("-.slice:docker:id", "/docker-id.scope"),
    ],
)
def test_cgroup_paths_of_both_drivers(asked, kernels):
    assert bundles.cgroup_path(asked) == kernels


def test_links_inside_a_container_are_followed_there():
    links = {"/var/run": "/run", "/run/a": "../b", "/loop": "loop"}
    assert followed("/var/run/secrets/x", links) == "/run/secrets/x"
    assert followed("/var/run/a/c", links) == "/b/c"
    assert followed("/plain", links) == "/plain"
    assert followed("/loop/x", links).startswith("/loop")


def test_a_mount_point_with_a_blank():
    line = "/proc/7/mountinfo:1 2 0:5 / /a\\040b rw,nosuid shared:1 master:2 - tmpfs some\\134thing rw\n"
    (mount,) = mounts_of(line)[7]
    assert (mount.destination, mount.type, mount.source, mount.device) == (
        "/a b",
        "tmpfs",
        "some\\thing",
        "0:5",
    )
    assert mount.options == ("rw", "nosuid")


def answering(label: str) -> Any:
    """Return a way to ask a node that answers as it did when it was recorded."""
    import base64

    lines = [f"{name} {base64.b64encode(data).decode()}" for name, data in findings(RECORDED[label]).items()]
    return lambda argv, *, input=None: "\n".join(lines)


def test_one_container_by_its_id_as_the_api_has_it():
    run = answering("dockershim")
    (wanted, _) = bundles.oci_containers("n", run=run)
    assert bundles.oci("n", f"docker://{wanted.id}", run=run).id == wanted.id
    assert bundles.oci_containers("n", pod_uid="none", run=run) == []
    for nobody in ("docker://", "ffff"):
        with pytest.raises(LabError, match="n: no running containers have an id"):
            bundles.oci("n", nobody, run=run)


def test_the_comparison_as_a_table_and_as_json():
    found = containers("containerd")["pause"]
    lines = listing(found.checks).splitlines()
    assert lines[0].split() == ["WHAT", "ASKED", "LIVE", "KEPT"]
    assert len(lines) == len(found.checks) + 1
    assert json.loads(json.dumps(plain(found)))["process"]["comm"] == "pause"
