"""Proofs: a cell of a notebook, a test, a snippet. Whether each is there, and how it ended as it stands now.

notebooks/NN-name.ipynb#cell           a code cell: what a reader sees of it, source and outputs
tests/live/…/test_x.py::test_name      a test: its source, and the facts that it read; [case] for one of its cases
snippets/shell/NAME.sh                 a snippet: the script, and what it is expected to print
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat

from shimfacts import ledger
from shimfacts.ledger import Entry, Result
from shimfacts.model import Fact
from shimfacts.notebooks import coalesced

_DIGITS = 16
#: Kinds of facts whose value a cell or a snippet has to show to the letter.
_SHOWN_KINDS = ("message", "socket", "flag")
_PLACE = re.compile(r"%[qsvd]|<\w+>")


def hashed(*parts: Any) -> str:  # noqa: ANN401 - whatever JSON can hold
    """Hash parts of a proof."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def of_cell(cell: Any) -> str:  # noqa: ANN401 - nbformat has no types
    """Hash what a reader sees of a code cell: its source, and its outputs without their counts."""
    return hashed(cell.source, _outputs(cell))


def of_cells(notebook: Path) -> dict[str, str]:
    """List the code cells of a notebook by id, each with its fingerprint."""
    return {cell.id: of_cell(cell) for cell in _code_cells(notebook)}


def of_fact(fact: Fact) -> str:
    """Hash what a proof can show of a fact."""
    return hashed(fact.kind, dict(fact.values), fact.versions, fact.deprecated)


def of_tests(file: Path) -> dict[str, str]:
    """List the tests of a file by name, each with the fingerprint of its source, decorators included."""
    text = file.read_text("utf-8")
    lines, found = text.splitlines(), {}
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            found[node.name] = hashed("\n".join(lines[first - 1 : node.end_lineno]))
    return found


def of_snippet(script: Path) -> str:
    """Hash a script and all that it is expected to print."""
    beside = sorted(each for each in script.parent.glob(f"{script.stem}.*") if each != script)
    return hashed(script.read_text("utf-8"), {each.name: each.read_text("utf-8") for each in beside})


def shows(text: str, fact: Fact) -> bool:
    """Tell whether a text has the value of a fact to the letter; %q and the like stand for anything on one line."""
    pattern = ".+?".join(re.escape(part) for part in _PLACE.split(fact.values["en"]))
    return re.search(pattern, text) is not None


def named(root: Path) -> set[str]:
    """List the tests that facts and tables of a repository name as proofs, whether the files are right or not."""
    found: set[str] = set()
    for path in sorted((root / "facts").rglob("*.yaml")):
        found |= set(re.findall(r"tests/[\w./-]+\.py::\w+", path.read_text("utf-8")))
    return found


