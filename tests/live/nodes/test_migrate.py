"""A worker's kubelet is moved between its runtimes, live: nothing is lost, runs twice or is left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from tests.support.command import Done, inside
from tests.support.lab import CONTROL_PLANE, ON_CONTAINERD, ON_DOCKERSHIM, role
from tests.support.workload import PORT, REPLICAS, Probed, kubectl, probed, ready, started_in_docker

from shimlab import evidence
from shimlab.cluster import status as cluster
from shimlab.cluster.namespace import IMAGE
from shimlab.errors import LabError
from shimlab.evidence.containers import is_shim
from shimlab.migrate import migrate
from shimlab.node import exec as node_exec
from shimlab.snippets.state import marks
from shimlab.waiting import wait

WORKER = ON_DOCKERSHIM
DECLARED, OTHER, OUT_OF_TREE = "dockershim", "containerd", "dockershim-out-of-tree"
SCHEME = {"dockershim": "docker", "containerd": "containerd", "dockershim-out-of-tree": "docker"}
SOCKET = {
    "dockershim": "/var/run/dockershim.sock",
    "containerd": "unix:///run/containerd/containerd.sock",
    "dockershim-out-of-tree": "unix:///run/dockershim-out-of-tree.sock",
}
LISTENER = {"dockershim": "kubelet", "containerd": "containerd", "dockershim-out-of-tree": "dockershim-out-"}
ANNOTATION = "kubeadm.alpha.kubernetes.io/cri-socket"


@pytest.fixture
def probed_pod(core: Any, namespace: str) -> Iterator[Probed]:
    with probed(core, namespace, WORKER) as pod:
        yield pod


def _command(runtime: str, name: str = WORKER, *more: str) -> Done:
    return inside("node", runtime, name, *more)


def _state(core: Any, worker: str = WORKER) -> dict[str, Any]:
    found = core.read_node(worker)
    return {
        **marks(found),
        "flags": node_exec.run(worker, ["cat", "/var/lib/kubelet/kubeadm-flags.env"]),
    }


def _docker_containers(worker: str) -> list[str]:
    names = node_exec.run(worker, ["docker", "ps", "--all", "--format", "{{.Names}}"]).split()
    return [name for name in names if name.startswith("k8s_")]


def _containerd_containers(worker: str) -> list[str]:
    return node_exec.run(worker, ["ctr", "--namespace", "k8s.io", "containers", "ls", "--quiet"]).split()


def _runs_on(core: Any, apps: Any, namespace: str, worker: str, runtime: str) -> None:
    """Everything that says where the node is says the same, and nothing of the other runtime is left."""
    assert {each.runtime for each in evidence.runtime_of(worker)} == {SCHEME[runtime]}
    status = next(each for each in cluster.status() if each.name == worker)
    assert (status.asked, status.ready, status.as_asked) == (runtime, True, True)
    state = _state(core, worker)
    assert not state["cordoned"]
    assert state["taints"] == []
    assert state["annotations"][ANNOTATION] == SOCKET[runtime]
    assert not [key for key in state["annotations"] if key.startswith("shimlab/")]

    wait(lambda: ready(apps, namespace) and not _not_ready(core, worker), "the pods to be ready")
    containers = {"docker": _docker_containers(worker), "containerd": _containerd_containers(worker)}
    assert containers.pop(SCHEME[runtime])
    assert list(containers.values()) == [[]]
    here = core.list_pod_for_all_namespaces(field_selector=f"spec.nodeName={worker}").items
    for pod in here:
        for each in pod.status.container_statuses:
            assert each.container_id.startswith(f"{SCHEME[runtime]}://"), pod.metadata.name
    # As many processes of each container as there should be: one.
    of_kube_proxy = [each for each in evidence.processes(worker) if each.comm == "kube-proxy"]
    assert len(of_kube_proxy) == 1

    # Every address that CNI gave out belongs to a pod of today, and the host port leads to one of them.
    assert _given(worker) == _in_use(here)
    rules = node_exec.run(worker, ["iptables-save", "-t", "nat"]).splitlines()
    assert len([rule for rule in rules if f"--dport {PORT} " in rule and "DNAT" in rule]) == 1

    # Links of pods that have gone are the kubelet's to remove, once a minute.
    nowhere = node_exec.run(worker, ["find", "-L", "/var/log/pods", "/var/log/containers", "-type", "l"])
    assert not [pod.metadata.name for pod in here if pod.metadata.name in nowhere]
    each = next(pod for pod in here if pod.metadata.labels.get("app") == "each")
    assert "started" in core.read_namespaced_pod_log(each.metadata.name, namespace)
    _speaks_to(worker, runtime)


def _given(worker: str) -> list[str]:
    """The addresses that CNI gave out on a node, and has not got back."""
    find = ["find", "/run/cni-addresses/shimlab", "-name", "10.*", "-printf", "%f "]
    return sorted(node_exec.run(worker, find).split())


def _in_use(pods: list[Any]) -> list[str]:
    return sorted(pod.status.pod_ip or "" for pod in pods if not pod.spec.host_network)


def _not_ready(core: Any, worker: str) -> list[str]:
    pods = core.list_pod_for_all_namespaces(field_selector=f"spec.nodeName={worker}").items
    return [
        pod.metadata.name
        for pod in pods
        if not pod.status.container_statuses or not all(each.ready for each in pod.status.container_statuses)
    ]


def _speaks_to(worker: str, runtime: str) -> None:
    """The kubelet has connections to the one program that listens on its socket; no other shim's socket is left."""
    sockets = {name: path.removeprefix("unix://") for name, path in SOCKET.items()}
    there = dict(zip(sockets, evidence.sockets_at(worker, sockets.values()), strict=True))
    assert [each.comm for each in there[runtime].listeners] == [LISTENER[runtime]]
    shims = [name for name in ("dockershim", "dockershim-out-of-tree") if there[name].exists]
    assert shims == [name for name in shims if name == runtime]
    unit = node_exec.run(worker, ["sh", "-c", "systemctl is-enabled dockershim-out-of-tree || true"]).strip()
    assert unit == ("enabled" if runtime == "dockershim-out-of-tree" else "disabled")

    if runtime == "dockershim":
        # It is both ends, and its socket goes by the name that it had before the kubelet renamed it.
        return
    # The columns of ss: local address and inode at 4 and 5, the peer's at 6 and 7, then who holds it.
    rows = [
        row.split() for row in node_exec.run(worker, ["ss", "-xpnH", "state", "established"]).splitlines()
    ]
    peers = {row[6] for row in rows if row[3] == there[runtime].resolved}
    assert [row for row in rows if row[4] in peers and '"kubelet"' in row[-1]], rows


