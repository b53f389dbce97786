"""Make the cluster with kind and wait until all of it is as its lab's configuration says; undo what half succeeded."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator

from shimlab import interruption, paths, process
from shimlab.clients import kube
from shimlab.cluster import kubeconfig, loopback, status
from shimlab.cluster.export.export import before_undoing
from shimlab.errors import LabError
from shimlab.machine import kind
from shimlab.progress import Step, say, step
from shimlab.waiting import POLL_SECONDS_OF_NODES, bound, soon

CREATE_SECONDS = 600
READY_SECONDS = 180
# kind's words, and the engine's: there is a node of that name.
_THERE = re.compile(r"node\(s\) already exist|container name .* is already in use")


def create(configuration: str, recipe: str) -> float:
    """Create the cluster from a kind configuration and return the seconds that kubeadm took of it.

    Raises:
        LabError: if kind fails, a node does not become Ready, or one runs another runtime than asked for.
        Nothing is left then.
    """
    program = kind.binary()
    if program is None:
        raise LabError("there is no kind", "run `shimlab up`")
    clock = _KubeadmClock()
    how_it_was = paths.log_dir() / "up"
    with _undone_on_failure(), before_undoing(how_it_was), step("Creating the cluster") as current:
        file = paths.state_dir() / "kind.yaml"
        file.write_text(configuration, encoding="utf-8")
        argv = [
            *[str(program), "create", "cluster", "--name", paths.name()],
            *["--config", str(file), "--kubeconfig", str(kube.kubeconfig())],
            # What failed is looked at before it is removed.
            "--retain",
        ]
        try:
            _run(argv, clock, current)
        except LabError as error:
            if not _THERE.search(error.what):
                raise
            # An engine makes what it was asked for also for somebody who was killed, some time later.
            status.remove()
            _run(argv, clock, current)
        kubeconfig.unpack(kube.kubeconfig())
        loopback.use(status.nodes()[0])
        status.remember(recipe)
        _wait_until_ready(current)
    return clock.seconds


def _run(argv: list[str], clock: _KubeadmClock, current: Step) -> None:
    process.stream(
        argv,
        paths.log_dir() / "kind.log",
        on_line=lambda line: clock.read(line, current),
        env=kind.environment(),
        timeout=CREATE_SECONDS,
        remedy="see",
        # Those who wait for the engine on kind's behalf are let wait until it has answered (status.remove).
        job=status.CREATION,
    )


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
    except BaseException as error:
        with interruption.cleaning_up():
            say("  removing what was made so far")
            try:
                status.remove()
            except LabError as second:
                what = error.what if isinstance(error, LabError) else "it was interrupted"
                raise LabError(
                    f"{what}; what was made is not removed: {second.what}", second.remedy
                ) from error
        raise


def _wait_until_ready(current: Step) -> None:
    missing: list[str] = []

    def is_ready() -> bool:
        nonlocal missing
        if missing := _missing():
            current.note("waiting for " + ", ".join(missing))
        return not missing

    if not soon(is_ready, READY_SECONDS, POLL_SECONDS_OF_NODES):
        raise LabError(f"not ready within {bound(READY_SECONDS):.0f} s: {', '.join(missing)}", "try again")


def _missing() -> list[str]:
    nodes = status.status()
    if astray := [node for node in nodes if node.ready and not node.as_asked]:
        raise LabError(
            f"{astray[0].name} was to run {astray[0].asked} and runs {astray[0].runtime}",
            "mend lab/clusters, then try again",
        )
    # One that has just become Ready takes pods only when its taint has gone.
    missing = [node.name for node in nodes if not node.ready or node.kept_off]
    with kube.answering():
        pods = kube.core().list_namespaced_pod("kube-system", _request_timeout=15).items
    for pod in pods:
        containers = pod.status.container_statuses or []
        if pod.status.phase != "Running" or not containers or not all(item.ready for item in containers):
            missing.append(pod.metadata.name)
    return missing or ([] if pods else ["kube-system"])
