"""A cluster that is interrupted while kind makes it, on a stand-in for an engine that makes things later.

An engine goes on with what it was asked for when who asked has been killed: here a process of its own does, which no
signal of ours reaches. Who looks for what is there while it is at work finds nothing yet: it waits until he has looked.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shimlab import orphans, process
from shimlab.waiting import bound, soon

SECONDS = 30
#: Containers and networks are files; `run` and `network create` take a second, or until somebody has looked thrice.
DOCKER = r"""#!PYTHON -IS
import os, sys, time
from pathlib import Path

HERE = Path("FOLDER")
command, *words = sys.argv[1:]
with (HERE / "asked").open("a") as log:
    log.write(" ".join(sys.argv[1:3]) + "\n")


def looks():
    return (HERE / "asked").read_text().count("ps --all")


def made(file):
    # In the engine, which is another process than whoever asks it.
    if os.fork() == 0:
        os.setsid()
        os.execve(sys.executable, [sys.executable, __file__, "engine", str(file)], {})
    while not file.exists():
        time.sleep(0.05)


match [command, *words[:1]]:
    case ["engine", file]:
        before, deadline = looks(), time.monotonic() + 1
        while looks() < before + 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.3)
        Path(file).touch()
    case ["version", *_]:
        print("20.10.24")
    case ["ps", *_]:
        found = sorted(each.name for each in (HERE / "containers").iterdir())
        of_lab = any("io.x-k8s.kind.cluster" in word for word in words)
        label = {name: "" if name.startswith("theirs") else "ours" for name in found}
        print(*(f"{name}|{label[name]}|running" for name in found if of_lab), sep="\n")
    case ["rm", *_]:
        for name in words:
            if not name.startswith("--"):
                (HERE / "containers" / name).unlink()
    case ["run", *_]:
        (HERE / f"begun-{words[0]}").touch()
        made(HERE / "containers" / words[0])
    case ["network", "create"]:
        made(HERE / "networks" / words[1])
    case ["network", "ls"]:
        print(*(each.name for each in (HERE / "networks").iterdir()), sep="\n")
    case ["network", "rm"]:
        (HERE / "networks" / words[1]).unlink()
    case ["volume", "ls"]:
        pass
    case other:
        sys.exit(f"nothing is recorded for docker {other}")
