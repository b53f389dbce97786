"""Each way in which a machine can fall short gives its line and its fix: from what such machines say of themselves."""

from __future__ import annotations

import os
import platform
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support import command
from tests.support.findings import holds

from shimlab import lock
from shimlab.doctor import examine, host, kernel
from shimlab.doctor.finding import Finding

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n'
TRIXIE = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nID=debian\n'
UBUNTU = 'PRETTY_NAME="Ubuntu 22.04.5 LTS"\nVERSION_ID="22.04"\nID=ubuntu\n'
V1 = (
    "tmpfs /sys/fs/cgroup tmpfs ro,nosuid,nodev,noexec,mode=755 0 0\n"
    "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,nosuid,nodev,noexec,relatime 0 0\n"
    "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,nodev,noexec,relatime,cpu,cpuacct 0 0\n"
    "cgroup /sys/fs/cgroup/cpuset cgroup rw,relatime,cpuset 0 0\n"
    "cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n"
    "cgroup /sys/fs/cgroup/devices cgroup rw,relatime,devices 0 0\n"
    "cgroup /sys/fs/cgroup/freezer cgroup rw,relatime,freezer 0 0\n"
    "cgroup /sys/fs/cgroup/pids cgroup rw,relatime,pids 0 0\n"
)
V2 = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate,memory_recursiveprot 0 0\n"
CGROUPS = "#subsys_name\thierarchy\tnum_cgroups\tenabled\n" + "".join(
    f"{name}\t{number}\t95\t1\n"
    for number, name in enumerate(["cpuset", "cpu", "cpuacct", "memory", "devices", "freezer", "pids"], 2)
)
NO_MEMORY = CGROUPS.replace("memory\t5\t95\t1", "memory\t0\t95\t0")
MODULES = (
    "kernel/fs/overlayfs/overlay.ko.xz:\nkernel/net/netfilter/nf_tables.ko.xz: kernel/net/nfnetlink.ko.xz\n"
)
FULL, BOUNDED, DOCKER_DEFAULT = (
    f"Name:\tbash\nCapBnd:\t{bits}\n" for bits in ("000001ffffffffff", "000001fffeffffff", "00000000a80425fb")
)


def meminfo(available: int) -> str:
    return f"MemTotal:       32803488 kB\nMemFree:  1 kB\nMemAvailable:   {available} kB\n"


def at(state: str, *words: str) -> tuple[str, tuple[str, ...]]:
    return state, words


