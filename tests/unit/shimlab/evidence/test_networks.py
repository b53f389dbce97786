"""Networks, metrics and configuration, from what the kernel and the kubelet answer; and records as text."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from shimlab.evidence import kubelet_api, networks, stores, text
from shimlab.node.sockets import Owner

UID = "0aa11111-2222-4333-8444-555555555555"
POD_CGROUP = f"/kubelet/kubepods/besteffort/pod{UID}/{'a' * 64}"


def test_network_namespaces():
    stat = "(x) S 0 " + "0 " * 49
    links = {1: 5, 2: 6, 3: 6}
    files = "".join(f"/proc/{pid}/stat:{pid} {stat}\n" for pid in links) + f"/proc/2/cgroup:0::{POD_CGROUP}\n"
    address = {"local": "10.244.1.2", "prefixlen": 24}
    loop = {
        "ifname": "lo",
        "ifindex": 1,
        "link_type": "loopback",
        "addr_info": [{"local": "::1", "prefixlen": 128}],
    }
    veth = {
        "ifname": "eth0",
        "ifindex": 2,
        "link_index": 7,
        "link_type": "ether",
        "address": "a2:99:52:09:a0:29",
        "flags": ["UP"],
        "addr_info": [address],
    }
    found = {
        "clock": "1 100 4096",
        "self": "9",
        "files": files,
        "status": "",
        "programs": "",
        "links": "".join(f"/proc/{pid}/ns/net net:[{inode}]\0" for pid, inode in links.items()),
        "mounted": "6 /run/netns/cni-x y\n8 /run/docker/netns/default\n",
        "addresses 6": json.dumps([loop, veth]),
        "addresses 5": "[]",
        "addresses 4": "",
    }
    node, pod = networks.parse({name: value.encode() for name, value in found.items()})
    assert (node.inode, node.nodes, node.paths, node.addresses) == (5, True, (), ())
    assert (pod.inode, pod.nodes, pod.paths, pod.pod_uids) == (6, False, ("/run/netns/cni-x y",), (UID,))
    assert [owner.pid for owner in pod.owners] == [2, 3]
    assert pod.addresses == ("10.244.1.2/24",)
    assert pod.interfaces[1] == networks.Interface("eth0", 2, "a2:99:52:09:a0:29", pod.addresses, True, 7)


METRICS = rf"""
# HELP container_memory_rss Size of RSS in bytes.
# TYPE container_memory_rss gauge
container_memory_rss{{container="c",id="{POD_CGROUP}",namespace="n",pod="p"}} 1.5e+06 1795517266051
container_memory_rss{{container="",id="/",image="",name="a \"b\" \\ \n",namespace="",pod=""}} NaN
# TYPE container_cpu_usage_seconds_total counter
container_cpu_usage_seconds_total{{id="/system.slice/kubelet.service"}} 2.5
"""


def test_samples_of_cadvisor():
    first, root, cpu = kubelet_api.parse_metrics(METRICS)
    assert (first.name, first.value, first.time) == ("container_memory_rss", 1.5e6, 1795517266.051)
    assert (first.pod, first.container, first.pod_uid, first.container_id) == ("n/p", "c", UID, "a" * 64)
    assert root.labels["name"] == 'a "b" \\ \n'
    assert root.value != root.value
    assert (root.pod, root.pod_uid, root.time) == ("", None, None)
    assert (cpu.name, cpu.cgroup) == ("container_cpu_usage_seconds_total", "/system.slice/kubelet.service")
    assert [each.value for each in kubelet_api.parse_metrics(METRICS, cpu.name)] == [2.5]


def test_configuration_of_the_kubelet():
    told = {"kubeletconfig": {"cgroupDriver": "systemd", "cgroupRoot": "/kubelet", "cgroupsPerQOS": True}}
    found = kubelet_api.parse_config(told)
    assert (found.cgroup_driver, found.cgroup_root, found.cgroups_per_qos) == ("systemd", "/kubelet", True)
    assert (found.static_pod_path, found.endpoint, found.settings) == ("", "", told["kubeletconfig"])


def test_records_as_a_table():
    images = [
        stores.StoredImage("docker", ("b:1", "b:2"), f"sha256:{'f' * 64}", "", 5),
        stores.StoredImage("k8s.io", (), "x\ny", "z", 12),
    ]
    assert text.listing(images).splitlines() == [
        "STORE    NAMES      ID                    DIGEST   BYTES",
        f"docker   b:1, b:2   sha256:{'f' * 12}   –        5",
        "k8s.io   –          x …                   z        12",
    ]
    assert text.listing(images, "bytes").splitlines() == ["BYTES", "5", "12"]
    assert text.listing([]) == "NOTHING"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "–"),
        (True, "yes"),
        (0, "0"),
        (1.234, "1.23"),
        (2e8, "200000000"),
        (float("nan"), "nan"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02 03:04:05"),
        ((Owner(1, "a"), Owner(2, "a"), Owner(3, "b")), "a, b"),
        ({}, "–"),
        ({"a": None, "b": "c"}, "a=–, b=c"),
        ("a" * 63, "a" * 63),
    ],
)
def test_values_in_few_words(value, said):
    assert text.cell(value) == said


def test_records_as_json():
    record = networks.NetworkNamespace(1, True, ("/x",), (Owner(1, "a"),), (), ())
    assert json.loads(json.dumps(text.plain([record])))[0]["owners"] == [{"pid": 1, "comm": "a"}]
    assert text.plain(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00+00:00"
