"""Which kubelet comes next, what one said before it ended, and which containers lived through it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from shimlab.errors import LabError
from shimlab.evidence import Cgroup, Process
from shimlab.migrate import kubelets, restarts, upgrade
from shimlab.migrate.kubelets import Kubelet
from shimlab.node.journal import parse

FULL, LESS = Kubelet("v1.20.15"), Kubelet("v1.20.15-dockerless")
LAST, FIRST = Kubelet("v1.23.17"), Kubelet("v1.24.17")
TODAY = Kubelet("v1.37.2")


def test_only_a_full_kubelet_before_124_has_dockershim():
    assert [each.name for each in (FULL, LESS, LAST, FIRST, TODAY) if each.has_dockershim] == [
        "v1.20.15",
        "v1.23.17",
    ]


def test_kubelets_are_in_the_order_of_their_releases():
    assert sorted([TODAY, FIRST, Kubelet("v1.3.10"), LESS, LAST, FULL]) == [
        Kubelet("v1.3.10"),
        FULL,
        LESS,
        LAST,
        FIRST,
        TODAY,
    ]


@pytest.mark.parametrize("name", ["1.24.17", "kubelet", "v1.24", "v1.24.17/..", ""])
def test_a_name_that_is_no_version_is_refused(name):
    with pytest.raises(LabError, match="is not the version"):
        _ = Kubelet(name).version


@pytest.mark.parametrize(
    ("now", "known", "newer", "found"),
    [
        (LAST, [LAST, FIRST], True, FIRST),
        (FIRST, [LAST, FIRST], False, LAST),
        (FIRST, [LAST, FIRST], True, None),
        (LAST, [LAST, FIRST], False, None),
        (LAST, [LAST, FIRST, TODAY], True, FIRST),
        # The one that was built otherwise is no other release.
        (FULL, [FULL, LESS], True, None),
        (LESS, [FULL, LESS], False, None),
        (FULL, [], True, None),
    ],
)
def test_the_next_release(now, known, newer, found):
    assert kubelets.next_to(now, known, newer=newer) == found


def entry(message, comm="kubelet"):
    fields = {"_COMM": comm, "_SYSTEMD_UNIT": "kubelet.service", "_PID": "7", "__REALTIME_TIMESTAMP": "1"}
    return json.dumps({**fields, "MESSAGE": message})


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        (
            [
                "F1124 10:28:27.161010   14286 server.go:269] failed to run Kubelet: no docker support",
                "goroutine 1 [running]:",
            ],
            "failed to run Kubelet: no docker support",
        ),
        (
            ["Error: failed to parse kubelet flag: unknown flag: --a", "Usage:"],
            "failed to parse kubelet flag: unknown flag: --a",
        ),
        (
            [r'E1124 10:28:27.161010   14286 run.go:74] "command failed" err="only \"remote\" is" a="b"'],
            'only "remote" is',
        ),
        (["Error: first", "Error: second"], "second"),
        (["E1124 10:28:27.1   7 file.go:1] no path", "I1124 10:28:27.1   7 a.go:1] Error: x"], ""),
        ([], ""),
    ],
)
def test_last_words(messages, said):
    assert kubelets.complaint(parse(entry(each) for each in messages)) == said


def process(pid, container, *, comm="web", pod="0a1b2c3d-0000-0000-0000-000000000001", second=0):
    cgroup = f"/kubelet/kubepods/pod{pod}/{container * 64}" if container else "/system.slice/kubelet.service"
    return Process(
        pid, 1, comm, (comm,), datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC), (Cgroup(0, (), cgroup),)
    )


def test_the_first_process_of_each_container():
    found = restarts.first_of(
        [
            process(20, "a", second=5),
            process(10, "a", second=1),
            process(9, "a", comm="containerd-shim"),
            process(11, "b", comm="pause"),
            process(12, ""),
        ]
    )
    assert {name[0]: each.pid for name, each in found.items()} == {"a": 10, "b": 11}


@pytest.mark.parametrize(
    ("after", "expected", "told"),
    [
        ([(10, "a"), (12, "c")], (2, 2, 2), "2 of 2 containers run on"),
        ([(10, "a"), (99, "c")], (2, 1, 2), "1 of 2 containers run on, 1 are new"),
        ([(10, "a"), (12, "d")], (2, 1, 2), "1 of 2 containers run on, 1 are new"),
        ([(10, "a"), (12, "c"), (13, "d")], (2, 2, 3), "2 of 2 containers run on, 1 are new"),
        ([], (2, 0, 0), "0 of 2 containers run on, 0 are new"),
    ],
)
def test_who_lived_through_it(after, expected, told):
    sandbox = process(1, "f", comm="pause")
    before = restarts.first_of([sandbox, process(10, "a"), process(12, "c")])
    found = restarts.compare(before, restarts.first_of(process(*each) for each in after))
    assert (found.before, found.lived, found.after) == expected
    assert str(found) == told


def test_an_outcome_is_told_as_it_is():
    lived = restarts.Survival(4, 4, 4)
    bad = upgrade.Outcome("w", FIRST.name, "unknown flag: --network-plugin", "docker://20", lived)
    assert not bad.ready
    assert "NotReady" in str(bad)
    assert "unknown flag: --network-plugin" in str(bad)
    assert "4 of 4 containers run on" in str(bad)
    good = upgrade.Outcome("w", FIRST.name, "", "containerd://1.6.20", lived)
    assert good.ready
    assert "v1.24.17, containerd://1.6.20" in str(good)
