"""The kubelet's setup and log, from what kubeadm and journald write."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from shimlab import kubelet_flags
from shimlab.errors import LabError
from shimlab.evidence.runtime import by_flags
from shimlab.node import journal, kubelet
from shimlab.node.kubelet import KubeletSetup

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
    assert kubelet_flags.effective(flags, version) == expected


def test_no_default_after_the_removal():
    with pytest.raises(LabError, match="no default"):
        kubelet_flags.effective({}, V124)


def test_flags_of_a_command_line():
    words = ["--a=b=c", "--switch", "--next", "value", "--twice=1", "--twice=2", "-v", "--empty="]
    expected = {"a": "b=c", "switch": "true", "next": "value", "twice": "2", "empty": ""}
    assert kubelet_flags.parse_flags(words) == expected


def test_a_short_switch_is_no_value():
    assert kubelet_flags.parse_flags(["--switch", "-v"]) == {"switch": "true"}


def test_flags_of_kubeadms_file():
    text = (
        '# made by kubeadm\nKUBELET_KUBEADM_ARGS="--network-plugin=cni --pause-image=k8s.gcr.io/pause:3.2"\n'
    )
    assert kubelet_flags.parse_flags_file(text) == {
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
    usual = {"__REALTIME_TIMESTAMP": "1700000000000000", "_PID": "7", "_COMM": "kubelet"}
    return json.dumps({**usual, "_SYSTEMD_UNIT": "kubelet.service", **fields})


def test_klog_lines():
    lines = [
        entry(MESSAGE="W1123 07:00:00.000001     210 kubelet.go:297] Using dockershim is deprecated, please"),
        entry(MESSAGE="plain"),
        entry(MESSAGE=[72, 105, 255]),
        entry(MESSAGE="Started kubelet.", _COMM="systemd", _SYSTEMD_UNIT="init.scope"),
        entry(MESSAGE="made a cgroup", _COMM="kubelet-cgroups"),
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


def test_the_last_words_of_a_kubelet_that_ended_at_once():
    """Journald knows its unit, but no name any more, and takes no other unit's kubelet for it."""
    (line,) = journal.parse(
        [
            json.dumps(
                {
                    "__REALTIME_TIMESTAMP": "1700000000000000",
                    "_SYSTEMD_UNIT": "kubelet.service",
                    "MESSAGE": "Error: failed to parse kubelet flag: unknown flag: --network-plugin",
                }
            ),
            entry(MESSAGE="a liar", _SYSTEMD_UNIT="session-1.scope"),
        ]
    )
    assert line.said == "Error: failed to parse kubelet flag: unknown flag: --network-plugin"


def test_structured_lines_of_klog():
    message = (
        'E0102 03:04:05.000006    7 kuberuntime_manager.go:815] "CreatePodSandbox for \\"x\\" failed" '
        'err="rpc error: code = Unknown desc = \\"a=b\\"" pod="kube-system/coredns" attempt=2'
    )
    (line,) = journal.parse([entry(MESSAGE=message)])
    assert line.said == 'CreatePodSandbox for "x" failed'
    assert line.values == {
        "err": 'rpc error: code = Unknown desc = "a=b"',
        "pod": "kube-system/coredns",
        "attempt": "2",
    }
    assert line.message.startswith('"CreatePodSandbox')


def test_a_line_has_the_time_that_its_program_wrote():
    """In the year of the journal's own time, or the one before at its turn; without one it is the journal's."""
    docker = {"_COMM": "dockerd", "_SYSTEMD_UNIT": "docker.service"}
    # 1700000000 is 2023-11-14 22:13:20, 1704067201 a second past midnight of 1 January 2024.
    written = {
        "I1114 22:13:19.999999 7 a.go:1] x": ({}, datetime(2023, 11, 14, 22, 13, 19, 999999, UTC)),
        "I1231 23:59:59.5 7 a.go:1] x": (
            {"__REALTIME_TIMESTAMP": "1704067201000000"},
            datetime(2023, 12, 31, 23, 59, 59, 500000, UTC),
        ),
        'time="2023-11-14T22:13:18.123456789Z" level=info msg=x': (
            docker,
            datetime(2023, 11, 14, 22, 13, 18, 123456, UTC),
        ),
        'time="2023-11-14T23:13:18+01:00" level=info msg=x': (
            docker,
            datetime(2023, 11, 14, 22, 13, 18, 0, UTC),
        ),
        "time=yesterday level=info msg=x": (docker, datetime(2023, 11, 14, 22, 13, 20, 0, UTC)),
        "plain": ({}, datetime(2023, 11, 14, 22, 13, 20, 0, UTC)),
    }
    for message, (fields, time) in written.items():
        unit = "docker" if fields == docker else "kubelet"
        (line,) = journal.parse([entry(MESSAGE=message, **fields)], unit)
        assert line.time == time, message


