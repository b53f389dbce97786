"""Put another kubelet in use on a node, as a package's upgrade does: nothing else is touched. What follows is told."""

from __future__ import annotations

from dataclasses import dataclass

from shimlab import evidence, lock
from shimlab.cluster import status
from shimlab.errors import LabError
from shimlab.migrate import kubelets, pods, restarts
from shimlab.migrate.kubelets import Kubelet
from shimlab.migrate.node_api import NodeApi
from shimlab.node import broken, kubelet
from shimlab.node import exec as node_exec
from shimlab.progress import Step, say, step, unheard
from shimlab.runtimes import CONTAINERD, OUT_OF_TREE
from shimlab.waiting import until

# A node's controller calls it NotReady when nothing was heard of it for 40 s (kube-controller-manager,
# --node-monitor-grace-period), and looks every 5 s.
NOTICED_SECONDS = 90
READY_SECONDS = 90


@dataclass(frozen=True)
class Outcome:
    """How a node ended after its kubelet was replaced."""

    node: str
    kubelet: str
    #: Why the kubelet does not start, in its own words; empty if it runs.
    why: str
    #: What the API server says of the node's runtime.
    runtime: str
    survival: restarts.Survival

    @property
    def ready(self) -> bool:
        """Tell whether the node is Ready with that kubelet."""
        return not self.why

    def __str__(self) -> str:
        """Say it in one or two lines."""
        if self.ready:
            return f"{self.node} is Ready: kubelet {self.kubelet}, {self.runtime}; {self.survival}"
        return (
            f"{self.node} is NotReady: kubelet {self.kubelet} does not start: {self.why}\n"
            f"  {self.survival}, with no kubelet that looks after them"
        )


def use(name: str, version: str) -> Outcome:
    """Put the kubelet of a version in use on a node; ``v1.20.15-dockerless`` is one of 1.20's.

    Raises:
        LabError: the node has no such kubelet, or it cannot be told how it fares.
    """
    NodeApi(name)
    return _replace(name, kubelets.chosen(name, version))


def upgrade(name: str) -> Outcome:
    """Put the next newer release's kubelet in use on a node.

    Raises:
        LabError: the node has none, or it cannot be told how it fares.
    """
    return _replace(name, _next(name, newer=True))


def downgrade(name: str) -> Outcome:
    """Put the next older release's kubelet in use on a node.

    Raises:
        LabError: the node has none, or it cannot be told how it fares.
    """
    return _replace(name, _next(name, newer=False))


def ways_out(outcome: Outcome) -> list[str]:
    """Return the commands that bring a node back whose kubelet does not start."""
    now, known = Kubelet(outcome.kubelet), kubelets.there(outcome.node)
    if kubelets.next_to(now, known, newer=False):
        ways = [f"shimlab node downgrade {outcome.node}"]
    else:
        ways = [f"shimlab node kubelet {outcome.node} {each.name}" for each in known if each != now][:1]
    if outcome.runtime.startswith(f"{OUT_OF_TREE.scheme}://") and not now.has_dockershim:
        ways += [
            f"shimlab node {OUT_OF_TREE.name} {outcome.node} --keep-pods",
            f"shimlab node {CONTAINERD.name} {outcome.node}",
        ]
    return ways


def _next(name: str, *, newer: bool) -> Kubelet:
    NodeApi(name)
    now, known = kubelets.in_use(name), kubelets.there(name)
    found = kubelets.next_to(now, known, newer=newer)
    if found is None:
        names = ", ".join(each.name for each in known) or "no other"
        raise LabError(
            f"{name} has no {'newer' if newer else 'older'} kubelet than {now.name}, which it uses",
            f"it has: {names}; `shimlab up --lab removed` makes a node with two releases",
        )
    return found


@unheard()
def _replace(name: str, wanted: Kubelet) -> Outcome:
    api = NodeApi(name)
    with lock.node(name):
        broken.refuse(name)
        before, ready = restarts.running(name), pods.ready(api.pods())
        starts, runs = kubelet.programs(name)
        # Where an earlier command broke off between the two, the one that runs is still the one before.
        if starts == runs and kubelets.in_use(name) == wanted and kubelets.works(name):
            say(f"{name} uses {wanted.name} already.")
            return _outcome(api, wanted, "", before)
        try:
            with step(f"Putting kubelet {wanted.name} in use on {name}"):
                kubelets.put(name, wanted)
            began = int(node_exec.run(name, ["date", "+%s"]))
            with step("Starting it") as current:
                why = kubelets.restart(name, current)
            title = "until the API server calls the node " + ("NotReady" if why else "Ready")
            with step(f"Waiting {title}") as current:
                _noticed(api, wanted, began, ready=not why, current=current)
            if not why:
                with step("Waiting until the pods that were ready are ready again") as current:
                    until(current, READY_SECONDS, lambda: api.not_again(ready))
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"{name} has {wanted.name} in use or the one before it") from None
        return _outcome(api, wanted, why, before)


def _noticed(api: NodeApi, wanted: Kubelet, began: int, *, ready: bool, current: Step) -> None:
    def missing() -> list[str]:
        found = api.read()
        condition = next(each for each in found.status.conditions if each.type == "Ready")
        if not ready:
            return [] if condition.status != "True" else ["the node is still called Ready"]
        if condition.status != "True" or condition.last_heartbeat_time.timestamp() < began:
            return ["the node is not Ready"]
        told = Kubelet(found.status.node_info.kubelet_version)
        if told.version != wanted.version:
            return [f"the API says {told.name}"]
        return status.kept_off(found)

    until(current, READY_SECONDS if ready else NOTICED_SECONDS, missing)


def _outcome(api: NodeApi, wanted: Kubelet, why: str, before: dict[str, evidence.Process]) -> Outcome:
    runtime = api.read().status.node_info.container_runtime_version
    return Outcome(api.name, wanted.name, why, runtime, restarts.compare(before, restarts.running(api.name)))
