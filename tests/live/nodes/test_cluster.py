"""The running lab is what the pages say it is."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from tests.support.lab import CONTROL_PLANE, ON_CONTAINERD, ON_DOCKERSHIM
from tests.support.workload import kubectl, own_namespace

from shimlab import paths
from shimlab.clients import kube
from shimlab.cluster import status as cluster
from shimlab.cluster.namespace import IMAGE
from shimlab.machine import engine
from shimlab.node import exec as node_exec
from shimlab.waiting import bound, wait

WORKERS = {ON_CONTAINERD: "containerd", ON_DOCKERSHIM: "dockershim"}


@pytest.fixture(scope="module")
def pods(core: Any) -> Iterator[dict[str, Any]]:
    """One pod on each worker, serving a file over HTTP, in a namespace that is removed afterwards."""

    def running() -> list[Any]:
        found = core.list_namespaced_pod(namespace).items
        return found if all(pod.status.phase == "Running" and pod.status.pod_ip for pod in found) else []

    with own_namespace(core) as namespace:
        for name in WORKERS:
            core.create_namespaced_pod(namespace, _pod(name), _request_timeout=bound(30))
        yield {pod.spec.node_name: pod for pod in wait(running, "the test's pods")}


def _pod(worker: str) -> dict[str, Any]:
    serve = f"mkdir /www && echo on {worker} > /www/index.html && exec httpd -f -p 8080 -h /www"
    container = {
        "name": "web",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": ["/bin/sh", "-c", serve],
    }
    spec = {
        "nodeName": worker,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
    }
    return {"metadata": {"name": f"on-{worker}"}, "spec": spec}


def _in_pod(pod: Any, *command: str) -> str:
    return kubectl("--namespace", pod.metadata.namespace, "exec", pod.metadata.name, "--", *command)


def test_a_client_that_is_killed_leaves_no_key_behind(tmp_path: Path) -> None:
    """Notebook kernels end so, and the Kubernetes client's own copies of a key stay when they do."""
    program = "from shimlab.clients import kube; kube.core().list_node(); print('asked', flush=True); input()"
    asking = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    with asking:
        assert asking.stdout is not None
        assert asking.stdout.readline() == "asked\n"
        asking.kill()
    assert list(tmp_path.iterdir()) == []


def test_both_runtimes_stand_side_by_side() -> None:
    found = {status.name: status for status in cluster.status()}
    assert found[ON_DOCKERSHIM].runtime.startswith("docker://20.10")
    assert found[ON_CONTAINERD].runtime.startswith("containerd://1.6")
    assert found[CONTROL_PLANE].runtime.startswith("containerd://1.6")
    assert {status.kubelet for status in found.values()} == {"v1.20.15"}
    assert all(status.ready and status.as_asked for status in found.values())


def test_every_pod_of_the_system_runs(core: client.CoreV1Api) -> None:
    pods = core.list_namespaced_pod("kube-system").items
    assert {pod.metadata.name.split("-")[0] for pod in pods} >= {"coredns", "etcd", "kube"}
    assert [pod.metadata.name for pod in pods if pod.status.phase != "Running"] == []
    for worker in WORKERS:
        assert any(pod.spec.node_name == worker for pod in pods), worker


def test_the_kubelet_is_the_release_built_with_the_go_of_its_time() -> None:
    for name in cluster.nodes():
        assert node_exec.run(name, ["kubelet", "--version"]).strip() == "Kubernetes v1.20.15"
    told = json.loads(node_exec.run(ON_CONTAINERD, ["kubectl", "version", "--client", "--output=json"]))
    assert told["clientVersion"]["goVersion"].startswith("go1.15")


def test_pods_of_different_runtimes_reach_each_other(pods: dict[str, Any]) -> None:
    for here, there in [tuple(WORKERS), tuple(reversed(WORKERS))]:
        address = f"http://{pods[there].status.pod_ip}:8080/"
        assert _in_pod(pods[here], "timeout", "10", "wget", "-qO-", address).strip() == f"on {there}"


def test_names_resolve_and_services_answer_on_both_workers(pods: dict[str, Any]) -> None:
    for worker in WORKERS:
        found = _in_pod(pods[worker], "nslookup", "kubernetes.default.svc.cluster.local")
        assert "10.96.0.1" in found, found


def test_a_second_up_finds_the_lab() -> None:
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "shimlab", "up"], capture_output=True, text=True, check=True)
    assert "The lab is up (deprecated)." in done.stderr
    # A bound, not a benchmark: creating a cluster takes longer than this on any machine.
    assert time.monotonic() - began < bound(30)


def test_the_users_kubeconfig_is_not_the_labs() -> None:
    assert ".kube" not in kube.kubeconfig().parts
    assert kube.kubeconfig().stat().st_mode & 0o077 == 0


def test_a_cluster_of_our_name_that_is_not_ours_is_left_alone() -> None:
    tag = f"shimlab-test/foreign:{uuid.uuid4().hex[:6]}"
    name = f"foreign-{uuid.uuid4().hex[:6]}"
    engine.docker("import", "-", tag, input="")
    try:
        engine.docker(
            "create", "--name", name, "--label", f"{cluster.KIND_LABEL}={paths.name()}", tag, "none"
        )
        for command in ("up", "down"):
            done = subprocess.run(
                [sys.executable, "-m", "shimlab", command], capture_output=True, text=True, check=False
            )
            assert done.returncode == 1
            assert name in done.stderr
            assert "kind delete cluster" in done.stderr
    finally:
        engine.docker("rm", "--force", name)
        engine.docker("rmi", tag)
    assert len(cluster.nodes()) == 3


SEEN = r"""
env | sort
pwd; id; umask
readlink /proc/self/ns/mnt /proc/self/ns/net /proc/self/ns/pid /proc/self/ns/ipc /proc/self/ns/uts /proc/self/ns/cgroup
readlink /proc/self/fd/0
"""


def test_a_command_in_a_node_finds_what_docker_exec_gives_it() -> None:
    """Its environment, folder, user, umask, namespaces and standard input."""
    node = cluster.nodes()[-1]
    argv = ["sh", "-c", SEEN]
    assert node_exec.run(node, argv) == engine.docker("exec", node, *argv)


def test_a_node_that_was_started_again_is_found_again() -> None:
    node = cluster.nodes()[-1]
    assert node_exec.run(node, ["cat", "/etc/hostname"]).strip() == node
    known = node_exec._inits.get(node)
    if known is None:
        pytest.skip("the engine is not the lab's own")
    # As if another process had its number by now.
    node_exec._inits[node] = dataclasses.replace(known, started="0")
    assert node_exec.run(node, ["cat", "/etc/hostname"]).strip() == node
    assert node_exec._inits[node] == known
