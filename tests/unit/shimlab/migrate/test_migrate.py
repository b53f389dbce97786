"""What a migration decides without a node: the flags file, who leaves on a drain, what CNI is asked to undo."""

from __future__ import annotations

import base64
import itertools
import json

import pytest
from kubernetes import client

from shimlab import runtimes
from shimlab.errors import LabError
from shimlab.migrate import cleanup
from shimlab.migrate import pods as of_node
from shimlab.runtimes import CONTAINERD, DOCKERSHIM, OUT_OF_TREE, RUNTIMES

V20, V23, V24, V27 = (1, 20, 15), (1, 23, 17), (1, 24, 17), (1, 27, 0)

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


def rewrite(text, runtime, kubelet=V20):
    return runtimes.rewrite(text, runtime, kubelet)


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


def test_kubeadms_own_file_to_the_dockershim_out_of_the_tree():
    endpoint = "--container-runtime-endpoint=unix:///run/dockershim-out-of-tree.sock"
    assert rewrite(ON_DOCKERSHIM, OUT_OF_TREE, V23) == (
        f'KUBELET_KUBEADM_ARGS="--container-runtime=remote {endpoint} --node-ip=172.17.0.3 '
        "--node-labels=shimlab/runtime=dockershim-out-of-tree --pod-infra-container-image=k8s.gcr.io/pause:3.2 "
        '--provider-id=kind://docker/shimlab/shimlab-worker2"\n'
    )
    assert endpoint in rewrite(ON_CONTAINERD, OUT_OF_TREE)
    assert CONTAINERD.socket not in rewrite(ON_CONTAINERD, OUT_OF_TREE)


@pytest.mark.parametrize(("text", "home"), [(ON_DOCKERSHIM, DOCKERSHIM), (ON_CONTAINERD, CONTAINERD)])
@pytest.mark.parametrize(
    "way", list(itertools.permutations(RUNTIMES.values(), 2)), ids=lambda way: way[0].name
)
def test_any_way_there_and_back_is_the_same_file(text, home, way):
    there = rewrite(rewrite(text, way[0]), way[1])
    assert (there == text) == (way[1] is home)
    assert rewrite(there, home) == text


@pytest.mark.parametrize("runtime", [CONTAINERD, OUT_OF_TREE])
def test_from_124_on_only_dockershims_flags_are_in_the_way(runtime):
    assert rewrite(ON_DOCKERSHIM, runtime, V24) == rewrite(ON_DOCKERSHIM, runtime, V23)
    # The flag that told of remote has gone with its last other value.
    of_today = rewrite(ON_DOCKERSHIM, runtime, V27)
    assert "--container-runtime=" not in of_today
    assert f"--container-runtime-endpoint=unix://{runtime.socket}" in of_today
    assert rewrite(rewrite(ON_DOCKERSHIM, runtime, V24), runtime, V27) == of_today


def test_a_kubelet_without_dockershim_gets_no_flags_for_it():
    assert rewrite(ON_CONTAINERD, DOCKERSHIM, V23) == rewrite(ON_CONTAINERD, DOCKERSHIM, V20)
    with pytest.raises(LabError, match=r"1\.24 has no dockershim"):
        rewrite(ON_CONTAINERD, DOCKERSHIM, V24)


@pytest.mark.parametrize(
    ("runtime", "kubeadm", "annotation"),
    [
        (DOCKERSHIM, (1, 20), "/var/run/dockershim.sock"),
        (DOCKERSHIM, (1, 24), "unix:///var/run/dockershim.sock"),
        (CONTAINERD, (1, 20), "unix:///run/containerd/containerd.sock"),
        (OUT_OF_TREE, (1, 20), "unix:///run/dockershim-out-of-tree.sock"),
    ],
)
def test_what_kubeadm_notes(runtime, kubeadm, annotation):
    assert runtime.annotation(kubeadm) == annotation


def test_the_two_dockershims_know_each_others_containers_and_containerd_does_not():
    assert DOCKERSHIM.shares_with(OUT_OF_TREE)
    assert not CONTAINERD.shares_with(OUT_OF_TREE)
    for runtime in RUNTIMES.values():
        assert not runtime.shares_with(runtimes.other_store(runtime))
        # Linux cuts a process's name off there.
        assert len(runtime.listener) <= 15


