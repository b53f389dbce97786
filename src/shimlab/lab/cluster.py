"""The cluster: created, found again, looked at and removed, without touching anybody else's."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shimlab import paths, process
from shimlab.errors import LabError
from shimlab.lab import engine, image, kind
from shimlab.lab.release import Release
from shimlab.progress import Step, say, step

NAME = "shimlab"
CONFIG = "deprecated.yaml"
KIND_LABEL = "io.x-k8s.kind.cluster"
RUNTIME_LABEL = "shimlab/runtime"
# What the API says of a node whose worker was asked to run this runtime.
SCHEME = {"dockershim": "docker", "containerd": "containerd"}
CREATE_SECONDS = 600
READY_SECONDS = 180


@dataclass(frozen=True)
class NodeStatus:
    """What the API server says of a node, and the runtime that the lab asked for."""

    name: str
    asked: str
    runtime: str
    kubelet: str
    ready: bool

    @property
    def as_asked(self) -> bool:
        """Tell whether the node runs the runtime that was asked for."""
        return self.runtime.split("://")[0] == SCHEME.get(self.asked)


def kubeconfig() -> Path:
    """Return the lab's own kubeconfig file; the user's is never read or written."""
    return paths.state_dir() / "kubeconfig"


def nodes() -> list[str]:
    """Return the names of the lab's nodes, control plane first.

    Raises:
        LabError: if the lab is not up.
    """
    found = sorted(name for name, ours in _containers().items() if ours)
    if not found or not kubeconfig().is_file():
        raise LabError("the lab is not up", "run `shimlab up`")
    return found


def is_up(tag: str) -> bool:
    """Tell whether the cluster runs, and was made from this node image and the configuration as it is now."""
    return bool(_containers()) and kubeconfig().is_file() and _made_from() == _recipe(tag) and _answers()


def refuse_foreign() -> None:
    """Refuse to go on where a cluster of our name was made by somebody else.

    Raises:
        LabError: if there is one.
    """
    foreign = sorted(name for name, ours in _containers().items() if not ours)
    if foreign:
        raise LabError(
            f"there is a kind cluster named {NAME} that the lab did not make ({', '.join(foreign)})",
            f"if nobody needs it: `kind delete cluster --name {NAME}`",
        )


def create(release: Release, tag: str) -> float:
    """Create the cluster from a node image and return the seconds that kubeadm took of it.

    Raises:
        LabError: if kind fails, a node does not become Ready, or one runs another runtime than asked for.
        Nothing is left then.
    """
    program = kind.binary()
    if program is None:
        raise LabError("there is no kind", "run `shimlab up`")
    clock = _KubeadmClock()
    with _undone_on_failure(), step("Creating the cluster") as current:
        process.stream(
            [
                *[str(program), "create", "cluster", "--name", NAME, "--image", tag],
                *["--config", str(_config()), "--kubeconfig", str(kubeconfig())],
            ],
            paths.log_dir() / "kind.log",
            on_line=lambda line: clock.read(line, current),
            env=kind.environment(),
            timeout=CREATE_SECONDS,
            remedy="see",
        )
        kubeconfig().chmod(0o600)
        _recipe_file().write_text(_recipe(tag), encoding="ascii")
        _wait_until_ready(current)
    return clock.seconds


def status() -> list[NodeStatus]:
    """Ask the API server for the nodes and their runtimes.

    Raises:
        LabError: if the lab is not up or the API server does not answer.
    """
    nodes()
    return sorted((_node_status(item) for item in _list_nodes(timeout=15)), key=lambda n: n.name)


def remove() -> None:
    """Remove the cluster, its volumes, its network and its kubeconfig, and what a broken build left.

    Raises:
        LabError: if a cluster of our name is not ours, or something cannot be removed.
    """
    refuse_foreign()
    for name in (*_containers(), *image.workshop()):
        engine.docker("rm", "--force", "--volumes", name, timeout=120)
    if kind.NETWORK in engine.docker("network", "ls", "--format", "{{.Name}}").split():
        engine.docker("network", "rm", kind.NETWORK)
    kubeconfig().unlink(missing_ok=True)
    _recipe_file().unlink(missing_ok=True)


def kubectl() -> Path:
    """Return the release's own kubectl, taken out of the control plane's node.

    Raises:
        LabError: if the lab is not up.
    """
    control_plane = nodes()[0]
    made_from = engine.docker("inspect", "--format", "{{.Image}}", control_plane).strip()
    program = paths.cache_dir() / "bin" / made_from.removeprefix("sha256:")[:12] / "kubectl"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        fresh = program.with_name(f"kubectl.{os.getpid()}")
        engine.docker("cp", f"{control_plane}:/usr/bin/kubectl", str(fresh), timeout=120)
        fresh.rename(program)
    return program


class _KubeadmClock:
    """Read from kind's own lines how long kubeadm's init and join took."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._began: dict[str, float] = {}

    def read(self, line: str, current: Step) -> None:
        current.note(re.sub(r"[^\x20-\x7e]", "", line))
        for title in ("Starting control-plane", "Joining worker nodes"):
            if title not in line:
                continue
            # The line comes when the step begins, again as a sign of life, and with a tick when it has ended.
            began = self._began.setdefault(title, time.monotonic())
            if "✓" in line:
                self.seconds += time.monotonic() - began