def test_lines_since_a_time_are_those_written_since():
    """The journal is asked by whole seconds of its own time; the rest is done here."""
    since = datetime(2023, 11, 14, 22, 13, 19, 500000, UTC)
    asked = []

    def run(argv, *, input=None):
        asked.append(argv)
        times = ("22:13:19.499999", "22:13:19.500000")
        return "\n".join(entry(MESSAGE=f"I1114 {time} 7 a.go:1] {time}") for time in times)

    assert [line.said for line in journal.log("n", "kubelet", since=since, run=run)] == ["22:13:19.500000"]
    assert asked == [["sh", "-s", "--", "kubelet", "1699999999"]]


def test_a_sentence_that_begins_with_a_quote_is_not_structured():
    (line,) = journal.parse([entry(MESSAGE='W0102 03:04:05.000006 7 a.go:1] "x" is not y=z')])
    assert (line.said, line.values) == ('"x" is not y=z', {})


def test_lines_of_the_daemons():
    fields = {"_COMM": "containerd", "_SYSTEMD_UNIT": "containerd.service"}
    message = 'time="2026-01-02T03:04:05Z" level=warning msg="cleaning up \\"x\\"" namespace=k8s.io pid=12'
    (line, plain) = journal.parse(
        [entry(MESSAGE=message, **fields), entry(MESSAGE="modprobe: no", **fields)], "containerd"
    )
    assert (line.level, line.source, line.said) == ("W", "", 'cleaning up "x"')
    assert line.values == {"namespace": "k8s.io", "pid": "12"}
    assert (plain.level, plain.said) == ("", "modprobe: no")


def probe(*processes: tuple[int, str, str], main: int, version: str, settings: str = "") -> dict[str, bytes]:
    """Make the findings of the kubelet's probe."""
    files = "".join(
        f"/proc/{pid}/stat:{pid} ({comm}) S 1 {'0 ' * 49}\n/proc/{pid}/cmdline:{argv}\n"
        for pid, comm, argv in processes
    )
    found = {"clock": "1 100 4096", "self": "9", "files": files, "status": "", "links": "", "programs": ""}
    told = {"main": str(main), "version": version, "settings": settings}
    return {name: value.encode() for name, value in {**found, **told}.items()}


def test_systemd_says_which_process_the_kubelet_is():
    pretender = (20, "kubelet", "kubelet\0--container-runtime=docker\0")
    real = (
        30,
        "kubelet",
        f"/usr/bin/kubelet\0--container-runtime=remote\0--container-runtime-endpoint={CONTAINERD}\0",
    )
    settings = "/etc/default/kubelet\0\0/a b.env\0ARGS=--x=1\n\0"
    setup = kubelet.parse(
        "n", probe(pretender, real, main=30, version="Kubernetes v1.20.15\n", settings=settings)
    )
    assert (setup.pid, setup.runtime, setup.endpoint) == (30, "remote", CONTAINERD)
    assert setup.release == "v1.20.15"
    assert (setup.version, setup.flags_file, setup.flags_in_file) == (V120, "/a b.env", {"x": "1"})


@pytest.mark.parametrize("main", [0, 31])
def test_no_kubelet(main):
    with pytest.raises(LabError, match="n: no kubelet runs there"):
        kubelet.parse("n", probe((20, "kubelet", "kubelet\0"), main=main, version=""))
