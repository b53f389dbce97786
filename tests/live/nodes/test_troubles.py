"""Nodes that were stopped, paused, or left half migrated: all commands say so, and what they advise works."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from tests.support.command import Done, inside, program
from tests.support.lab import CONTROL_PLANE, ON_CONTAINERD, ON_DOCKERSHIM

from shimlab.cluster import status, troubles
from shimlab.cluster.environment import environment
from shimlab.machine import engine
from shimlab.migrate import kubelets
from shimlab.migrate.node_api import NodeApi


@pytest.fixture(autouse=True)
def _whole() -> Iterator[None]:
    yield
    if status.halted():
        inside("up")


def _wrong(done: Done) -> list[str]:
    """The lines below the table of the nodes."""
    return done.stdout.splitlines()[1 + len(status.nodes()) :]


def test_a_node_that_is_half_migrated_is_called_that_until_its_migration_ends() -> None:
    NodeApi(ON_CONTAINERD).cordon("containerd")
    seen = f"{ON_CONTAINERD} is half migrated to containerd, and cordoned"
    way_on = f"`shimlab node containerd {ON_CONTAINERD}` goes on"
    for words in (["status"], ["up"]):
        done = inside(*words)
        assert (done.returncode, _wrong(done)) == (1, [f"{seen}; {way_on}"])
    done = inside("break", "kubelet-stopped", ON_CONTAINERD)
    assert (done.returncode, done.stderr) == (1, f"shimlab: {seen}\n  → {way_on}\n")
    assert inside("node", "containerd", ON_CONTAINERD).returncode == 0
    assert troubles.look()[1] == []


def test_a_node_between_two_kubelets_is_called_that() -> None:
    now = kubelets.in_use(ON_DOCKERSHIM)
    other = next(each for each in kubelets.there(ON_DOCKERSHIM) if each != now)
    kubelets.put(ON_DOCKERSHIM, other)
    try:
        (found,) = troubles.look()[1]
    finally:
        kubelets.put(ON_DOCKERSHIM, now)
    assert (found.node, found.state) == (ON_DOCKERSHIM, "between")
    assert f"{other.name} is put in use, and {now.name} is the last that ran" in found.what
    assert troubles.look()[1] == []


def test_nodes_that_do_not_run_are_named_and_run_again() -> None:
    before = {name: _address(name) for name in status.nodes()}
    engine.docker("pause", ON_CONTAINERD)
    engine.docker("stop", ON_DOCKERSHIM)
    done = inside("status")
    paused, stopped = _wrong(done)
    assert done.returncode == 1
    assert paused.startswith(f"{ON_CONTAINERD} is paused; `shimlab up` lets it go on, or `")
    assert stopped.startswith(f"{ON_DOCKERSHIM} is stopped; `shimlab up` starts it, or `")
    # What is advised beside `up`, word for word, in a shell that has nothing but the command shimlab.
    (advised,) = re.findall("or `(.*)`$", paused)
    shell = program("bash", "-ec", advised, PATH=environment()["PATH"])
    assert (shell.returncode, status.halted()) == (0, {ON_DOCKERSHIM: "exited"}), shell.stderr
    # The others too, so that Docker gives the addresses out anew: the control plane comes back with another one.
    engine.docker("stop", CONTROL_PLANE, ON_CONTAINERD, timeout=120)
    if before[CONTROL_PLANE] == min(before.values()):
        engine.docker("start", ON_CONTAINERD, timeout=120)
    done = inside("up")
    assert (done.returncode, status.halted(), _wrong(done)) == (0, {}, []), done.stderr
    assert done.stderr.splitlines()[-1] == "The lab is up (deprecated)."
    assert _address(CONTROL_PLANE) != before[CONTROL_PLANE]


def _address(name: str) -> tuple[int, ...]:
    told = engine.docker(
        "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name
    )
    return tuple(map(int, told.strip().split(".")))


def test_a_control_plane_that_does_not_run_is_named() -> None:
    engine.docker("pause", CONTROL_PLANE)
    done = inside("status")
    assert done.returncode == 1
    assert done.stderr.startswith(f"shimlab: {CONTROL_PLANE} is paused, and the API server with it\n")
    done = inside("up")
    assert (done.returncode, status.halted(), _wrong(done)) == (0, {}, []), done.stderr
