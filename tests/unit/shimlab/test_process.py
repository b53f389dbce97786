from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shimlab import process
from shimlab.errors import LabError
from shimlab.waiting import bound, soon


def test_output_returns_stdout_and_takes_input() -> None:
    assert process.output(["cat"], input="a\nb\n") == "a\nb\n"


def test_a_missing_program_is_named() -> None:
    with pytest.raises(LabError, match="no-such-program is not installed"):
        process.output(["no-such-program"])


def test_a_failure_quotes_the_last_line_and_the_status() -> None:
    with pytest.raises(LabError) as caught:
        process.output(["sh", "-c", "echo first >&2; echo last >&2; exit 7"])
    assert "(7)" in caught.value.what
    assert "last" in caught.value.what
    assert "\n" not in caught.value.what


def test_a_program_that_a_signal_ended_has_failed(tmp_path: Path) -> None:
    """The kernel kills what takes too much memory: nobody says a word then, and nothing that it did is whole."""
    argv = ["sh", "-c", "echo half; kill -KILL $$"]
    with pytest.raises(LabError, match=r"failed \(-9\): half"):
        process.output(argv)
    with pytest.raises(LabError, match=r"sh failed \(-9\)"):
        process.stream(argv, tmp_path / "log", on_line=lambda line: None)
    assert not process.works(argv)


def test_a_program_that_hangs_is_bounded() -> None:
    with pytest.raises(LabError, match="did not end within 1 s"):
        process.output(["sleep", "60"], timeout=0.5 + 0.1)


def test_stream_logs_every_line_and_shows_each(tmp_path: Path) -> None:
    seen: list[str] = []
    log = tmp_path / "log"
    process.stream(["sh", "-c", "echo one; echo two >&2"], log, on_line=seen.append)
    assert sorted(log.read_text().split()) == ["one", "two"]
    assert sorted(seen) == ["one", "two"]


def test_stream_names_the_log_when_the_program_fails(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "echo compiling; printf '\\033[91mwhy\\033[0m\\n'; printf 'the step failed'; exit 3"
    with pytest.raises(LabError) as caught:
        process.stream(["sh", "-c", script], log, on_line=lambda line: None)
    assert caught.value.what == "sh failed (3): why the step failed"
    assert str(log) in caught.value.remedy


def test_stream_ends_the_program_and_its_children_when_it_takes_too_long(tmp_path: Path) -> None:
    pidfile = tmp_path / "pid"
    script = f"sleep 300 & echo $! > {pidfile}; wait"
    with pytest.raises(LabError, match="did not end"):
        process.stream(["sh", "-c", script], tmp_path / "log", on_line=lambda line: None, timeout=1)
    assert is_gone(int(pidfile.read_text()))


def test_ctrl_c_ends_a_streamed_program(tmp_path: Path) -> None:
    pidfile = tmp_path / "pid"
    code = (
        "from pathlib import Path; from shimlab import process; "
        f"process.stream(['sh', '-c', 'echo $$ > {pidfile}; exec sleep 300'], Path('{tmp_path}/log'), "
        "on_line=lambda line: None)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    assert soon(lambda: pidfile.exists() and pidfile.read_text().strip(), 20)
    child.send_signal(signal.SIGINT)
    child.wait(timeout=bound(20))
    assert is_gone(int(pidfile.read_text()))


def is_gone(pid: int) -> bool:
    return soon(lambda: process.has_ended(pid), 10)


def test_an_error_about_a_script_is_one_line():
    with pytest.raises(LabError) as raised:
        process.output(["sh", "-c", "true\n" * 100 + "exit 3"])
    assert "\n" not in raised.value.what
    assert len(raised.value.what) < 250
