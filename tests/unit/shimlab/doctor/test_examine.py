"""The command doctor: on machines whose Docker falls short, on this one, and what it prints."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support import command, private_engine
from tests.support.findings import holds

from shimlab.doctor import engine, examine, lab
from shimlab.doctor.finding import Finding, ok, problem, warning
from shimlab.doctor.machine import Machine
from shimlab.errors import LabError
from shimlab.images import image
from shimlab.machine import kind
from shimlab.machine.engine import Engine, NoEngineError, SilentEngineError

# What programs may rely on; a change here is a change for them.
NAMES = [
    *[
        "system",
        "python",
        "architecture",
        "folders",
        "capabilities",
        "cgroup",
        "cgroup controllers",
        "overlay",
    ],
    *["iptables", "inotify", "open files", "memory", "ports", "proxy", "packages", "docker", "engine"],
    *["engine version", "engine kind", "storage", "disk", "kind", "busy", "foreign cluster", "leftovers"],
    *["node image", "lab"],
]


def at(state: str, *words: str) -> tuple[str, tuple[str, ...]]:
    return state, words


def test_who_is_at_work_is_told_and_what_changes_is_not_looked_at() -> None:
    busy = with_engine(busy="another command that changes node-a")
    holds(lab.busy(busy), "warning", ("changes node-a is at work", "wait"))
    for changing in (lab.remains, lab.lab):
        holds(changing(busy), "ok", ("while another command that changes node-a is at work",))


def with_engine(
    version: str = "20.10.24+dfsg1", *, host: str = "", busy: str = "", **info: object
) -> Machine:
    return Machine(False, False, Engine(host, version), None, info, busy)


ENGINES: list[tuple[str, Callable[[Machine], Finding], Machine, tuple[str, tuple[str, ...]]]] = [
    ("as run", engine.engine_version, with_engine(), at("ok", "20.10.24")),
    ("new", engine.engine_version, with_engine("28.2.2"), at("ok", "28.2.2", "run on 20.10.24")),
    ("old", engine.engine_version, with_engine("19.03.15"), at("problem", "19.03.15", "20.10")),
    ("odd", engine.engine_version, with_engine("dev"), at("warning", "dev")),
    (
        "ordinary",
        engine.engine_kind,
        with_engine(SecurityOptions=["name=apparmor", "name=seccomp,profile=default"], CgroupVersion="1"),
        at("ok", "ordinary"),
    ),
    (
        "rootless, v1",
        engine.engine_kind,
        with_engine(SecurityOptions=["name=seccomp,profile=default", "name=rootless"], CgroupVersion="1"),
        at("problem", "rootless on cgroup v1"),
    ),
    (
        "rootless, v2",
        engine.engine_kind,
        with_engine(SecurityOptions=["name=rootless", "name=cgroupns"], CgroupVersion="2"),
        at("warning", "rootless: not tried"),
    ),
    (
        "userns",
        engine.engine_kind,
        with_engine(SecurityOptions=["name=userns"]),
        at("warning", "userns-remap"),
    ),
    (
        "Desktop",
        engine.engine_kind,
        with_engine("28.3.2", OperatingSystem="Docker Desktop"),
        at("warning", "Docker Desktop: not tried"),
    ),
    ("Windows", engine.engine_kind, with_engine(OSType="windows"), at("problem", "Linux containers")),
    (
        "remote",
        engine.answers,
        with_engine(host="ssh://me@far"),
        at("warning", "another machine", "DOCKER_HOST"),
    ),
    ("user's", engine.answers, with_engine(), at("ok", "the user's")),
    (
        "disk of Desktop",
        engine.disk,
        with_engine(OperatingSystem="Docker Desktop"),
        at("warning", f"{image.BUILD_SPACE / 1e9:.0f} GB"),
    ),
]


@pytest.mark.parametrize(
    ("look", "machine", "expected"), [case[1:] for case in ENGINES], ids=[case[0] for case in ENGINES]
)
def test_what_an_engine_says(
    look: Callable[[Machine], Finding], machine: Machine, expected: tuple[str, tuple[str, ...]]
) -> None:
    holds(look(machine), *expected)


@pytest.mark.parametrize(
    ("mounts", "driver", "state"),
    [
        ("/dev/sda1 / ext4 rw 0 0\n", "overlay2", "ok"),
        ("/dev/sda1 / ext4 rw 0 0\n", "vfs", "warning"),
        ("overlay / overlay rw 0 0\n/dev/sda1 /etc/hosts ext4 rw 0 0\n", "vfs", "problem"),
        ("overlay / overlay rw 0 0\n/dev/sda1 /var/lib/docker ext4 rw 0 0\n", "overlay2", "ok"),
        ("/dev/sda1 / ext4 rw 0 0\nnas:/docker /var/lib/docker nfs4 rw 0 0\n", "overlay2", "problem"),
    ],
)
def test_an_overlay_does_not_lie_on_an_overlay(tmp_path: Path, mounts: str, driver: str, state: str) -> None:
    (tmp_path / "mounts").write_text(mounts)
    assert (
        engine.storage(
            with_engine(Driver=driver, DockerRootDir="/var/lib/docker"), mounts=tmp_path / "mounts"
        ).state
        == state
    )


def test_a_disk_that_is_nearly_full_is_a_problem_also_for_a_lab_that_is_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    up = dataclasses.replace(with_engine(DockerRootDir=str(tmp_path)), running=True)
    holds(engine.disk(up), "ok", ("the lab is up",))
    monkeypatch.setattr(engine, "NEARLY_FULL", 10**18)
    holds(engine.disk(up), "problem", ("nearly full", f"df -h {tmp_path}"))


@pytest.mark.parametrize("refusal", [NoEngineError, SilentEngineError])
def test_an_engine_is_started_where_none_is_and_not_beside_one_that_does_not_answer(
    refusal: type[LabError],
) -> None:
    machine = Machine(True, False, None, refusal("it is stopped (pid 7)", "kill -CONT 7"))
    nobody = refusal is NoEngineError
    assert machine.makes_own is nobody
    found = examine._run("engine", lambda: engine.answers(machine))
    holds(
        found, "ok" if nobody else "problem", ["it is stopped (pid 7)", *([] if nobody else ["kill -CONT 7"])]
    )
    for look in (lab.lab, lab.foreign, lab.node_image, engine.storage):
        assert look(machine).state == ("ok" if nobody else "warning"), look
    if not nobody:
        holds(lab.remains(machine), "warning", ("not known",))


def test_a_full_disk_is_a_problem_before_a_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "BUILD_SPACE", 10**18)
    bare = Machine(True, False, None, None)
    found = examine._run("disk", lambda: engine.disk(bare))
    # Where an engine of ours has been, the image may be there already.
    holds(found, "warning" if engine.private.DATA.exists() else "problem", ("GB free",))


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, ("no kind 0.27 or newer", "install kind")),
        ("#!/bin/sh\necho 'kind v0.11.1 go1.16.4 linux/amd64'\n", ("0.11", "no kind 0.27 or newer")),
        ("\x7fELF cut off while it was fetched", ("cannot be run", "anew")),
        ("#!/bin/sh\nexit 3\n", ("failed (3)",)),
    ],
    ids=["none", "old", "broken", "fails"],
)
def test_a_kind_that_does_not_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if text:
        program(tmp_path, "kind", text)
    holds(examine._run("kind", lambda: lab.kind_program(with_engine())), "problem", words)
    program(tmp_path, "kind", "#!/bin/sh\necho 'kind v0.30.0 go1.24.6 linux/amd64'\n")
    assert lab.kind_program(with_engine()).state == "ok"
    assert kind.binary() == tmp_path / "kind"


INFO = json.dumps(
    {
        "ServerVersion": "24.0.7",
        "OSType": "linux",
        "CgroupVersion": "1",
        "Driver": "overlay2",
        "DockerRootDir": "/var/lib/docker",
    }
)
REFUSED = (
    "Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock"
)
ANSWERS = f"*Server.Version*) echo 24.0.7;; *json*) echo '{INFO}';;"
# A cluster of the lab's name, without the lab's label.
THEIRS = "*shimlab.lab*kind.cluster*) ;; *kind.cluster*shimlab.lab*) echo 'shimlab-worker|shimlab||';;"
THEIRS += " *kind.cluster*) echo 'shimlab-worker|';;"
# What each docker command says, by its first words; the engine behind it is one that the tests do not have.
DOCKERS: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    "no docker command": ("", {"docker": ("problem", "there is no docker command"), "engine": ("warning",)}),
    "no engine": (
        "echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.' >&2; exit 1",
        {"engine": ("problem", "no Docker engine answers", "Debian 12"), "lab": ("warning", "not known")},
    ),
    "no permission": (
        f"echo '{REFUSED}' >&2; exit 1",
        {"engine": ("problem", "permission denied", "usermod -aG")},
    ),
    "podman": (
        "echo podman version 4.3.1",
        {"docker": ("problem", "podman version 4.3.1", "install Docker")},
    ),
    "a broken engine": (
        f"case $* in {ANSWERS} *) echo input/output error >&2; exit 1;; esac",
        {"foreign cluster": ("problem", "input/output error"), "engine": ("ok",)},
    ),
    "a foreign cluster": (
        f"case $* in {ANSWERS} {THEIRS} esac",
        {
            "foreign cluster": ("problem", "did not make (shimlab-worker)", "kind delete cluster"),
            "leftovers": ("ok", "none"),
            "engine version": ("ok", "24.0.7"),
            "node image": ("ok", "not built yet"),
        },
    ),
}


@pytest.mark.parametrize(("body", "expected"), DOCKERS.values(), ids=DOCKERS)
def test_the_command_on_a_machine_whose_docker_falls_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, expected: dict[str, tuple[str, ...]]
) -> None:
    # In this process, with no engine of the lab's own: there may be one on this machine.
    private_engine.moved(tmp_path, monkeypatch)
    monkeypatch.delenv("DOCKER_HOST")
    for name in ("PATH", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    if body:
        version = "case $1 in --version) echo Docker version 24.0.7, build afdd53b; exit;; esac\n"
        program(tmp_path, "docker", f"#!/bin/sh\n{'' if 'podman' in body else version}{body}\n")
    done = command.inside("doctor", "--json")
    assert done.stderr == ""
    found = {item["name"]: Finding(**item) for item in json.loads(done.stdout)}
    assert list(found) == NAMES
    for name, (state, *words) in expected.items():
        holds(found[name], state, words)
    assert done.returncode == int(any(item.state == "problem" for item in found.values()))


def test_the_command_on_this_machine() -> None:
    done = shimlab_doctor()
    assert done.stderr == ""
    *lines, verdict = done.stdout.splitlines()
    assert all(len(line) <= 100 for line in lines), done.stdout
    heads = [line for line in lines if not line.startswith(" ")]
    assert [line[9 : 9 + 20].strip() for line in heads] == NAMES
    states = [line.split()[0] for line in heads]
    assert set(states) <= {"ok", "warning", "problem"}
    assert sum(line.startswith("         fix: ") for line in lines) == len(states) - states.count("ok")
    assert done.returncode == int("problem" in states)
    assert verdict.startswith("Nothing stops the lab") == ("problem" not in states)
    assert "\x1b" not in done.stdout


def test_programs_get_the_same_four_words_of_each_finding() -> None:
    found = [ok("a", "well"), warning("b", "so-so", "look"), problem("c", "broken", "mend")]
    assert json.loads(examine.as_json(found)) == [
        {"name": "a", "state": "ok", "found": "well", "fix": ""},
        {"name": "b", "state": "warning", "found": "so-so", "fix": "look"},
        {"name": "c", "state": "problem", "found": "broken", "fix": "mend"},
    ]
    assert examine.stops(found)
    assert not examine.stops(found[:2])
    assert examine.as_text(found).splitlines()[-1] == "1 problem to mend first; 1 warning."
    assert examine.as_text(found[:1]).splitlines() == ["ok       a  well", "Nothing stops the lab."]


def test_colour_only_where_asked_for() -> None:
    found = [problem("a", "a long story " * 20, "mend")]
    plain, coloured = examine.as_text(found), examine.as_text(found, colour=True)
    assert coloured.replace("\x1b[31m", "").replace("\x1b[0m", "") == plain
    assert coloured != plain
    assert max(map(len, plain.splitlines())) <= 100


def test_a_complaint_has_a_fix_and_only_a_complaint() -> None:
    with pytest.raises(ValueError, match="memory"):
        problem("memory", "none", "")
    with pytest.raises(ValueError, match="memory"):
        Finding("memory", "ok", "much", "less")


def test_a_bug_in_a_check_is_not_a_finding() -> None:
    with pytest.raises(ZeroDivisionError):
        examine._run("memory", lambda: ok("memory", str(1 // 0)))


def shimlab_doctor(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return command.shimlab("doctor", *arguments, **environment)
