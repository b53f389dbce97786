"""What is in the engine, and whose it is: this lab's, another lab's, somebody else's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shimlab import paths
from shimlab.cluster.status import KIND_LABEL
from shimlab.images import image
from shimlab.machine import engine


@dataclass(frozen=True)
class Contents:
    """The containers of an engine, running or not.

    ``nodes`` are this lab's, ``broken_off`` what a build or a run of this lab's left, ``labs`` the names of other labs
    that have containers there, ``foreign`` the containers that no lab made.
    """

    nodes: tuple[str, ...]
    broken_off: tuple[str, ...]
    labs: tuple[str, ...]
    foreign: tuple[str, ...]


def look() -> Contents:
    """Look at all containers of the engine.

    By labels: kind's, which names the cluster, and the lab's, which nodes have from their image. A cluster of this
    lab's name without the lab's label is somebody else's.

    Raises:
        NoEngineError: none is there.
        LabError: it does not answer.
    """
    columns = [f'{{{{.Label "{label}"}}}}' for label in (KIND_LABEL, image.MADE_BY, image.OF_LAB)]
    told = engine.docker("ps", "--all", "--format", "|".join(["{{.Names}}", *columns]))
    # A stand-in for docker may print something else.
    rows = [row for line in told.splitlines() if len(row := line.split("|")) == 4]
    nodes, labs, foreign = [], set(), []
    for name, cluster, made_by, of_lab in rows:
        lab = of_lab or cluster
        if not made_by and not of_lab:
            foreign.append(name)
        elif lab and lab != paths.name():
            labs.add(lab)
        elif cluster:
            nodes.append(name)
    return Contents(tuple(nodes), tuple(image.workshop()), tuple(sorted(labs)), tuple(foreign))


def few(names: Sequence[str], most: int = 3) -> str:
    """Name some of many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
