"""Every fault of the registry, live, on a node of each runtime that it fits: it shows, and it is repaired.

Before a node is broken, the symptom that its fault declares must not be there: a symptom that is always seen proves
nothing. Afterwards everything that a fault may touch must be as it was.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.command import inside as command

from shimlab import evidence
from shimlab.cluster import status as cluster
from shimlab.errors import LabError
from shimlab.faults import health, inject
from shimlab.faults.catalog import registry
from shimlab.faults.fault import CONTROL_PLANE, WORKER, Fault, Signs
from shimlab.faults.pod import FaultPod
from shimlab.faults.target import Target
from shimlab.machine import engine
from shimlab.migrate import kubelets
from shimlab.migrate.node_api import NodeApi
from shimlab.node import exec as node_exec
from shimlab.node.broken import FOLDER, Record
from shimlab.runtimes import RUNTIMES
from shimlab.snippets.state import marks
from shimlab.waiting import soon

CASES = [
    pytest.param(
        fault,
        runtime,
        id=f"{fault.name}-{runtime}",
        # The control plane is everybody's: what is made on it leaves no worker alone.
        marks=[] if fault.place == CONTROL_PLANE else getattr(pytest.mark, f"on_{runtime}"),
    )
    for fault in registry.FAULTS
    for runtime in fault.runtimes
]
# All that a fault changes and `repair` has to bring back.
LOOK = r"""
cd /
for file in var/lib/kubelet/config.yaml var/lib/kubelet/kubeadm-flags.env etc/containerd/config.toml \
    etc/docker/daemon.json etc/hosts etc/kubernetes/manifests/*; do
  if [ -f "$file" ]; then stat -c '%n %a %U' "$file"; sha256sum "$file"; fi
done
ls -A etc/cni/net.d etc/kubernetes/manifests usr/sbin/runc* 2>&1
readlink -f usr/bin/kubelet
df --output=size /run
systemctl is-enabled docker.service docker.socket containerd.service kubelet.service || true
find run -maxdepth 1 -name '*leftover*'
docker images --format '{{.Repository}}:{{.Tag}}' | sort
ctr --namespace k8s.io images ls --quiet | sort
"""


def node_for(place: str, runtime: str) -> str:
    """Return the first node of the lab at this place, on this runtime."""
    control_plane, *workers = cluster.nodes()
    asked = {each.name: each.asked for each in cluster.status()}
    found = [
        name for name in ([control_plane] if place == CONTROL_PLANE else workers) if asked[name] == runtime
    ]
    assert found, f"the lab has no such node: {place} on {runtime}"
    return found[0]


def fresh(name: str, fault: Fault, runtime: str) -> Target:
    return Target(name, Record(fault.name, runtime, int(node_exec.run(name, ["date", "+%s"]))))


def state(name: str) -> dict[str, Any]:
    found = NodeApi(name).read()
    return {
        **marks(found),
        "node": node_exec.run(name, ["sh", "-s"], input=LOOK).splitlines(),
        "listeners": {
            path: [each.comm for each in evidence.sockets_at(name, [path])[0].listeners]
            for path in ("/run/containerd/containerd.sock", "/run/docker.sock", "/var/run/dockershim.sock")
        },
    }


def well(name: str, fault: Fault, runtime: str) -> dict[str, Any]:
    """Wait until a node that another test may have left a moment ago is well, and return its state."""
    target = fresh(name, fault, runtime)
    wait(lambda: not health.missing(target))
    return state(name)


def as_before(name: str, before: dict[str, Any]) -> None:
    """See that a node is as it was; what a controller takes away from it, a taint, may take a moment."""
    wait(lambda: state(name) == before)
    assert state(name) == before


def wait(met: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something is met, and not longer: what comes next tells what is not."""
    soon(met, seconds, 1)


def result(target: Target, unit: str) -> str:
    """Return how a unit's last run ended; nothing while the node's systemd does not answer yet."""
    try:
        return target.unit(unit, "Result")["Result"]
    except LabError:
        return ""


def symptom(fault: Fault, target: Target) -> Signs:
    """Look for a fault's symptom; where it cannot be looked at, it is not there."""
    try:
        return fault.symptom(target)
    except LabError:
        return ()


@pytest.fixture(autouse=True)
def whole(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave what a test is about whole, whatever it has left: the lab, or its one node."""
    runtimes = [each for each in RUNTIMES if request.node.get_closest_marker(f"on_{each}")]
    yield
    node = node_for(WORKER, runtimes[0]) if runtimes else ""
    if inject.broken(node):
        inject.repair(node=node)


@pytest.mark.parametrize(("fault", "runtime"), CASES)
def test_it_shows_and_is_repaired(fault: Fault, runtime: str) -> None:
    name = node_for(fault.place, runtime)
    before = well(name, fault, runtime)
    target = fresh(name, fault, runtime)
    if why := fault.unfit(target):
        # Not on this lab: then it is said, and nothing is touched.
        done = command("break", fault.name, name)
        assert (done.returncode, inject.broken(name)) == (1, [])
        assert why in done.stderr
        assert state(name) == before
        # Nothing was broken: its page does not say so of this run.
        pytest.skip(f"{fault.name} does not fit this lab: {why}")
    assert symptom(fault, target) == ()

    done = command("break", fault.name, name)
    assert done.returncode == 0, done.stderr
    assert [(where, what.fault) for where, what in inject.broken(name)] == [(name, fault.name)]
    assert len(done.stdout.splitlines()) > 1
    assert all(line.startswith(name) for line in done.stdout.splitlines()[1:])

    done = command("repair", "--node", name)
    assert (done.returncode, done.stdout) == (0, f"{name} is well again: {fault.name} is undone\n"), (
        done.stderr
    )
    assert inject.broken(name) == []
    assert "fault" not in node_exec.run(name, ["ls", FOLDER.rpartition("/")[0]])
    as_before(name, before)
    after = fresh(name, fault, runtime)
    assert health.missing(after) == []
    assert symptom(fault, after) == ()
    assert FaultPod(name).read() is None


def test_a_broken_node_is_not_broken_again_and_repair_twice_does_nothing() -> None:
    name = node_for("worker", "containerd")
    assert command("break", "kubelet-killed").returncode == 0
    done = command("break", "docker-revived", name)
    assert done.returncode == 1
    assert (
        done.stderr == f"shimlab: {name} is broken already: kubelet-killed\n  → `shimlab repair` undoes it\n"
    )
    for words in (["dockershim", name], ["kubelet", name, kubelets.there(name)[0].name]):
        done = command("node", *words)
        assert (done.returncode, done.stderr.splitlines()[0]) == (
            1,
            f"shimlab: {name} is broken: kubelet-killed",
        )
    done = command("repair", "docker-revived")
    assert (done.returncode, done.stdout) == (0, "nothing is broken by docker-revived\n")
    assert command("repair", "kubelet-killed").returncode == 0
    done = command("repair")
    assert (done.returncode, done.stdout) == (0, "nothing is broken\n")


@pytest.mark.on_dockershim
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_a_break_that_broke_off_can_be_repaired(sign: signal.Signals) -> None:
    """While it waits for the node to be NotReady, by Ctrl-C and by a kill that lets nobody say anything."""
    name = node_for("worker", "dockershim")
    before = well(name, registry.named("kubelet-stopped"), "dockershim")
    argv = [sys.executable, "-m", "shimlab", "break", "kubelet-stopped", name]
    told = []
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        for line in child.stderr:
            told.append(line.rstrip())
            if line.startswith("• Waiting until it shows"):
                child.send_signal(sign)
        status = child.wait(60)
    if sign is signal.SIGINT:
        assert status == 130
        assert told[-1] == (
            f"shimlab: interrupted; {name} may be broken (kubelet-stopped): `shimlab repair` undoes it"
        )
    assert [where for where, _ in inject.broken(name)] == [name]
    done = command("repair", "--node", name)
    assert done.returncode == 0, done.stderr
    as_before(name, before)


def test_a_record_without_anything_broken_is_repaired_too() -> None:
    """As after a kill between the record and the break itself: every undoing meets a node that is well."""
    for fault in registry.FAULTS:
        name = node_for(fault.place, fault.runtimes[0])
        target = fresh(name, fault, fault.runtimes[0])
        target.record.write(name)
        fault.undo(target)
    assert command("repair").returncode == 0


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["kubelet-stopped", "nowhere"], "no node nowhere"),
        (["kubelet-stopped", "{control-plane}"], "kubelet-stopped does not fit"),
        (["cri-disabled", "{dockershim}"], "cri-disabled does not fit"),
        (["api-server-gone", "{dockershim}"], "api-server-gone does not fit"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_touched(words: list[str], what: str) -> None:
    names = {"control-plane": cluster.nodes()[0], "dockershim": node_for("worker", "dockershim")}
    done = command("break", *[word.format_map(names) for word in words])
    assert done.returncode == 1
    assert what in done.stderr
    assert len(done.stderr.splitlines()) == 2
    assert inject.broken() == []


@pytest.mark.on_containerd
def test_a_node_that_is_not_well_is_not_broken() -> None:
    name = node_for("worker", "containerd")
    node_exec.run(name, ["systemctl", "stop", "docker.socket", "docker.service"])
    try:
        done = command("break", "kubelet-stopped", name)
    finally:
        node_exec.run(name, ["systemctl", "start", "docker.socket", "docker.service"])
    assert done.returncode == 1
    assert f"{name} is not well" in done.stderr
    assert inject.broken(name) == []


@pytest.mark.on_containerd
def test_what_is_broken_outlives_a_restart_of_the_node() -> None:
    """And then no container of the node has run since, and systemd has given Docker up: there is no runc."""
    name = node_for("worker", "containerd")
    fault = registry.named("runc-missing")
    before = well(name, fault, "containerd")
    assert command("break", "runc-missing", name).returncode == 0
    engine.docker("restart", "--time", "10", name, timeout=120)
    target = fresh(name, fault, "containerd")
    wait(lambda: result(target, "docker.socket") == "service-start-limit-hit", 60)
    assert result(target, "docker.socket") == "service-start-limit-hit"
    assert [(where, what.fault) for where, what in inject.broken(name)] == [(name, "runc-missing")]
    done = command("repair", "--node", name)
    assert (done.returncode, done.stdout) == (0, f"{name} is well again: runc-missing is undone\n"), (
        done.stderr
    )
    as_before(name, before)