"""
KIND = """#!/bin/sh
trap '' PIPE
[ "$1" = version ] && { echo v0.27.0; exit; }
ls FOLDER/containers | grep -q . && { echo 'ERROR: node(s) already exist for a cluster'; exit 1; }
echo 'Preparing nodes'
docker network create shimlab
for node in control-plane worker worker2; do docker run "shimlab-$node" & done
wait
echo 'Starting control-plane'
touch FOLDER/made
exec sleep 300
"""
CREATE = """
import sys
from shimlab import cli, interruption
from shimlab.cluster import create, leftovers
with interruption.heard(), leftovers.told("up"):
    create.create("nodes: []", "lab 0")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the stand-ins are and keep what they made; nothing of them runs on afterwards."""
    for name, text in (("docker", DOCKER.replace("PYTHON", sys.executable)), ("kind", KIND)):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(text.replace("FOLDER", str(tmp_path)), "utf-8")
        program.chmod(0o755)
    for name in ("containers", "networks"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    for name in ("STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    for name in ("SHIMLAB_NAME", "DOCKER_HOST"):
        monkeypatch.delenv(name, raising=False)
    yield tmp_path
    orphans.end()


def creating(folder: Path, code: str = CREATE, **more: int) -> subprocess.Popen[bytes]:
    with (folder / "err").open("wb") as err:
        argv = ["env", "--default-signal", sys.executable, "-c", code]
        return subprocess.Popen(argv, start_new_session=True, **{"stderr": err, **more})


def there(folder: Path) -> list[str]:
    return sorted(each.name for name in ("containers", "networks") for each in (folder / name).iterdir())


MOMENTS: dict[str, Callable[[Path], bool]] = {
    "the network is being made": lambda folder: "network create" in (folder / "asked").read_text(),
    "the first node is being made": lambda folder: any(folder.glob("begun-*")),
    "one node is there": lambda folder: any((folder / "containers").iterdir()),
    "all nodes are there": lambda folder: (folder / "made").exists(),
}


def at(moment: str, folder: Path) -> None:
    asked = folder / "asked"
    assert soon(lambda: asked.exists() and MOMENTS[moment](folder), SECONDS, 0.01), (
        folder / "err"
    ).read_text()


@pytest.mark.parametrize(
    ("moment", "signs"),
    [
        ("the network is being made", [signal.SIGHUP]),
        ("the first node is being made", [signal.SIGTERM, signal.SIGTERM]),
        ("one node is there", [signal.SIGINT]),
        ("all nodes are there", [signal.SIGINT, signal.SIGINT]),
    ],
)
def test_nothing_comes_up_after_an_interrupted_creation(
    folder: Path, moment: str, signs: list[signal.Signals]
) -> None:
    child = creating(folder)
    at(moment, folder)
    for sign in signs:
        child.send_signal(sign)
    assert child.wait(bound(SECONDS)) != 0
    assert there(folder) == []
    assert "KeyboardInterrupt: nothing half-made is left" in (folder / "err").read_text()
    # As long as the engine takes.
    assert not soon(lambda: there(folder), 1.5)
    assert orphans.found() == []


def test_nobody_who_reads_keeps_nothing_from_being_removed(folder: Path) -> None:
    read, write = os.pipe()
    child = creating(folder, stderr=write)
    os.close(write)
    at("one node is there", folder)
    os.close(read)
    child.send_signal(signal.SIGINT)
    child.wait(bound(SECONDS))
    assert there(folder) == []


@pytest.mark.parametrize("moment", ["the network is being made", "one node is there"])
def test_what_goes_on_after_a_kill_is_ended_and_all_of_it_removed(folder: Path, moment: str) -> None:
    child = creating(folder)
    at(moment, folder)
    child.kill()
    child.wait(bound(SECONDS))
    again = "from shimlab.cluster import lifecycle, status\nlifecycle.end_orphans()\nstatus.remove()"
    assert creating(folder, again).wait(bound(SECONDS)) == 0, (folder / "err").read_text()
    assert there(folder) == []
    assert not soon(lambda: there(folder), 1.5)
    assert orphans.found() == []


def test_nodes_that_come_up_before_kind_is_asked_are_removed_and_it_is_asked_again(folder: Path) -> None:
    """As after somebody has killed the clients of an engine: nobody waits for what it makes."""
    (folder / "containers" / "shimlab-worker").touch()
    child = creating(folder)
    at("all nodes are there", folder)
    assert len(there(folder)) == 4
    child.send_signal(signal.SIGINT)
    child.wait(bound(SECONDS))
    assert there(folder) == []


def test_a_full_disk_is_told_in_two_lines_and_nothing_is_left(folder: Path) -> None:
    log = folder / "STATE" / "shimlab" / "log" / "kind.log"
    log.parent.mkdir(parents=True)
    log.symlink_to("/dev/full")
    child = creating(folder)
    assert child.wait(bound(SECONDS)) == 1
    told = (folder / "err").read_text()
    assert f"LabError: the log {log} cannot be written: No space left on device\nfree space" in told
    assert there(folder) == []
    assert orphans.found() == []


def test_a_lock_of_a_killed_kind_does_not_stay(folder: Path) -> None:
    lock = folder / "STATE" / "shimlab" / "kubeconfig.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    assert creating(folder, "from shimlab.cluster import status\nstatus.remove()").wait(bound(SECONDS)) == 0
    assert not lock.exists()


def test_a_removal_that_does_not_end_is_bounded_and_says_what_stays(folder: Path) -> None:
    (folder / "containers" / "shimlab-worker").mkdir()
    code = (
        "from shimlab.cluster import status\nstatus.REMOVE_SECONDS = 0.5\n"
        "try:\n    status.remove()\nexcept Exception as error:\n    print(type(error).__name__, error.what)"
    )
    done = process.output([sys.executable, "-c", code])
    assert "Error `docker rm --force --volumes shimlab-worker` failed (1)" in done


def test_what_somebody_else_makes_under_our_name_meanwhile_stays(folder: Path) -> None:
    for name in ("shimlab-worker", "theirs"):
        (folder / "containers" / name).touch()
    # Theirs came up after we had looked whether all is ours.
    code = "from shimlab.cluster import status\nstatus.refuse_foreign = lambda: None\nstatus.remove()"
    assert creating(folder, code).wait(bound(SECONDS)) == 0, (folder / "err").read_text()
    assert there(folder) == ["theirs"]