Recorded = Callable[[str], Path]
HOSTS: list[tuple[str, Callable[[Recorded], Finding], tuple[str, tuple[str, ...]]]] = [
    ("bare Debian", lambda f: host.system(True, release=f(DEBIAN)), at("ok", "bookworm", "installs")),
    (
        "later Debian",
        lambda f: host.system(True, release=f(TRIXIE)),
        at("warning", "trixie", "Debian 12"),
    ),
    (
        "Ubuntu",
        lambda f: host.system(False, release=f(UBUNTU)),
        at("ok", "Ubuntu", "installs nothing"),
    ),
    (
        "WSL",
        lambda f: host.system(False, kernel="5.15.167.4-microsoft-standard-WSL2", release=f(UBUNTU)),
        at("warning", "WSL: not tried"),
    ),
    ("macOS", lambda f: host.system(False, kind="darwin"), at("warning", "macOS: not tried")),
    ("FreeBSD", lambda f: host.system(False, kind="freebsd14"), at("problem", "freebsd14")),
    ("old python", lambda f: host.python((3, 9, 2)), at("problem", "3.9.2", "3.11.2", "PYTHON=")),
    ("new python", lambda f: host.python((3, 14, 0)), at("ok", "3.14.0")),
    (
        "all capabilities",
        lambda f: kernel.capabilities(False, status=f(FULL)),
        at("ok", "CAP_SYS_RESOURCE"),
    ),
    ("bounded, ours", lambda f: kernel.capabilities(True, status=f(BOUNDED)), at("ok", "own engine")),
    (
        "bounded, not ours",
        lambda f: kernel.capabilities(False, status=f(BOUNDED)),
        at("problem", "CAP_SYS_RESOURCE", "root on a Debian"),
    ),
    (
        "in a container",
        lambda f: kernel.capabilities(True, status=f(DOCKER_DEFAULT)),
        at("problem", "CAP_NET_ADMIN and CAP_SYS_ADMIN", "--privileged"),
    ),
    ("no CapBnd", lambda f: kernel.capabilities(True, status=f("")), at("warning", "does not tell")),
    ("cgroup v1", lambda f: kernel.cgroup(mounts=f(V1)), at("ok", "v1 (hybrid)")),
    (
        "cgroup v2",
        lambda f: kernel.cgroup(mounts=f(V2)),
        at("warning", "v2", "no whole lab", "hierarchy=0"),
    ),
    (
        "no cgroup",
        lambda f: kernel.cgroup(mounts=f("")),
        at("problem", "no cgroups", "cgroupfs-mount"),
    ),
    ("cgroup elsewhere", lambda f: kernel.cgroup(mounts=f(V1), told="2"), at("warning", "v2")),
    (
        "v1 controllers",
        lambda f: kernel.controllers(mounts=f(V1), cgroups=f(CGROUPS)),
        at("ok", "freezer"),
    ),
    (
        "v1 without memory",
        lambda f: kernel.controllers(mounts=f(V1), cgroups=f(NO_MEMORY)),
        at("problem", "missing: memory", "cgroup_enable=memory"),
    ),
    (
        "v1, pids not mounted",
        lambda f: kernel.controllers(mounts=f(V1.replace("pids", "hugetlb")), cgroups=f(CGROUPS)),
        at("problem", "missing: pids", "mount"),
    ),
    (
        "v2 controllers",
        lambda f: kernel.controllers(
            mounts=f(V2), unified=f("cpuset cpu io memory hugetlb pids rdma misc\n")
        ),
        at("ok", "cpu cpuset memory pids"),
    ),
    (
        "v2 without memory",
        lambda f: kernel.controllers(mounts=f(V2), unified=f("cpuset cpu io pids\n")),
        at("problem", "missing: memory", "cgroup_enable=memory"),
    ),
    ("no controllers", lambda f: kernel.controllers(mounts=f("")), at("warning", "no cgroups")),
    (
        "overlay in use",
        lambda f: kernel.overlay(filesystems=f("nodev\tsysfs\nnodev\toverlay\n\text4\n")),
        at("ok", "has it"),
    ),
    (
        "overlay as module",
        lambda f: kernel.overlay(filesystems=f("\text4\n"), modules=f(MODULES).parent),
        at("ok", "module (overlay)"),
    ),
    (
        "no overlay",
        lambda f: kernel.overlay(filesystems=f("\text4\n"), modules=f("kernel/fs/xfs/xfs.ko:\n").parent),
        at("problem", "no overlay", "kernel"),
    ),
    (
        "overlay unknown",
        lambda f: kernel.overlay(filesystems=f("\text4\n"), modules=Path("/nowhere")),
        at("warning", "does not tell", "modprobe overlay"),
    ),
    (
        "iptables as module",
        lambda f: kernel.iptables(net=Path("/nowhere"), modules=f(MODULES).parent),
        at("ok", "module (nf_tables)"),
    ),
    (
        "no iptables",
        lambda f: kernel.iptables(net=Path("/nowhere"), modules=f("kernel/fs/xfs/xfs.ko:\n").parent),
        at("problem", "no nf_tables or ip_tables"),
    ),
    ("files, raised", lambda f: kernel.open_files(False, limit=1024), at("ok", "1024")),
    (
        "files, bounded",
        lambda f: kernel.open_files(True, limit=1024),
        at("warning", "1024", "nofile=20000"),
    ),
    ("files, endless", lambda f: kernel.open_files(True, limit=-1), at("ok", "unlimited")),
    ("memory", lambda f: host.memory(False, meminfo=f(meminfo(24_000_000))), at("ok", "24.6 GB")),
    (
        "some memory",
        lambda f: host.memory(False, meminfo=f(meminfo(3_000_000))),
        at("warning", "3.1 GB"),
    ),
    (
        "no memory",
        lambda f: host.memory(False, meminfo=f(meminfo(1_500_000))),
        at("problem", "1.5 GB"),
    ),
    (
        "memory in use",
        lambda f: host.memory(True, meminfo=f(meminfo(1_500_000))),
        at("ok", "1.5 GB", "running"),
    ),
    (
        "memory of a virtual machine",
        lambda f: host.memory(False, meminfo=f(meminfo(24_000_000)), engine=2_040_000_000),
        at("warning", "2.0 GB"),
    ),
    ("memory unknown", lambda f: host.memory(False, meminfo=f("")), at("warning", "cannot be read")),
    ("no proxy", lambda f: host.proxy({}), at("ok", "none")),
    (
        "proxy for everything",
        lambda f: host.proxy({"HTTPS_PROXY": "http://me:secret@proxy:3128", "no_proxy": "localhost"}),
        at("warning", "HTTPS_PROXY", "10.244.0.0/16", "10.96.0.0/16", "127.0.0.1", "export NO_PROXY="),
    ),
    (
        "proxy, lab spared",
        lambda f: host.proxy(
            {"http_proxy": "http://proxy", "NO_PROXY": "localhost, 127.0.0.1,10.244.0.0/16,10.96.0.0/16"}
        ),
        at("ok", "HTTP_PROXY"),
    ),
    ("proxy for nothing", lambda f: host.proxy({"https_proxy": "x", "NO_PROXY": "*"}), at("ok")),
]


