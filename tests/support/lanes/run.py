"""Run the lanes: ``python -m tests.support.lanes.run PYTHON [--offline] [--conformance] [--keep]``.

A lane that fails stops no other, but what needs it; what it leaves to be read is in .cache/failed. Ctrl-C ends all
lanes, and labs are taken down before it is over.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from tests.support.lanes import plan, told
from tests.support.lanes.lane import Lane, Share
from tests.support.lanes.schedule import Schedule
from tests.support.lanes.told import ALL

from shimlab import paths
from shimlab.cluster.export import kept
from shimsite import build

FOLDER = Path(".cache") / "lanes"
FAILED = Path(".cache") / "failed"
# A lane that was interrupted gets this long before it is killed: its tests put nodes back, its commands say where they
# were.
PATIENCE_SECONDS = 20
POLL_SECONDS = 1.0
# What runs on a cluster waits for much of its time: so many times the cores may be given to lanes.
OVERCOMMIT = 2.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run all, and return 1 if a lane failed, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="./run tests --", description=__doc__)
    parser.add_argument("nox", help="the python that has nox")
    parser.add_argument("--offline", action="store_true", help="only what needs no cluster")
    parser.add_argument("--conformance", action="store_true", help="Kubernetes' own tests as well")
    parser.add_argument(
        "--keep", action="store_true", help="leave the first lab up, and labs in which a lane failed"
    )
    given = parser.parse_args(argv)
    chosen = plan.lanes(paths.name(), offline=given.offline, conformance=given.conformance, keep=given.keep)
    return Run(chosen, given.nox, paths.repository()).all()


class Run:
    """One run of lanes in a repository."""

    def __init__(self, lanes: Sequence[Lane], nox: str, root: Path) -> None:
        """Read how long each lane took here last time; nothing is started yet."""
        self._folder = root / FOLDER
        self._folder.mkdir(parents=True, exist_ok=True)
        self._root, self._nox = root, nox
        self._cores, self._gigabytes = float(len(os.sched_getaffinity(0))), _memory()
        self._last = self._read()
        there = Share(self._cores * OVERCOMMIT, self._gigabytes, _watchers())
        self._schedule = Schedule(lanes, there, self._last)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._began: dict[str, float] = {}
        self._took: dict[str, float] = {}
        self._computed: dict[str, float] = {}
        self._clock = time.monotonic()
        self._interrupted = False

    def all(self) -> int:
        """Run every lane, tell how each ended, and return the status of the whole."""
        lanes = list(self._schedule.lanes.values())
        # What is there afterwards is of this run.
        shutil.rmtree(self._root / FAILED, ignore_errors=True)
        _say(*told.opening(lanes, self._cores, self._gigabytes, self._last))
        # Noted and acted on between two steps: one that breaks into a lane's start would leave it begun and not there.
        # Also where a shell that started us in the background has us ignore Ctrl-C, as all lanes then would.
        for sign in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sign, self._interrupt)
        while not self._schedule.over and not self._interrupted:
            self._step()
        if self._interrupted:
            self._stop()
        whole = self._now()
        failed = {name: kept.which(self._evidence(name)) for name in self._schedule.lanes}
        _say("", *told.closing(self._schedule, self._began, self._took, self._computed, whole, failed))
        if self._interrupted:
            return 130
        self._last |= {name: seconds / 60 for name, seconds in self._took.items()}
        self._write({**self._last, ALL: whole / 60})
        return 0 if self._schedule.passed else 1

    def _interrupt(self, *about: object) -> None:
        self._interrupted = True

    def _step(self) -> None:
        for lane in self._schedule.ready():
            self._start(lane)
        self._reap()

    def _stop(self) -> None:
        """End all lanes, then run what clears up after them."""
        _say(f"{told.clock(self._now())} interrupted: ending {', '.join(self._running) or 'nothing'}")
        self._schedule.stop()
        for child in self._running.values():
            _send(child, signal.SIGINT)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._running and time.monotonic() < deadline:
            self._reap()
        for child in self._running.values():
            _send(child, signal.SIGKILL)
        while self._running:
            self._reap()
        while not self._schedule.over:
            self._step()

    def _start(self, lane: Lane) -> None:
        self._schedule.start(lane.name)
        self._began[lane.name] = self._now()
        argv = [
            self._nox,
            "-m",
            "nox",
            "--session",
            lane.session,
            *(["--", *lane.arguments] if lane.arguments else []),
        ]
        with self._log(lane.name).open("wb") as log:
            self._running[lane.name] = subprocess.Popen(
                argv,
                cwd=self._root,
                env={
                    **_environment(),
                    **lane.environment,
                    **self._pinned(lane),
                    kept.FOLDER: str(self._evidence(lane.name)),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C is ours to hand on, once.
                start_new_session=True,
            )
        _say(f"{told.clock(self._began[lane.name])} ▶ {lane.name}")

    def _reap(self) -> None:
        """Wait a moment at the most for a lane to end, and tell what those said that did."""
        with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
            for child in self._running.values():
                handle = os.pidfd_open(child.pid)
                stack.callback(os.close, handle)
                selector.register(handle, selectors.EVENT_READ)
            if self._running:
                selector.select(POLL_SECONDS)
        for name, child in list(self._running.items()):
            if not self._ended(name, child):
                continue
            del self._running[name]
            # What it started ends with it.
            _send(child, signal.SIGKILL)
            self._took[name] = self._now() - self._began[name]
            self._schedule.end(name, passed=child.returncode == 0)
            self._tell(name)

    def _ended(self, name: str, child: subprocess.Popen[bytes]) -> bool:
        """Tell whether a lane has ended, and note what it and all that it started and waited for computed."""
        # Not `poll`, which asks the kernel for the status alone.
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid == 0:
            return False
        child.returncode = os.waitstatus_to_exitcode(status)
        self._computed[name] = usage.ru_utime + usage.ru_stime
        return True

    def _tell(self, name: str) -> None:
        state = self._schedule.state[name]
        log = self._log(name)
        rule = "─" * 20
        _say("", f"{rule} {name} {rule}", log.read_text(encoding="utf-8", errors="replace").rstrip())
        left = ", ".join(self._running) or "nothing"
        took = told.clock(self._took[name])
        where = [f"log: {log.relative_to(self._root)}"]
        if (evidence := self._evidence(name)).is_dir():
            where.append(f"evidence: {evidence.relative_to(self._root)}")
        _say(
            f"{rule} {told.MARKS[state]} {name}: {state} in {took} ({', '.join(where)}) {rule}",
            f"{told.clock(self._now())} {told.MARKS[state]} {name}; beside it: {left}",
            "",
        )

    def _pinned(self, lane: Lane) -> dict[str, str]:
        """Name the site that this run is of, to those who read it: what is validated meanwhile is not in it."""
        if plan.SITE not in lane.needs:
            return {}
        return {build.PINNED: build.built_from(self._root)}

    def _log(self, name: str) -> Path:
        return self._folder / f"{_file_name(name)}.log"

    def _evidence(self, name: str) -> Path:
        return self._root / FAILED / _file_name(name)

    def _now(self) -> float:
        return time.monotonic() - self._clock

    def _read(self) -> dict[str, float]:
        file = self._folder / "minutes.json"
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
            return {str(name): float(minutes) for name, minutes in found.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            # Never run here, or cut off: it only says how long things take.
            return {}

    def _write(self, minutes: dict[str, float]) -> None:
        beside = self._folder / "minutes.json.new"
        beside.write_text(json.dumps(minutes, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        beside.replace(beside.with_suffix(""))


def _file_name(lane: str) -> str:
    return lane.replace(": ", "-").replace(" ", "-")


def _memory() -> float:
    """Return the machine's memory, or what our control group may have of it, in gigabytes."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            found.append(int(Path(file).read_text(encoding="ascii")))
    return min(found) / 1e9


def _watchers() -> float:
    """Return how many more inotify instances we may have: nodes, and all other programs of root, share them."""
    limit = Path("/proc/sys/fs/inotify/max_user_instances")
    if not limit.is_file():
        return float("inf")
    used = 0
    for folder in Path("/proc").glob("[0-9]*/fd"):
        # Processes end while they are looked at, and others' may not be.
        with contextlib.suppress(OSError):
            used += sum(str(each.readlink()) == "anon_inode:inotify" for each in folder.iterdir())
    return float(limit.read_text(encoding="ascii")) - used


def _environment() -> dict[str, str]:
    """Return our environment without the lab's name: lanes in a lab name theirs, and the others are of none."""
    return {name: value for name, value in os.environ.items() if name != "SHIMLAB_NAME"}


def _send(child: subprocess.Popen[bytes], sign: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, sign)


def _say(*lines: str, out: IO[str] | None = None) -> None:
    out = out or sys.stdout
    out.write("".join(f"{line}\n" for line in lines))
    out.flush()


if __name__ == "__main__":
    raise SystemExit(main())
