"""What a run says: what it is going to do, when a lane begins and ends, and what became of all."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from tests.support.lanes.lane import NOTHING, Lane
from tests.support.lanes.schedule import FAILED, PASSED, SKIPPED, Schedule

from shimlab import paths

#: Under this name the minutes of a whole run are kept.
ALL = "all lanes"
#: Of a lane in which more failed than this, all of it is run again.
MOST = 12
MARKS = {PASSED: "✓", FAILED: "✗", SKIPPED: "–"}


def clock(seconds: float) -> str:
    """Write a time since the beginning as minutes and seconds."""
    return f"{int(seconds) // 60:d}:{int(seconds) % 60:02d}"


def opening(lanes: Sequence[Lane], cores: float, gigabytes: float, last: Mapping[str, float]) -> list[str]:
    """Say what is going to be done, and how long it took on this machine the last time."""
    width = max(len(lane.name) for lane in lanes)
    lines = [
        f"{len(lanes)} lanes side by side, as far as {cores:.0f} cores and {gigabytes:.0f} GB go; "
        "in minutes, what each took here last time:"
    ]
    for lane in lanes:
        took = f"{last[lane.name]:5.1f}" if lane.name in last else "    –"
        lines.append(f"  {lane.name:<{width}} {took}   {at(lane)}{lane.command}")
    if everything := last.get(ALL):
        lines.append(f"All of it took {everything:.1f} minutes here last time.")
    return lines


def closing(
    schedule: Schedule,
    began: Mapping[str, float],
    took: Mapping[str, float],
    computed: Mapping[str, float],
    whole: float,
    failed: Mapping[str, Sequence[str]],
) -> list[str]:
    """Say how each lane ended: when it began and how long it took, in minutes, and how many cores it kept busy.

    What runs in nodes is not counted there. What comes last: the labs that are up, and the commands that repeat what
    failed; ``failed`` names the tests and notebooks of a lane that did.
    """
    width = max(len(name) for name in schedule.lanes)
    lines = [f"  {'lane':<{width}} {'began':>6} {'took':>6} {'cores':>6}"]
    for name in sorted(schedule.lanes, key=lambda name: began.get(name, whole)):
        state = schedule.state[name]
        numbers = ""
        if seconds := took.get(name):
            numbers = f"{began[name] / 60:6.1f} {seconds / 60:6.1f} {computed.get(name, 0.0) / seconds:6.1f}"
        why = f"   {schedule.why[name]}" if name in schedule.why else ""
        lines.append(f"{MARKS.get(state, '?')} {name:<{width}} {numbers}{why}".rstrip())
    lines.append(
        f"{sum(took.values()) / 60:.1f} minutes of lanes in {whole / 60:.1f} minutes; "
        f"{sum(computed.values()) / 60:.1f} minutes of a core, nodes not counted."
    )
    for lane in schedule.lanes.values():
        is_gone = lane.until and schedule.state[lane.until] != SKIPPED
        if lane.keeps != NOTHING and schedule.state[lane.name] == PASSED and not is_gone:
            lab = lane.environment.get("SHIMLAB_NAME", paths.DEFAULT_NAME)
            lines.append(f"{lab} is up; down with it: {at(lane)}./run shimlab -- down")
    for name, lane in schedule.lanes.items():
        if schedule.state[name] == FAILED:
            lines += [f"{name} failed; again: {line}" for line in again(lane, failed.get(name, ()))]
    return lines


def again(lane: Lane, failed: Sequence[str] = ()) -> list[str]:
    """Return what somebody pastes into a shell to repeat what failed in a lane: tests by their ids, notebooks by name.

    Where none is known, or many are, that is the lane as a whole.
    """
    tests = [name for name in failed if name.startswith("tests/")]
    books = [name for name in failed if name.startswith("notebooks/")]
    if (not tests and not books) or len(failed) > MOST:
        return [f"{at(lane)}{lane.command}"]
    run = ["./run", lane.session, "--"]
    lines = [[*run, *tests]] if tests else []
    for book in books:
        # A session that has more than notebooks is given the whole name.
        lines.append([*run, "-k", PurePath(book).stem] if lane.session == "notebooks" else [*run, book])
    return [f"{at(lane)}{shlex.join(words)}" for words in lines]


def at(lane: Lane) -> str:
    """Write the environment of a lane as a shell takes it, in front of its command."""
    return "".join(
        f"{key}={value} " for key, value in lane.environment.items() if value != paths.DEFAULT_NAME
    )