@pytest.mark.parametrize(("look", "expected"), [case[1:] for case in HOSTS], ids=[case[0] for case in HOSTS])
def test_what_a_machine_says(
    tmp_path: Path, look: Callable[[Recorded], Finding], expected: tuple[str, tuple[str, ...]]
) -> None:
    def recorded(text: str) -> Path:
        # Named as depmod does, for the checks that are given its folder.
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        (folder / "modules.dep").write_text(text, encoding="utf-8")
        return folder / "modules.dep"

    holds(look(recorded), *expected)


@pytest.mark.parametrize(
    ("instances", "watches", "state"),
    [(128, 192_536, "ok"), (512, 524_288, "ok"), (128, 8192, "warning"), (64, 524_288, "warning")],
)
def test_inotify_is_measured_by_what_was_seen_to_do(
    tmp_path: Path, instances: int, watches: int, state: str
) -> None:
    assert kernel.inotify(folder=tmp_path).state == "warning"
    (tmp_path / "max_user_instances").write_text(f"{instances}\n")
    (tmp_path / "max_user_watches").write_text(f"{watches}\n")
    found = kernel.inotify(folder=tmp_path)
    assert found.state == state
    assert f"{instances} instances, {watches} watches" in found.found
    assert ("max_user_instances=512" in found.fix) == (state != "ok")


def test_architectures(monkeypatch: pytest.MonkeyPatch) -> None:
    for machine, state in (("x86_64", "ok"), ("aarch64", "warning"), ("riscv64", "problem")):
        monkeypatch.setattr(platform, "machine", lambda machine=machine: machine)
        assert examine._run("architecture", host.architecture).state == state


def test_a_taken_port_names_who_has_it() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        found = host.ports({port: "the test"})
        holds(found, "warning", (f"{port} (the test)", f"(pid {os.getpid()})", "--port"))
    assert host.ports({port: "the test"}).state == "ok"


def test_folders_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = examine._run("folders", host.folders)
    holds(found, "problem", ("cannot be made", "Not a directory", "XDG_STATE_HOME"))
    assert lock.at_work() == ""


def test_a_full_disk_under_the_labs_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    holds(examine._run("folders", host.folders), "ok", (str(tmp_path),))
    monkeypatch.setattr("shimlab.machine.host.free_bytes", lambda folder: 1_000_000)
    holds(examine._run("folders", host.folders), "problem", ("1.0 MB free", "XDG_STATE_HOME"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_user_without_a_home() -> None:
    # As in a container that runs under a number that nobody knows.
    code = (
        "import os; from shimlab import paths; os.environ.clear(); os.setuid(54321)\n"
        "try: paths.state_dir()\n"
        "except paths.LabError as error: print(error)"
    )
    done = command.program(sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "this user has no home folder"
    assert "XDG_STATE_HOME" in done.stdout
