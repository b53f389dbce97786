"""The lab's own engine in earnest: one beside the lab's, with its data on a small disk and nothing of the lab's in it.

It writes no rules for packets, so what runs in the lab's engine does not feel it.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import command, private_engine

from shimlab import paths, process
from shimlab.cluster.status import KIND_LABEL
from shimlab.images import image
from shimlab.machine import engine, host, kind, private
from shimlab.waiting import wait

NAME = "tried"
NODE = f"{NAME}-worker"
IMAGE = "of-a-test:1"
MEGABYTES = 96

pytestmark = pytest.mark.skipif(
    not host.is_root_debian() or shutil.which("dockerd", path=private.SYSTEM_PATH) is None,
    reason="only root on a Debian has an engine of the lab's own",
)


@pytest.fixture
def own(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An engine that was started by somebody whose TMPDIR is not there, with an image of one program."""
    private_engine.moved(open_folder, monkeypatch)
    monkeypatch.setattr(paths, "ROOT_STATE", open_folder)
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(open_folder / "lab"))
    monkeypatch.setenv("SHIMLAB_NAME", NAME)
    monkeypatch.setenv("TMPDIR", "/nonexistent")
    argv = private.command()
    monkeypatch.setattr(private, "command", lambda: [*argv, "--iptables=false"])
    private.DATA.mkdir()
    process.output(["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}M", "tmpfs", str(private.DATA)])
    try:
        engine.start_private()
        process.data(["docker", "--host", private.SOCKET, "import", "-", IMAGE], input=_root())
        yield
    finally:
        if (pid := private.pid()) is not None:
            os.kill(pid, signal.SIGCONT)
            engine.current.cache_clear()
            if names := engine.docker("ps", "--all", "--quiet").split():
                engine.docker("rm", "--force", "--volumes", *names)
            engine.stop_private()
        engine.current.cache_clear()
        process.output(["umount", str(private.DATA)])


def _root() -> bytes:
    """A root file system with one program, `true`, and what it is linked with."""
    program = shutil.which("true", path="/bin:/usr/bin")
    assert program is not None
    linked = re.findall(r"(/\S+) \(0x", process.output(["ldd", program]))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", dereference=True) as archive:
        archive.add(program, "bin/true")
        for each in linked:
            archive.add(each)
    return packed.getvalue()


def _create(name: str, *options: str) -> str:
    """Create a container and return the name of its volume, if it has one."""
    engine.docker("create", "--name", name, "--network", "none", *options, IMAGE, "/bin/true")
    told = engine.docker("inspect", "--format", "{{range .Mounts}}{{.Name}}{{end}}", name)
    return told.strip()


def _node() -> str:
    labels = ("--label", f"{KIND_LABEL}={NAME}", "--label", f"{image.MADE_BY}=node")
    return _create(NODE, *labels, "--volume", "/var")


def _names(what: str) -> set[str]:
    form = ["--format", "{{.Names}}" if what == "ps" else "{{.Name}}"]
    return set(engine.docker(*(["ps", "--all"] if what == "ps" else [what, "ls"]), *form).split())


@pytest.mark.usefixtures("own")
def test_what_is_the_users_stays_with_its_engine_and_what_is_the_labs_goes() -> None:
    """The engine was started with a TMPDIR that is not there, and runs what it is asked to."""
    engine.docker("run", "--rm", "--network", "none", IMAGE, "/bin/true")
    theirs, ours = _create("mine", "--volume", "/mine"), _node()
    engine.docker("volume", "create", "named")
    engine.docker("network", "create", kind.NETWORK)
    done = command.inside("down", "--check")
    assert done.returncode == 0, done.stderr
    assert "it goes on for what is not this lab's: mine" in done.stderr
    assert (_names("ps"), _names("volume")) == ({"mine"}, {theirs, "named"})
    assert kind.NETWORK not in _names("network")
    # A node that somebody removed by hand leaves its volume; `up` has noted it.
    left = _node()
    from shimlab.cluster import leftovers, volumes

    volumes.note([NODE])
    engine.docker("rm", "--force", NODE)
    assert leftovers.found() == [f"volume {left}"]
    assert command.inside("down", "--check").returncode == 0
    assert (left == ours, _names("volume")) == (False, {theirs, "named"})
    engine.docker("rm", "mine")
    done = command.inside("down", "--all")
    assert (done.returncode, "stays: volumes are in it" in done.stderr) == (0, True), done.stderr
    assert private.pid() is None
    assert set(private.volumes()) == {theirs, "named"}
    assert private.mounts() == []


@pytest.mark.usefixtures("own")
def test_an_engine_that_is_stopped_is_told_by_every_command_and_nothing_is_removed() -> None:
    _node()
    pid = private.pid()
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    wait(lambda: process.is_stopped(pid), "the stop", 10)
    for words in (("status",), ("up",), ("down", "--check"), ("down", "--all")):
        engine.current.cache_clear()
        done = command.inside(*words)
        assert done.returncode == 1, words
        what, remedy = done.stderr.splitlines()[-2:]
        assert f"is stopped (pid {pid})" in what, done.stderr
        assert f"kill -CONT {pid}" in remedy
    engine.current.cache_clear()
    doctor = command.inside("doctor")
    assert (doctor.returncode, f"kill -CONT {pid}" in doctor.stdout) == (1, True), doctor.stdout
    os.kill(pid, signal.SIGCONT)
    engine.current.cache_clear()
    assert _names("ps") == {NODE}
    assert command.inside("down", "--check").returncode == 0
    assert process.has_ended(pid)


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("gone", ["nothing", "run"], ids=["killed", "machine started again"])
def test_what_is_in_an_engine_that_was_killed_is_removed_all_the_same(gone: str) -> None:
    ours = _node()
    pid = private.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait(lambda: private.pid() is None, "the end", 10)
    if gone == "run":
        # As a machine that starts again: nothing runs, and /run is empty.
        containerd = private.RUN / "docker" / "containerd" / "containerd.pid"
        os.kill(int(containerd.read_text()), signal.SIGKILL)
        for mount in reversed(private.mounts()):
            process.output(["umount", mount])
        shutil.rmtree(private.RUN)
    engine.current.cache_clear()
    done = command.inside("down", "--check")
    assert done.returncode == 0, done.stderr
    assert private.pid() is None
    assert ours not in private.volumes()
    assert list((private.DATA / "containers").iterdir()) == []


@pytest.mark.usefixtures("own")
def test_a_disk_that_is_nearly_full_is_told() -> None:
    doctor = command.inside("doctor")
    assert "is nearly full" in doctor.stdout
    assert f"df -h {private.DATA}" in " ".join(doctor.stdout.split())
