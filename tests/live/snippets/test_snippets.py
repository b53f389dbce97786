"""Every command that a page shows runs, prints what the page says, and leaves the cluster as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from shimlab.snippets import run, state

RUN = [path for path in run.in_page_order() if path.name not in run.NOT_RUN]


def named(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("path", RUN, ids=named)
def test_it_prints_what_the_page_says(
    path: Path, tmp_path: Path, lab: dict[str, str], request, record_property
):
    # Its outcome is that of the snippet: tests/support/outcomes.py.
    record_property("proof", f"snippets/shell/{path.name}")
    before = state.snapshot()
    ran = run.run(path, tmp_path, lab)
    left = state.differences(before, state.snapshot())
    assert ran.status == 0, ran.stderr
    assert run.complaints(ran.stderr) == ""
    assert left == []
    assert list(tmp_path.iterdir()) == []
    found = run.normal(ran.stdout)
    if request.config.getoption("--update"):
        run.expected(path).write_text(found, encoding="utf-8")
    assert found == run.expected(path).read_text(encoding="utf-8")
