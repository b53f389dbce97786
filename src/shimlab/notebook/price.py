"""What the middlemen cost: the record of bench.middlemen, as quantities by runtime.

The record holds every single measurement of every round; what is said of them, here and in notebook 13, are medians
with the least and the most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shimlab.errors import LabError
from shimlab.notebook import records

RUNTIMES = ("dockershim", "dockershim-out-of-tree", "containerd")
#: Programs that a pod's start and care go through, by runtime. dockerd runs on every node of the lab; where pods are
#: containerd's it is none of theirs.
IN_THE_CHAIN = {
    "dockershim": ("kubelet", "dockerd", "containerd", "shims"),
    "dockershim-out-of-tree": ("kubelet", "dockershim-out-of-tree", "dockerd", "containerd", "shims"),
    "containerd": ("kubelet", "containerd", "shims"),
}
MEGA = 1e6


@dataclass(frozen=True)
class Quantity:
    """Something that was measured: its name, what it is called with its unit, and how a round tells it."""

    name: str
    title: str
    unit: str
    of: Callable[[Mapping[str, Any], Sequence[str]], Sequence[float]]


def _sum(
    where: str, what: str, by: float = 1
) -> Callable[[Mapping[str, Any], Sequence[str]], Sequence[float]]:
    """Return how a round tells the sum of something over the programs of the chain."""
    return lambda each, chain: [
        sum(values[what] for name, values in each[where].items() if name in chain) / by
    ]


QUANTITIES = (
    Quantity(
        "cri", "from CRI call to running container", "ms", lambda each, _: [s * 1000 for s in each["cri_s"]]
    ),
    Quantity("ready", "from pod to Ready", "ms", lambda each, _: [s * 1000 for s in each["ready_s"]]),
    Quantity("many", "all pods Ready", "s", lambda each, _: [each["many_s"]]),
    Quantity("idle-memory", "memory, idle", "MB", _sum("idle", "bytes", MEGA)),
    Quantity("many-memory", "memory, under pods", "MB", _sum("many", "bytes", MEGA)),
    Quantity("idle-cpu", "CPU per minute, idle", "s", _sum("idle", "cpu_per_minute")),
    Quantity("many-cpu", "CPU per minute, under pods", "s", _sum("many", "cpu_per_minute")),
    Quantity("many-processes", "processes, under pods", "", _sum("many", "processes")),
)


@dataclass(frozen=True)
class Price:
    """A whole measurement: on what, and each round on each runtime."""

    machine: Mapping[str, Any]
    rounds: tuple[Mapping[str, Any], ...]

    def values(self, what: Quantity, runtime: str) -> list[float]:
        """Return all that was measured of a quantity on a runtime, in the order of the rounds."""
        chain = IN_THE_CHAIN[runtime]
        return [value for each in self.rounds if each["runtime"] == runtime for value in what.of(each, chain)]

    def programs(self, where: str, runtime: str, what: str) -> dict[str, list[float]]:
        """Return a number of each program of the chain, ``idle`` or under ``many`` pods, in the order of the rounds."""
        return {
            name: [
                each[where].get(name, {}).get(what, 0) for each in self.rounds if each["runtime"] == runtime
            ]
            for name in IN_THE_CHAIN[runtime]
        }


def load() -> Price:
    """Read the record.

    Raises:
        LabError: there is none, or it is of another form.
    """
    return parse(records.read("price"))


def parse(record: Mapping[str, Any]) -> Price:
    """Read a record; every runtime must have been measured equally often.

    Raises:
        LabError: it is of another form.
    """
    remedy = "measure again: `./run bench -- middlemen --keep`"
    try:
        measured = Price(record["machine"], tuple(record["rounds"]))
        counts = {
            runtime: [len(measured.values(what, runtime)) for what in QUANTITIES] for runtime in RUNTIMES
        }
    except (KeyError, TypeError) as error:
        raise LabError(f"the record of the price has another form ({error!r})", remedy) from error
    if len({tuple(each) for each in counts.values()}) != 1 or not all(counts[RUNTIMES[0]]):
        raise LabError("the record of the price lacks rounds of a runtime", remedy)
    return measured


def path() -> Path:
    """Return where the record lies."""
    return records.folder() / "price.json"
