"""Break a node and see that it shows; repair it and see that all is well."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

from shimlab import lock
from shimlab.cluster import config, remedies, status, troubles
from shimlab.errors import LabError
from shimlab.faults import health
from shimlab.faults.catalog import registry
from shimlab.faults.fault import CONTROL_PLANE, Fault, Signs
from shimlab.faults.pod import FaultPod
from shimlab.faults.target import Target
from shimlab.node import broken as record
from shimlab.node import exec as node_exec
from shimlab.node.broken import Record
from shimlab.progress import step, unheard
from shimlab.waiting import until

REPAIR_SECONDS = 180
LAB_NAMESPACE = "kube-system"
# What keeps a node from being well is told in more detail by what asks for each thing (health).
ILL = ("not ready", "astray")


@unheard()
def break_node(name: str, chosen: str = "") -> tuple[str, Signs]:
    """Make a fault on a node, the first that it fits unless one is ``chosen``, and wait until it shows.

    Returns the node and what shows the fault.

    Raises:
        LabError: there is no such fault, or it does not fit, or the node is broken or not well already (nothing was
            done then); or it does not show in time (``repair`` undoes it).
        KeyboardInterrupt: with what to do next.
    """
    fault = registry.named(name)
    node = _fitting(fault, chosen)
    with _held(node):
        target = _target(fault, node)
        _refuse(fault, target)
        target.record.write(target.name)
        with _said_how(target.name, fault):
            if fault.victim:
                with step(f"Starting a pod on {target.name}") as current:
                    health.running(FaultPod(target.name), current)
            with step(f"Breaking {target.name}: {fault.title}"):
                fault.act(target)
                if fault.pod:
                    FaultPod(target.name).start()
            return target.name, _shown(fault, target)


@unheard()
def repair(name: str = "", node: str = "") -> list[tuple[str, str]]:
    """Undo every fault, or the one that is named, on every node or on one, and wait until nothing is left of it.

    Returns the nodes and the faults that they had. A node whose container does not run is passed over, unless it is the
    one that is asked for.

    Raises:
        LabError: there is no fault or node of that name, that node does not run, somebody is at work on a broken node,
            or one does not become well; `repair` can be asked for again.
        KeyboardInterrupt: with what to do next.
    """
    if name:
        registry.named(name)
    done = []
    # The control plane comes first: without an API server nothing can be seen of the others.
    for where, _ in broken(node):
        with _held(where):
            # Whoever held it may have repaired it, or broken it in another way.
            what = record.read(where)
            if what is None or name not in ("", what.fault):
                continue
            with _said_how(where, registry.named(what.fault)):
                _mend(registry.named(what.fault), Target(where, what))
            done.append((where, what.fault))
    return done


def broken(node: str = "") -> list[tuple[str, Record]]:
    """Return the nodes that are broken, the control plane first, each with its record; or look at one alone.

    Of all nodes, those are passed over whose containers do not run: nobody can look into them.

    Raises:
        LabError: the lab is not up, has no such node, or it does not run.
    """
    if node:
        status.refuse_halted(node)
    states = status.states()
    nodes = [node] if node else [each for each in states if states[each] == status.RUNNING]
    return [(each, found) for each in nodes if (found := record.read(each))]


@contextmanager
def _held(node: str) -> Iterator[None]:
    """Let nobody else change the node; nor any other, where it is the control plane, which all of them need.

    Raises:
        LabError: somebody is at work.
    """
    with lock.alone() if node == status.nodes()[0] else lock.node(node):
        yield


def _mend(fault: Fault, target: Target) -> None:
    def missing() -> list[str]:
        left = fault.left(target) or health.missing(target)
        if left:
            health.revive(target)
        return left

    with step(f"Repairing {target.name}: {fault.title}"):
        fault.undo(target)
    with step(f"Waiting until {target.name} is well") as current:
        health.gone(FaultPod(target.name), current)
        until(current, REPAIR_SECONDS, missing)
    with step(f"Starting a pod on {target.name}, to see that it can") as current:
        health.prove(target, current)
    record.forget(target.name)


def _shown(fault: Fault, target: Target) -> Signs:
    seen: Signs = ()

    def missing() -> list[str]:
        nonlocal seen
        seen = fault.symptom(target)
        if not seen:
            fault.nudge(target)
        return [] if seen else ["it does not show yet"]

    with step("Waiting until it shows") as current:
        until(current, fault.seconds, missing)
    return seen


def _fitting(fault: Fault, chosen: str) -> str:
    """Return the node to break."""
    states = status.states()
    nodes = list(states)
    if chosen:
        status.refuse_unknown(chosen)
    if status.lab() == config.FOR_GIVEN:
        raise LabError("faults are made for the lab's own node image", remedies.ANEW)
    for name in dict.fromkeys((nodes[0], chosen or nodes[0])):
        status.refuse_halted(name)
    _refuse_broken(chosen or nodes[0])
    if found := record.read(nodes[0]):
        raise LabError(f"{nodes[0]} is broken: {found.fault}", remedies.REPAIR)
    seen = {each.name: each for each in status.status()}
    fits = [name for name in nodes if name in seen and _fits(fault, name == nodes[0], seen[name].asked)]
    if chosen and chosen not in fits:
        raise LabError(
            f"{fault.name} does not fit {chosen}",
            f"it fits {_place(fault)} on {' or '.join(fault.runtimes)}"
            + (f": {', '.join(fits)}" if fits else ", and there is none"),
        )
    free_of_us = [
        name
        for name in fits
        if states[name] == status.RUNNING and not seen[name].cordoned and not seen[name].migrating
    ]
    # No other node is asked than has to be: somebody may be at work there.
    free = chosen or next((name for name in free_of_us if not record.read(name)), "")
    if not free:
        raise LabError(
            f"{fault.name} fits {_place(fault)} on {' or '.join(fault.runtimes)}, and no such node is whole",
            "`shimlab status` tells how they are",
        )
    return free


def _refuse_broken(name: str) -> None:
    if found := record.read(name):
        raise LabError(f"{name} is broken already: {found.fault}", remedies.REPAIR)


def _target(fault: Fault, name: str) -> Target:
    """Return the node with the record that is going to be written; nobody else changes it by now."""
    _refuse_broken(name)
    if found := next((each for each in troubles.of(name) if each.state not in ILL), None):
        raise LabError(f"{name} {found.what}", found.remedy)
    runtime = next(each.asked for each in status.status() if each.name == name)
    made = Record(fault.name, runtime, int(node_exec.run(name, ["date", "+%s"])))
    # Somebody's pod that fails for reasons of its own is not waited for; the lab's own pods have to be well.
    excused = [
        each for each in health.not_ready(Target(name, made)) if not each.startswith(f"{LAB_NAMESPACE}/")
    ]
    return Target(name, dataclasses.replace(made, excused=tuple(excused)))


def _refuse(fault: Fault, target: Target) -> None:
    if why := fault.unfit(target):
        raise LabError(
            f"{fault.name} does not fit {target.name}: {why}", "`shimlab break --list` lists others"
        )
    if left := health.missing(target):
        raise LabError(
            f"{target.name} is not well: {'; '.join(left)}", "a fault on top would not be seen: mend it first"
        )


def _fits(fault: Fault, control_plane: bool, runtime: str) -> bool:
    return (fault.place == CONTROL_PLANE) == control_plane and runtime in fault.runtimes


def _place(fault: Fault) -> str:
    return "the control plane" if fault.place == CONTROL_PLANE else "a worker"


@contextmanager
def _said_how(name: str, fault: Fault) -> Iterator[None]:
    """Say after a failure or Ctrl-C how the node is left, and what undoes it."""
    try:
        yield
    except LabError as error:
        raise LabError(f"{name}, {fault.name}: {error.what}", remedies.REPAIR) from error
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt(f"{name} may be broken ({fault.name}): {remedies.REPAIR}") from error
