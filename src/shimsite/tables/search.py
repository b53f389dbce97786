"""What readers say in other words than the pages do, where it leads, and where to go on if nothing is found.

`facts/tables/search.yaml` holds it; no page shows it: the search of both languages asks it (shimsite.search).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from shimfacts.schema import LANGUAGES, Line, Lines, Model
from shimsite.tables.table import Listed, Place

_Phrases = Annotated[tuple[Line, ...], Field(min_length=1)]
#: Phrases by their language.
Phrases = Mapping[str, _Phrases]
Target = Annotated[str, Field(pattern=r"^[^#]+\.(md|ipynb)(#.+)?$")]


class Lead(Model):
    """What readers type, and what is meant by it: words of the pages, pages, or both."""

    id: SkipJsonSchema[str] = ""
    say: Phrases = Field(description="lists of phrases by language; each leads on in both")
    means: Phrases = Field(default={}, description="lists of words by language that the pages use instead")
    see: tuple[Target, ...] = Field(
        default=(),
        description="pages, NAME.md or labs/NN-name.ipynb, with or without #anchor, the best first",
    )
    nothing: Lines | None = Field(
        default=None, description="what the first page of `see` offers to who found nothing"
    )

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Lead:
        for phrases in (self.say, self.means):
            if unknown := set(phrases) - set(LANGUAGES):
                raise ValueError(f"has phrases in {', '.join(sorted(unknown))}, not {' or '.join(LANGUAGES)}")
        if not self.see and (self.nothing or not self.means):
            raise ValueError("leads nowhere: it has neither `means` nor `see`, or `nothing` without `see`")
        return self


class Search(Listed[Lead]):
    """The leads, in the order in which those with `nothing` are offered."""

    path = "tables/search.yaml"
    schema = dict[str, Lead]
    row = Lead
    what = "ids to leads"

    def texts(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Walk over what is offered to who found nothing."""
        yield from ((f"{each.id}: nothing", each.nothing) for each in self.rows if each.nothing)

    def fill(self, markdown: str, place: Place) -> str:
        """Leave every page as it is."""
        return markdown
