"""The engine at work on parts of the node image: the base that they start from, one stage, several side by side."""

from __future__ import annotations

import contextlib
import fcntl
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from shimlab import paths, process
from shimlab.errors import LabError
from shimlab.images import recipe
from shimlab.images.recipe import BASE, Part
from shimlab.machine import engine, host
from shimlab.progress import Step, step

# debian:bookworm-slim as multi-architecture index.
BASE_UPSTREAM = "debian:bookworm-slim@sha256:4724b8cc51e33e398f0e2e15e18d5ec2851ff0c2280647e1310bc1642182655d"
BUILD_SECONDS = 5400
# How folders begin, beside the caches, that are of use while a build runs.
SCRATCH = "build-"
# Two compilers keep two cores busy where one of them links or loads; more of them only want more memory.
COMPILERS = 2
# What waits for the network or the disk goes on beside them.
WAITERS = 3


@dataclass(frozen=True)
class Job:
    """One piece of a build: what it is called, what it does, and the jobs listed before it that it waits for.

    ``work`` gets an event: once it is set, it ends within seconds. ``compiles`` says that it keeps processors busy.
    """

    name: str
    work: Callable[[threading.Event], None]
    after: frozenset[str] = frozenset()
    compiles: bool = False


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one build go on at a time, whichever lab it is for: they share the engine, and one clears up after itself.

    Whoever comes second waits; the first one's steps all have their bounds, and its lock ends with it.
    """
    with _lock().open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step("Waiting for another build to end"):
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def goes_on() -> bool:
    """Tell whether some process builds."""
    with _lock().open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _lock() -> Path:
    # Beside what labs share; the state is each one's own.
    return paths.cache_dir() / "build.lock"


def exists(reference: str) -> bool:
    """Tell whether the engine has an image."""
    return bool(engine.docker("images", "--quiet", reference).strip())


def ensure_base(current: Step) -> None:
    """Make sure of the image that every stage starts from: from a registry, or made here on a root Debian.

    Raises:
        LabError: if no registry answers and it cannot be made here.
    """
    if exists(BASE):
        return
    log = paths.log_dir() / "base.log"
    environment = engine.current().environment
    try:
        process.stream(
            ["docker", "pull", BASE_UPSTREAM], log, on_line=current.note, env=environment, timeout=300
        )
    except LabError as error:
        if not host.is_root_debian():
            raise LabError(
                f"no image registry answers ({error.what[:120]})",
                "give this machine a way to Docker Hub, or be root on a Debian 12: there the base is made locally",
            ) from error
        process.stream(
            [str(paths.repository() / "lab" / "host" / "make-base"), BASE],
            log,
            on_line=current.note,
            env=environment,
            timeout=900,
            remedy="mend the network, then run the same command again",
            append=True,
        )
    else:
        engine.docker("tag", BASE_UPSTREAM, BASE)


def build(
    dockerfile: Path,
    context: Path,
    target: str,
    tag: str,
    arguments: Mapping[str, str],
    current: Step,
    *,
    labels: Mapping[str, str] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Build one stage of a Dockerfile and tag it; ``stop``, once set, breaks it off within seconds.

    Raises:
        LabError: if a step fails, or it was broken off. Finished steps are found again.
    """
    lines = _BuildLines(current, target, stop)
    process.stream(
        [
            # Without --force-rm the classic builder leaves the container of a step that failed.
            *["docker", "build", "--force-rm", "--network", "host", "--file", str(dockerfile)],
            *["--target", target, "--tag", tag],
            *[word for name, value in (labels or {}).items() for word in ("--label", f"{name}={value}")],
            *[word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")],
            str(context),
        ],
        paths.log_dir() / f"build-{_log_name(tag)}.log",
        on_line=lines.read,
        env=engine.current().environment,
        timeout=BUILD_SECONDS,
        remedy="run the same command again: finished steps are kept",
    )


def _log_name(tag: str) -> str:
    """Return the name of an image's log: one for all contents, so that logs do not pile up."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", recipe.kind_of(tag).partition("/")[2]).strip("-")


def part(wanted: Part, *, stop: threading.Event | None = None) -> None:
    """Build one part of the node image, as a step of its own.

    Raises:
        LabError: as :func:`build` does, or a file changed meanwhile; there is no image of that name then.
    """
    scratch = tempfile.TemporaryDirectory(prefix=SCRATCH, dir=paths.cache_dir())
    with step(f"Building {wanted.target} ({wanted.of})") as current, scratch as folder:
        dockerfile = Path(folder) / "Dockerfile"
        dockerfile.write_text(wanted.dockerfile, encoding="utf-8")
        build(
            dockerfile,
            recipe.context(),
            wanted.target,
            wanted.reference,
            dict(wanted.arguments),
            current,
            labels=dict(wanted.labels),
            stop=stop,
        )
        if not wanted.is_current:
            engine.docker("rmi", wanted.reference, timeout=300)
            raise LabError(
                f"files of {wanted.target} changed while it was built", "run the same command again"
            )


def job(wanted: Part) -> Job:
    """Return the job that builds a part: named like its image, after what the part needs."""
    return Job(wanted.reference, lambda stop: part(wanted, stop=stop), wanted.needs, wanted.compiles)


def side_by_side(jobs: Sequence[Job]) -> None:
    """Do jobs, COMPILERS and WAITERS of them at a time, those listed first before others that could begin as well.

    The first that fails, and Ctrl-C, end the others. A name that no earlier job has is not waited for.

    Raises:
        LabError: as the job that failed does.
    """
    stop = threading.Event()
    failures: list[BaseException] = []
    names: set[str] = set()
    waiting = []
    for each in jobs:
        waiting.append((each, each.after & names))
        names.add(each.name)
    running: dict[Future[None], Job] = {}
    done: set[str] = set()
    with ThreadPoolExecutor(COMPILERS + WAITERS) as pool:
        try:
            while running or waiting:
                for pair in list(waiting):
                    each, after = pair
                    alike = sum(other.compiles == each.compiles for other in running.values())
                    if after <= done and alike < (COMPILERS if each.compiles else WAITERS):
                        running[pool.submit(each.work, stop)] = each
                        waiting.remove(pair)
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    done.add(running.pop(future).name)
                    if failure := future.exception():
                        # Those after the first are broken off because of it, and nothing else begins.
                        failures.append(failure)
                        waiting.clear()
                        stop.set()
        finally:
            # Nothing is left to stop, or Ctrl-C has come: to this thread and to no other.
            stop.set()
    if failures:
        raise failures[0]


class _BuildLines:
    """Show the builder's own step, not what runs inside it: a compiler's chatter says only that it lives."""

    def __init__(self, current: Step, target: str, stop: threading.Event | None) -> None:
        self._current = current
        self._target = target
        self._stop = stop
        self._at = "sending the files"

    def read(self, line: str) -> None:
        # Called every few seconds at least, whatever the builder says or does not say.
        if self._stop is not None and self._stop.is_set():
            raise LabError(f"building {self._target} was broken off", "run the same command again")
        match = re.match(r"(Step \d+/\d+ : .*|#\d+ \[.*)", line)
        self._at = match[1] if match else self._at
        self._current.note(self._at)
