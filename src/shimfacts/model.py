"""Facts: dates, versions, flags, sockets and messages, written once with their sources.

`facts/*.yaml` maps an id to what is known; pages and prose cells refer to it with `{{ fact("id") }}`. This module reads
and checks the data, shimsite.references puts it into text.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, StrictBool, StringConstraints, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema

from shimfacts import releases
from shimfacts.schema import LANGUAGES, Both, FactError, File, Model, Range, Source, Sources

__all__ = ["LANGUAGES", "Fact", "FactError", "Source", "load", "spell_date", "spell_versions"]

#: What a value may be. Code is shown as such, a name only where it is the same in both languages.
_Text = Literal["text", "date", "version", "link"]
_Code = Literal["flag", "socket", "message", "name", "path", "command", "field"]
CODE_KINDS: tuple[str, ...] = get_args(_Code)
KINDS: tuple[str, ...] = (*get_args(_Text), *CODE_KINDS)
#: Files in the folder of facts that hold none.
NOT_FACTS = ("relations.yaml",)
#: A reference in a text; a backslash before it shows it as it is.
REFERENCE = re.compile(
    r"(?P<escape>\\?)\{\{\s*fact\(\s*(?P<q>['\"])(?P<id>[^'\"]+)(?P=q)\s*"
    r"(?:,\s*(?P<r>['\"])(?P<form>[^'\"]*)(?P=r)\s*)?\)\s*\}\}"
)

_ID = r"^[a-z0-9]+(?:[-.][a-z0-9]+)*$"
_DATE = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
#: Keys that only facts of some kinds may have, and those that the table of a kind cannot do without.
_ONLY = {
    "component": ("flag", "socket", "message", "version"),
    "protocol": ("socket",),
    "deprecated": ("flag",),
}
_NEEDED = {"component": ("flag", "socket", "message"), "protocol": ("socket",)}
_PROOF = "|".join(
    (
        r"notebooks/[\w.-]+\.ipynb#[A-Za-z0-9-]+",
        r"snippets/[\w./-]+\.sh(?::[\w-]+)?",
        r"tests/[\w./-]+\.py::\w+(?:\[.+\])?",
    )
)


def _proof(raw: Any) -> Any:  # noqa: ANN401 - whatever the YAML holds
    if not isinstance(raw, str) or not re.fullmatch(_PROOF, raw):
        raise ValueError(
            "is notebooks/NN-name.ipynb#cell, snippets/shell/NAME.sh or tests/…/test_x.py::test_name, not "
            f"{raw!r}"
        )
    return raw


#: A cell, a snippet or a test that shows something (shimfacts.proofs).
Proof = Annotated[
    str, BeforeValidator(_proof), WithJsonSchema({"type": "string", "pattern": f"^(?:{_PROOF})$"})
]
_ONE_PROOF = {"type": "string", "pattern": f"^(?:{_PROOF})$"}
#: One proof, or several.
Proofs = Annotated[
    tuple[Proof, ...],
    BeforeValidator(lambda raw: raw if isinstance(raw, (list, tuple)) and raw else [raw]),
    WithJsonSchema({"anyOf": [_ONE_PROOF, {"type": "array", "items": _ONE_PROOF, "minItems": 1}]}),
]


class Fact(Model):
    """One fact, with a value for each language and the sources that carry it."""

    id: SkipJsonSchema[str] = ""
    file: SkipJsonSchema[str] = ""
    kind: Literal[_Text, _Code] = "text"
    values: Both = Field(alias="value")
    sources: Sources = Field(alias="source")
    versions: Range | None = Field(
        None, description='text in quotes, releases with their ends: "1.20", "1.21–1.23", "1.24–", "–1.23"'
    )
    proofs: Proofs = Field((), alias="proof")
    verified: StrictBool = True
    note: Both | None = None
    #: Whose flag or release it is, who listens on the socket, who prints the message.
    component: Both | None = None
    #: What is spoken on a socket.
    protocol: Both | None = None
    #: The release from which a flag is deprecated.
    deprecated: str | None = Field(None, description="text in quotes, the first release that marks the flag")

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Fact:
        """See that a fact has what its kind needs, and nothing that only others have."""
        for key, kinds in _ONLY.items():
            if getattr(self, key) is not None and self.kind not in kinds:
                raise ValueError(f"a {self.kind} has no `{key}`, only {', '.join(kinds)}")
        for key, kinds in _NEEDED.items():
            if self.kind in kinds and getattr(self, key) is None:
                raise ValueError(f"a {self.kind} needs `{key}`: the table of its kind shows it")
        if self.kind == "date":
            for value in self.values.values():
                spell_date(value, "en")
        if self.deprecated and not releases.is_within(releases.release(self.deprecated), self.versions):
            raise ValueError(f"was deprecated in {self.deprecated}, but exists in {self.versions} only")
        return self

    @property
    def is_code(self) -> bool:
        """Tell whether the value is something one types or reads on a terminal."""
        return self.kind in CODE_KINDS and len(set(self.values.values())) == 1

    def value(self, lang: str) -> str:
        """Give the value as a reader of this language writes it; dates are spelt out."""
        raw = self.values[lang]
        return spell_date(raw, lang) if self.kind == "date" else raw


#: What a file of facts holds, for the JSON Schema.
Facts = dict[Annotated[str, StringConstraints(pattern=_ID)], Fact]


def spell_date(iso: str, lang: str) -> str:
    """Spell an ISO date, with or without its day, in English or Chinese.

    Raises:
        ValueError: not a date, or no date of the calendar.
    """
    match = _DATE.fullmatch(iso)
    if match is None:
        raise ValueError(f"'{iso}' is not a date; write 2020-12-08 or 2020-12")
    year, month, day = int(match[1]), int(match[2]), int(match[3] or 1)
    datetime.date(year, month, day)
    if lang == "zh":
        return f"{year} 年 {month} 月" + (f" {day} 日" if match[3] else "")
    return (f"{day} " if match[3] else "") + f"{_MONTHS[month - 1]} {year}"


def spell_versions(versions: str, lang: str) -> str:
    """Say for which releases a fact holds: `1.20`, `1.21–1.23`, and open `1.24–` or `–1.23`."""
    if versions.startswith("–"):
        return f"至 {versions[1:]} 为止" if lang == "zh" else f"holds up to {versions[1:]}"
    if versions.endswith("–"):
        return f"自 {versions[:-1]} 起" if lang == "zh" else f"holds from {versions[:-1]} on"
    return f"适用于 {versions}" if lang == "zh" else f"holds for {versions}"


def load(folder: Path) -> dict[str, Fact]:
    """Read every fact below a folder.

    Raises:
        FactError: a file is not a mapping, or a fact breaks the schema, or an id is used twice.
    """
    facts: dict[str, Fact] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name in NOT_FACTS:
            continue
        file = File(folder, path.name)
        for fact_id, raw in file.mapping("ids to facts").items():
            if not re.match(_ID, fact_id):
                raise file.wrong("an id is small letters, digits, dots and hyphens", fact_id, fact_id)
            if fact_id in facts:
                raise file.wrong(f"is already written in {facts[fact_id].file}", fact_id, fact_id)
            if isinstance(raw, dict) and (own := sorted({"id", "file"} & set(raw))):
                raise file.wrong(f"unknown key {own[0]!r}", fact_id, fact_id, own[0])
            read = file.read(Fact, raw, fact_id, fact_id)
            facts[fact_id] = read.model_copy(update={"id": fact_id, "file": path.name})
    return facts


def plain(text: str, facts: Mapping[str, Fact], lang: str) -> str:
    """Write a text as a terminal shows it: values in place of references to them, code without its marks.

    Raises:
        KeyError: there is no such fact.
    """
    return REFERENCE.sub(lambda match: facts[match["id"]].value(lang), text).replace("`", "")
