"""What kind, an earlier lab or another cluster can have against the lab, and how the lab is."""

from __future__ import annotations

from collections.abc import Sequence

from shimlab import lock, paths, progress
from shimlab.cluster import config, leftovers, lifecycle, status
from shimlab.doctor.finding import Finding, ok, problem, warning
from shimlab.doctor.machine import Machine, unasked
from shimlab.images import image, release
from shimlab.machine import engine, kind


def kind_program(machine: Machine) -> Finding:
    """Say which kind there is.

    Raises:
        LabError: if there is none that is new enough, or it cannot be run.
    """
    found = kind.binary()
    if found:
        return ok("kind", f"{found}, {'.'.join(map(str, kind.version(found)))}")
    if machine.root_debian:
        return ok("kind", "none yet; `shimlab up` takes Debian's")
    raise kind.lacking()


def busy(machine: Machine) -> Finding:
    """Say whether another command that changes the lab is at work."""
    if machine.busy:
        return warning("busy", f"{machine.busy} is at work", lock.WAIT)
    return ok("busy", "no other command that changes the lab is at work")


def foreign(machine: Machine) -> Finding:
    """Say whether somebody else's cluster has the lab's name.

    Raises:
        LabError: if one has.
    """
    name = "foreign cluster"
    if machine.engine is None:
        return unasked(name, machine, "no cluster")
    status.refuse_foreign()
    return ok(name, f"no other cluster is named {paths.name()}")


def remains(machine: Machine) -> Finding:
    """Say what is left of a lab that is not up."""
    name = "leftovers"
    if machine.busy:
        return ok(name, f"not looked for while {machine.busy} is at work")
    if machine.running:
        return ok(name, "none: the lab is up")
    if machine.engine is None and machine.refusal and not isinstance(machine.refusal, engine.NoEngineError):
        return unasked(name, machine, "")
    # Another lab's end may be waited for, which is nothing to be told here.
    with progress.quiet():
        found = leftovers.found()
    if not found:
        return ok(name, "none")
    return warning(name, _few(found), "shimlab down")


def node_image(machine: Machine) -> Finding:
    """Say whether the node image was built from lab/node as it is now.

    Raises:
        LabError: if there is no release to build, or the engine does not answer.
    """
    name = "node image"
    tag = release.load().tag
    if machine.engine is None:
        return unasked(name, machine, f"`shimlab up` builds {tag} unless it is in the engine's data")
    built = [each for each in _tags() if image.exists(each)]
    if tag in built:
        return ok(name, ", ".join(built))
    return ok(name, f"{tag} is not built yet; `shimlab up` builds it")


def _tags() -> list[str]:
    minors = dict.fromkeys(minor for name in config.names() for minor in config.load(name).releases)
    return [release.load(minor).tag for minor in minors]


def lab(machine: Machine) -> Finding:
    """Say whether the lab is up, made from what lab/ holds now, and every node ready and as asked.

    Raises:
        LabError: if the API server does not answer.
    """
    name = "lab"
    if machine.engine is None:
        return unasked(name, machine, "not up")
    if machine.busy:
        return ok(name, f"not looked at while {machine.busy} is at work")
    if not machine.running:
        return ok(name, "not up")
    found = status.status()
    wrong = [f"{node.name} is not Ready" for node in found if not node.ready]
    wrong += [
        f"{node.name} was to run {node.asked}, runs {node.runtime}" for node in found if not node.as_asked
    ]
    if wrong:
        return problem(name, _few(wrong), "`shimlab down`, then `shimlab up`")
    there = status.lab() or config.DEFAULT
    if not lifecycle.is_current(there):
        return warning(
            name, "up, but made from another node image or configuration", f"shimlab up --lab {there}"
        )
    return ok(name, f"{there}: " + "; ".join(f"{node.name} {node.runtime}" for node in found))


def _few(lines: Sequence[str], most: int = 3) -> str:
    more = f" and {len(lines) - most} more" if len(lines) > most else ""
    return ", ".join(lines[:most]) + more
