"""Reading processes and sockets: the scripts run on this machine, where the tests make what they look for."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shimlab.evidence import procfs, sockets
from shimlab.evidence.containers import tree_of
from shimlab.evidence.probe import here
from shimlab.evidence.procfs import Process
from shimlab.evidence.runtime import by_processes
from shimlab.evidence.text import drawing, table

POD = "0aa11111-2222-4333-8444-555555555555"
CONTAINER = "c0" * 32


def process(pid: int, ppid: int, comm: str, *argv: str, cgroup: str = "/") -> Process:
    return Process(pid, ppid, comm, argv, datetime(2026, 1, 1, tzinfo=UTC), (cgroup,))


@pytest.fixture
def odd() -> Iterator[subprocess.Popen[bytes]]:
    """A process whose name and arguments were chosen to break line-based parsing."""
    rename = (
        "import sys; open('/proc/self/comm', 'w').write('a) S 1\\n(b'); print(); sys.stdout.flush(); input()"
    )
    argv = [sys.executable, "-c", rename, "new\nline", "", "process 1 x x x"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        yield child
        child.kill()


def test_a_process_is_read_whole_whatever_it_calls_itself(odd):
    found = {each.pid: each for each in procfs.processes("here", run=here)}
    child = found[odd.pid]
    assert child.comm == "a) S 1\n(b"
    assert child.argv[3:] == ("new\nline", "", "process 1 x x x")
    assert child.ppid == os.getpid()
    assert abs(datetime.now(UTC) - child.started) < timedelta(seconds=60)
    assert procfs.ancestors(child, found.values())[0].pid == os.getpid()


def test_processes_that_ended_meanwhile_are_left_out():
    assert procfs.parse(["boot 1 100", "process 77   ", "process 78 "]) == []


@pytest.mark.parametrize(
    "cgroup",
    [
        f"/kubepods/besteffort/pod{POD}/{CONTAINER}",
        f"/docker/{'d' * 64}/kubelet/kubepods/pod{POD}/{CONTAINER}",
        f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{POD.replace('-', '_')}.slice"
        f"/docker-{CONTAINER}.scope",
        f"/kubepods.slice/kubepods-pod{POD.replace('-', '_')}.slice/cri-containerd-{CONTAINER}.scope",
    ],
)
def test_pod_and_container_of_a_cgroup(cgroup):
    one = process(1, 0, "app", cgroup=cgroup)
    assert (one.pod_uid, one.container_id) == (POD, CONTAINER)


@pytest.mark.parametrize(
    "cgroup", ["/", "/system.slice/kubelet.service", f"/docker/{'d' * 64}", "/podlike/x"]
)
def test_other_cgroups_belong_to_no_pod(cgroup):
    assert process(1, 0, "app", cgroup=cgroup).pod_uid is None


def test_long_names_come_from_the_first_argument():
    assert process(1, 0, "containerd-shim", "/usr/bin/containerd-shim-runc-v2", "-id", "x").name == (
        "containerd-shim-runc-v2"
    )
    assert process(1, 0, "nginx", "other").name == "nginx"
    assert process(2, 0, "kthreadd").name == "kthreadd"


def test_options():
    one = process(1, 0, "a", "a", "-namespace", "moby", "--x=1=2", "-last")
    assert (one.option("-namespace"), one.option("--x"), one.option("-last")) == ("moby", "1=2", None)


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Path]:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "a b.sock"))
        bound.listen()
        yield tmp_path / "a b.sock"


def test_a_listening_socket_and_its_owner(listener):
    (found,) = [each for each in sockets.unix_sockets("here", run=here) if each.path == str(listener)]
    assert found.listening
    assert [owner.pid for owner in found.owners] == [os.getpid()]
    assert found.file == (listener.stat().st_dev, listener.stat().st_ino)


def test_a_link_leads_to_the_owner_of_its_end(listener, tmp_path):
    (tmp_path / "run").symlink_to(tmp_path)
    link = tmp_path / "other name.sock"
    link.symlink_to(tmp_path / "run" / listener.name)
    plain, linked, missing, empty = sockets.at(
        "here", [str(listener), str(link), str(tmp_path / "no"), str(tmp_path)], run=here
    )
    assert not plain.is_link
    assert linked.is_link
    assert linked.resolved == str(listener)
    assert linked.listeners == plain.listeners != ()
    assert (missing.exists, missing.listeners) == (False, ())
    assert (empty.exists, empty.listeners) == (True, ())


def test_a_renamed_socket_keeps_its_owner(listener, tmp_path):
    """The kubelet binds dockershim's socket to a temporary name and renames it."""
    listener.rename(tmp_path / "dockershim.sock")
    old, new = sockets.at("here", [str(listener), str(tmp_path / "dockershim.sock")], run=here)
    assert (old.exists, old.listeners) == (False, ())
    assert [owner.pid for owner in new.listeners] == [os.getpid()]


