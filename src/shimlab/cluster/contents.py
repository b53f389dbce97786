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

    By labels: kind's, which names the cluster, the one that nodes have from their image, and the one that names the lab
    of other containers. A cluster of a lab's name whose image is not the lab's is somebody else's, and so is what
    somebody runs of the lab's image.

    Raises:
        NoEngineError: none is there.
        LabError: it does not answer.
    """
    columns = [f'{{{{.Label "{label}"}}}}' for label in (KIND_LABEL, image.MADE_BY, image.OF_LAB)]
    told = engine.docker("ps", "--all", "--format", "|".join(["{{.Names}}", *columns]))
    # A stand-in for docker may print something else.
    rows = [row for line in told.splitlines() if len(row := line.split("|")) == 4]
    broken_off = image.workshop()
    nodes, labs, foreign = [], set(), []
    for name, cluster, made_by, of_lab in rows:
        lab = of_lab or (cluster if made_by else "")
        if lab and lab != paths.name():
            labs.add(lab)
        elif lab and cluster:
            nodes.append(name)
        elif not lab and name not in broken_off:
            foreign.append(name)
    return Contents(tuple(nodes), tuple(broken_off), tuple(sorted(labs)), tuple(foreign))


def few(names: Sequence[str], most: int = 3) -> str:
    """Name some of many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
