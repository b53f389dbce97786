"""What a killed command left running: it is found, ended, and nobody else's program is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shimlab import orphans, process
from shimlab.orphans import Program
from shimlab.waiting import bound, soon

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only Linux tells")
RUN = """
from pathlib import Path
from shimlab import process
process.stream({argv}, Path({log!r}), on_line=lambda line: None, job={job!r})
"""


@contextmanager
def command(folder: Path, *argv: str, job: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs a program as our commands do; it is killed at the end, and what it left as well."""
    code = RUN.format(argv=argv, log=str(folder / "log"), job=job)
    child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    try:
        yield child
    finally:
        child.kill()
        child.wait(bound(10))
        orphans.end()


def words(programs: list[Program]) -> set[str]:
    return {" ".join(each.argv) for each in programs}


def running(*argv: str) -> bool:
    return soon(
        lambda: any(
            file.read_bytes() == "\0".join(argv).encode() + b"\0"
            for file in Path("/proc").glob("[0-9]*/cmdline")
            if not process.has_ended(int(file.parent.name))
        ),
        20,
    )


def test_what_a_living_command_runs_is_left_alone(tmp_path: Path) -> None:
    with command(tmp_path, "sleep", "301.5"):
        assert running("sleep", "301.5")
        assert words(orphans.found()) & {"sleep 301.5"} == set()
        orphans.end()
        assert running("sleep", "301.5")


def test_what_a_killed_command_ran_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    script = "sleep 302.5 & sleep 303.5"
    with command(tmp_path, "sh", "-c", script) as child:
        assert running("sleep", "303.5")
        child.kill()
        child.wait(bound(10))
        left = {f"sh -c {script}", "sleep 302.5", "sleep 303.5"}
        assert words(orphans.found()) >= left
        assert orphans.end() >= 3
        assert words(orphans.found()) & left == set()


def test_who_does_not_listen_is_ended_by_force(tmp_path: Path) -> None:
    script = "trap '' TERM; echo; while :; do sleep 0.1; done"
    with command(tmp_path, "sh", "-c", script) as child:
        assert soon(lambda: (tmp_path / "log").is_file() and (tmp_path / "log").read_bytes(), 20)
        child.kill()
        child.wait(bound(10))
        orphans.end(seconds=1)
        assert f"sh -c {script}" not in words(orphans.found())


def test_who_waits_for_an_engine_that_makes_something_is_let_wait(tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(3)\n", "utf-8")
    docker.chmod(0o755)
    with command(tmp_path, "sh", "-c", f"{docker} run --detach it & sleep 304.5") as child:
        assert running("sleep", "304.5")
        assert soon(lambda: running(sys.executable, str(docker), "run", "--detach", "it"), 10)
        child.kill()
        child.wait(bound(10))
        orphans.end()
        assert [each.argv[1:3] for each in orphans.making()] == [(str(docker), "run")]
        assert soon(lambda: not orphans.making(), 20)


def test_what_this_process_left_is_found_by_its_job(tmp_path: Path) -> None:
    """An interrupted program is ended alone where it has a job: what it started is the caller's."""
    with pytest.raises(ZeroDivisionError):
        process.stream(
            ["sh", "-c", "sleep 305.5 & echo; sleep 306.5"],
            tmp_path / "log",
            on_line=lambda line: print(1 / 0),
            job="a-test",
        )
    assert words(orphans.found("a-test")) == {"sleep 305.5", "sleep 306.5"} & words(orphans.found("a-test"))
    assert words(orphans.found()) & {"sleep 305.5"} == set()
    orphans.end("a-test")
    assert orphans.found("a-test") == []


@pytest.mark.parametrize(
    ("argv", "makes"),
    [
        (("docker", "run", "--detach", "x"), True),
        (("/usr/bin/docker", "network", "create", "shimlab"), True),
        (("python3", "-IS", "/x/docker", "create"), True),
        (("docker", "build", "."), False),
        (("docker", "exec", "node", "docker", "run"), False),
        (("docker",), False),
        (("kind", "create", "cluster"), False),
        ((), False),
    ],
)
def test_who_makes_something(argv: tuple[str, ...], makes: bool) -> None:
    assert Program(1, argv).makes is makes


def test_a_program_of_another_namespace_or_without_a_mark_is_nobodys_orphan() -> None:
    here, pid, start = process.starter().split(" ")[:3]
    dead = subprocess.Popen(["true"])
    dead.wait(bound(10))
    for mark, left in (
        (f"{here} {dead.pid} 1 ", True),
        (f"{here} {pid} 1 ", True),
        (f"{here} {pid} {start} ", False),
        (f"{here} {os.getppid()} {process.started(os.getppid())} ", False),
        (f"pid:[1] {dead.pid} 1 ", False),
        (f"{here} x 1 ", False),
        (here, False),
        ("", False),
    ):
        assert orphans._is_left(mark, "") is left, mark
