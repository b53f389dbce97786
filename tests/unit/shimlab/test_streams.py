"""A command whose input, output or folder is not as usual: closed, full, read by nobody, read-only, gone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import command
from tests.support.stand_in import Lab

from shimlab import paths
from shimlab.waiting import bound

#: How the shell hands an output on that cannot be written, and what is said of it.
UNWRITABLE = {
    ">&-": "the output is closed",
    ">/dev/full": "the output cannot be written: No space left on device",
    "1</dev/null": "the output cannot be written: Bad file descriptor",
}


def shell(script: str, *words: str, zero: str = "sh", **more: str) -> subprocess.CompletedProcess[str]:
    """Run a shell's line; in it, "$@" is shimlab with these words."""
    return command.program("sh", "-c", script, zero, *command.ARGV, *words, **more)


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("how", UNWRITABLE)
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_an_output_that_cannot_be_written_is_an_error_of_two_lines(how: str, unbuffered: str) -> None:
    for words in (["break", "--list"], ["--help"]):
        done = shell(f'exec "$@" {how}', *words, PYTHONUNBUFFERED=unbuffered)
        what, remedy = done.stderr.splitlines()
        assert (done.returncode, done.stdout) == (1, "")
        assert what == f"shimlab: {UNWRITABLE[how]}"
        assert remedy.startswith("  → ")


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("how", UNWRITABLE)
def test_doctor_does_not_need_to_be_read(how: str) -> None:
    done = shell(f'exec "$@" {how}', "doctor")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 2)


@pytest.mark.usefixtures("lab")
def test_nothing_is_begun_where_the_output_is_closed() -> None:
    before = sorted(paths.state_dir().rglob("*"))
    for words in (["up"], ["node", "containerd", "shimlab-worker2"]):
        done = shell('exec "$@" >&-', *words)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 2)
    assert sorted(paths.state_dir().rglob("*")) == before


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("how", ["<&- 2>&-", "2>/dev/full"])
def test_without_an_input_or_a_place_for_errors_it_does_its_work(how: str) -> None:
    done = shell(f'exec "$@" {how}', "break", "--list")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("FAULT")
    # And says by its status what it cannot say in words.
    assert shell(f'exec "$@" {how} >/dev/null', "break", "no-such").returncode == 1
    assert shell(f'exec "$@" {how} >/dev/null', "no-such").returncode == 2
    assert shell(f'exec "$@" {how} >/dev/full', "break", "--list").returncode == 1


@pytest.mark.usefixtures("lab")
def test_with_nothing_at_all_it_ends_by_itself() -> None:
    assert shell('exec "$@" <&- >&- 2>&-', "break", "--list").returncode == 1


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize(
    ("words", "status"), [(("break", "--list"), 141), (("--help",), 141), (("break", "no-such"), 1)]
)
def test_a_reader_who_has_gone_is_no_complaint(words: tuple[str, ...], status: int) -> None:
    end, begin = os.pipe()
    os.close(end)
    with os.fdopen(begin, "wb") as gone:
        done = subprocess.run(
            [*command.ARGV, *words],
            stdout=gone,
            stderr=subprocess.PIPE if status == 141 else gone,
            check=False,
            timeout=bound(60),
        )
    assert (done.returncode, done.stderr) == (status, b"" if status == 141 else None)


@pytest.mark.usefixtures("lab")
def test_an_output_of_other_letters_gets_their_codes() -> None:
    program = (
        "import sys; from shimlab import cli; from shimlab.commands import faults; "
        "faults.listing = lambda: 'é→节点'; sys.exit(cli.main(['break', '--list']))"
    )
    done = command.program(sys.executable, "-c", program, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout, done.stderr) == (0, r"\xe9\u2192\u8282\u70b9" + "\n", "")


@pytest.mark.usefixtures("lab")
def test_in_a_folder_that_is_gone_it_works_as_elsewhere(tmp_path: Path) -> None:
    for words, status in ((["status"], 0), (["break", "no-such"], 1)):
        (tmp_path / "gone").mkdir()
        done = shell('cd "$0" && rmdir "$0" && exec "$@"', *words, zero=str(tmp_path / "gone"))
        assert (done.returncode, len(done.stderr.splitlines())) == (status, 2 * status)


def mounted(folder: Path, options: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run shimlab where another file system is mounted on a folder, for it alone."""
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        pytest.skip("a file system can be mounted by root alone")
    script = 'mount -t tmpfs -o "$0" tmpfs "$FOLDER" || exit 99; exec "$@"'
    argv = ["unshare", "--mount", "sh", "-c", script, options, *command.ARGV, *words]
    done = command.program(*argv, FOLDER=str(folder))
    assert done.returncode != 99, done.stderr
    return done


@pytest.mark.parametrize(
    "words",
    [
        ["up"],
        ["down"],
        ["break", "kubelet-stopped", "shimlab-worker"],
        ["node", "upgrade", "shimlab-worker2"],
    ],
    ids=" ".join,
)
def test_a_folder_that_cannot_be_written_is_said_before_anything_is_done(lab: Lab, words: list[str]) -> None:
    done = mounted(paths.state_dir(), "ro", *words)
    what, remedy = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert what.startswith("shimlab: ")
    assert remedy.startswith("  → ")
    assert {method for method, _, _ in lab.api.asked} <= {"GET"}


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("words", [["up"], ["build", "--lab", "removed"]], ids=" ".join)
def test_a_full_disk_is_said_before_anything_is_done(words: list[str]) -> None:
    folder = paths.cache_dir() if "build" in words else paths.state_dir()
    done = mounted(folder, "size=64k", *words)
    what, remedy = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{folder} has 0.1 MB free" in what
    assert "XDG" in remedy


def test_a_mistake_of_ours_keeps_its_traceback(tmp_path: Path) -> None:
    program = (
        "import sys; from shimlab import cli; from shimlab.commands import faults\n"
        "def wrong(arguments): raise FileNotFoundError(2, 'No such file', 'mistake')\n"
        "faults.run_break = wrong\nsys.exit(cli.main(['break', '--list']))"
    )
    done = command.program(sys.executable, "-c", program)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "mistake" in done.stderr
