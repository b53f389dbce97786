"""What is said of each fault: what it does, how it shows, how it is undone, in both languages, and nowhere else.

The lab breaks and repairs nodes (shimlab.faults) and lists its faults in these words; the site shows them on a page.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from shimfacts import model
from shimfacts.schema import File, Line, Model

PATH = "tables/faults.yaml"
#: What is told of a fault, in the order of the page's columns.
TEXTS = ("title", "does", "shows", "undone")


class Said(Model):
    """What is said of a fault in one language, a line each; all may refer to facts, and mark code."""

    title: Line
    does: Line
    shows: Line
    undone: Line


class Fault(Model):
    """A fault as people are told of it."""

    name: SkipJsonSchema[str] = ""
    #: The runtimes of the nodes that it is for, or control-plane.
    nodes: tuple[str, ...] = Field(
        min_length=1, description="a list of the runtimes that it is for, or [control-plane]"
    )
    en: Said
    zh: Said

    def said(self, lang: str) -> Said:
        """Give what is said in a language."""
        return self.zh if lang == "zh" else self.en


def load(folder: Path) -> dict[str, Fault]:
    """Read what is said of the faults below the folder of facts; nothing where a repository has none.

    Raises:
        FactError: a fault lacks a text in a language, or a text is more than a line.
    """
    if not (folder / PATH).is_file():
        return {}
    file = File(folder, PATH)
    return {
        name: file.read(Fault, raw, name, name).model_copy(update={"name": name})
        for name, raw in file.mapping("faults to what is said of them").items()
    }


def plain(folder: Path, lang: str = "en") -> dict[str, Said]:
    """Give what is said of each fault as a terminal shows it: values of facts filled in, code without its marks.

    Raises:
        FactError: a file of facts, or the faults, cannot be read.
        KeyError: a text refers to a fact that there is not.
    """
    facts = model.load(folder)
    return {
        name: Said(**{text: model.plain(getattr(fault.said(lang), text), facts, lang) for text in TEXTS})
        for name, fault in load(folder).items()
    }
