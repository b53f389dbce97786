"""Proofs: cells, tests and snippets; whether each is there, and whether it passed as it stands now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import v4

from shimfacts import ledger, proofs
from shimfacts.ledger import Entry, Result
from shimfacts.model import Fact, Source
from shimfacts.proofs import Proofs

CELL = "notebooks/01-a.ipynb#a"
TEST = "tests/live/test_t.py::test_it"
SNIPPET = "snippets/shell/x.sh"
CODE = """
import pytest


def helper():
    return 1


@pytest.mark.parametrize("case", [1, 2])
def test_it(case):
    assert case


def test_other():
    assert helper()
"""
FACT = Fact(
    id="msg",
    kind="message",
    values={"en": "driver %q of <name>", "zh": "driver %q of <name>"},
    component={"en": "x", "zh": "x"},
    sources=(Source(title="t", url="https://example.org"),),
)


def printing(text: str, source: str = "print(1)", **more: Any) -> Any:
    return v4.new_code_cell(source, id="a", outputs=[v4.new_output("stream", text=text)], **more)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with a notebook of one cell, a test with cases and another, and a snippet."""
    for folder in ("notebooks", "tests/live", "snippets/shell"):
        (tmp_path / folder).mkdir(parents=True)
    cells = [v4.new_markdown_cell("# T"), printing('driver "cgroupfs" of x\n')]
    nbformat.write(v4.new_notebook(cells=cells), tmp_path / "notebooks" / "01-a.ipynb")
    (tmp_path / "tests/live/test_t.py").write_text(CODE, "utf-8")
    (tmp_path / SNIPPET).write_text("echo x\n", "utf-8")
    (tmp_path / "snippets/shell/x.out").write_text("x\n", "utf-8")
    return tmp_path


def now(root: Path, proof: str) -> str:
    path = root / proof.partition("#")[0].partition("::")[0]
    if "#" in proof:
        return proofs.of_cells(path)[proof.partition("#")[2]]
    if "::" in proof:
        return proofs.of_tests(path)[proof.partition("::")[2].partition("[")[0]]
    return proofs.of_snippet(path)


def kept(root: Path, proof: str, day: str, outcome: str = ledger.PASSED, **more: Any) -> None:
    entry = Entry(outcome, day, more.pop("lab", "deprecated"), now(root, proof), **more)
    ledger.merge(root / more.get("where", ledger.KEPT), {proof: entry})


def seen(root: Path, proof: str, day: str, outcome: str = ledger.PASSED, **more: Any) -> None:
    entry = Entry(outcome, day, "removed", now(root, proof), **more)
    ledger.merge(root / ledger.SEEN, {proof: entry})


def asked(root: Path, *facts: Fact) -> Proofs:
    return Proofs(root, {fact.id: fact for fact in facts})


# ---- Fingerprints ----------------------------------------------------------------------------------


def test_a_cells_fingerprint_is_of_what_a_reader_sees() -> None:
    print_ = proofs.of_cell(printing("1\n"))
    assert len(print_) == 16
    assert proofs.of_cell(printing("1\n", execution_count=7, metadata={"tags": ["x"]})) == print_
    others = (printing("2\n"), printing("1\n", "print( 1)"))
    assert print_ not in [proofs.of_cell(other) for other in others]


def test_pieces_of_a_stream_and_counts_of_results_make_no_difference() -> None:
    pieces = v4.new_code_cell(
        "print(1)", outputs=[v4.new_output("stream", text="1"), v4.new_output("stream", text="\n")]
    )
    assert proofs.of_cell(pieces) == proofs.of_cell(printing("1\n"))
    shown = [
        v4.new_code_cell(
            "1",
            outputs=[v4.new_output("execute_result", data={"text/plain": "1"}, execution_count=count)],
        )
        for count in (1, 2)
    ]
    assert len({proofs.of_cell(cell) for cell in shown}) == 1


def test_a_tests_fingerprint_is_that_of_its_source_with_its_cases(root: Path) -> None:
    file = root / "tests/live/test_t.py"
    before = proofs.of_tests(file)
    assert list(before) == ["test_it", "test_other"]
    for change in (("assert case", "assert case or 1"), ("[1, 2]", "[1, 2, 3]")):
        file.write_text(CODE.replace(*change), "utf-8")
        after = proofs.of_tests(file)
        assert after["test_it"] != before["test_it"]
        assert after["test_other"] == before["test_other"]


def test_a_snippets_fingerprint_is_of_the_script_and_what_it_prints(root: Path) -> None:
    before = proofs.of_snippet(root / SNIPPET)
    (root / "snippets/shell/other.sh").write_text("x", "utf-8")
    assert proofs.of_snippet(root / SNIPPET) == before
    (root / "snippets/shell/x.out").write_text("y\n", "utf-8")
    assert proofs.of_snippet(root / SNIPPET) != before


# ---- How they ended --------------------------------------------------------------------------------


@pytest.mark.parametrize("proof", [CELL, TEST, SNIPPET])
def test_a_proof_that_nobody_ran_has_no_result_and_is_a_problem(root: Path, proof: str) -> None:
    assert asked(root).last(proof) is None
    assert asked(root).problem(proof).startswith("has not run as it stands now; ")


