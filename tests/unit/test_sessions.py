"""A session of nox that is interrupted ends when its program has put things in order, and not before."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from shimlab.paths import repository
from shimlab.waiting import bound, soon

#: `run` makes it; the environment of the tests has no nox.
NOX = repository() / ".venv" / "bin" / "python"
SESSION = """
import sys
import nox
sys.path.insert(0, {root!r})
from noxfile import run

@nox.session(venv_backend="none")
def slow(session):
    run(session, "sh", "-c", {program!r})
"""
#: It takes longer than nox waits by itself, and counts how often it was told.
PROGRAM = """
cd FOLDER
on() { echo $1 >>told; }
trap 'on INT' INT; trap 'on TERM' TERM; trap 'on HUP' HUP
touch begun
while [ ! -e told ]; do sleep 0.1; done
for each in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 0.1; done
touch cleaned
exit 3
"""


@pytest.mark.skipif(not NOX.exists(), reason="nox is made by `run`")
@pytest.mark.parametrize(
    ("signs", "to_all", "told"),
    [
        ([signal.SIGINT], True, {"INT"}),
        # As from the keyboard of somebody who does not want to wait.
        ([signal.SIGINT, signal.SIGINT, signal.SIGINT], True, {"INT"}),
        # As from a shell that closes, or somebody who ends what he finds in `ps`.
        ([signal.SIGTERM], False, {"TERM"}),
        ([signal.SIGHUP, signal.SIGTERM], False, {"HUP"}),
    ],
)
def test_an_interrupted_session_waits_for_its_program(
    tmp_path: Path, signs: list[signal.Signals], to_all: bool, told: set[str]
) -> None:
    program = PROGRAM.replace("FOLDER", str(tmp_path))
    noxfile = tmp_path / "noxfile.py"
    noxfile.write_text(SESSION.format(root=str(repository()), program=program), "utf-8")
    argv = ["env", "--default-signal", str(NOX), "-m", "nox", "--noxfile", str(noxfile), "--session", "slow"]
    child = subprocess.Popen(argv, start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        assert soon((tmp_path / "begun").exists, 30)
        for sign in signs:
            (os.killpg if to_all else os.kill)(child.pid, sign)
            soon((tmp_path / "told").exists, 10, 0.05)
        assert child.wait(bound(30)) != 0
    finally:
        child.kill()
    assert (tmp_path / "cleaned").exists()
    assert set((tmp_path / "told").read_text().split()) == told
