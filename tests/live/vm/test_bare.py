"""Inside the machine of `./run vm`: a kubelet of the deprecation on cgroup v2, started by hand, without a cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from shimlab import evidence
from shimlab.cluster.namespace import IMAGE, SLEEP
from shimlab.machine import engine, kind
from shimlab.migrate import kubelets
from shimlab.node import exec as node_exec
from shimlab.notebook import standalone
from shimlab.waiting import wait

RELEASE = "1.20"
PODS = "/root/pods"
REMOTE = ("--container-runtime=remote", "--container-runtime-endpoint=unix:///run/{}.sock")
ON_CONTAINERD = tuple(word.format("containerd/containerd") for word in REMOTE)
#: How the kubelet is told to use each runtime. Without dockershim it is another program.
FLAGS = {
    "dockershim": ("--container-runtime=docker",),
    "containerd": ON_CONTAINERD,
    "out-of-tree": tuple(word.format("dockershim-out-of-tree") for word in REMOTE),
    "dockerless": ON_CONTAINERD,
}
MEGABYTE = 1024**2


@pytest.fixture(scope="module")
def machine() -> Iterator[str]:
    # kind makes the network with a cluster, and there is none.
    engine.docker("network", "create", kind.NETWORK)
    try:
        with standalone.machine(RELEASE) as name:
            yield name
    finally:
        engine.docker("network", "rm", kind.NETWORK)


def _pod(runtime: str) -> str:
    limits = {"memory": "64Mi", "cpu": "100m"}
    container = {
        "name": "app",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": SLEEP,
        "resources": {"limits": limits},
    }
    # The machine has no pod network.
    spec = {"hostNetwork": True, "terminationGracePeriodSeconds": 1, "containers": [container]}
    metadata = {"name": f"limited-on-{runtime}", "namespace": "default"}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


def _sleeping(machine: str) -> list[evidence.Process]:
    return [each for each in evidence.processes(machine) if each.pod_uid and each.argv[:1] == SLEEP[:1]]


def test_the_node_has_cgroup_v2_alone_and_asks_for_all_that_there_is(machine: str) -> None:
    mounted = {line.split()[2] for line in node_exec.run(machine, ["cat", "/proc/mounts"]).splitlines()}
    assert "cgroup2" in mounted
    assert "cgroup" not in mounted
    assert "runc-bounded" not in node_exec.run(
        machine, ["cat", "/etc/containerd/config.toml", "/etc/docker/daemon.json"]
    )
    assert "this host grants CAP_SYS_RESOURCE" in engine.docker("logs", machine)


@pytest.mark.parametrize("runtime", FLAGS)
def test_limits_are_set_on_the_one_hierarchy(machine: str, runtime: str) -> None:
    """What a pod asks for is in memory.max and cpu.max of its container's cgroup, below the kubelet's own."""
    node_exec.run(machine, ["sh", "-c", f"mkdir -p {PODS} && cat >{PODS}/pod.json"], input=_pod(runtime))
    program, *words = standalone.command(
        machine, f"--pod-manifest-path={PODS}", *FLAGS[runtime], cgroup_v1=False
    )
    if runtime == "dockerless":
        program = next(
            f"{kubelets.FOLDER}/{each.name}" for each in kubelets.there(machine) if each.dockerless
        )
    unit = f"kubelet-for-{runtime}"
    node_exec.run(machine, ["systemd-run", "--quiet", f"--unit={unit}", program, *words])
    try:
        ours = wait(lambda: _sleeping(machine), f"the pod on {runtime}", 120)
        assert len(ours) == 1
        assert [each.hierarchy for each in ours[0].cgroups] == [0]
        path = ours[0].cgroups[0].path
        assert path.startswith("/kubelet/kubepods/")
        folder = f"/sys/fs/cgroup{path}"
        told = node_exec.run(machine, ["cat", f"{folder}/memory.max", f"{folder}/cpu.max"]).split()
        assert told == [str(64 * MEGABYTE), "10000", "100000"]
        log = node_exec.run(machine, ["journalctl", f"--unit={unit}", "--output=cat"])
        warned = "Using dockershim is deprecated" in log
        assert warned == (runtime == "dockershim")
    finally:
        # The kubelet ends its pods when their file goes.
        node_exec.run(machine, ["rm", "-f", f"{PODS}/pod.json"])
        wait(lambda: not _sleeping(machine), "the end of the pod")
        node_exec.run(machine, ["systemctl", "stop", unit])
