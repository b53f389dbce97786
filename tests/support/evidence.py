"""The evidence of a red run, where noxfile.py names a folder for it: which tests failed, and how the lab was then.

A test on the lab is looked at when it fails, and not when it is over: what follows in it, a `finally` or the end of a
`with`, puts the lab right again. So the lab is exported before the first command that is run, or connection that is
made, while an exception is on its way out of the test. Python tells of those as audit events (PEP 578).
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shimlab.cluster.export import kept
from shimlab.cluster.export.kept import Kept

LIVE, ELSEWHERE = "tests/live/", "tests/live/vm/"
#: Events of what may change a lab.
ACTS = ("subprocess.Popen", "socket.connect")
#: The digests of so many failed tests are shown at the end, which may be all that is kept of a run.
SHOWN = 2


class Plugin:
    """Keep what there is to keep of each test that fails."""

    def __init__(self, where: Path) -> None:
        """Keep it in a folder. What is run is heard of from now on: nothing takes that back, so there is one of it."""
        self._where = where
        self._item: pytest.Item | None = None
        self._began = datetime.now(UTC)
        self._kept: Kept | None = None
        self._all: dict[str, Kept] = {}
        self._failed: set[str] = set()
        sys.addaudithook(self._heard)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Note when the test began."""
        self._item, self._began, self._kept = item, datetime.now(UTC), None
        try:
            return (yield)
        finally:
            self._item = None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, Any, Any]:
        """Keep how the lab is if that was not done yet, and say beside the failure where it is."""
        report = yield
        if report.failed:
            if item.nodeid not in self._failed:
                self._failed.add(item.nodeid)
                kept.failed(self._where, item.nodeid)
            self._keep(item)
            if self._kept:
                self._all[item.nodeid] = self._kept
                report.sections.append(("evidence", str(self._kept.folder)))
        elif self._kept and item.nodeid not in self._failed:
            # The test took care of the exception itself.
            shutil.rmtree(self._kept.folder, ignore_errors=True)
            self._kept = None
        return report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file whose tests cannot even be collected."""
        if report.failed:
            kept.failed(self._where, report.nodeid)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was kept, and how the lab was, in few lines."""
        for number, (name, found) in enumerate(self._all.items()):
            terminalreporter.section(f"evidence of {name}")
            terminalreporter.write_line(f"{found.folder}")
            for line in found.digest if number < SHOWN else ():
                terminalreporter.write_line(line)

    def _keep(self, item: pytest.Item) -> None:
        if self._kept is None and item.nodeid.startswith(LIVE) and not item.nodeid.startswith(ELSEWHERE):
            with _clock_stopped():
                self._kept = kept.keep(self._where, item.nodeid, self._began)

    def _heard(self, event: str, arguments: tuple[object, ...]) -> None:
        item = self._item
        if event not in ACTS or item is None or self._kept is not None:
            return
        if threading.current_thread() is threading.main_thread() and _leaves(
            sys.exc_info()[1], str(item.path)
        ):
            # What is run for it is heard as well.
            self._item = None
            try:
                self._keep(item)
            finally:
                self._item = item


def _leaves(error: BaseException | None, file: str) -> bool:
    """Tell whether an exception, or one in whose handling it came up, has come by a function of a test's file."""
    while error is not None:
        if isinstance(error, (KeyboardInterrupt, SystemExit, pytest.skip.Exception)):
            return False
        if any(frame.f_code.co_filename == file for frame, _ in traceback.walk_tb(error.__traceback__)):
            return True
        error = error.__context__
    return False


@contextlib.contextmanager
def _clock_stopped() -> Iterator[None]:
    """Let the time that a test has (pytest-timeout's alarm) not run while its evidence is kept."""
    left = signal.setitimer(signal.ITIMER_REAL, 0)[0]
    try:
        yield
    finally:
        if left:
            signal.setitimer(signal.ITIMER_REAL, left)
