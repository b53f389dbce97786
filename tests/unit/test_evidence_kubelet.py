"""The kubelet's setup and log, from what kubeadm and journald write."""

from __future__ import annotations

import json

import pytest

from shimlab.errors import LabError
from shimlab.evidence import journal, kubelets
from shimlab.evidence.kubelets import KubeletSetup
from shimlab.evidence.runtime import by_flags

V120, V123, V124 = (1, 20, 15), (1, 23, 17), (1, 24, 17)
DOCKERSHIM = "unix:///var/run/dockershim.sock"
CONTAINERD = "unix:///run/containerd/containerd.sock"


@pytest.mark.parametrize(
    ("flags", "version", "expected"),
    [
        ({}, V120, ("docker", DOCKERSHIM)),
        ({"container-runtime": "docker"}, V123, ("docker", DOCKERSHIM)),
        # The trap: the endpoint alone makes dockershim listen there.
        ({"container-runtime-endpoint": CONTAINERD}, V120, ("docker", CONTAINERD)),
        (
            {"container-runtime": "remote", "container-runtime-endpoint": CONTAINERD},
            V120,
            ("remote", CONTAINERD),
        ),
        ({"container-runtime-endpoint": CONTAINERD}, V124, ("remote", CONTAINERD)),
    ],
)
def test_defaults_of_the_release(flags, version, expected):
    assert kubelets.effective(flags, version) == expected


def test_no_default_after_the_removal():
    with pytest.raises(LabError, match="no default"):
        kubelets.effective({}, V124)


def test_flags_of_a_command_line():
    words = ["--a=b=c", "--switch", "--next", "value", "--twice=1", "--twice=2", "-v", "--empty="]
    expected = {"a": "b=c", "switch": "true", "next": "value", "twice": "2", "empty": ""}
    assert kubelets.parse_flags(words) == expected


def test_a_short_switch_is_no_value():
    assert kubelets.parse_flags(["--switch", "-v"]) == {"switch": "true"}


def test_flags_of_kubeadms_file():
    text = (
        '# made by kubeadm\nKUBELET_KUBEADM_ARGS="--network-plugin=cni --pause-image=k8s.gcr.io/pause:3.2"\n'
    )
    assert kubelets.parse_flags_file(text) == {
        "network-plugin": "cni",
        "pause-image": "k8s.gcr.io/pause:3.2",
    }


@pytest.mark.parametrize(
    ("runtime", "endpoint", "expected"),
    [
        ("docker", CONTAINERD, "docker"),
        ("remote", CONTAINERD, "containerd"),
        ("remote", "unix:///x", "unknown"),
    ],
)
def test_what_the_flags_witness(runtime, endpoint, expected):
    setup = KubeletSetup(1, V120, (), {}, "", {}, runtime, endpoint)
    assert by_flags(setup).runtime == expected


def entry(**fields: object) -> str:
    return json.dumps({"__REALTIME_TIMESTAMP": "1700000000000000", "_PID": "7", "_COMM": "kubelet", **fields})


def test_klog_lines():
    lines = [
        entry(MESSAGE="W1123 07:00:00.000001     210 kubelet.go:297] Using dockershim is deprecated, please"),
        entry(MESSAGE="plain"),
        entry(MESSAGE=[72, 105, 255]),
        entry(MESSAGE="Started kubelet.", _COMM="systemd"),
        entry(MESSAGE=None),
        entry(MESSAGE="E1123 07:00:00.000001     210 a.go:1] two\nlines"),
    ]
    found = journal.parse(lines)
    assert [(line.level, line.source, line.message) for line in found] == [
        ("W", "kubelet.go:297", "Using dockershim is deprecated, please"),
        ("", "", "plain"),
        ("", "", "Hi\ufffd"),
        ("E", "a.go:1", "two\nlines"),
    ]
    assert found[0].pid == 7
