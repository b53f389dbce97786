"""What a switch decides without a node: the flags file, who leaves on a drain, what CNI is asked to undo."""

from __future__ import annotations

import base64
import json

import pytest
from kubernetes import client

from shimlab.errors import LabError
from shimlab.lab import draining, runtimes, stores
from shimlab.lab.runtimes import CONTAINERD, DOCKERSHIM, rewrite

# As kubeadm 1.20.15 wrote them on two workers of the lab, word for word.
ON_DOCKERSHIM = (
    'KUBELET_KUBEADM_ARGS="--network-plugin=cni --node-ip=172.17.0.3 --node-labels=shimlab/runtime=dockershim '
    '--pod-infra-container-image=k8s.gcr.io/pause:3.2 --provider-id=kind://docker/shimlab/shimlab-worker2"\n'
)
ON_CONTAINERD = (
    'KUBELET_KUBEADM_ARGS="--container-runtime=remote '
    "--container-runtime-endpoint=unix:///run/containerd/containerd.sock --node-ip=172.17.0.2 "
    '--node-labels=shimlab/runtime=containerd --provider-id=kind://docker/shimlab/shimlab-worker"\n'
)


def args(*words: str) -> str:
    return f'KUBELET_KUBEADM_ARGS="{" ".join(words)}"\n'


def test_kubeadms_own_file_to_containerd():
    # The name of the pause image stays: a kubelet reads it for any runtime, when it cleans up images.
    assert rewrite(ON_DOCKERSHIM, CONTAINERD) == (
        'KUBELET_KUBEADM_ARGS="--container-runtime=remote '
        "--container-runtime-endpoint=unix:///run/containerd/containerd.sock --node-ip=172.17.0.3 "
        "--node-labels=shimlab/runtime=containerd --pod-infra-container-image=k8s.gcr.io/pause:3.2 "
        '--provider-id=kind://docker/shimlab/shimlab-worker2"\n'
    )


def test_kubeadms_own_file_to_dockershim():
    assert rewrite(ON_CONTAINERD, DOCKERSHIM) == (
        'KUBELET_KUBEADM_ARGS="--network-plugin=cni --node-ip=172.17.0.2 '
        '--node-labels=shimlab/runtime=dockershim --provider-id=kind://docker/shimlab/shimlab-worker"\n'
    )


@pytest.mark.parametrize(("text", "there"), [(ON_DOCKERSHIM, CONTAINERD), (ON_CONTAINERD, DOCKERSHIM)])
def test_there_and_back_is_the_same_file(text, there):
    assert rewrite(text, there) != text
    assert rewrite(rewrite(text, there), runtimes.other(there)) == text


@pytest.mark.parametrize("text", [ON_DOCKERSHIM, ON_CONTAINERD])
@pytest.mark.parametrize("runtime", [DOCKERSHIM, CONTAINERD])
def test_twice_is_once(text, runtime):
    assert rewrite(rewrite(text, runtime), runtime) == rewrite(text, runtime)


def test_a_file_that_is_right_is_not_touched():
    odd = "# by hand\nKUBELET_KUBEADM_ARGS='--v=4   --network-plugin=cni'  \nOTHER=1"
    assert rewrite(odd, DOCKERSHIM) == odd


def test_what_belongs_to_neither_is_kept():
    extra = ["--v=4", "-x", '--system-reserved="cpu=1, memory=1Gi"', "--feature-gates=A=true,B=false", "--zz"]
    text = "# by hand\n" + args(*extra, "--network-plugin=cni") + "OTHER=--network-plugin=cni\n"
    there = rewrite(text, CONTAINERD)
    assert there == (
        "# by hand\n"
        + args("--container-runtime=remote", f"--container-runtime-endpoint={CONTAINERD.annotation}", *extra)
        + "OTHER=--network-plugin=cni\n"
    )


def test_all_flags_of_dockershim_go():
    words = [f"--{name}=1" for name in DOCKERSHIM.own]
    assert "--v=4" in rewrite(args("--v=4", *words), CONTAINERD)
    assert not [name for name in DOCKERSHIM.own if name in rewrite(args("--v=4", *words), CONTAINERD)]


def test_other_settings_of_dockershim_stay_on_dockershim():
    text = args("--cni-bin-dir=/opt/cni", "--network-plugin=cni", "--v=4")
    assert rewrite(text, DOCKERSHIM) == text


def test_the_endpoint_alone_is_completed():
    """What upstream's page writes, with which a kubelet of 1.20 stays on dockershim."""
    text = args("--container-runtime-endpoint=unix:///run/containerd/containerd.sock", "--network-plugin=cni")
    expected = args("--container-runtime=remote", f"--container-runtime-endpoint={CONTAINERD.annotation}")
    assert rewrite(text, CONTAINERD) == expected
    assert rewrite(text, DOCKERSHIM) == args("--network-plugin=cni")


