"""Which lanes run side by side: told without running one."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest
from tests.support.lanes import plan
from tests.support.lanes.lane import Lane, Share
from tests.support.lanes.schedule import PASSED, SKIPPED, Schedule

from shimlab.paths import repository


def lane(name: str, **fields: object) -> Lane:
    return Lane(name, name, **fields)  # type: ignore[arg-type]


def names(lanes: list[Lane]) -> list[str]:
    return [each.name for each in lanes]


def began(schedule: Schedule) -> list[str]:
    """Start what may start."""
    chosen = names(schedule.ready())
    for name in chosen:
        schedule.start(name)
    return chosen


def test_no_more_run_than_there_are_cores_and_memory_for() -> None:
    lanes = [lane(name, takes=Share(1.0, 2.0)) for name in "abc"]
    assert began(Schedule(lanes, Share(2, 8, 99))) == ["a", "b"]
    assert began(Schedule(lanes, Share(8, 4, 99))) == ["a", "b"]
    assert began(Schedule(lanes, Share(8, 8, 99))) == ["a", "b", "c"]


def test_on_a_machine_that_is_too_small_one_runs_after_the_other() -> None:
    schedule = Schedule([lane("a", takes=Share(4.0)), lane("b", takes=Share(4.0))], Share(2, 8, 99))
    assert began(schedule) == ["a"]
    assert began(schedule) == []
    schedule.end("a", passed=True)
    assert began(schedule) == ["b"]


def test_the_longest_way_comes_first() -> None:
    lanes = [lane("short", minutes=3), lane("first", minutes=1), lane("last", minutes=3, needs=("first",))]
    assert began(Schedule(lanes, Share(1, 8, 99))) == ["first"]
    # As it was on this machine, and not as it is declared.
    assert began(Schedule(lanes, Share(1, 8, 99), {"short": 9})) == ["short"]


def test_what_changes_a_node_keeps_off_who_names_it() -> None:
    lanes = [
        lane("reads", reads=("a", "b"), takes=Share(0.1)),
        lane("reads too", reads=("a",), takes=Share(0.1)),
        lane("changes", changes=("b",), takes=Share(0.1)),
        lane("changes another", changes=("c",), takes=Share(0.1)),
    ]
    assert set(began(Schedule(lanes, Share(4, 8, 99)))) == {"reads", "reads too", "changes another"}


def test_what_needs_a_lane_that_failed_is_not_run_and_the_others_are() -> None:
    schedule = Schedule(
        [lane("a"), lane("b", needs=("a",)), lane("c", needs=("b",)), lane("d", after=("a",))],
        Share(1, 8, 99),
    )
    assert began(schedule) == ["a"]
    schedule.end("a", passed=False)
    assert (schedule.state["b"], schedule.why["b"]) == (SKIPPED, "a did not pass")
    assert schedule.state["c"] == SKIPPED
    assert began(schedule) == ["d"]
    schedule.end("d", passed=True)
    assert schedule.over
    assert not schedule.passed


def lab() -> list[Lane]:
    return [
        lane("up", keeps=Share(0.5, 4.0), until="down"),
        lane("use", needs=("up",)),
        lane("down", needs=("up",), after=("use",), clears=True),
    ]


@pytest.mark.parametrize("up", [True, False])
def test_a_lab_is_taken_down_however_it_came_up(up: bool) -> None:
    schedule = Schedule(lab(), Share(2, 8, 99))
    began(schedule)
    schedule.end("up", passed=up)
    if up:
        assert began(schedule) == ["use"]
        schedule.end("use", passed=False)
    assert began(schedule) == ["down"]


def kept() -> list[Lane]:
    up, use, down = lab()
    return [up, use, lane("use too", needs=("up",)), replace(down, after=("use", "use too"), spares=True)]


@pytest.mark.parametrize("passes", [True, False])
def test_a_lab_that_is_kept_where_something_failed_is_taken_down_where_nothing_did(passes: bool) -> None:
    others = [lane(name, minutes=0.1, after=("use", "use too"), takes=Share(0.1, 1.5)) for name in ("a", "b")]
    schedule = Schedule([*kept(), *others], Share(4, 6, 99))
    began(schedule)
    schedule.end("up", passed=True)
    assert began(schedule) == ["use", "use too"]
    schedule.end("use", passed=passes)
    schedule.end("use too", passed=True)
    # What it takes is still taken then.
    assert began(schedule) == (["down", "a"] if passes else ["a"])
    if not passes:
        assert (schedule.state["down"], schedule.why["down"]) == (SKIPPED, "kept, since use failed")


def test_a_lab_that_did_not_come_up_is_not_kept() -> None:
    schedule = Schedule(kept(), Share(2, 6, 99))
    began(schedule)
    schedule.end("up", passed=False)
    assert began(schedule) == ["down"]


def test_after_an_interrupt_nothing_is_kept() -> None:
    schedule = Schedule(kept(), Share(2, 6, 99))
    began(schedule)
    schedule.end("up", passed=True)
    began(schedule)
    schedule.stop()
    for name in ("use", "use too"):
        schedule.end(name, passed=False)
    assert began(schedule) == ["down"]


def test_a_lab_takes_its_share_until_it_is_gone() -> None:
    schedule = Schedule([*lab(), lane("other", minutes=0.1, takes=Share(1, 3.0))], Share(2, 6, 99))
    assert began(schedule) == ["up"]
    schedule.end("up", passed=True)
    assert began(schedule) == ["use"]
    schedule.end("use", passed=True)
    assert began(schedule) == ["down"]
    schedule.end("down", passed=True)
    assert began(schedule) == ["other"]
    schedule.end("other", passed=True)
    assert schedule.passed


def test_after_an_interrupt_only_labs_that_were_begun_are_cleared_up() -> None:
    others = [lane("up 2", minutes=0.1), lane("down 2", needs=("up 2",), clears=True, minutes=0.1)]
    schedule = Schedule([*lab(), *others], Share(1, 8, 99))
    assert began(schedule) == ["up"]
    schedule.end("up", passed=False)
    assert names(schedule.stop()) == ["down"]
    assert began(schedule) == ["down"]
    schedule.end("down", passed=True)
    assert schedule.over
    assert schedule.state["use"] == schedule.state["up 2"] == schedule.state["down 2"] == SKIPPED


@pytest.mark.parametrize(
    ("lanes", "said"),
    [
        ([lane("a"), lane("a")], "one name"),
        ([lane("a", needs=("b",))], "waits for b"),
        ([lane("a", needs=("b",)), lane("b", after=("a",))], "wait for each other"),
    ],
)
def test_a_plan_that_cannot_end_is_refused(lanes: list[Lane], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Schedule(lanes, Share(2, 8, 99))


@pytest.mark.parametrize("flags", [{}, {"offline": True}, {"conformance": True}, {"keep": True}], ids=str)
@pytest.mark.parametrize(("cores", "gigabytes", "watchers"), [(1, 4, 0), (2, 24, 128), (64, 256, 4096)])
def test_every_plan_runs_to_its_end(
    flags: dict[str, bool], cores: float, gigabytes: float, watchers: float
) -> None:
    schedule = Schedule(plan.lanes("shimlab", **flags), Share(cores, gigabytes, watchers))
    running: list[str] = []
    while not schedule.over:
        running += began(schedule)
        assert running, schedule.state
        schedule.end(running.pop(0), passed=True)
    assert set(schedule.state.values()) == {PASSED}


def test_each_lab_is_taken_down_but_the_one_that_is_kept() -> None:
    def downs(**flags: bool) -> set[str]:
        return {each.name for each in plan.lanes("own", **flags) if each.clears}

    assert downs() == {"down own", "down own-faults", "down own-removed"}
    assert downs(keep=True) == {"down own-faults", "down own-removed"}
    assert downs(offline=True) == set()
    spared = {each.name for each in plan.lanes("own", keep=True) if each.spares}
    assert spared == {"down own-faults", "down own-removed"}
    assert not [each.name for each in plan.lanes("own") if each.spares]


# All in one process: to collect costs little, to start Python with all that tests import costs a second.
COLLECT = """
import json, sys, pytest
class Seen:
    def pytest_collection_finish(self, session):
        found.append([item.nodeid for item in session.items])
found = []
for arguments in json.loads(sys.argv[1]):
    pytest.main(["--collect-only", "-qq", *arguments], plugins=[Seen()])
print(json.dumps(found))
"""


@pytest.mark.parametrize(
    ("session", "folder"), [("live", "tests/live/nodes"), ("faults", "tests/live/faults")]
)
def test_the_parts_of_a_session_are_all_of_it_and_none_twice(session: str, folder: str) -> None:
    """By what pytest picks: a new test is in some lane, whatever it is called."""
    parts = [each.arguments for each in plan.lanes("shimlab") if each.session == session]
    assert len(parts) > 1
    asked = json.dumps([[folder], *([folder, *part] for part in parts)])
    done = subprocess.run(
        [sys.executable, "-c", COLLECT, asked], cwd=repository(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    whole, *picked = json.loads(done.stdout.splitlines()[-1])
    assert whole
    assert sorted(test for part in picked for test in part) == sorted(whole)
