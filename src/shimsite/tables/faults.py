"""The catalogue of faults: what each does, how it shows, how it is undone, and when it was last broken and repaired.

`facts/tables/faults.yaml` holds the words (shimfacts.faults); the faults themselves are declared in src/shimlab/faults.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

from shimfacts import faults, ledger, model
from shimfacts.faults import TEXTS, Fault
from shimfacts.schema import LANGUAGES
from shimsite.tables import writer
from shimsite.tables.table import Marked, Place

MARK = "<!-- faults-table -->"
#: The test that breaks and repairs; a case for each fault on each runtime that it fits.
TEST = "tests/live/faults/test_faults.py::test_it_shows_and_is_repaired"
HEAD = {
    "en": ("Fault", "What it does", "How it shows", "How it is undone"),
    "zh": ("故障", "做了什么", "有什么表现", "怎样恢复"),
}
ON = {"en": "on {}", "zh": "用于{}"}
CONTROL_PLANE = {"en": "the control plane", "zh": "控制平面"}
_AND = {"en": " and ", "zh": "、"}
WORDS = {
    "en": {ledger.PASSED: "broken and repaired on {}", "else": "not yet broken and repaired as it stands"},
    "zh": {ledger.PASSED: "{}注入并恢复通过", "else": "现在的写法还没有注入并恢复过"},
}


class Faults(Marked):
    """The faults."""

    path = faults.PATH
    marks = (MARK,)
    schema = dict[str, Fault]

    def __init__(self, rows: tuple[Fault, ...] = ()) -> None:
        """Keep the faults in their order."""
        self.rows = rows

    def __bool__(self) -> bool:
        """Tell whether there are faults."""
        return bool(self.rows)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the catalogue.

        Raises:
            FactError: a fault lacks a text in a language, or a text is more than a line.
        """
        return cls(tuple(faults.load(folder).values()))

    def texts(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Walk over all that is said of the faults."""
        for fault in self.rows:
            for text in TEXTS:
                yield f"{fault.name}: {text}", {lang: getattr(fault.said(lang), text) for lang in LANGUAGES}

    def shown_proofs(self) -> Iterator[str]:
        """List the cases of the test, one for each fault and runtime."""
        yield from (proof for fault in self.rows for proof in _proofs(fault))

    def render(self, mark: str, place: Place) -> str:
        """Write the catalogue, each row with the fault's name as its anchor."""
        rows = []
        for fault in self.rows:
            said = fault.said(place.lang)
            where = writer.small(ON[place.lang].format(_where(fault, place.lang)))
            name = writer.lines_of(f"`{fault.name}`", said.title, where)
            undone = writer.lines_of(said.undone, writer.small(_last(fault, place), searched=False))
            rows.append(writer.Row(f"fault-{fault.name}", (name, said.does, said.shows, undone)))
        return writer.table("faults", HEAD[place.lang], rows, place.lang)


def _proofs(fault: Fault) -> list[str]:
    # The lab's control plane runs on containerd.
    runtimes = ("containerd",) if fault.nodes == ("control-plane",) else fault.nodes
    return [f"{TEST}[{fault.name}-{runtime}]" for runtime in runtimes]


def _last(fault: Fault, place: Place) -> str:
    """Say when the last of its nodes was broken and repaired."""
    results = [place.known.proofs.last(proof) for proof in _proofs(fault)]
    passed = [each.date for each in results if each is not None and each.outcome == ledger.PASSED]
    if len(passed) < len(results):
        return WORDS[place.lang]["else"]
    return WORDS[place.lang][ledger.PASSED].format(model.spell_date(min(passed), place.lang))


def _where(fault: Fault, lang: str) -> str:
    if fault.nodes == ("control-plane",):
        return CONTROL_PLANE[lang]
    # Latin names: in Chinese a space stands before the first.
    return (" " if lang == "zh" else "") + _AND[lang].join(fault.nodes)
