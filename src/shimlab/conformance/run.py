"""One run: the chosen specs of a release on one worker, from the images to what became of each spec."""

from __future__ import annotations

import json
import tempfile
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from shimlab import lock, paths, process, runtimes
from shimlab.cluster import status
from shimlab.conformance import build, isolate, report, specs, test_images
from shimlab.conformance.report import Verdict
from shimlab.conformance.specs import Spec
from shimlab.errors import LabError
from shimlab.images import release
from shimlab.images.image import OF_LAB
from shimlab.machine import engine
from shimlab.node import exec as nodes
from shimlab.progress import Step, say, step
from shimlab.runtimes import Runtime

# Specs mostly wait for a kubelet: more of them at a time than a machine has cores.
SIDE_BY_SIDE = 8
RUN_SECONDS = 1200
KUBECONFIG = "/etc/kubernetes/admin.conf"


@dataclass(frozen=True)
class Subject:
    """A node to be tested, the runtime that it is on, and the release whose tests it has to pass."""

    node: str
    runtime: Runtime
    kubelet: str
    minor: str
    control_plane: str


def subjects(wanted: list[str] | None = None) -> list[Subject]:
    """Return the nodes to test: the ``wanted`` ones, or every worker. The API server's release is the tests'.

    Raises:
        LabError: the lab is not up, has no such node, or one does not run or is not Ready.
    """
    found = {each.name: each for each in status.status()}
    control_plane, *workers = status.nodes()
    minor = ".".join(found[control_plane].kubelet.removeprefix("v").split(".")[:2])
    chosen = []
    for name in wanted or workers:
        if name not in workers:
            raise LabError(f"the lab has no worker {name}", f"choose one of: {', '.join(workers)}")
        status.refuse_halted(name)
        each = found[name]
        if not (each.ready and each.as_asked):
            raise LabError(f"{name} is not Ready on {each.asked}", "`shimlab status` tells how the lab is")
        chosen.append(Subject(name, runtimes.named(each.asked), each.kubelet, minor, control_plane))
    return chosen


def run(subject: Subject) -> list[Verdict]:
    """Run the chosen specs on one node and return what became of each; the lab is left as it was found.

    Raises:
        LabError: the tests could not be built or started, or something of theirs could not be removed.
    """
    with lock.alone():
        return _alone(subject)


def _alone(subject: Subject) -> list[Verdict]:
    chosen = specs.load(subject.minor)
    built = build.ensure(subject.minor)
    # Where there are two of a kind, the first is the one in both stores.
    held = {each.target: each.reference for each in reversed(release.load(subject.minor).images)}
    wanted = {
        name: behind if behind in built else held[behind]
        for name, behind in specs.images(subject.minor).items()
    }
    title = f"{len(chosen)} specs of Kubernetes {subject.minor} on {subject.node} ({subject.runtime.name})"
    with (
        isolate.only(subject.node),
        test_images.present(subject.node, subject.runtime, wanted, built),
        isolate.cleared(),
        step(title) as current,
        tempfile.TemporaryDirectory(dir=paths.cache_dir()) as folder,
    ):
        _program(subject, built[build.PROGRAM], chosen, Path(folder), current)
        results = report.read(Path(folder))
    return report.judge(chosen, results, subject.runtime.name)


def _program(subject: Subject, image: str, chosen: tuple[Spec, ...], folder: Path, current: Step) -> None:
    """Run the tests' program where the control plane is reached by its own name; its report comes into ``folder``.

    Raises:
        LabError: it left no report.
    """
    name = f"shimlab-conformance-{uuid.uuid4().hex[:8]}"
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(nodes.run(subject.control_plane, ["cat", KUBECONFIG]), encoding="utf-8")
    log = paths.log_dir() / f"conformance-{subject.node}.log"
    try:
        engine.docker(
            *["create", "--name", name, "--label", f"{OF_LAB}={paths.name()}"],
            *["--network", f"container:{subject.control_plane}", image],
            *["ginkgo", f"-nodes={SIDE_BY_SIDE}", "-stream", "-noColor", f"-focus={specs.focus(chosen)}"],
            *["/usr/local/bin/e2e.test", "--", "--provider=local", "--kubeconfig=/kubeconfig"],
            *["--report-dir=/report"],
        )
        engine.docker("cp", str(kubeconfig), f"{name}:/kubeconfig")
        failed: LabError | None = None
        try:
            process.stream(
                ["docker", "start", "--attach", name],
                log,
                on_line=_Lines(current, len(chosen)).read,
                env=engine.current().environment,
                timeout=RUN_SECONDS,
            )
        except LabError as error:
            # A spec that fails makes the program fail: the report says which.
            failed = error
        try:
            engine.docker("cp", f"{name}:/report", str(folder))
        except LabError as error:
            raise failed or error from error
    finally:
        with suppress(LabError):
            engine.docker("rm", "--force", "--volumes", name, timeout=120)


class _Lines:
    """Tell each spec's end as the program tells it: its ProgressReporter writes one line of JSON for each."""

    def __init__(self, current: Step, total: int) -> None:
        self._current = current
        self._total = total
        self._ended = 0

    def read(self, line: str) -> None:
        _, brace, rest = line.partition('{"msg":')
        try:
            told = str(json.loads(brace + rest)["msg"]) if brace else ""
        except (ValueError, KeyError):
            return
        word, _, name = told.partition(" ")
        if word in ("PASSED", "FAILED"):
            self._ended += 1
            sign = "✓" if word == "PASSED" else "✗"
            say(f"  {sign} {self._ended}/{self._total} {name} ({self._current.seconds:.0f} s)")
