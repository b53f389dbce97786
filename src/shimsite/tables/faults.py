"""The catalogue of faults: what each does, how it shows, how it is undone, in both languages.

`facts/tables/faults.yaml` holds the words; the faults themselves are declared in src/shimlab/faults, which needs more
than a site does. tests/docs compares the two, word for word, with the marks of code left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shimfacts.model import LANGUAGES, FactError, read

PATH = "tables/faults.yaml"
MARK = "<!-- faults-table -->"
#: What is told of a fault, in the order of the columns.
TEXTS = ("title", "does", "shows", "undone")
HEAD = {
    "en": ("Fault", "What it does", "How it shows", "How it is undone"),
    "zh": ("故障", "做了什么", "有什么表现", "怎样恢复"),
}
ON = {"en": "on {}", "zh": "用于{}"}
CONTROL_PLANE = {"en": "the control plane", "zh": "控制平面"}
_AND = {"en": " and ", "zh": "、"}


@dataclass(frozen=True)
class Fault:
    """A fault as a page tells of it."""

    name: str
    #: The runtimes of the nodes that it is for, or control-plane.
    nodes: tuple[str, ...]
    texts: Mapping[str, Mapping[str, str]]


def load(folder: Path) -> tuple[Fault, ...]:
    """Read the catalogue below the folder of facts; none where a repository has no catalogue.

    Raises:
        FactError: a fault lacks a text in a language, or a text does not fit into a table.
    """
    if not (folder / PATH).is_file():
        return ()
    return tuple(_fault(PATH, name, raw) for name, raw in read(folder, PATH).items())


def fill(markdown: str, faults: tuple[Fault, ...], lang: str) -> str:
    """Put the catalogue where a page's mark stands."""
    return markdown.replace(MARK, table(faults, lang)) if faults else markdown


def table(faults: tuple[Fault, ...], lang: str) -> str:
    """Write the catalogue as Markdown, each row with the fault's name as its anchor."""
    rows = [HEAD[lang], ("---",) * len(HEAD[lang])]
    for fault in faults:
        said = fault.texts[lang]
        where = ON[lang].format(_where(fault, lang))
        name = f'<a id="fault-{fault.name}"></a>`{fault.name}`<br>{said["title"]}<br><small>{where}</small>'
        rows.append((name, *(said[text] for text in TEXTS[1:])))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _where(fault: Fault, lang: str) -> str:
    if fault.nodes == ("control-plane",):
        return CONTROL_PLANE[lang]
    # Latin names: in Chinese a space stands before the first.
    return (" " if lang == "zh" else "") + _AND[lang].join(fault.nodes)


def _fault(file: str, name: str, raw: object) -> Fault:
    if not isinstance(raw, dict) or set(raw) != {"nodes", *LANGUAGES} or not isinstance(raw["nodes"], list):
        raise FactError(file, name, f"has exactly `nodes`, a list, and {' and '.join(LANGUAGES)}")
    for lang in LANGUAGES:
        said = raw[lang]
        if not isinstance(said, dict) or tuple(said) != TEXTS or not all(map(_fits, said.values())):
            raise FactError(file, name, f"`{lang}` has {', '.join(TEXTS)}, each one line without `|`")
    return Fault(name, tuple(raw["nodes"]), {lang: raw[lang] for lang in LANGUAGES})


def _fits(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip()) and "|" not in text and "\n" not in text
