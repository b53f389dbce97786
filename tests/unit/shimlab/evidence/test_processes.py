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

from shimlab.errors import LabError
from shimlab.evidence.containers import tree_of
from shimlab.evidence.runtime import by_processes
from shimlab.evidence.text import drawing, table
from shimlab.node import procfs, sockets
from shimlab.node.probe import here, parse_sections, sections
from shimlab.node.procfs import Cgroup, Process
from shimlab.waiting import wait

POD = "0aa11111-2222-4333-8444-555555555555"
CONTAINER = "c0" * 32


def process(
    pid: int, ppid: int, comm: str, *argv: str, cgroup: str = "/", apart: tuple[str, ...] = ()
) -> Process:
    started = datetime(2026, 1, 1, tzinfo=UTC)
    return Process(pid, ppid, comm, argv, started, (Cgroup(1, ("cpu",), cgroup),), apart=apart)


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


def test_what_the_kernel_knows_of_a_process():
    (ours,) = [each for each in procfs.processes("here", run=here) if each.pid == os.getpid()]
    program = Path(sys.executable).resolve()
    assert ours.exe == str(program)
    assert ours.exe_file == (program.stat().st_dev, program.stat().st_ino)
    assert ours.namespaces["net"] == Path("/proc/self/ns/net").stat().st_ino
    assert ours.uid == os.geteuid()
    assert ours.threads >= 1
    assert ours.cpu_seconds == pytest.approx(sum(os.times()[:2]), abs=0.5)
    # The three were read one after the other, while we may have grown.
    assert 0 < ours.anon_bytes < ours.pss_bytes < 1.2 * ours.rss_bytes


def test_a_process_that_waits_is_asleep():
    """Not ours, which is awake for moments while it looks."""

    def state() -> str:
        return next(each.state for each in procfs.processes("here", run=here) if each.pid == child.pid)

    with subprocess.Popen(["sleep", "60"]) as child:
        wait(lambda: state() == "S", "sleep is asleep", 20)
        child.kill()


def test_cgroups_of_both_versions():
    lines = "2:cpu,cpuacct:/a:b\n1:name=systemd:/c\n0::/d"
    assert list(procfs._cgroups(lines)) == [
        Cgroup(2, ("cpu", "cpuacct"), "/a:b"),
        Cgroup(1, ("name=systemd",), "/c"),
        Cgroup(0, (), "/d"),
    ]


def test_those_that_look_are_not_seen():
    assert [each for each in procfs.processes("here", run=here) if "RssAnon" in " ".join(each.argv)] == []


def test_processes_that_ended_meanwhile_are_left_out():
    empty = dict.fromkeys(("files", "status", "links", "programs"), b"")
    found = {"clock": b"1 100 4096", "self": b"9", **empty}
    assert procfs.parse(found) == []
    assert procfs.parse({**found, "files": b"/proc/77/cmdline:x\n", "links": b"/proc/78/exe /x\0"}) == []


def test_those_that_look_are_left_out_with_all_that_they_started() -> None:
    """The probe is a shell that starts others, which start others; a child's number may be lower than its parent's."""
    parents = {1: 0, 900: 1, 40: 900, 41: 40, 950: 41, 42: 1, 901: 42}
    files = "".join(
        f"/proc/{pid}/stat:{pid} (sh) S {parent} {' '.join(['1'] * 40)}\n" for pid, parent in parents.items()
    )
    empty = dict.fromkeys(("status", "links", "programs"), b"")
    found = procfs.parse({"clock": b"1 100 4096", "self": b"900", "files": files.encode(), **empty})
    assert [each.pid for each in found] == [1, 42, 901]


def test_an_answer_that_is_no_probes():
    with pytest.raises(LabError, match="a probe answered"):
        parse_sections("clock aGVsbG8=\nsh: not found\n")


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