@pytest.mark.parametrize("text", [ON_DOCKERSHIM, ON_CONTAINERD])
@pytest.mark.parametrize("runtime", RUNTIMES.values(), ids=list(RUNTIMES))
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
        + args(
            "--container-runtime=remote", f"--container-runtime-endpoint=unix://{CONTAINERD.socket}", *extra
        )
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
    expected = args("--container-runtime=remote", f"--container-runtime-endpoint=unix://{CONTAINERD.socket}")
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
    expected = args(*[f"--{name}={value}" for name, value in CONTAINERD.given(V20).items()], "--v=4")
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
    assert caught.value.remedy == "choose one of: dockershim, containerd, dockershim-out-of-tree"


def pod(name, *, owner=None, phase="Running", annotations=None, ids=(), deleted=None, ready=True, probes=()):
    owners = [
        client.V1OwnerReference(api_version="v1", kind=kind, name="o", uid="u", controller=True)
        for kind in ([owner] if owner else [])
    ]
    statuses = [
        client.V1ContainerStatus(
            name="c", image="i", image_id="", ready=ready, restart_count=0, container_id=each
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
            uid=name,
        ),
        spec=client.V1PodSpec(
            containers=[
                client.V1Container(name="c"),
                *(client.V1Container(name=each, readiness_probe=client.V1Probe()) for each in probes),
            ]
        ),
        status=client.V1PodStatus(phase=phase, container_statuses=statuses or None),
    )


def test_who_leaves_and_who_is_lost():
    leave, lost = of_node.sorted_out(
        [
            pod("web", owner="ReplicaSet"),
            pod("proxy", owner="DaemonSet"),
            pod("etcd", owner="Node", annotations={of_node.MIRROR: "x"}),
            pod("bare"),
            pod("done", phase="Succeeded"),
            pod("ending", deleted="2026-01-01T00:00:00Z"),
        ]
    )
    assert [each.metadata.name for each in leave] == ["web", "bare", "done", "ending"]
    assert of_node.names(lost) == "n/bare"


def test_a_pod_has_arrived_when_all_its_ids_say_so():
    pods = [
        pod("here", ids=["containerd://1", "containerd://2"]),
        pod("half", ids=["containerd://1", "docker://2"]),
        pod("old", ids=["docker://1"]),
        pod("none"),
    ]
    assert of_node.not_yet_on(pods, CONTAINERD) == ["n/half", "n/old", "n/none"]


def test_a_pod_is_ready_again_when_its_new_kubelet_says_so():
    pods = [
        pod("plain", ids=["docker://1"]),
        pod("restarted", ids=["docker://1"], ready=False),
        pod("serves", ids=["docker://1"], probes="pq"),
        # What the API says of it is still what the kubelet before said.
        pod("unasked", ids=["docker://1"], probes="p"),
        pod("half", ids=["docker://1"], probes="pq"),
        pod("failed", ids=["docker://1"], probes="p", ready=False),
        pod("ends", ids=["docker://1"], ready=False, deleted="2026-01-01T00:00:00Z"),
        pod("never was", ids=["docker://1"], ready=False),
    ]
    was = {each.metadata.uid for each in pods} - {"never was"}
    probed = {("n/serves", "p"), ("n/serves", "q"), ("n/half", "q"), ("n/failed", "p")}
    assert of_node.not_again(pods, was, probed) == [
        "n/restarted is not ready again",
        "n/unasked is not ready again",
        "n/half is not ready again",
        "n/failed is not ready again",
    ]


def test_a_pod_without_containers_is_not_ready():
    assert of_node.ready([pod("none"), pod("half", ids=["docker://1"], ready=False)]) == set()
    assert of_node.ready([pod("both", ids=["docker://1", "docker://2"])]) == {"both"}


def cached(configuration, **fields):
    # As libcni notes an ADD: the configuration in base64, everything else as it is.
    text = base64.b64encode(json.dumps(configuration).encode()).decode()
    return {"containerId": "c0ffee", "config": text, "ifName": "eth0", **fields}


def test_a_list_of_plugins_is_undone_in_reverse():
    plugins = [{"type": "ptp", "ipam": {}}, {"type": "portmap", "capabilities": {"portMappings": True}}]
    ports = [{"hostPort": 80, "containerPort": 8080}]
    calls = cleanup.network_removals(
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
    ((argv, stdin),) = cleanup.network_removals(cached(configuration))
    assert argv[-1] == "/opt/cni/bin/bridge"
    assert json.loads(stdin) == configuration
