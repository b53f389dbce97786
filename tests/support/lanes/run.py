"""Run the lanes: ``python -m tests.support.lanes.run PYTHON [--offline] [--conformance] [--keep]``.

A lane that fails stops no other, but what needs it. Ctrl-C ends all lanes, and labs are taken down before it is over.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from tests.support.lanes import plan, told
from tests.support.lanes.lane import Lane
from tests.support.lanes.schedule import Schedule
from tests.support.lanes.told import ALL

from shimlab import paths
from shimsite import build

FOLDER = Path(".cache") / "lanes"
# A lane that was interrupted gets this long before it is killed: its tests put nodes back, its commands say where they
# were.
PATIENCE_SECONDS = 20
POLL_SECONDS = 1.0
# What runs on a cluster waits for much of its time: so many times the cores may be given to lanes.
OVERCOMMIT = 1.5


def main(argv: Sequence[str] | None = None) -> int:
    """Run all, and return 1 if a lane failed, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="./run tests --", description=__doc__)
    parser.add_argument("nox", help="the python that has nox")
    parser.add_argument("--offline", action="store_true", help="only what needs no cluster")
    parser.add_argument("--conformance", action="store_true", help="Kubernetes' own tests as well")
    parser.add_argument("--keep", action="store_true", help="leave the first lab up")
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
        self._schedule = Schedule(lanes, self._cores * OVERCOMMIT, self._gigabytes, self._last)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._began: dict[str, float] = {}
        self._took: dict[str, float] = {}
        self._computed: dict[str, float] = {}
        self._clock = time.monotonic()

    def all(self) -> int:
        """Run every lane, tell how each ended, and return the status of the whole."""
        lanes = list(self._schedule.lanes.values())
        _say(*told.opening(lanes, self._cores, self._gigabytes, self._last))
        interrupted = False
        # A shell that starts a program in the background has it ignore Ctrl-C, and so would all lanes.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            self._go()
        except KeyboardInterrupt:
            interrupted = True
            for sign in (signal.SIGINT, signal.SIGTERM):
                signal.signal(sign, signal.SIG_IGN)
            self._stop()
        whole = self._now()
        _say("", *told.closing(self._schedule, self._began, self._took, self._computed, whole))
        if interrupted:
            return 130
        self._last |= {name: seconds / 60 for name, seconds in self._took.items()}
        self._write({**self._last, ALL: whole / 60})
        return 0 if self._schedule.passed else 1

    def _go(self) -> None:
        while not self._schedule.over:
            for lane in self._schedule.ready():
                self._start(lane)
            self._reap()

    def _stop(self) -> None:
        """End all lanes, then run what clears up after them."""
        _say(f"{told.clock(self._now())} interrupted: ending {', '.join(self._running) or 'nothing'}")
        for child in self._running.values():
            _send(child, signal.SIGINT)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._running and time.monotonic() < deadline:
            self._reap()
        for child in self._running.values():
            _send(child, signal.SIGKILL)
        while self._running:
            self._reap()
        self._schedule.stop()
        while not self._schedule.over:
            for lane in self._schedule.ready():
                self._start(lane)
            self._reap()

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
                env={**os.environ, **lane.environment, **self._pinned(lane)},
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
        _say(
            f"{rule} {told.MARKS[state]} {name}: {state} in {took} (log: {log.relative_to(self._root)}) {rule}",
            f"{told.clock(self._now())} {told.MARKS[state]} {name}; beside it: {left}",
            "",
        )

    def _pinned(self, lane: Lane) -> dict[str, str]:
        """Name the site that this run is of, to those who read it: what is validated meanwhile is not in it."""
        if plan.SITE not in lane.needs:
            return {}
        return {build.PINNED: build.built_from(self._root)}

    def _log(self, name: str) -> Path:
        return self._folder / f"{name.replace(': ', '-').replace(' ', '-')}.log"

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


def _memory() -> float:
    """Return the machine's memory, or what our control group may have of it, in gigabytes."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            found.append(int(Path(file).read_text(encoding="ascii")))
    return min(found) / 1e9


def _send(child: subprocess.Popen[bytes], sign: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, sign)


def _interrupt(*about: object) -> None:
    raise KeyboardInterrupt


def _say(*lines: str, out: IO[str] | None = None) -> None:
    out = out or sys.stdout
    out.write("".join(f"{line}\n" for line in lines))
    out.flush()


if __name__ == "__main__":
    raise SystemExit(main())
