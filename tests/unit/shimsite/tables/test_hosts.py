"""The table of runtimes and hosts: what it accepts, what it refuses, and what a page shows of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from shimfacts.model import FactError
from shimsite.checks import facts
from shimsite.tables import hosts

SOURCE = [{"title": "Its makers", "url": "https://example.org/x"}]


def table(**host: Any) -> dict[str, Any]:
    """One host and two runtimes; arguments replace what the host says."""
    here = {
        "title": {"en": "Here `x`", "zh": "这里 `x`"},
        "said": {"en": "All of it.", "zh": "全部。"},
        "cells": {"a": {"state": "run", "proof": "tests/t.py"}, "b": {"state": "not-tried"}},
    }
    return {"runtimes": {"a": "A", "b": {"en": "B", "zh": "乙"}}, "hosts": {"here": {**here, **host}}}


def load(folder: Path, data: Any) -> hosts.Hosts:
    (folder / "facts" / "tables").mkdir(parents=True)
    (folder / "facts" / hosts.PATH).write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
    found = hosts.load(folder / "facts")
    assert found
    return found


def test_a_repository_may_have_none(tmp_path: Path) -> None:
    assert hosts.load(tmp_path) is None
    assert hosts.fill(hosts.TABLE_MARK, None, "en") == hosts.TABLE_MARK


def test_both_tables_in_both_languages(tmp_path: Path) -> None:
    found = load(tmp_path, table(source=SOURCE))
    assert hosts.fill(f"{hosts.TABLE_MARK}\n\n{hosts.NOTES_MARK}", found, "en") == (
        "| Host | A | B |\n| --- | --- | --- |\n| [Here `x`](#host-here) | **run** | not tried |\n\n"
        "| Host | What is known | Shown by / Sources |\n| --- | --- | --- |\n"
        '| <a id="host-here"></a>Here `x` | All of it. | A: `tests/t.py`<br>[Its makers](https://example.org/x) |'
    )
    assert "| **跑过** | 没有试过 |" in hosts.matrix(found, "zh")
    assert "| 主机 | A | 乙 |" in hosts.matrix(found, "zh")


def test_the_rest_of_a_row_need_not_be_named(tmp_path: Path) -> None:
    found = load(tmp_path, table(cells={}, rest="not-tried"))
    assert [cell.state for cell in found.hosts[0].cells.values()] == ["not-tried", "not-tried"]
    assert hosts.proofs(found) == {}


def test_a_proof_of_the_whole_row_stands_alone(tmp_path: Path) -> None:
    run = {"state": "run", "proof": "tests/t.py"}
    assert "| All of it. | `tests/t.py` |" in hosts.notes(
        load(tmp_path, table(cells={"a": run, "b": run})), "en"
    )


@pytest.mark.parametrize(
    ("host", "complaint"),
    [
        ({"cells": {"a": {"state": "run"}}, "rest": "not-tried"}, "here.a: run needs proof"),
        ({"cells": {"a": {"state": "refused"}}, "rest": "not-tried"}, "here.a: refused needs proof"),
        (
            {"cells": {"a": {"state": "not-tried", "proof": "x"}}, "rest": "not-tried"},
            "here.a: not-tried has no proof",
        ),
        ({"cells": {"a": {"state": "surely"}}, "rest": "not-tried"}, "here.a: a cell has a state"),
        ({"cells": {}}, "here.a: a cell has a state"),
        ({"rest": "run", "cells": {}}, "here.a: run needs proof"),
        ({"cells": {"c": {"state": "not-tried"}}}, "here: cells of no runtime: c"),
        ({"said": {"en": "Only this."}}, "here: `said` is a text, or a mapping"),
        ({"said": ""}, "here: `said` is empty"),
        ({"title": "a | b"}, "here: title is one line without"),
        ({"more": 1}, "here: has title and said"),
        ({"source": [{"title": "x", "url": "http://x"}]}, "here: a source's url begins with https"),
    ],
)
def test_what_is_refused(tmp_path: Path, host: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FactError, match=complaint):
        load(tmp_path, table(**host))


def test_a_proof_that_is_not_there_is_found(tmp_path: Path) -> None:
    load(tmp_path, table())
    (tmp_path / "docs" / "en").mkdir(parents=True)
    (tmp_path / "docs" / "en" / "hosts.md").write_text(hosts.NOTES_MARK, "utf-8")
    assert list(facts.all_problems(tmp_path)) == [
        "facts/tables/hosts.yaml: here.a: its proof tests/t.py is not there"
    ]
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "t.py").touch()
    assert list(facts.all_problems(tmp_path)) == []


def test_a_table_that_no_page_shows_is_found(tmp_path: Path) -> None:
    load(tmp_path, table(cells={}, rest="not-tried"))
    assert list(facts.all_problems(tmp_path)) == [
        "facts/tables/hosts.yaml: no page shows it; write <!-- hosts-table --> where it belongs"
    ]