@pytest.mark.parametrize("proof", [CELL, TEST, SNIPPET])
def test_what_passed_proves_until_it_changes(root: Path, proof: str) -> None:
    kept(root, proof, "2026-11-25")
    assert asked(root).last(proof) == Result(ledger.PASSED, "2026-11-25", "deprecated")
    assert asked(root).problem(proof) == ""
    file = root / proof.partition("#")[0].partition("::")[0]
    text = file.read_text("utf-8")
    for old, new in (("print(1)", "print(2)"), ("assert case", "assert  case"), ("echo x", "echo y")):
        text = text.replace(old, new)
    file.write_text(text, "utf-8")
    assert asked(root).problem(proof).startswith("has not run as it stands now; ")


@pytest.mark.parametrize("outcome", ledger.OUTCOMES)
def test_the_newer_entry_counts(root: Path, outcome: str) -> None:
    kept(root, CELL, "2026-11-25")
    seen(root, CELL, "2026-11-24", outcome)
    assert asked(root).last(CELL) == Result(ledger.PASSED, "2026-11-25", "deprecated")
    seen(root, CELL, "2026-11-26", outcome)
    assert asked(root).last(CELL) == Result(outcome, "2026-11-26", "removed")


def test_of_one_day_the_machines_own_counts(root: Path) -> None:
    kept(root, CELL, "2026-11-25")
    seen(root, CELL, "2026-11-25", ledger.FAILED)
    assert asked(root).last(CELL) == Result(ledger.FAILED, "2026-11-25", "removed")
    assert asked(root).problem(CELL).startswith("failed on 2026-11-25 on lab removed; ")


def test_the_committed_ledger_can_be_asked_alone(root: Path) -> None:
    seen(root, CELL, "2026-11-25")
    assert Proofs(root, {}, (ledger.KEPT,)).last(CELL) is None


def test_a_test_stands_for_all_of_its_cases(root: Path) -> None:
    kept(root, f"{TEST}[1]", "2026-11-25")
    kept(root, f"{TEST}[2]", "2026-11-20")
    kept(root, TEST.replace("test_it", "test_other"), "2026-11-01")
    # As old as the oldest of them.
    assert asked(root).last(TEST) == Result(ledger.PASSED, "2026-11-20", "deprecated")
    assert asked(root).last(f"{TEST}[1]") == Result(ledger.PASSED, "2026-11-25", "deprecated")
    assert asked(root).last(f"{TEST}[3]") is None
    seen(root, f"{TEST}[2]", "2026-11-26", ledger.FAILED)
    assert asked(root).last(TEST) == Result(ledger.FAILED, "2026-11-26", "removed")


def test_a_case_that_one_lab_leaves_out_takes_nothing_from_the_other(root: Path) -> None:
    kept(root, f"{TEST}[1]", "2026-11-25")
    seen(root, f"{TEST}[1]", "2026-11-26", ledger.SKIPPED)
    seen(root, f"{TEST}[2]", "2026-11-26", ledger.SKIPPED)
    assert asked(root).last(TEST) == Result(ledger.PASSED, "2026-11-25", "deprecated")
    assert asked(root).problem(f"{TEST}[2]").startswith("skipped on 2026-11-26")


@pytest.mark.parametrize(
    ("proof", "what"),
    [
        ("notebooks/02-b.ipynb#a", "is not there"),
        ("notebooks/01-a.ipynb#b", "has no code cell of that id"),
        ("tests/live/test_gone.py::test_it", "is not there"),
        ("tests/live/test_t.py::test_gone", "has no test test_gone"),
        ("tests/live/test_t.py::helper", "has no test helper"),
        ("snippets/shell/gone.sh", "is not there"),
    ],
)
def test_what_is_not_there_is_told(root: Path, proof: str, what: str) -> None:
    assert asked(root).problem(proof) == what


# ---- What they prove of a fact ---------------------------------------------------------------------


def test_a_test_proves_the_facts_that_it_read_as_they_were(root: Path) -> None:
    kept(root, TEST, "2026-11-25")
    assert asked(root, FACT).problem(TEST, FACT).startswith("does not read the fact")
    kept(root, TEST, "2026-11-25", facts={"msg": proofs.of_fact(FACT)})
    assert asked(root, FACT).problem(TEST, FACT) == ""
    # A letter changed in facts/ makes the proof one of something else.
    changed = FACT.model_copy(update={"values": {"en": "drivers", "zh": "drivers"}})
    assert asked(root, changed).problem(TEST, changed).startswith("has not run as it stands now")
    gone = FACT.model_copy(update={"versions": "1.20"})
    assert asked(root, gone).problem(TEST, gone).startswith("has not run as it stands now")


def test_a_cell_or_a_snippet_shows_the_value_of_the_fact(root: Path) -> None:
    kept(root, CELL, "2026-11-25")
    kept(root, SNIPPET, "2026-11-25")
    assert asked(root, FACT).problem(CELL, FACT) == ""
    assert asked(root, FACT).problem(SNIPPET, FACT) == "does not show its value"
    typo = FACT.model_copy(update={"values": {"en": "drivers %q", "zh": "drivers %q"}})
    assert asked(root, typo).problem(CELL, typo) == "does not show its value"


def test_named_proofs_are_found_in_files_of_facts(root: Path) -> None:
    (root / "facts" / "tables").mkdir(parents=True)
    (root / "facts" / "tables" / "h.yaml").write_text(f"a: {{proof: '{TEST}[1]'}}", "utf-8")
    assert proofs.named(root) == {TEST}