def test_the_pod_of_a_file_has_a_hash_for_its_uid():
    uid = "3bc339b357a18eea2e091f3c26ed4d9f"
    assert process(1, 0, "etcd", cgroup=f"/kubelet/kubepods/burstable/pod{uid}/{CONTAINER}").pod_uid == uid


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


def test_a_device_beyond_the_255th_is_the_one_that_stat_prints():
    # Seen on Linux 6.1: tmpfs with device 0:748, for stat 2097388.
    assert sockets._device(748) == 2097388
    assert sockets._device(97) == 97
    # A disk's partition, 8:1, which the kernel numbers 8 << 20 | 1.
    assert sockets._device(8 << 20 | 1) == 2049


def test_a_name_that_looks_like_another_socket_is_only_a_name():
    """What ss prints of it, and what /proc/net/unix shows, looks like a line of a socket in its own right."""
    forged = "\0x\nu_str LISTEN 0 0 /run/docker.sock 99 * 0\n0: 0 0 00010000 0001 01 99 /run/docker.sock"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(forged)
        bound.listen()
        found = sockets.unix_sockets("here", run=here)
    assert [each.path for each in found if each.inode == 99] == []
    (ours,) = [each for each in found if each.path == f"@{forged[1:]}"]
    assert [owner.pid for owner in ours.owners] == [os.getpid()]


def test_both_sides_of_a_connection(listener, tmp_path):
    """The listener is renamed meanwhile, and the client is another process with a bound name of its own."""
    renamed = tmp_path / "dockershim.sock"
    connect = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1] + '.client');"
        "s.connect(sys.argv[1]); print(flush=True); input()"
    )
    argv = [sys.executable, "-c", connect, str(renamed)]
    server = socket.socket(fileno=os.dup(_descriptor(listener)))
    listener.rename(renamed)
    with server, subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        client.stdout.readline()
        accepted, _ = server.accept()
        with accepted:
            (found,) = sockets.connections("here", str(renamed), run=here)
            everywhere = sockets.connections("here", run=here)
        client.kill()
    assert [owner.pid for owner in found.server] == [os.getpid()]
    assert [owner.pid for owner in found.client] == [client.pid]
    assert found.path == str(renamed)
    ours = [each for each in everywhere if each.server_inode == found.server_inode]
    assert [each.path for each in ours] == [str(listener)]
    # The client's own name makes it no server, and its end of the connection no second one.
    assert [each for each in everywhere if client.pid in [owner.pid for owner in each.server]] == []
    assert sockets.connections("here", str(tmp_path / "no"), run=here) == []


def _descriptor(path: Path) -> int:
    """Return the descriptor of this process that listens at a path."""
    (found,) = [each for each in sockets.unix_sockets("here", run=here) if each.path == str(path)]
    links = {
        int(link.name): str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()
    }
    return next(number for number, target in links.items() if target == f"socket:[{found.inode}]")


def test_half_an_answer_of_the_kernel_is_an_error():
    whole = sections(here, sockets.SCRIPT)
    for data in (b"", whole["sockets"][:-20]):
        with pytest.raises(LabError, match="did not tell of its unix sockets"):
            sockets.parse({**whole, "sockets": data})


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


def test_a_process_of_a_container_is_no_shim_whatever_it_calls_itself():
    cgroup = f"/kubepods/pod{POD}/{'b' * 64}"
    shim = ("/usr/bin/containerd-shim-runc-v2", "-namespace", "k8s.io")
    everyone = [
        process(10, 1, "containerd-shim", *shim),
        process(12, 10, "containerd-shim", *shim, cgroup=cgroup, apart=("mnt", "pid")),
        process(13, 12, "sleep", "sleep", cgroup=cgroup, apart=("mnt", "pid")),
    ]
    (chain,) = tree_of(POD, everyone).chains
    assert (chain.process.pid, chain.shim.pid) == (12, 10)
    assert by_processes(everyone[1:]).runtime == "none"


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