def _uids_on(core: Any, namespace: str, worker: str) -> set[str]:
    pods = core.list_namespaced_pod(namespace, label_selector="app=web").items
    return {pod.metadata.uid for pod in pods if pod.spec.node_name == worker}


def _interrupt(runtime: str, worker: str, at: str) -> list[str]:
    """Start a migration, press Ctrl-C as soon as it says that it is ``at`` this step, and return what it said."""
    argv = [sys.executable, "-m", "shimlab", "node", runtime, worker]
    told = []
    with subprocess.Popen(argv, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        for line in child.stderr:
            told.append(line.rstrip())
            if line.rstrip() == f"• {at}":
                child.send_signal(signal.SIGINT)
        assert child.wait(60) == 130, told
    return told


def _lose_a_shim(worker: str, runtime: str) -> None:
    """Leave a shim as a runtime does that has lost sight of it: containerd has its container, Docker knows none."""
    if SCHEME[runtime] != "docker":
        return
    script = """
    mkdir -p /var/lib/lost
    id=$(docker create "$1" true)
    docker export "$id" | tar -x -C /var/lib/lost
    docker rm "$id"
    ctr --namespace moby run --detach --rootfs /var/lib/lost lost /bin/sleep 3600
    """
    node_exec.run(worker, ["sh", "-euc", script, "sh", IMAGE])
    assert "lost" in {shim.option("-id") for shim in evidence.processes(worker) if is_shim(shim)}


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("worker", "round_", "at"),
    [
        # Every way from one runtime to another is gone once.
        # In the middle there is no kubelet; at the end the one that is starting goes on without us.
        (WORKER, [DECLARED, OTHER, OUT_OF_TREE], "Removing what Docker still holds for Kubernetes"),
        (ON_CONTAINERD, [OTHER, DECLARED, OUT_OF_TREE], "Starting the kubelet on dockershim"),
    ],
    ids=["from dockershim", "from containerd"],
)
def test_round(core: Any, apps: Any, namespace: str, worker: str, round_: list[str], at: str) -> None:
    declared, other, third = round_
    before = _state(core, worker)
    # The sandboxes of pods that other tests had here: the kubelet removes the dead ones once a minute.
    pods = partial(core.list_pod_for_all_namespaces, field_selector=f"spec.nodeName={worker}")
    wait(lambda: _given(worker) == _in_use(pods().items), "the addresses of earlier pods to come back", 150)
    _runs_on(core, apps, namespace, worker, declared)
    evicted = _uids_on(core, namespace, worker)
    assert evicted

    try:
        _lose_a_shim(worker, declared)
        told = _interrupt(other, worker, at)
        assert told[-1] == (
            f"shimlab: interrupted; {worker} is cordoned; the migration stopped at: {at}; "
            f"`shimlab node {other} {worker}` goes on from there"
        )
        assert core.read_node(worker).spec.unschedulable
        if at.startswith("Removing"):
            assert not [each for each in evidence.processes(worker) if each.comm == "kubelet"]

        done = _command(other, worker)
        assert done.returncode == 0, done.stderr
        lost = "any more: lost" in done.stderr
        assert lost == (SCHEME[declared] == "docker"), done.stderr
        _runs_on(core, apps, namespace, worker, other)
        assert not evicted & _uids_on(core, namespace, worker)

        for runtime in (third, declared):
            done = _command(runtime, worker)
            assert done.returncode == 0, done.stderr
            assert [line.split()[1] for line in done.stdout.splitlines()[1:]] == [SCHEME[runtime]] * 4
            _runs_on(core, apps, namespace, worker, runtime)
    finally:
        # Where one of them failed, the tests that come next do not.
        migrate.migrate(worker, declared)
        node_exec.run(worker, ["rm", "-rf", "/var/lib/lost"])
    assert _state(core, worker) == before


