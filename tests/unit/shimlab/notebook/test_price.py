"""The record of what the middlemen cost, read; and the order in which they are measured."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from bench import middlemen

from shimlab.errors import LabError
from shimlab.notebook import price

PROGRAM = {"bytes": 2e6, "cpu_per_minute": 1.5, "processes": 1}


def measured(runtime: str, **programs: Any) -> dict[str, Any]:
    seen = {"kubelet": PROGRAM, "dockerd": PROGRAM, "containerd": PROGRAM, **programs}
    return {
        "round": 1,
        "runtime": runtime,
        "cri_s": [0.5, 0.7],
        "ready_s": [1.0, 2.0],
        "many_s": 9.0,
        "idle": seen,
        "many": {**seen, "shims": {**PROGRAM, "processes": 50}},
    }


def record() -> dict[str, Any]:
    return {"machine": {"cores": 2}, "rounds": [measured(runtime) for runtime in price.RUNTIMES]}


def test_quantities_by_runtime() -> None:
    found = price.parse(record())
    told = {
        what.name: [found.values(what, runtime) for runtime in ("dockershim", "containerd")]
        for what in price.QUANTITIES
    }
    assert told["cri"] == [[500, 700], [500, 700]]
    # dockerd runs where pods are containerd's as well, and is none of theirs.
    assert told["idle-memory"] == [[6], [4]]
    assert told["many-processes"] == [[53], [52]]
    assert found.programs("many", "containerd", "processes") == {
        "kubelet": [1],
        "containerd": [1],
        "shims": [50],
    }


@pytest.mark.parametrize(
    "spoil", [lambda r: r.pop("machine"), lambda r: r["rounds"][0].pop("cri_s"), lambda r: r["rounds"].pop()]
)
def test_a_record_of_another_form_is_refused(spoil: Any) -> None:
    kept = record()
    spoil(kept)
    with pytest.raises(LabError, match="the record of the price"):
        price.parse(kept)


def test_rounds_are_interleaved_and_each_runtime_is_first_in_its_turn() -> None:
    orders = [middlemen.order(number) for number in range(1, 7)]
    assert all(sorted(order) == sorted(price.RUNTIMES) for order in orders)
    for three in (orders[:3], orders[3:]):
        for place in range(3):
            assert {order[place] for order in three} == set(price.RUNTIMES)
    followed = [pair for order in orders for pair in pairwise(order)]
    assert {followed.count(pair) for pair in followed} == {2}
    assert len(set(followed)) == 6


def test_every_single_measurement_is_written() -> None:
    flat = middlemen.flat(measured("containerd"))
    assert flat[:4] == [("cri_s", 0.5), ("cri_s", 0.7), ("ready_s", 1.0), ("ready_s", 2.0)]
    assert ("many.shims.processes", 50) in flat
