"""The lanes of `./run tests`: what runs beside what, and where.

Three labs, each of its own name. The notebooks and the snippets print the names of nodes, so theirs is the name that
readers have. What breaks nodes or migrates them in ways that a notebook would see has a lab of its own, and so has the
removal. In a lab, lanes that read it run side by side, and so do lanes that change different nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.lanes.lane import Lane, Share

# What one lab takes while nothing is done in it: measured (0.17 cores, of which the control plane takes two thirds,
# 1.0 GB, 30 instances of inotify) and rounded up; the control plane of 1.24 has 13 instances more.
LAB = Share(0.2, 1.5, 32)
REMOVED = Share(0.2, 1.5, 46)
#: What is done in a lab waits for most of its time.
WAITS = Share(0.3, 0.5)
SITE = "site"
#: Labs come up one after the other: that keeps all cores busy, and kind gives a node's systemd 30 s to boot.
COMING_UP = "a lab comes up"
WORKERS = ("worker", "worker2")
#: The tests of tests/live/nodes, by what they do to the lab: the rest changes one node after the other.
READING = (
    "test_cluster or test_evidence or test_export or test_cri or test_refusals or test_node_files "
    "or test_private_engine"
)
BESIDE = "test_given or test_interrupted or test_beside"
MIGRATING = "test_migrate or test_kubelets or test_troubles"
#: The tests of tests/live/faults that are about one worker, by their mark; the rest is about all nodes.
OF_ONE_NODE = {"worker": "on_containerd", "worker2": "on_dockershim"}


def lanes(lab: str, *, offline: bool = False, conformance: bool = False, keep: bool = False) -> list[Lane]:
    """Return the lanes of a run, whose labs are named after ``lab``."""
    if offline:
        return _offline()
    return [
        *_offline(),
        *_first(lab, conformance=conformance, keep=keep),
        *_faults(lab, keep=keep),
        *_removed(lab, keep=keep),
    ]


def _offline() -> list[Lane]:
    return [
        Lane("lint", "lint", minutes=0.7),
        Lane(SITE, "site", takes=Share(1.0, 1.5), minutes=0.7),
        Lane("docs", "docs", needs=(SITE,), minutes=1),
        # The labs' notebooks wait for the pages to be checked, and nobody waits for this.
        Lane("unit", "unit", after=("docs",), minutes=1.2),
        Lane("browser", "browser", needs=(SITE,), takes=Share(1.0, 1.5), minutes=6),
    ]


def _first(lab: str, *, conformance: bool, keep: bool) -> list[Lane]:
    """The lab that readers have: looked at, shown on pages and in notebooks."""
    in_lab = _in(lab)
    found = [
        in_lab("live: reading", "live", "-k", READING, reads=WORKERS, minutes=2.5),
        in_lab(
            "live: beside",
            "live",
            "-k",
            BESIDE,
            reads=WORKERS,
            ups=True,
            takes=LAB.and_(Share(0.8)),
            minutes=3,
        ),
        in_lab(
            "live: the rest",
            "live",
            "-k",
            f"not ({READING} or {BESIDE} or {MIGRATING})",
            changes=WORKERS,
        ),
        in_lab("snippets", "snippets", changes=WORKERS, minutes=1.5),
        # What is validated goes into the ledger, of which the site is made: it is read before.
        in_lab("notebooks", "notebooks", changes=WORKERS, minutes=4, after=("docs",)),
        in_lab("red", "red", changes=WORKERS),
    ]
    if conformance:
        found.append(in_lab("conformance", "conformance", changes=WORKERS, minutes=20))
    return _between(lab, "deprecated", found, stays=keep)


def _faults(lab: str, *, keep: bool) -> list[Lane]:
    """A lab whose nodes are broken, each of the workers by itself, and migrated."""
    lab = f"{lab}-faults"
    in_lab = _in(lab)
    alone = " or ".join(OF_ONE_NODE.values())
    return _between(
        lab,
        "deprecated",
        [
            *(
                in_lab(f"faults: {node}", "faults", "-m", cases, changes=(node,), minutes=4)
                for node, cases in OF_ONE_NODE.items()
            ),
            in_lab("faults: the rest", "faults", "-m", f"not ({alone})", changes=WORKERS, minutes=2),
            in_lab("live: migrating", "live", "-k", MIGRATING, changes=WORKERS, minutes=4),
        ],
        spares=keep,
    )


def _removed(lab: str, *, keep: bool) -> list[Lane]:
    lab = f"{lab}-removed"
    in_lab = _in(lab)
    # The session validates the removal's notebook as well, which goes into the ledger.
    return _between(
        lab,
        "removed",
        [
            in_lab(
                "removed", "removed", takes=Share(0.3, 1.0, 12), changes=WORKERS, minutes=4, after=("docs",)
            )
        ],
        spares=keep,
    )


def _in(lab: str) -> Callable[..., Lane]:
    """Return what makes the lanes in a lab: ``reads`` and ``changes`` are its nodes, ``ups``: it makes labs."""

    def lane(
        name: str,
        session: str,
        *arguments: str,
        reads: tuple[str, ...] = (),
        changes: tuple[str, ...] = (),
        ups: bool = False,
        **more: Any,
    ) -> Lane:
        return Lane(
            name,
            session,
            arguments,
            needs=(_up(lab),),
            reads=tuple(f"{lab}-{node}" for node in reads),
            changes=(*(f"{lab}-{node}" for node in changes), *((COMING_UP,) if ups else ())),
            environment={"SHIMLAB_NAME": lab},
            **{"takes": WAITS, **more},
        )

    return lane


def _between(
    lab: str, kind: str, lanes: list[Lane], *, stays: bool = False, spares: bool = False
) -> list[Lane]:
    """Put a lab's coming up before its lanes, and its end after them, unless it ``stays``.

    With ``spares`` it stays where one of its lanes failed.
    """
    environment = {"SHIMLAB_NAME": lab}
    down = Lane(
        _down(lab),
        "shimlab",
        ("down", "--check"),
        needs=(_up(lab),),
        after=tuple(lane.name for lane in lanes),
        clears=True,
        spares=spares,
        minutes=0.3,
        environment=environment,
    )
    up = Lane(
        _up(lab),
        "shimlab",
        ("up", "--lab", kind),
        changes=(COMING_UP,),
        keeps=REMOVED if kind == "removed" else LAB,
        until="" if stays else down.name,
        minutes=1.2,
        environment=environment,
    )
    return [up, *lanes, *([] if stays else [down])]


def _up(lab: str) -> str:
    return f"up {lab}"


def _down(lab: str) -> str:
    return f"down {lab}"
