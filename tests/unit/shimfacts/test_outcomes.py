"""What tests leave in the ledger of this machine: how they ended, which facts they read, what they stand for."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.support import facts

from shimfacts import ledger, proofs
from shimfacts.ledger import Entry
from shimlab.paths import repository

CONFTEST = """
from tests.support import outcomes

def pytest_configure(config):
    config.pluginmanager.register(outcomes.Recorder(config.rootpath, {"tests/unit/test_u.py::test_named"}))
"""
LIVE = """
import pytest
from tests.support.facts import fact

@pytest.fixture
def spoilt():
    yield
    raise RuntimeError("not put back")

def test_reads():
    assert fact("msg-start-grpc")

def test_fails():
    assert not fact("k8s-lab")

def test_leaves_something(spoilt):
    pass

@pytest.mark.parametrize("case", [1, 2])
def test_cases(case):
    if case == 2:
        pytest.skip("not here")

def test_snippet(record_property):
    record_property("proof", "snippets/shell/x.sh")

def test_tells(record_property):
    record_property("told", {"specs": 107})
"""
UNIT = "def test_named():\n    pass\n\ndef test_other():\n    pass\n"


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Entry]:
    """What a run of a small repository's tests leaves."""
    root = tmp_path_factory.mktemp("root")
    for name, text in {
        "conftest.py": CONFTEST,
        "tests/live/test_l.py": LIVE,
        "tests/unit/test_u.py": UNIT,
        "snippets/shell/x.sh": "echo x\n",
        "pytest.ini": "[pytest]\naddopts = --import-mode=importlib\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": f"{repository()}{os.pathsep}{repository() / 'src'}",
        "SHIMLAB_NAME": "no-such-lab",
    }
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(
        argv, cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 skipped" in done.stdout
    found = ledger.load(root / ledger.SEEN)
    prints = {each.fingerprint for each in found.values()}
    assert prints <= {
        *proofs.of_tests(root / "tests/live/test_l.py").values(),
        *proofs.of_tests(root / "tests/unit/test_u.py").values(),
        proofs.of_snippet(root / "snippets/shell/x.sh"),
    }
    return found


def test_live_tests_and_those_that_are_named_are_kept_as_they_ended(seen: dict[str, Entry]) -> None:
    assert {name: entry.outcome for name, entry in seen.items()} == {
        "snippets/shell/x.sh": "passed",
        "tests/live/test_l.py::test_cases[1]": "passed",
        "tests/live/test_l.py::test_cases[2]": "skipped",
        "tests/live/test_l.py::test_fails": "failed",
        # What goes wrong after a test counts.
        "tests/live/test_l.py::test_leaves_something": "failed",
        "tests/live/test_l.py::test_reads": "passed",
        "tests/live/test_l.py::test_tells": "passed",
        "tests/unit/test_u.py::test_named": "passed",
    }
    assert {entry.date for entry in seen.values()} == {ledger.today()}


def test_a_test_is_kept_with_the_facts_that_it_read_and_the_numbers_that_it_told(
    seen: dict[str, Entry],
) -> None:
    read = {"msg-start-grpc": proofs.of_fact(facts.known()["msg-start-grpc"])}
    assert seen["tests/live/test_l.py::test_reads"].facts == read
    assert seen["tests/live/test_l.py::test_cases[1]"].facts == {}
    assert seen["tests/live/test_l.py::test_tells"].told == {"specs": 107}


def test_a_fact_that_is_read_outside_of_a_test_proves_nothing() -> None:
    program = "from tests.support import facts; facts.fact('msg-start-grpc')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=repository(),
        env={**os.environ, "PYTHONPATH": f".{os.pathsep}src"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "msg-start-grpc is read outside of a test" in done.stderr


def test_a_value_is_a_pattern_where_it_stands_for_many() -> None:
    assert facts.pattern("msg-start-cgroup").search("I1128 x.go:1] Setting cgroupDriver to cgroupfs")
    assert not facts.pattern("msg-start-cgroup").search("Setting cgroupDriver to\n")
