"""The words of this site in both languages, with what they mean here and the page that tells more.

`facts/tables/glossary.yaml` holds them; a page shows them where its mark stands, sorted by its own language's word.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from shimfacts.schema import LANGUAGES, Both, Model
from shimsite.tables import writer
from shimsite.tables.table import Place, Rows

MARK = "<!-- glossary -->"
HEAD = {"en": ("Word", "In Chinese", "What it means here"), "zh": ("词", "英文", "在这里的意思")}
MORE = {"en": "more", "zh": "详见"}


class Term(Model):
    """A word, what it means, and where it is told at length: a page from docs/LANG, or a notebook's cell."""

    id: SkipJsonSchema[str] = ""
    term: Both
    means: Both
    see: str = Field(
        pattern=r"^[^#]+\.(md|ipynb)(#.*)?$",
        description="a page, NAME.md or labs/NN-name.ipynb, with or without its #anchor",
    )


class Glossary(Rows[Term]):
    """The words."""

    path = "tables/glossary.yaml"
    marks = (MARK,)
    schema = dict[str, Term]
    row = Term
    what = "ids to words"

    def texts(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Walk over what the words mean."""
        yield from ((f"{each.id}: means", each.means) for each in self.rows)

    def render(self, mark: str, place: Place) -> str:
        """Write the words in the order of the page's language."""
        lang = place.lang
        (other,) = (each for each in LANGUAGES if each != lang)
        above = posixpath.dirname(place.page) or "."
        rows = [
            writer.Row(
                f"term-{each.id}",
                (
                    f"**{each.term[lang]}**",
                    f'<span lang="{other}">{each.term[other]}</span>',
                    writer.lines_of(
                        each.means[lang], f"[{MORE[lang]}]({posixpath.relpath(each.see, above)})"
                    ),
                ),
            )
            for each in sorted(self.rows, key=lambda each: each.term[lang].casefold())
        ]
        return writer.table("glossary", HEAD[lang], rows, lang)
