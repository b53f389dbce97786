"""A worker's kubelet is moved to the other runtime and back, live: nothing is lost, runs twice or is left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kubernetes import client, config

from shimlab import evidence
from shimlab.errors import LabError
from shimlab.lab import cluster, node, switch

WORKER = "shimlab-worker2"
DECLARED, OTHER = "dockershim", "containerd"
SCHEME = {"dockershim": "docker", "containerd": "containerd"}
SOCKET = {
    "dockershim": "/var/run/dockershim.sock",
    "containerd": "unix:///run/containerd/containerd.sock",
}
ANNOTATION = "kubeadm.alpha.kubernetes.io/cri-socket"
REPLICAS = 4
PORT = 18080


def wait(met: Callable[[], object], what: str, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.3)


@pytest.fixture(scope="module")
def core() -> Any:
    return client.CoreV1Api(config.new_client_from_config(config_file=str(cluster.kubeconfig())))


@pytest.fixture(scope="module")
def apps(core: Any) -> Any:
    return client.AppsV1Api(core.api_client)


@pytest.fixture(scope="module")
def namespace(core: Any, apps: Any) -> Iterator[str]:
    """A Deployment spread over both workers, and a DaemonSet with a host port, in a namespace of their own."""
    name = f"test-{uuid.uuid4().hex[:6]}"
    core.create_namespace({"metadata": {"name": name}})
    try:
        wait(lambda: core.list_namespaced_service_account(name).items, "service account", 30)
        apart = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}
        affinity = {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": apart}]
            }
        }
        apps.create_namespaced_deployment(
            name, _workload("web", {"affinity": affinity}, replicas=REPLICAS), _request_timeout=30
        )
        ports = [{"containerPort": 8080, "hostPort": PORT}]
        apps.create_namespaced_daemon_set(name, _workload("each", {}, ports=ports), _request_timeout=30)
        wait(lambda: _ready(apps, name), "the test's pods")
        yield name
    finally:
        core.delete_namespace(name)
        wait(lambda: name not in [each.metadata.name for each in core.list_namespace().items], "its removal")


def _workload(app: str, spec: dict[str, Any], *, ports: Any = (), **fields: object) -> dict[str, Any]:
    container = {
        "name": "web",
        "image": "shimlab.local/busybox:1.35",
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", "echo started; exec httpd -f -p 8080"],
        "ports": list(ports),
    }
    pod = {"terminationGracePeriodSeconds": 1, "containers": [container], **spec}
    labels = {"app": app}
    template = {"metadata": {"labels": labels}, "spec": pod}
    return {
        "metadata": {"name": app},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **fields},
    }


def _ready(apps: Any, namespace: str) -> bool:
    web = apps.read_namespaced_deployment_status("web", namespace).status
    each = apps.read_namespaced_daemon_set_status("each", namespace).status
    return web.ready_replicas == REPLICAS and 0 < each.desired_number_scheduled == (each.number_ready or 0)


def _command(runtime: str, name: str = WORKER, *more: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "shimlab", "node", runtime, name, *more]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=240)


def _state(core: Any, worker: str = WORKER) -> dict[str, Any]:
    found = core.read_node(worker)
    return {
        "labels": found.metadata.labels,
        "annotations": found.metadata.annotations,
        "cordoned": bool(found.spec.unschedulable),
        "taints": [taint.key for taint in found.spec.taints or []],
        "flags": node.run(worker, ["cat", "/var/lib/kubelet/kubeadm-flags.env"]),
    }


def _docker_containers(worker: str) -> list[str]:
    names = node.run(worker, ["docker", "ps", "--all", "--format", "{{.Names}}"]).split()
    return [name for name in names if name.startswith("k8s_")]


def _containerd_containers(worker: str) -> list[str]:
    return node.run(worker, ["ctr", "--namespace", "k8s.io", "containers", "ls", "--quiet"]).split()


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

    wait(lambda: _ready(apps, namespace), "the test's pods")
    containers = {"dockershim": _docker_containers(worker), "containerd": _containerd_containers(worker)}
    assert containers.pop(runtime)
    assert list(containers.values()) == [[]]
    here = core.list_pod_for_all_namespaces(field_selector=f"spec.nodeName={worker}").items
    for pod in here:
        for each in pod.status.container_statuses:
            assert each.container_id.startswith(f"{SCHEME[runtime]}://"), pod.metadata.name
            assert each.ready, pod.metadata.name
    # As many processes of each container as there should be: one.
    of_kube_proxy = [each for each in evidence.processes(worker) if each.comm == "kube-proxy"]
    assert len(of_kube_proxy) == 1

    # Every address that CNI gave out belongs to a pod of today, and the host port leads to one of them.
    given = node.run(
        worker, ["find", "/run/cni-addresses/shimlab", "-name", "10.*", "-printf", "%f "]
    ).split()
    in_use = [pod.status.pod_ip for pod in here if not pod.spec.host_network]
    assert sorted(given) == sorted(in_use)
    rules = node.run(worker, ["iptables-save", "-t", "nat"]).splitlines()
    assert len([rule for rule in rules if f"--dport {PORT} " in rule and "DNAT" in rule]) == 1

    # Links of pods that have gone are the kubelet's to remove, once a minute.
    nowhere = node.run(worker, ["find", "-L", "/var/log/pods", "/var/log/containers", "-type", "l"])
    assert not [pod.metadata.name for pod in here if pod.metadata.name in nowhere]
    each = next(pod for pod in here if pod.metadata.labels.get("app") == "each")
    assert "started" in core.read_namespaced_pod_log(each.metadata.name, namespace)
    shim = node.run(worker, ["sh", "-c", "ls /var/run/dockershim.sock 2>/dev/null || true"]).split()
    assert bool(shim) == (runtime == "dockershim")


def _uids_on(core: Any, namespace: str, worker: str) -> set[str]:
    pods = core.list_namespaced_pod(namespace, label_selector="app=web").items
    return {pod.metadata.uid for pod in pods if pod.spec.node_name == worker}


def _interrupt(runtime: str, worker: str, at: str) -> list[str]:
    """Start a switch, press Ctrl-C as soon as it says that it is ``at`` this step, and return what it said."""
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


@pytest.mark.parametrize(
    ("worker", "declared", "other", "at"),
    [
        # In the middle there is no kubelet; at the end the one that is starting goes on without us.
        (WORKER, "dockershim", "containerd", "Removing what Docker still holds for Kubernetes"),
        ("shimlab-worker", "containerd", "dockershim", "Starting the kubelet on dockershim"),
    ],
)
def test_there_and_back(
    core: Any, apps: Any, namespace: str, worker: str, declared: str, other: str, at: str
) -> None:
    before = _state(core, worker)
    _runs_on(core, apps, namespace, worker, declared)
    evicted = _uids_on(core, namespace, worker)
    assert evicted

    told = _interrupt(other, worker, at)
    assert told[-1] == (
        f"shimlab: interrupted; {worker} is cordoned; the switch stopped at: {at}; "
        f"`shimlab node {other} {worker}` goes on from there"
    )
    assert core.read_node(worker).spec.unschedulable
    if at.startswith("Removing"):
        assert not [each for each in evidence.processes(worker) if each.comm == "kubelet"]

    done = _command(other, worker)
    assert done.returncode == 0, done.stderr
    _runs_on(core, apps, namespace, worker, other)
    assert not evicted & _uids_on(core, namespace, worker)

    done = _command(declared, worker)
    assert done.returncode == 0, done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines()[1:]] == [SCHEME[declared]] * 4
    _runs_on(core, apps, namespace, worker, declared)
    assert _state(core, worker) == before


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
    node.run(WORKER, ["sh", "-c", "cat >/var/lib/kubelet/kubeadm-flags.env"], input=flags)
    node.run(WORKER, ["systemctl", "restart", "kubelet"])
    try:
        wait(
            lambda: [each.comm for each in evidence.sockets_at(WORKER, [socket])[0].listeners] == ["kubelet"],
            "dockershim at containerd's socket",
        )
        with pytest.raises(LabError, match="unknown service"):
            node.run(WORKER, ["ctr", "version"])
    finally:
        switch.switch(WORKER, DECLARED)
    assert [each.comm for each in evidence.sockets_at(WORKER, [socket])[0].listeners] == ["containerd"]
    node.run(WORKER, ["ctr", "version"])
    assert _state(core) == before


def test_a_budget_that_forbids_it_is_named_and_the_switch_can_be_given_up(
    core: Any, apps: Any, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not _uids_on(core, namespace, WORKER):
        # All went to the other worker while this one was away: the next ones come here, where there are none.
        core.delete_collection_namespaced_pod(namespace, label_selector="app=web")
        wait(lambda: _uids_on(core, namespace, WORKER) and _ready(apps, namespace), "pods on the node")
    before, kubelet, here = _state(core), evidence.kubelet(WORKER).pid, _uids_on(core, namespace, WORKER)
    _forbid_evictions(namespace)
    monkeypatch.setattr(switch, "DRAIN_SECONDS", 4)
    try:
        with pytest.raises(LabError) as caught:
            switch.switch(WORKER, OTHER)
        assert "is cordoned" in caught.value.what
        assert "disruption budget forbids" in caught.value.what
        assert f"shimlab node {OTHER} {WORKER}" in caught.value.remedy
        assert core.read_node(WORKER).spec.unschedulable
    finally:
        witnesses = switch.switch(WORKER, DECLARED)
    assert {each.runtime for each in witnesses} == {SCHEME[DECLARED]}
    assert _state(core) == before
    assert evidence.kubelet(WORKER).pid == kubelet
    assert here == _uids_on(core, namespace, WORKER)


def _forbid_evictions(namespace: str) -> None:
    kubectl = ["kubectl", "--namespace", namespace]
    budget = ["create", "poddisruptionbudget", "web", "--selector=app=web", f"--min-available={REPLICAS}"]
    subprocess.run([*kubectl, *budget], check=True, timeout=30)
    # A budget counts when its controller has counted the pods.
    counted = ["get", "poddisruptionbudget", "web", "--output=jsonpath={.status.currentHealthy}"]
    wait(
        lambda: (
            subprocess.run(
                [*kubectl, *counted], capture_output=True, text=True, check=True, timeout=30
            ).stdout
            == str(REPLICAS)
        ),
        "the budget",
    )


@pytest.mark.parametrize(
    ("name", "runtime", "what"),
    [
        ("nowhere", OTHER, "no node nowhere"),
        ("shimlab-control-plane", "dockershim", "k8s.gcr.io/kube-apiserver"),
    ],
)
def test_what_cannot_be_moved_is_refused(core: Any, name: str, runtime: str, what: str) -> None:
    done = _command(runtime, name)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 2
    assert what in done.stderr
    assert not [each.metadata.name for each in core.list_node().items if each.spec.unschedulable]


def test_a_pod_that_would_be_lost_and_a_container_of_docker_are_named(core: Any, namespace: str) -> None:
    container = {"name": "c", "image": "shimlab.local/busybox:1.35", "command": ["sleep", "600"]}
    spec = {"nodeName": WORKER, "terminationGracePeriodSeconds": 0, "containers": [container]}
    core.create_namespaced_pod(namespace, {"metadata": {"name": "bare"}, "spec": spec})
    done = _command(OTHER)
    assert done.returncode == 1
    assert f"{namespace}/bare" in done.stderr
    assert "--force" in done.stderr
    core.delete_namespaced_pod("bare", namespace)
    wait(lambda: "bare" not in str(core.list_namespaced_pod(namespace).items), "the pod's end")

    node.run(
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
        node.run(WORKER, ["docker", "rm", "--force", "by-hand"])
    assert done.returncode == 1
    assert "by-hand" in done.stderr
    assert not core.read_node(WORKER).spec.unschedulable
