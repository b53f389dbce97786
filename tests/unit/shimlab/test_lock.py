"""Who may change what at a time, each holder a process of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest

from shimlab import lock
from shimlab.errors import LabError

HOLD = "from shimlab import lock\nwith lock.{}:\n    print('held', flush=True)\n    input()"
SECONDS = 20


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path


@contextmanager
def elsewhere(what: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds a lock while the block runs."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD.format(what)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        try:
            yield child
        finally:
            child.communicate("\n", timeout=SECONDS)


def taken(one: AbstractContextManager[object]) -> str:
    """Take a lock for a moment, and return why that was refused; empty if it was not."""
    try:
        with one:
            return ""
    except LabError as error:
        return f"{error.what}, {error.remedy}"


@pytest.mark.parametrize(
    ("theirs", "ours", "refused"),
    [
        ("alone()", lock.alone, "the whole lab is at work"),
        ("alone()", lambda: lock.node("a"), "the whole lab is at work"),
        ("alone()", lock.together, "the whole lab is at work"),
        ("node('a')", lock.alone, "another command that changes a is at work"),
        ("node('a')", lambda: lock.node("a"), "another command that changes a is at work"),
        ("node('a')", lambda: lock.node("b"), ""),
        ("node('a')", lock.together, ""),
        ("together()", lock.alone, "at work"),
        ("together()", lambda: lock.node("a"), ""),
    ],
)
def test_who_keeps_whom_out(
    theirs: str, ours: Callable[[], AbstractContextManager[object]], refused: str
) -> None:
    with elsewhere(theirs):
        said = taken(ours())
    if refused:
        assert refused in said
        assert said.endswith(lock.WAIT)
    else:
        assert said == ""
    # With its process every lock has gone.
    assert taken(ours()) == ""


def test_a_holder_that_is_killed_keeps_nobody_out() -> None:
    with elsewhere("alone()") as child:
        child.kill()
        child.wait(SECONDS)
        assert taken(lock.alone()) == ""


def test_a_lab_of_another_name_is_another_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    with elsewhere("alone()"):
        monkeypatch.setenv("SHIMLAB_NAME", "second")
        assert taken(lock.alone()) == ""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel says who holds locks on Linux alone")
def test_who_is_at_work_is_told_without_taking_a_lock() -> None:
    assert lock.at_work() == ""
    with elsewhere("node('a')"), elsewhere("node('b')"):
        assert lock.at_work() == "another command that changes a and b"
    with elsewhere("alone()"):
        assert lock.at_work() == "another command that changes the whole lab"
    assert lock.at_work() == ""


def alone_with_the_engine() -> bool:
    with lock.engine_alone() as alone:
        return alone


def test_what_labs_share_is_taken_away_only_where_no_other_lab_comes_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert alone_with_the_engine()
    monkeypatch.setenv("SHIMLAB_NAME", "second")
    with elsewhere("using_engine()"):
        monkeypatch.setenv("SHIMLAB_NAME", "first")
        assert not alone_with_the_engine()
        with lock.using_engine():
            assert not alone_with_the_engine()
    assert alone_with_the_engine()


def test_who_comes_up_may_take_away_what_it_made_where_it_is_the_only_one() -> None:
    with lock.using_engine():
        assert alone_with_the_engine()
        # And it still comes up: nobody else may stop the engine.
        program = "from shimlab import lock\nwith lock.engine_alone() as alone:\n    print(alone)"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout == "False\n"


# In a lab that comes up, another lab is seen to do so as well, and its end is not seen before a line is read.
CONVERTS = """
import fcntl
from shimlab import lock
real = fcntl.flock

def flock(handle, kind):
    try:
        real(handle, kind)
    except BlockingIOError:
        print('others are there', flush=True)
        input()
        raise

with lock.using_engine():
    fcntl.flock = flock
    with lock.engine_alone() as alone:
        print(alone, flush=True)
        input()
"""


@contextmanager
def running(program: str) -> Iterator[subprocess.Popen[str]]:
    """A program that says a line, reads one, and goes on, line after line."""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def said(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def goes_on(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("\n")


def test_nobody_is_alone_beside_a_lab_that_comes_up_while_it_asks_whether_it_is() -> None:
    """flock(2): who converts a lock has none for a moment, and the engine would be stopped under it just then."""
    alone: list[bool] = []
    asking = threading.Thread(target=lambda: alone.append(alone_with_the_engine()))
    with ExitStack() as ending:
        with elsewhere("using_engine()"):
            first = ending.enter_context(running(CONVERTS))
            assert said(first) == "others are there"
        # It has given up its lock, and the other lab has gone.
        asking.start()
        asking.join(0.3)
        goes_on(first)
        assert said(first) == "False"
        asking.join(SECONDS)
        assert alone == [False]
        goes_on(first)
        first.wait(SECONDS)
    assert alone_with_the_engine()


LEAVES = """
from shimlab import lock
with lock.using_engine():
    print('uses', flush=True)
    input()
    with lock.engine_alone(leave=True) as alone:
        print(alone, flush=True)
        input()
"""


def test_of_labs_that_go_down_at_once_the_last_is_alone() -> None:
    """Whichever ends first: one of them has to stop the engine, and only one."""
    with running(LEAVES) as first, running(LEAVES) as second:
        assert (said(first), said(second)) == ("uses", "uses")
        goes_on(first)
        assert said(first) == "False"
        # The first has left, and is not at its end yet.
        goes_on(second)
        assert said(second) == "True"
        goes_on(first)
        first.wait(SECONDS)
        assert second.poll() is None
        goes_on(second)
        second.wait(SECONDS)
    assert alone_with_the_engine()


@pytest.mark.parametrize(
    ("theirs", "ours", "said"),
    [
        ("engine_alone()", lock.using_engine, "Waiting for another lab's end"),
        ("engine_alone()", lock.engine_alone, "Waiting for another lab's end"),
        ("machine()", lock.machine, "made the machine ready"),
    ],
)
def test_what_labs_share_is_waited_for(
    theirs: str,
    ours: Callable[[], AbstractContextManager[object]],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    order: list[str] = []

    def second() -> None:
        with ours():
            order.append("second")

    waiting = threading.Thread(target=second)
    with elsewhere(theirs):
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        order.append("first")
    waiting.join(SECONDS)
    assert order == ["first", "second"]
    assert said in capsys.readouterr().err


def test_a_lock_whose_file_was_removed_with_its_folder_is_taken_anew(folders: Path) -> None:
    """As by `down --all`, which removes the folder while others wait for it to end."""
    held = threading.Event()

    def second() -> None:
        with lock.machine():
            # The file that is there now is the one that is held.
            assert lock.machine_file().is_file()
            held.set()

    waiting = threading.Thread(target=second)
    with elsewhere("machine()"):
        waiting.start()
        waiting.join(0.3)
        shutil.rmtree(folders / "shimlab")
    assert held.wait(SECONDS)
    waiting.join(SECONDS)
