"""Write down how tests ended that may be proofs: into the ledger of this machine, .cache/outcomes.json.

All live tests may be, and others where facts/ names them. A test may stand for something else, a snippet: then it tells
so, `record_property("proof", "snippets/shell/NAME.sh")`. Numbers that a page shows are told likewise, ("told", {...}).
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from tests.support import facts

from shimfacts import ledger, proofs
from shimfacts.ledger import Entry
from shimlab.cluster import status
from shimlab.errors import LabError

LIVE = "tests/live/"
_OUTCOME = pytest.StashKey[str]()
_READ = pytest.StashKey[set[str]]()


class Recorder:
    """Keep the outcomes of a run, and write them when it ends."""

    def __init__(self, root: Path, named: set[str]) -> None:
        """Keep them for a repository; `named` are the proofs that are no live tests."""
        self._root, self._named = root, named
        self._entries: dict[str, Entry] = {}
        self._files: dict[Path, dict[str, str]] = {}
        self._lab: str | None = None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Note what the test reads."""
        item.stash[_READ] = facts.begin()
        # As it is now: a file that is changed while tests run is another one afterwards.
        if item.path not in self._files:
            self._files[item.path] = proofs.of_tests(item.path)
        try:
            return (yield)
        finally:
            facts.end()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, Any, Any]:
        """Remember how the test ended; what goes wrong before or after it counts as well."""
        report = yield
        before = item.stash.get(_OUTCOME, ledger.PASSED)
        worse = ledger.FAILED if ledger.FAILED in (before, report.outcome) else None
        item.stash[_OUTCOME] = worse or (report.outcome if report.outcome == ledger.SKIPPED else before)
        if report.when == "teardown" and self._may_prove(item):
            self._keep(item)
        return report

    def pytest_sessionfinish(self) -> None:
        """Write all of them."""
        if self._entries:
            path = self._root / ledger.SEEN
            now = ledger.load(path)
            ledger.merge(
                path, {name: each for name, each in self._entries.items() if _replaces(each, now.get(name))}
            )

    def _may_prove(self, item: pytest.Item) -> bool:
        return item.nodeid.startswith(LIVE) or item.nodeid.partition("[")[0] in self._named

    def _keep(self, item: pytest.Item) -> None:
        told = dict(item.user_properties)
        name, found = (
            item.nodeid,
            self._files[item.path].get(item.nodeid.partition("::")[2].partition("[")[0], ""),
        )
        if "proof" in told:
            name = str(told["proof"])
            found = proofs.of_snippet(self._root / (name.partition(".sh")[0] + ".sh"))
        read = {each: proofs.of_fact(facts.known()[each]) for each in sorted(item.stash[_READ])}
        entry = Entry(
            item.stash[_OUTCOME], ledger.today(), self._of_lab(item), found, read, dict(told.get("told", {}))
        )
        self._entries[name] = entry

    def _of_lab(self, item: pytest.Item) -> str:
        if not item.nodeid.startswith(LIVE):
            return ""
        if self._lab is None:
            try:
                self._lab = status.lab()
            except LabError:
                self._lab = ""
        return self._lab


def _replaces(new: Entry, old: Entry | None) -> bool:
    """Tell whether an outcome takes the place of another: a case left out on one lab may have passed on the other."""
    left_out = new.outcome == ledger.SKIPPED
    return not (left_out and old and old.outcome == ledger.PASSED and old.fingerprint == new.fingerprint)
