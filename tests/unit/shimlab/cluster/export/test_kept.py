"""A test on the lab that fails leaves evidence of how the lab was then, and not of how it was put right afterwards."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.support import command
from tests.support.stand_in import Lab

from shimlab import paths
from shimlab.cluster.export import kept

ROOT = paths.repository()
CONFTEST = """
from pathlib import Path
from tests.support import evidence

def pytest_configure(config):
    config.pluginmanager.register(evidence.Plugin(Path("WHERE")))
"""
# What is in the lab's logs stands for the lab: every test breaks it, and whatever follows puts it right by a command.
TESTS = """
import contextlib, subprocess, sys
import pytest

LOG = "IN_THE_LAB"

def lab(state):
    subprocess.run(["sh", "-c", f"echo {state} >{LOG}"], check=True)

@contextlib.contextmanager
def right_again():
    try:
        yield
    finally:
        lab("right")

def test_finally():
    lab("broken by finally")
    try:
        assert 1 == 2
    finally:
        lab("right")

def test_with():
    lab("broken by with")
    with right_again():
        raise ValueError("no")

def helper():
    try:
        assert 3 == 4
    finally:
        lab("right")

@pytest.fixture
def half():
    lab("broken by fixture")
    helper()
    yield

def test_fixture(half):
    pass

def test_that_takes_care_of_it():
    lab("broken")
    try:
        raise ValueError("no")
    except ValueError:
        lab("right")

def test_that_expects_it():
    with pytest.raises(ValueError):
        raise ValueError("no")
    lab("right")

def test_skipped():
    try:
        pytest.skip("not here")
    finally:
        lab("right")
"""


@pytest.fixture
def ran(lab: Lab, tmp_path: Path) -> tuple[str, Path]:
    """What pytest said of such tests, and the folder of the evidence."""
    folder = tmp_path / "repository" / "tests" / "live" / "nodes"
    folder.mkdir(parents=True)
    (folder / "conftest.py").write_text(CONFTEST.replace("WHERE", str(tmp_path / "failed")))
    (folder / "test_it.py").write_text(TESTS.replace("IN_THE_LAB", str(paths.log_dir() / "state.log")))
    (folder / "test_broken.py").write_text("import nowhere\n")
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--continue-on-collection-errors"]
    done = command.program(
        *argv,
        f"--rootdir={folder.parents[2]}",
        "-c/dev/null",
        str(folder),
        cwd=folder.parents[2],
        seconds=120,
        PYTHONPATH=f"{ROOT}:{ROOT / 'src'}",
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "2 failed, 2 passed, 1 skipped, 2 errors" in done.stdout, done.stdout
    return done.stdout, tmp_path / "failed"


def test_what_fails_leaves_the_lab_as_it_was_then_and_its_name(ran: tuple[str, Path]) -> None:
    said, failed = ran
    seen = {
        each.parents[2].name: each.read_text().strip() for each in sorted(failed.glob("*/lab/log/state.log"))
    }
    assert seen == {f"test_it-test_{by}": f"broken by {by}" for by in ("finally", "with", "fixture")}
    assert sorted(kept.which(failed)) == [
        "tests/live/nodes/test_broken.py",
        *(f"tests/live/nodes/test_it.py::test_{by}" for by in ("finally", "fixture", "with")),
    ]
    # The path beside the failure, and once more at the end with what there is to say in few lines.
    for by in ("finally", "with", "fixture"):
        assert said.count(str(failed / f"test_it-test_{by}")) == 2
    end = said[said.index("evidence of tests/live/nodes/test_it.py::test_finally") :]
    assert "shimlab-worker2: Ready=True" in end
    # Those who put it right by themselves leave nothing.
    assert sorted(each.name for each in failed.iterdir()) == ["again", *sorted(seen)]