@contextlib.contextmanager
def _undone_on_failure() -> Iterator[None]:
    try:
        yield
    except BaseException:
        # A second Ctrl-C must not leave half a cluster.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            say("  removing what was made so far")
            remove()
        finally:
            signal.signal(signal.SIGINT, before)
        raise


def _wait_until_ready(current: Step) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        missing = [*_nodes_missing(), *_pods_missing()]
        if not missing:
            return
        if time.monotonic() > deadline:
            raise LabError(f"not ready within {READY_SECONDS} s: {', '.join(missing)}", "try again")
        current.note("waiting for " + ", ".join(missing))
        time.sleep(0.5)


def _nodes_missing() -> list[str]:
    found = status()
    for item in found:
        if item.ready and not item.as_asked:
            raise LabError(
                f"{item.name} was to run {item.asked} and runs {item.runtime}",
                "mend lab/clusters, then try again",
            )
    return [item.name for item in found if not item.ready]


def _pods_missing() -> list[str]:
    missing = []
    pods = core().list_namespaced_pod("kube-system", _request_timeout=15).items
    for pod in pods:
        containers = pod.status.container_statuses or []
        if pod.status.phase != "Running" or not containers or not all(item.ready for item in containers):
            missing.append(pod.metadata.name)
    return missing or ([] if pods else ["kube-system"])


def _node_status(item: Any) -> NodeStatus:  # noqa: ANN401 - the client has no types
    info = item.status.node_info
    return NodeStatus(
        name=item.metadata.name,
        asked=item.metadata.labels.get(RUNTIME_LABEL, ""),
        runtime=info.container_runtime_version,
        kubelet=info.kubelet_version,
        ready=any(c.type == "Ready" and c.status == "True" for c in item.status.conditions),
    )


def core() -> Any:  # noqa: ANN401 - the client has no types
    """Return the Kubernetes client's core API, connected to the lab."""
    # The client costs half a second to import; only commands that ask the cluster pay it.
    from kubernetes import client, config

    return client.CoreV1Api(
        config.new_client_from_config(  # type: ignore[no-untyped-call]
            config_file=str(kubeconfig())
        )
    )


def _config() -> Path:
    return paths.repository() / "lab" / "clusters" / CONFIG


def _recipe(tag: str) -> str:
    return f"{tag} {hashlib.sha256(_config().read_bytes()).hexdigest()}\n"


def _recipe_file() -> Path:
    return paths.state_dir() / "made-from"


def _made_from() -> str:
    return _recipe_file().read_text(encoding="ascii") if _recipe_file().is_file() else ""


def _answers() -> bool:
    try:
        return bool(_list_nodes(timeout=5))
    except LabError:
        return False


def _list_nodes(*, timeout: float) -> list[Any]:
    from kubernetes.client.exceptions import ApiException
    from kubernetes.config import ConfigException
    from urllib3.exceptions import HTTPError
    from yaml import YAMLError

    try:
        return list(core().list_node(_request_timeout=timeout).items)
    except (ApiException, ConfigException, HTTPError, OSError, YAMLError) as error:
        # The client's own words go over many lines and show the HTTP exchange; the last one says what was wrong.
        told = str(getattr(error, "reason", "") or error).strip().splitlines()[-1:]
        raise LabError(
            f"the API server does not answer: {' '.join(told)[:160]}",
            "`shimlab up` makes the cluster anew; what ran in it is lost",
        ) from error


def _containers() -> dict[str, bool]:
    """Return the containers of clusters with our name, each with whether it was made from our image."""
    told = engine.docker(
        *["ps", "--all", "--filter", f"label={KIND_LABEL}={NAME}"],
        *["--format", f'{{{{.Names}}}}|{{{{.Label "{image.MADE_BY}"}}}}'],
    )
    return {name: bool(ours) for name, _, ours in (line.partition("|") for line in told.split())}