def test_pods_may_run_on_between_the_two_dockershims(
    core: Any, apps: Any, namespace: str, probed_pod: Probed
) -> None:
    _pods_here(core, apps, namespace)
    before, started = _state(core), started_in_docker(WORKER)
    here = _uids_on(core, namespace, WORKER)
    try:
        for runtime in (OUT_OF_TREE, DECLARED):
            done = _command(runtime, WORKER, "--keep-pods")
            assert done.returncode == 0, done.stderr
            # The kubelet that was started took it out of service; the migration is not over before it serves again.
            assert probed_pod.container()[0]
            assert "containers run on\n" in done.stderr
            assert "Draining" not in done.stderr
            _runs_on(core, apps, namespace, WORKER, runtime)
            # The same containers, started when they were, and each pod where it was.
            assert started_in_docker(WORKER) == started
            assert _uids_on(core, namespace, WORKER) == here
            pod = next(
                each for each in core.list_namespaced_pod(namespace).items if each.spec.node_name == WORKER
            )
            run = ["--namespace", namespace, "exec", pod.metadata.name, "--", "echo", "from inside"]
            assert kubectl(*run) == "from inside\n"
    finally:
        migrate.migrate(WORKER, DECLARED, keep_pods=True)
    assert _state(core) == before


def test_what_is_there_already_is_left_alone(core: Any) -> None:
    kubelet = evidence.kubelet(WORKER).pid
    before = _state(core)
    done = _command(DECLARED)
    assert (done.returncode, done.stderr) == (0, f"{WORKER} runs on {DECLARED} already.\n")
    assert evidence.kubelet(WORKER).pid == kubelet
    assert _state(core) == before


def test_a_containerd_that_lost_its_socket_to_dockershim_gets_it_back(core: Any) -> None:
    """What upstream's page does on a kubelet of 1.20, whose dockershim then listens where containerd did."""
    before, socket = _state(core), "/run/containerd/containerd.sock"
    flags = before["flags"].replace(
        "--network-plugin", f"--container-runtime-endpoint=unix://{socket} --network-plugin"
    )
    node_exec.run(WORKER, ["sh", "-c", "cat >/var/lib/kubelet/kubeadm-flags.env"], input=flags)
    node_exec.run(WORKER, ["systemctl", "restart", "kubelet"])
    try:
        wait(
            lambda: [each.comm for each in evidence.sockets_at(WORKER, [socket])[0].listeners] == ["kubelet"],
            "dockershim at containerd's socket",
        )
        with pytest.raises(LabError, match="unknown service"):
            node_exec.run(WORKER, ["ctr", "version"])
    finally:
        migrate.migrate(WORKER, DECLARED)
    assert [each.comm for each in evidence.sockets_at(WORKER, [socket])[0].listeners] == ["containerd"]
    node_exec.run(WORKER, ["ctr", "version"])
    assert _state(core) == before


