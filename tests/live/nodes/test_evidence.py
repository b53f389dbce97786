"""The inside view of both workers: the same questions, the same records, and each answer held against another's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.lab import ON_CONTAINERD, ON_DOCKERSHIM, role
from tests.support.workload import own_namespace, probed

from shimlab import evidence
from shimlab.clients import docker
from shimlab.cluster.namespace import IMAGE
from shimlab.errors import LabError
from shimlab.node import exec as node_exec
from shimlab.waiting import bound, wait

CONTAINERD, DOCKERSHIM = ON_CONTAINERD, ON_DOCKERSHIM
STORE = {CONTAINERD: "k8s.io", DOCKERSHIM: "moby"}
RUNTIME = {CONTAINERD: "containerd", DOCKERSHIM: "docker"}
SOCKET = {CONTAINERD: "/run/containerd/containerd.sock", DOCKERSHIM: "/var/run/dockershim.sock"}
LISTENER = {CONTAINERD: "containerd", DOCKERSHIM: "kubelet"}
# A process that calls itself a kubelet, and one that calls itself a shim: each in a container of its own.
NAMES = ("kubelet", "containerd-shim")

both = pytest.mark.parametrize("name", STORE, ids=role)


@pytest.fixture(scope="module")
def pods(core: Any) -> Iterator[dict[str, Any]]:
    """A pod of two containers on each worker, whose processes have names that are not theirs."""

    def running() -> list[Any]:
        found = core.list_namespaced_pod(namespace).items
        return found if all(_runs(pod) for pod in found) else []

    with own_namespace(core) as namespace:
        for worker in STORE:
            core.create_namespaced_pod(namespace, _pod(worker), _request_timeout=bound(30))
        yield {pod.spec.node_name: pod for pod in wait(running, "the test's pods")}


def _pod(worker: str) -> dict[str, Any]:
    containers = [
        {
            "name": name,
            "image": IMAGE,
            "imagePullPolicy": "Never",
            "command": ["/bin/sh", "-c", f"echo -n {name} > /proc/self/comm; while :; do sleep 60; done"],
            "resources": {"limits": {"memory": "32Mi"}},
        }
        for name in NAMES
    ]
    spec = {
        "nodeName": worker,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "containers": containers,
    }
    return {"metadata": {"name": f"on-{worker}"}, "spec": spec}


def _runs(pod: Any) -> bool:
    statuses = pod.status.container_statuses or []
    return len(statuses) == len(NAMES) and all(each.ready for each in statuses)


def _ids(pod: Any) -> set[str]:
    return {each.container_id.partition("://")[2] for each in pod.status.container_statuses}


@both
def test_every_question_takes_at_most_a_moment_and_has_the_same_shape(name: str, pods: dict[str, Any]):
    """A bound that only a hanging answer misses; how long each takes, the pages say from a run of its own."""
    (container,) = [each for each in pods[name].status.container_statuses if each.name == "kubelet"]
    asked = {
        "processes": (evidence.Process, lambda: evidence.processes(name)),
        "unix_sockets": (evidence.UnixSocket, lambda: evidence.unix_sockets(name)),
        "sockets_at": (evidence.SocketPath, lambda: evidence.sockets_at(name, [SOCKET[name]])),
        "connections": (evidence.Connection, lambda: evidence.connections(name)),
        "runtime_of": (evidence.Witness, lambda: evidence.runtime_of(name)),
        "cri": (evidence.CriSnapshot, lambda: [evidence.cri(name)]),
        "stored_containers": (evidence.StoredContainer, lambda: evidence.stored_containers(name)),
        "stored_images": (evidence.StoredImage, lambda: evidence.stored_images(name)),
        "oci_containers": (evidence.OciContainer, lambda: evidence.oci_containers(name)),
        "oci": (evidence.OciContainer, lambda: [evidence.oci(name, container.container_id)]),
        "network_namespaces": (evidence.NetworkNamespace, lambda: evidence.network_namespaces(name)),
        "kubelet": (evidence.KubeletSetup, lambda: [evidence.kubelet(name)]),
        "kubelet_config": (evidence.KubeletConfig, lambda: [evidence.kubelet_config(name)]),
        "kubelet_log": (evidence.LogLine, lambda: evidence.kubelet_log(name, since="start")),
        "log": (evidence.LogLine, lambda: evidence.log(name, "containerd", since="start")),
        "cadvisor": (evidence.Sample, lambda: evidence.cadvisor(name)),
    }
    took = {}
    for question, (kind, ask) in asked.items():
        began = time.monotonic()
        found = ask()
        took[question] = time.monotonic() - began
        assert found, question
        assert {type(each) for each in found} == {kind}, question
        assert len(evidence.listing(found).splitlines()) == len(found) + 1, question
        evidence.plain(found)
    print(*(f"{question} {seconds:.2f} s" for question, seconds in took.items()), sep="\n")
    assert max(took.values()) < bound(30), took


@both
def test_shims_are_children_of_process_1_and_of_the_nodes_namespaces(name: str, pods: dict[str, Any]):
    tree = evidence.container_tree(name, pods[name].metadata.uid)
    assert len(tree.chains) == 1 + len(NAMES)
    assert len(tree.shims) == (1 if name == CONTAINERD else 1 + len(NAMES))
    for shim in tree.shims:
        assert (shim.ppid, shim.apart) == (1, ())
        assert shim.exe == "/usr/bin/containerd-shim-runc-v2"
        assert shim.option("-namespace") == STORE[name]
    for chain in tree.chains:
        assert {"mnt", "pid", "net"} <= set(chain.process.apart)
        assert chain.process.pid_inside == 1


@both
def test_a_name_makes_nobody_a_kubelet_or_a_shim(name: str, pods: dict[str, Any]):
    everyone = evidence.processes(name)
    named = [each for each in everyone if each.pod_uid == pods[name].metadata.uid and each.comm in NAMES]
    assert sorted(each.comm for each in named) == sorted(NAMES)
    assert {each.exe for each in named} == {"/bin/busybox"}
    setup = evidence.kubelet(name)
    assert setup.pid not in {each.pid for each in named}
    (real,) = [each for each in everyone if each.pid == setup.pid]
    assert (real.ppid, real.apart) == (1, ())
    assert {witness.runtime for witness in evidence.runtime_of(name)} == {RUNTIME[name]}


@both
def test_who_is_connected_to_the_runtimes_socket(name: str):
    """Dockershim is the kubelet itself: it is connected to itself."""
    kubelet = evidence.kubelet(name).pid
    connections = [
        each
        for each in evidence.connections(name, SOCKET[name])
        if kubelet in {owner.pid for owner in each.client}
    ]
    assert connections
    (there,) = evidence.sockets_at(name, [SOCKET[name]])
    for each in connections:
        assert each.server == there.listeners
        assert [owner.comm for owner in each.server] == [LISTENER[name]]
    if name == DOCKERSHIM:
        assert {owner.pid for each in connections for owner in (*each.server, *each.client)} == {kubelet}
        # And from there on it speaks to dockerd, and dockerd to containerd.
        assert kubelet in {
            owner.pid for each in evidence.connections(name, docker.SOCKET) for owner in each.client
        }
        asking = {
            owner.comm for each in evidence.connections(name, SOCKET[CONTAINERD]) for owner in each.client
        }
        assert docker.DAEMON in asking


@both
def test_every_container_of_a_pod_is_in_exactly_one_store(name: str, pods: dict[str, Any]):
    uid = pods[name].metadata.uid
    found = [each for each in evidence.stored_containers(name) if each.pod_uid == uid]
    assert len(found) == len({each.id for each in found}) == 1 + len(NAMES)
    assert {each.store for each in found} == {STORE[name]}
    assert sorted((each.kind, each.name) for each in found) == [
        *sorted(("container", each) for each in NAMES),
        ("sandbox", ""),
    ]
    assert {each.id for each in found if each.kind == "container"} == _ids(pods[name])
    assert {(each.pod_namespace, each.pod, each.state) for each in found} == {
        (pods[name].metadata.namespace, pods[name].metadata.name, "running")
    }
    # The PIDs that the daemons tell are those of the processes in the pod's cgroups.
    chains = evidence.container_tree(name, uid).chains
    assert {each.id: each.pid for each in found} == {each.container_id: each.process.pid for each in chains}


@both
def test_the_store_and_cri_tell_of_the_same_containers_and_images(name: str, pods: dict[str, Any]):
    answers = evidence.cri(name)
    uid = pods[name].metadata.uid
    (sandbox,) = [each for each in answers.pods if each.uid == uid]
    ids = {sandbox.id, *(each.id for each in answers.containers if each.pod_id == sandbox.id)}
    assert ids == {each.id for each in evidence.stored_containers(name) if each.pod_uid == uid}
    store = "docker" if name == DOCKERSHIM else STORE[name]
    images = {each.id: each for each in evidence.stored_images(name) if each.store == store}
    assert {each.id for each in answers.images} == set(images)
    (busybox,) = [each for each in images.values() if IMAGE in each.names]
    assert busybox.id.startswith("sha256:")
    assert busybox.bytes > 1_000_000
    assert bool(busybox.digest) == (name == CONTAINERD)


def test_one_image_has_one_id_in_every_store():
    """The images that were in both stores when the node was made; what somebody loads later may differ."""
    for tag in (IMAGE, "k8s.gcr.io/pause:3.2"):
        found = [image for name in STORE for image in evidence.stored_images(name) if tag in image.names]
        assert {image.store for image in found} == {"docker", "k8s.io"}
        assert len({image.id for image in found}) == 1, tag


@both
def test_the_live_container_has_what_its_config_asked_for(name: str, pods: dict[str, Any]):
    found = evidence.oci_containers(name, pod_uid=pods[name].metadata.uid)
    assert len(found) == 1 + len(NAMES)
    for each in found:
        assert [check for check in each.checks if not check.kept] == []
        assert each.store == STORE[name]
        # Or runc's name on a host that cannot grant everything, or nothing where the shim's default is meant.
        assert each.runtime.rpartition("/")[2] in {"runc", "runc-bounded", ""}
        assert each.asked.cgroups_path.startswith("/kubelet/kubepods/burstable/pod")
        assert {"namespace net", "namespace pid", "cgroup", "rootfs", "mount /proc"} <= {
            check.what for check in each.checks
        }
        assert evidence.oci(name, each.id).process.pid == each.process.pid
    # All of the pod are in one network, and it is not the node's.
    assert len({each.process.namespaces["net"] for each in found}) == 1


@both
def test_the_pods_network_namespace_has_the_pods_address(name: str, pods: dict[str, Any]):
    spaces = evidence.network_namespaces(name)
    assert [each.nodes for each in spaces] == [True] + [False] * (len(spaces) - 1)
    (ours,) = [each for each in spaces if pods[name].metadata.uid in each.pod_uids]
    assert pods[name].status.pod_ip in {address.partition("/")[0] for address in ours.addresses}
    assert ours.pod_uids == (pods[name].metadata.uid,)
    # Each daemon keeps it mounted in its own folder.
    (path,) = ours.paths
    assert path.startswith("/run/netns/cni-" if name == CONTAINERD else "/run/docker/netns/")
    (eth0,) = [each for each in ours.interfaces if each.name == "eth0"]
    ends = {each.index: each for each in spaces[0].interfaces}
    assert eth0.peer_index in ends
    assert ends[eth0.peer_index].peer_index == eth0.index


def test_the_deprecation_warning_has_its_level_and_source():
    (warning,) = [
        each
        for each in evidence.kubelet_log(DOCKERSHIM, since="start")
        if each.said.startswith("Using dockershim is deprecated")
    ]
    assert (warning.level, warning.source.partition(":")[0]) == ("W", "kubelet.go")
    assert warning.pid == evidence.kubelet(DOCKERSHIM).pid
    for name in STORE:
        assert {"I", "W", "E"} <= {each.level for each in evidence.kubelet_log(name, since="start")}
    said = {each.said for each in evidence.log(CONTAINERD, "containerd", since="start")}
    assert "containerd successfully booted" in {each.split(" in ")[0] for each in said}


@both
def test_the_configuration_in_force(name: str):
    found = evidence.kubelet_config(name)
    # What is configured is where the containers are.
    assert (found.cgroup_driver, found.cgroup_root) == ("cgroupfs", "/kubelet")
    assert {each.asked.cgroups_path.split("/")[1] for each in evidence.oci_containers(name)} == {"kubelet"}
    assert found.settings["staticPodPath"] == found.static_pod_path


@both
def test_cadvisor_measures_the_containers_of_the_pod(name: str, pods: dict[str, Any]):
    """It looks for containers by itself, every few seconds, and keeps a moment what it found."""
    wanted = _ids(pods[name])

    def measured() -> list[evidence.Sample]:
        samples = evidence.cadvisor(name, "container_memory_working_set_bytes")
        ours = [each for each in samples if each.container_id in wanted]
        return ours if {each.container_id for each in ours} == wanted else []

    ours = wait(measured, f"cAdvisor's measurements of {', '.join(sorted(wanted))}", 90)
    assert {each.pod_uid for each in ours} == {pods[name].metadata.uid}
    assert {each.container for each in ours} == set(NAMES)
    assert {each.pod for each in ours} == {f"{pods[name].metadata.namespace}/{pods[name].metadata.name}"}
    assert all(0 < each.value < 32 << 20 for each in ours)


@both
def test_how_often_the_kubelet_probed_a_container(core: Any, name: str):
    with probed(core, "default", name) as pod:
        ours = [each for each in evidence.probes(name) if each.pod == f"default/{pod.name}"]
    assert [(each.labels["probe_type"], each.container) for each in ours if each.value] == [
        ("Readiness", "c")
    ]
    assert {each.labels["result"] for each in ours} == {"successful"}


def test_looking_starts_no_daemon():
    assert docker.runs(DOCKERSHIM)
    show = ["systemctl", "show", "--property=InvocationID,ActiveState", "docker"]
    before = node_exec.run(CONTAINERD, show)
    evidence.stored_containers(CONTAINERD)
    evidence.stored_images(CONTAINERD)
    assert node_exec.run(CONTAINERD, show) == before


def test_a_node_or_a_container_that_is_not_there():
    with pytest.raises(LabError, match="shimlab-nowhere"):
        evidence.processes("shimlab-nowhere")
    with pytest.raises(LabError, match="no running containers have an id"):
        evidence.oci(CONTAINERD, "f" * 64)
