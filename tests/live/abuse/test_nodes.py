"""Migrations, faults and repairs that are ended in a row: the same command goes on from there."""

from __future__ import annotations

import os
from itertools import cycle

import pytest
from tests.support import moments
from tests.support.command import shimlab
from tests.support.lab import ON_CONTAINERD, ON_DOCKERSHIM

from shimlab import paths
from shimlab.runtimes import RUNTIMES

FAULT = "shim-killed"
MOMENTS = list(moments.MIGRATION)


def _command(*arguments: str):
    return moments.begun(*arguments, lab=paths.name(), state=paths.state_dir(), environment=os.environ)


def _done(*arguments: str) -> str:
    done = shimlab(*arguments, seconds=moments.SECONDS)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.timeout(900)
def test_migration(round_: int) -> None:
    """Each round at the next step, in another way, and from one runtime to the next."""
    runtime = (
        [name for name in RUNTIMES if name != "dockershim"][round_ // 2 % 2]
        if round_ % 2 == 0
        else "dockershim"
    )
    moment = MOMENTS[round_ % len(MOMENTS)]
    way = list(moments.WAYS)[(round_ + round_ // len(MOMENTS)) % len(moments.WAYS)]
    with _command("node", runtime, ON_DOCKERSHIM) as migration:
        migration.at(moments.MIGRATION[moment])
        moments.WAYS[way][0](migration)
        status = migration.ended()
        print(f"round {round_ + 1}: {way}, {moment}: {status}, {migration.text.splitlines()[-1:]}")
        # A signal at the very end may find it done; who is not heard does it to its end.
        assert status in (moments.WAYS[way][1], 0), migration.text
        if status == 130:
            assert f"`shimlab node {runtime} {ON_DOCKERSHIM}` goes on from there" in migration.text
    if status in (0, 141):
        # Whole: there is nothing to go on with.
        assert shimlab("status").returncode == 0
    else:
        told = shimlab("status")
        # Only where it came before the first thing that is done, or after the last, is there nothing to tell.
        if told.returncode or moment not in (MOMENTS[0], MOMENTS[-1]):
            assert f"shimlab node {runtime} {ON_DOCKERSHIM}" in told.stdout, told.stdout
    _done("node", runtime, ON_DOCKERSHIM)
    _done("status")


@pytest.fixture(scope="module", autouse=True)
def as_it_was():
    yield
    _done("node", "dockershim", ON_DOCKERSHIM)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("moment", "way"), list(zip(cycle(moments.BREAK), moments.WAYS, strict=False)))
def test_break(moment: str, way: str) -> None:
    with _command("break", FAULT, ON_CONTAINERD) as command:
        command.at(moments.BREAK[moment])
        moments.WAYS[way][0](command)
        status = command.ended()
        assert status in (moments.WAYS[way][1], 0), command.text
        if status == 130:
            assert "`shimlab repair` undoes it" in command.text
    told = shimlab("status")
    assert (told.returncode, FAULT in told.stdout) == (1, True), told.stdout
    _done("repair")
    _done("status")


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("moment", "way"), list(zip(cycle(moments.REPAIR), moments.WAYS, strict=False)))
def test_repair(moment: str, way: str) -> None:
    _done("break", FAULT, ON_CONTAINERD)
    with _command("repair") as command:
        command.at(moments.REPAIR[moment])
        moments.WAYS[way][0](command)
        status = command.ended()
        assert status in (moments.WAYS[way][1], 0), command.text
        if status in (0, 141):
            assert shimlab("status").returncode == 0
    _done("repair")
    _done("status")