@pytest.mark.parametrize(
    "words",
    [
        ("--container-runtime=docker", "--v=4"),
        ("--container-runtime", "docker", "--v=4"),
        ("--network-plugin", "cni", "--v=4"),
        ("--container-runtime=remote", "--container-runtime=docker", "--v=4"),
    ],
)
def test_another_value_and_flags_of_two_words(words):
    expected = args(*[f"--{name}={value}" for name, value in CONTAINERD.given], "--v=4")
    assert rewrite(args(*words), CONTAINERD) == expected


def test_only_the_labs_own_label_changes():
    text = args("--node-labels=a=dockershim,shimlab/runtime=dockershim,not-shimlab/runtime=x")
    assert "--node-labels=a=dockershim,shimlab/runtime=containerd,not-shimlab/runtime=x" in rewrite(
        text, CONTAINERD
    )


@pytest.mark.parametrize("text", ["", "KUBELET_EXTRA_ARGS=--v=4\n", "# KUBELET_KUBEADM_ARGS=\n"])
def test_a_file_without_kubeadms_line_is_refused(text):
    with pytest.raises(LabError, match="KUBELET_KUBEADM_ARGS"):
        rewrite(text, CONTAINERD)


def test_an_unknown_runtime_is_refused():
    with pytest.raises(LabError) as caught:
        runtimes.named("cri-o")
    assert caught.value.remedy == "choose one of: dockershim, containerd"


def pod(name, *, owner=None, phase="Running", annotations=None, ids=(), deleted=None):
    owners = [
        client.V1OwnerReference(api_version="v1", kind=kind, name="o", uid="u", controller=True)
        for kind in ([owner] if owner else [])
    ]
    statuses = [
        client.V1ContainerStatus(
            name="c", image="i", image_id="", ready=True, restart_count=0, container_id=each
        )
        for each in ids
    ]
    return client.V1Pod(
        metadata=client.V1ObjectMeta(
            name=name,
            namespace="n",
            annotations=annotations,
            owner_references=owners or None,
            deletion_timestamp=deleted,
        ),
        status=client.V1PodStatus(phase=phase, container_statuses=statuses or None),
    )


def test_who_leaves_and_who_is_lost():
    leave, lost = draining.sorted_out(
        [
            pod("web", owner="ReplicaSet"),
            pod("proxy", owner="DaemonSet"),
            pod("etcd", owner="Node", annotations={draining.MIRROR: "x"}),
            pod("bare"),
            pod("done", phase="Succeeded"),
            pod("ending", deleted="2026-01-01T00:00:00Z"),
        ]
    )
    assert [each.metadata.name for each in leave] == ["web", "bare", "done", "ending"]
    assert draining.names(lost) == "n/bare"


def test_a_pod_has_arrived_when_all_its_ids_say_so():
    pods = [
        pod("here", ids=["containerd://1", "containerd://2"]),
        pod("half", ids=["containerd://1", "docker://2"]),
        pod("old", ids=["docker://1"]),
        pod("none"),
    ]
    assert draining.not_yet_on(pods, CONTAINERD) == ["n/half", "n/old", "n/none"]


def cached(configuration, **fields):
    # As libcni notes an ADD: the configuration in base64, everything else as it is.
    text = base64.b64encode(json.dumps(configuration).encode()).decode()
    return {"containerId": "c0ffee", "config": text, "ifName": "eth0", **fields}


def test_a_list_of_plugins_is_undone_in_reverse():
    plugins = [{"type": "ptp", "ipam": {}}, {"type": "portmap", "capabilities": {"portMappings": True}}]
    ports = [{"hostPort": 80, "containerPort": 8080}]
    calls = stores.network_removals(
        cached(
            {"name": "lab", "cniVersion": "0.4.0", "plugins": plugins},
            capabilityArgs={"portMappings": ports, "bandwidth": {}},
            cniArgs=[["K8S_POD_NAME", "web"], ["IgnoreUnknown", "1"]],
            result={"ips": []},
        )
    )
    assert [argv[-1] for argv, _ in calls] == ["/opt/cni/bin/portmap", "/opt/cni/bin/ptp"]
    for argv, _ in calls:
        assert {"CNI_COMMAND=DEL", "CNI_CONTAINERID=c0ffee", "CNI_IFNAME=eth0", "CNI_NETNS="} <= set(argv)
        assert "CNI_ARGS=K8S_POD_NAME=web;IgnoreUnknown=1" in argv
    portmap, ptp = (json.loads(stdin) for _, stdin in calls)
    assert portmap["runtimeConfig"] == {"portMappings": ports}
    assert "runtimeConfig" not in ptp
    assert (ptp["name"], ptp["cniVersion"], ptp["prevResult"]) == ("lab", "0.4.0", {"ips": []})


def test_a_single_plugin_is_undone_too():
    configuration = {"name": "lab", "cniVersion": "0.4.0", "type": "bridge"}
    ((argv, stdin),) = stores.network_removals(cached(configuration))
    assert argv[-1] == "/opt/cni/bin/bridge"
    assert json.loads(stdin) == configuration