class Proofs:
    """The proofs of a repository, and what both ledgers know of them."""

    def __init__(
        self,
        root: Path,
        facts: Mapping[str, Fact],
        ledgers: tuple[Path, ...] = (ledger.KEPT, ledger.SEEN),
    ) -> None:
        """Read the ledgers; the proofs themselves are read as they are asked for.

        Raises:
            ResultError: a ledger cannot be read.
        """
        self._root = root
        self._entries = [ledger.load(root / each) for each in ledgers]
        self._facts = {name: of_fact(fact) for name, fact in facts.items()}
        self._files: dict[str, dict[str, str]] = {}

    def missing(self, proof: str) -> str:
        """Say what is not there of a proof; nothing where all of it is."""
        path, name = _parts(proof)
        if not (self._root / path).is_file():
            return "is not there"
        if self._fingerprint(proof) is None:
            return f"has no {'code cell of that id' if path.endswith('.ipynb') else f'test {name}'}"
        return ""

    def entries(self, proof: str) -> dict[str, Entry]:
        """Give the last entry of a proof as it stands now, or of each case of a test, by the name of the case."""
        now = self._fingerprint(proof)
        found: dict[str, Entry] = {}
        for kept in self._entries:
            for name, entry in kept.items():
                is_it = name == proof or (name.startswith(f"{proof}[") and "::" in proof)
                if not is_it or entry.fingerprint != now:
                    continue
                if any(self._facts.get(fact) != was for fact, was in entry.facts.items()):
                    continue
                # A case that does not fit every lab is left out of some runs; that takes nothing away from the others.
                if entry.outcome == ledger.SKIPPED and "::" in name and name in found:
                    continue
                # Of one day, that of the later ledger counts.
                if name not in found or entry.date >= found[name].date:
                    found[name] = entry
        return found

    def last(self, proof: str) -> Result | None:
        """Tell how a proof ended when it last ran as it stands now; None where it did not, or is not there.

        Of a test with cases one that failed decides; cases that were left out decide only where all were.
        """
        found = list(self.entries(proof).values())
        for outcome in (ledger.FAILED, ledger.PASSED, ledger.SKIPPED):
            if of_it := [entry for entry in found if entry.outcome == outcome]:
                oldest = min(of_it, key=lambda entry: entry.date)
                return Result(outcome, oldest.date, oldest.lab)
        return None

    def problem(self, proof: str, fact: Fact | None = None) -> str:
        """Say why a proof proves nothing, or not this fact; nothing where it does."""
        if what := self.missing(proof):
            return what
        result = self.last(proof)
        if result is None:
            return f"has not run as it stands now; {_again(proof)}"
        if result.outcome != ledger.PASSED:
            return f"{result.outcome} on {result.date} on lab {result.lab}; {_again(proof)}"
        if fact is None:
            return ""
        if "::" in proof:
            read = any(fact.id in entry.facts for entry in self.entries(proof).values())
            return "" if read else "does not read the fact: a test takes its value from tests.support.facts"
        if fact.kind in _SHOWN_KINDS and not shows(self._text(proof), fact):
            return "does not show its value"
        return ""

    def _fingerprint(self, proof: str) -> str | None:
        path, name = _parts(proof)
        file = self._root / path
        if path not in self._files:
            if not file.is_file():
                self._files[path] = {}
            elif file.suffix == ".ipynb":
                self._files[path] = of_cells(file)
            elif file.suffix == ".py":
                self._files[path] = of_tests(file)
            else:
                self._files[path] = {"": of_snippet(file)}
        return self._files[path].get("" if file.suffix == ".sh" else name)

    def _text(self, proof: str) -> str:
        """Give all that a cell or a snippet shows."""
        path, name = _parts(proof)
        file = self._root / path
        if file.suffix == ".ipynb":
            (cell,) = [each for each in _code_cells(file) if each.id == name]
            texts = [cell.source, *(text for output in _outputs(cell) for text in _strings(output))]
            return "\n".join(texts)
        return "\n".join(each.read_text("utf-8") for each in sorted(file.parent.glob(f"{file.stem}.*")))


def recording_problems(notebook: Path) -> Iterator[str]:
    """Tell what the committed ledger does not vouch for in a notebook as it is now.

    Raises:
        ResultError: the ledger cannot be read.
    """
    begins = f"notebooks/{notebook.name}#"
    kept = {
        name.removeprefix(begins): entry
        for name, entry in ledger.load(notebook.parents[1] / ledger.KEPT).items()
        if name.startswith(begins)
    }
    if not kept:
        yield f"{ledger.KEPT} knows nothing of it; record it"
        return
    cells = of_cells(notebook)
    for cell, now in cells.items():
        if cell not in kept:
            yield f"cell '{cell}' was never recorded; record the notebook again"
        elif (was := kept[cell]).fingerprint != now:
            yield (
                f"cell '{cell}' changed since it was last recorded, on {was.date}: its fingerprint is {now}, "
                f"not {was.fingerprint}; record the notebook again"
            )
    for cell, entry in kept.items():
        if cell not in cells:
            yield f"cell '{cell}' was recorded on {entry.date} and is gone; record the notebook again"


def _parts(proof: str) -> tuple[str, str]:
    """Take a proof apart: the file, and the name of what in it."""
    if "::" in proof:
        path, _, name = proof.partition("::")
        return path, name.partition("[")[0]
    if proof.endswith(".sh") or ".sh:" in proof:
        path, _, name = proof.partition(".sh")
        return f"{path}.sh", name.removeprefix(":")
    path, _, name = proof.partition("#")
    return path, name


def _again(proof: str) -> str:
    """Say how a proof is run again."""
    if "#" in proof:
        return "validate or record it again"
    return "run it, then: python -m shimsite.checks.proofs --keep"


def _code_cells(notebook: Path) -> list[Any]:
    node = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    return [cell for cell in node.cells if cell.cell_type == "code"]


def _outputs(cell: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    return [
        {key: value for key, value in output.items() if key != "execution_count"}
        for output in coalesced(cell.outputs)
    ]


def _strings(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _strings(each)