def test_a_budget_that_forbids_it_is_named_and_the_switch_can_be_given_up(
    core: Any, apps: Any, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pods_here(core, apps, namespace)
    before, kubelet, here = _state(core), evidence.kubelet(WORKER).pid, _uids_on(core, namespace, WORKER)
    _forbid_evictions(namespace)
    monkeypatch.setattr(migrate, "DRAIN_SECONDS", 4)
    try:
        with pytest.raises(LabError) as caught:
            migrate.migrate(WORKER, OTHER)
        assert "is cordoned" in caught.value.what
        assert "disruption budget forbids" in caught.value.what
        assert f"shimlab node {OTHER} {WORKER}" in caught.value.remedy
        assert core.read_node(WORKER).spec.unschedulable
    finally:
        witnesses = migrate.migrate(WORKER, DECLARED)
    assert {each.runtime for each in witnesses} == {SCHEME[DECLARED]}
    assert _state(core) == before
    assert evidence.kubelet(WORKER).pid == kubelet
    assert here == _uids_on(core, namespace, WORKER)


def _pods_here(core: Any, apps: Any, namespace: str) -> None:
    if not _uids_on(core, namespace, WORKER):
        # All went to the other worker while this one was away: the next ones come here, where there are none.
        core.delete_collection_namespaced_pod(namespace, label_selector="app=web")
        wait(lambda: _uids_on(core, namespace, WORKER) and ready(apps, namespace), "pods on the node")


def _forbid_evictions(namespace: str) -> None:
    of = ["--namespace", namespace]
    budget = ["create", "poddisruptionbudget", "web", "--selector=app=web", f"--min-available={REPLICAS}"]
    kubectl(*of, *budget)
    # A budget counts when its controller has counted the pods.
    counted = ["get", "poddisruptionbudget", "web", "--output=jsonpath={.status.currentHealthy}"]
    wait(lambda: kubectl(*of, *counted) == str(REPLICAS), "the budget")


@pytest.mark.parametrize(
    ("name", "runtime", "what"),
    [
        ("nowhere", OTHER, "no node nowhere"),
        (CONTROL_PLANE, "dockershim", "k8s.gcr.io/kube-apiserver"),
    ],
    ids=role,
)
def test_what_cannot_be_moved_is_refused(core: Any, name: str, runtime: str, what: str) -> None:
    done = _command(runtime, name)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 2
    assert what in done.stderr
    assert not [each.metadata.name for each in core.list_node().items if each.spec.unschedulable]


def test_a_pod_that_would_be_lost_and_a_container_of_docker_are_named(core: Any, namespace: str) -> None:
    container = {"name": "c", "image": IMAGE, "command": ["sleep", "600"]}
    spec = {"nodeName": WORKER, "terminationGracePeriodSeconds": 0, "containers": [container]}
    core.create_namespaced_pod(namespace, {"metadata": {"name": "bare"}, "spec": spec})
    done = _command(OTHER)
    assert done.returncode == 1
    assert f"{namespace}/bare" in done.stderr
    assert "--force" in done.stderr
    # Docker's dockershim knows nothing of what runs in containerd.
    done = _command(OUT_OF_TREE, ON_CONTAINERD, "--keep-pods")
    assert done.returncode == 1
    assert "does not know" in done.stderr
    core.delete_namespaced_pod("bare", namespace)
    wait(lambda: "bare" not in str(core.list_namespaced_pod(namespace).items), "the pod's end")

    node_exec.run(
        WORKER,
        [
            "docker",
            "run",
            "--detach",
            "--rm",
            "--name",
            "by-hand",
            "--net=none",
            container["image"],
            "sleep",
            "600",
        ],
    )
    try:
        done = _command(OTHER)
    finally:
        node_exec.run(WORKER, ["docker", "rm", "--force", "by-hand"])
    assert done.returncode == 1
    assert "by-hand" in done.stderr
    assert not core.read_node(WORKER).spec.unschedulable