def test_a_dangling_link(tmp_path):
    (tmp_path / "l").symlink_to(tmp_path / "gone")
    (found,) = sockets.at("here", [str(tmp_path / "l")], run=here)
    assert (found.exists, found.is_link, found.listeners) == (False, True, ())


def test_whoever_lost_the_path_no_longer_owns_it(listener):
    """The kubelet does this to containerd's socket when only its endpoint is changed."""
    take_over = (
        "import os, socket, sys; os.unlink(sys.argv[1]); s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]);"
        "s.listen(); print(flush=True); input()"
    )
    argv = [sys.executable, "-c", take_over, str(listener)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as thief:
        assert thief.stdout is not None
        thief.stdout.readline()
        everyone = [each for each in sockets.unix_sockets("here", run=here) if each.path == str(listener)]
        (found,) = sockets.at("here", [str(listener)], run=here)
        thief.kill()
    assert {owner.pid for each in everyone for owner in each.owners} == {os.getpid(), thief.pid}
    assert [owner.pid for owner in found.listeners] == [thief.pid]


def test_the_tree_of_a_pod():
    cgroup = f"/kubepods/pod{POD}"
    shim = ("/usr/bin/containerd-shim-runc-v2", "-namespace", "k8s.io", "-id", "p")
    everyone = [
        process(1, 0, "systemd", "/sbin/init"),
        process(10, 1, "containerd-shim", *shim),
        process(11, 10, "pause", "/pause", cgroup=f"{cgroup}/{'a' * 64}"),
        process(12, 10, "sleep", "sleep", "9", cgroup=f"{cgroup}/{'b' * 64}"),
        process(13, 12, "child", "child", cgroup=f"{cgroup}/{'b' * 64}"),
        process(20, 1, "sleep", "sleep", cgroup=f"/kubepods/pod{POD.replace('0', '9')}/{'e' * 64}"),
    ]
    tree = tree_of(POD, everyone)
    assert [chain.process.pid for chain in tree.chains] == [11, 12]
    assert [parent.comm for parent in tree.chains[1].parents] == ["containerd-shim", "systemd"]
    assert [shim.pid for shim in tree.shims] == [10]
    assert tree.namespaces == ("k8s.io",)
    assert by_processes(everyone).runtime == "containerd"


def test_two_clients_of_containerd_are_not_one():
    everyone = [
        process(1, 0, "containerd-shim", "containerd-shim-runc-v2", "-namespace", "moby"),
        process(2, 0, "containerd-shim", "containerd-shim-runc-v2", "-namespace", "k8s.io"),
    ]
    assert by_processes(everyone).runtime == "containerd+docker"
    assert by_processes([]).runtime == "none"


def test_the_drawing_of_a_pod_has_no_pids():
    everyone = [
        process(1, 0, "systemd", "/sbin/init"),
        process(10, 1, "containerd-shim", "/usr/bin/containerd-shim-runc-v2", "-namespace", "moby"),
        process(11, 10, "pause", "/pause", cgroup=f"/kubepods/pod{POD}/{'a' * 64}"),
        process(20, 1, "containerd-shim", "/usr/bin/containerd-shim-runc-v2", "-namespace", "moby"),
        process(21, 20, "sleep", "sleep", cgroup=f"/kubepods/pod{POD}/{'b' * 64}"),
    ]
    assert drawing(tree_of(POD, everyone)).splitlines() == [
        "systemd",
        "├─ containerd-shim-runc-v2 -namespace moby",
        "│  └─ pause",
        "└─ containerd-shim-runc-v2 -namespace moby",
        "   └─ sleep",
    ]


def test_a_table_has_nothing_trailing():
    assert table(("A", "BB"), [("long", ""), ("x", "y")]) == "A      BB\nlong\nx      y"
