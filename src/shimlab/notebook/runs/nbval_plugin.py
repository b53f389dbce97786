"""What nbval needs to prove something: loaded into its run by ``shimlab.notebook.runs.validate``.

- A cell that was never executed passes nbval unchecked; here such a notebook is refused before it runs.
- Cells after a failed one would fail for the same cause; here they are skipped, except the one that puts
  everything back.
- What validating costs beside the cells' own time is printed: the budget is 1.15 times their sum.
- nbval waits 5 seconds for a message after a cell, whatever the cell's own limit; a busy machine needs more.
- nbval waits for a dead kernel as long as for a slow cell; here that is told within seconds, by a status of its own.
- With ``--lab NAME``, how each cell ended is written down beside its fingerprint: src/shimfacts/ledger.py. The first
  that fails leaves evidence, before the last cell puts things back: shimlab.cluster.export.kept.
"""

from __future__ import annotations

import functools
import queue
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nbval.plugin import IPyNbCell

from shimfacts import ledger, proofs
from shimlab.cluster.export import kept
from shimlab.cluster.export.kept import Kept
from shimlab.notebook.runs import books

OUTPUT_SECONDS = 60
#: So often it is looked whether the kernel still runs; what it said before its end is read all the same.
ALIVE_SECONDS = 1.0
#: The status of a run whose kernel died; pytest has 0 to 5 for its own.
KERNEL_DIED = 9
_DIED = pytest.StashKey[bool]()
_FAILED = pytest.StashKey[str]()
_EVIDENCE = pytest.StashKey[Kept]()
_PRINT = pytest.StashKey[str]()
#: Of each notebook, the fingerprint and the outcome of every cell that is through.
_RESULTS = pytest.StashKey[dict[Path, dict[str, tuple[str, str]]]]()
_BEGAN = time.monotonic()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the name of the lab that the cells run on."""
    parser.addoption("--lab", metavar="NAME", default="", help="keep how each cell ended on this lab")


def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Refuse notebooks that cannot be proved, and give the others time.

    Raises:
        UsageError: a notebook has faults, or nothing was collected from it.
    """
    cells = [item for item in items if isinstance(item, IPyNbCell)]
    books_seen = {cell.path for cell in cells}
    for path in sorted(books_seen):
        if found := books.faults(path):
            raise pytest.UsageError("\n".join(found))
    for cell in cells:
        cell.output_timeout = OUTPUT_SECONDS
        # Taken before nbval compares: it joins the streams of a cell in place.
        cell.stash[_PRINT] = proofs.of_cell(cell.cell)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a cell after a failed one of its notebook, unless it puts things back and there is a kernel to do so."""
    if not isinstance(item, IPyNbCell):
        return
    if item.parent.stash.get(_DIED, False):
        pytest.skip("the kernel died: what the notebook made is still there")
    if books.CLEANUP in item.cell.metadata.get("tags", []):
        return
    if failed := item.parent.stash.get(_FAILED, ""):
        pytest.skip(f"{failed} failed")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Let a cell's waiting for messages end when its kernel does."""
    if isinstance(item, IPyNbCell):
        kernel = item.parent.kernel
        kernel.get_message = functools.partial(_message, item, kernel, type(kernel).get_message)


def _message(
    cell: Any,  # noqa: ANN401 - nbval has no types
    kernel: Any,  # noqa: ANN401
    ask: Callable[..., Any],
    stream: str,
    timeout: float | None = None,
) -> Any:  # noqa: ANN401
    """Wait for the next message of a kernel as nbval does, and no longer than the kernel lives.

    Raises:
        NbCellError: the kernel died.
        Empty: there was no message in ``timeout`` seconds; there is no bound without it.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        left = ALIVE_SECONDS if deadline is None else min(ALIVE_SECONDS, deadline - time.monotonic())
        was_alive = kernel.is_alive()
        try:
            return ask(kernel, stream, timeout=max(left, 0))
        except queue.Empty:
            if not was_alive:
                cell.parent.stash[_DIED] = cell.session.stash[_DIED] = True
                kernel.stop()
                cell.raise_cell_error("The kernel died while it ran this cell.")
            if deadline is not None and time.monotonic() >= deadline:
                raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Remember how a cell ended, and the first failed one of a notebook."""
    report = yield
    if report.failed and item.parent is not None:
        where = kept.folder() if item.config.getoption("--lab") else None
        if where and _FAILED not in item.parent.stash:
            _keep(where, item, report)
        item.parent.stash.setdefault(_FAILED, item.name)
    if isinstance(item, IPyNbCell) and (report.when == "call" or not report.passed):
        results = item.session.stash.setdefault(_RESULTS, {}).setdefault(item.path, {})
        results[item.cell.id] = item.stash[_PRINT], report.outcome
    return report


def _keep(where: Path, item: pytest.Item, report: Any) -> None:  # noqa: ANN401 - sections are no part of its type
    # Each notebook is a run of its own: what it did is in the journals since that began.
    since = datetime.now(UTC) - timedelta(seconds=time.monotonic() - _BEGAN)
    if found := kept.keep(where, f"{item.path.stem}::{item.name}", since):
        item.config.stash[_EVIDENCE] = found
        report.sections.append(("evidence", str(found.folder)))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write down how the cells ended, if it is known on which lab; say by the status if a kernel died."""
    if session.stash.get(_DIED, False):
        session.exitstatus = KERNEL_DIED
    lab = session.config.getoption("--lab")
    for path, cells in session.stash.get(_RESULTS, {}).items() if lab else ():
        entries = {
            f"notebooks/{path.name}#{cell}": ledger.Entry(outcome, ledger.today(), lab, found)
            for cell, (found, outcome) in cells.items()
        }
        ledger.merge(path.parents[1] / ledger.SEEN, entries)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Print the evidence of a cell that failed; the cells' own time, the time of the whole run, and their ratio."""
    if found := config.stash.get(_EVIDENCE, None):
        terminalreporter.section("evidence")
        for line in (str(found.folder), *found.digest):
            terminalreporter.write_line(line)
    reports = [report for group in ("passed", "failed") for report in terminalreporter.getreports(group)]
    cells = sum(report.duration for report in reports if report.when == "call")
    everything = time.monotonic() - _BEGAN
    if cells:
        ratio = everything / cells
        terminalreporter.write_line(f"cells {cells:.1f} s, whole run {everything:.1f} s, ratio {ratio:.2f}")
