"""Facts: dates, versions, flags, sockets and messages, written once with their sources.

`facts/*.yaml` maps an id to what is known; pages and prose cells refer to it with
`{{ fact("id") }}`. This module reads and checks the data, `fact_refs` puts it into text.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from shimfacts import releases, yaml_files

LANGUAGES = ("en", "zh")
#: What a value may be. CODE_KINDS are shown as code, a name only where it is the same in both languages.
TEXT_KINDS = ("text", "date", "version", "link")
CODE_KINDS = ("flag", "socket", "message", "name", "path", "command", "field")
KINDS = TEXT_KINDS + CODE_KINDS

_ID = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")
_DATE = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_KEYS = {"value", "kind", "versions", "source", "proof", "verified", "note"}
#: Keys that only facts of some kinds may have, and those that the table of a kind cannot do without.
_ONLY = {
    "component": ("flag", "socket", "message", "version"),
    "protocol": ("socket",),
    "deprecated": ("flag",),
}
_NEEDED = {"component": ("flag", "socket", "message"), "protocol": ("socket",)}


class FactError(ValueError):
    """A fact that cannot be used; says the file, the id and what is wrong with it."""

    def __init__(self, file: str, fact_id: str, what: str) -> None:
        """Say which fact of which file is wrong, and how."""
        super().__init__(f"{file}: {fact_id}: {what}" if fact_id else f"{file}: {what}")


@dataclass(frozen=True)
class Source:
    """Where a fact can be read in the words of those who made it true."""

    title: str
    url: str


@dataclass(frozen=True)
class Fact:
    """One fact, with a value for each language and the sources that carry it."""

    id: str
    file: str
    kind: str
    values: Mapping[str, str]
    sources: tuple[Source, ...]
    versions: str | None = None
    proof: str | None = None
    verified: bool = True
    note: Mapping[str, str] | None = None
    #: Whose flag or release it is, who listens on the socket, who prints the message.
    component: Mapping[str, str] | None = None
    #: What is spoken on a socket.
    protocol: Mapping[str, str] | None = None
    #: The release from which a flag is deprecated.
    deprecated: str | None = None

    @property
    def is_code(self) -> bool:
        """Tell whether the value is something one types or reads on a terminal."""
        return self.kind in CODE_KINDS and len(set(self.values.values())) == 1

    def value(self, lang: str) -> str:
        """Give the value as a reader of this language writes it; dates are spelt out."""
        raw = self.values[lang]
        return spell_date(raw, lang) if self.kind == "date" else raw


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
        data = read(folder, path.name)
        if not isinstance(data, dict):
            raise FactError(path.name, "", "is not a mapping of ids to facts")
        for fact_id, raw in data.items():
            fact = _fact(path.name, str(fact_id), raw)
            if fact.id in facts:
                raise FactError(path.name, fact.id, f"is already written in {facts[fact.id].file}")
            facts[fact.id] = fact
    return facts


def read(folder: Path, name: str) -> Any:  # noqa: ANN401 - whatever the YAML holds
    """Read a file of facts, or of a table, below the folder of facts; an empty one holds an empty mapping.

    Raises:
        FactError: it is not YAML, or a key stands twice in a mapping.
    """
    try:
        return yaml_files.load(folder / name) or {}
    except yaml.YAMLError as error:
        raise FactError(name, "", f"cannot be read: {error}") from error


def _fact(file: str, fact_id: str, raw: Any) -> Fact:  # noqa: ANN401 - whatever the YAML holds
    """Check one entry and make a fact of it."""

    def wrong(what: str) -> FactError:
        return FactError(file, fact_id, what)

    if not _ID.fullmatch(fact_id):
        raise wrong("an id is small letters, digits, dots and hyphens")
    if not isinstance(raw, dict):
        raise wrong("is not a mapping with `value` and `source`")
    kind = raw.get("kind", "text")
    if kind not in KINDS:
        raise wrong(f"unknown kind {kind!r}; there are {', '.join(KINDS)}")
    keys = _KEYS | {key for key, kinds in _ONLY.items() if kind in kinds}
    if unknown := sorted(set(raw) - keys):
        raise wrong(f"unknown key {', '.join(map(repr, unknown))}; a {kind} has {', '.join(sorted(keys))}")
    for key, kinds in _NEEDED.items():
        if kind in kinds and key not in raw:
            raise wrong(f"a {kind} needs `{key}`: the table of its kind shows it")
    values = by_language(raw.get("value"), wrong, "value")
    if kind == "date":
        for value in values.values():
            try:
                spell_date(value, "en")
            except ValueError as error:
                raise wrong(str(error)) from error
    for key in ("versions", "proof", "deprecated"):
        if raw.get(key) is not None and (not isinstance(raw[key], str) or not raw[key].strip()):
            raise wrong(f"`{key}` is text in quotes")
    try:
        _check_releases(raw.get("versions"), raw.get("deprecated"))
    except ValueError as error:
        raise wrong(str(error)) from error
    if not isinstance(raw.get("verified", True), bool):
        raise wrong("`verified` is true or false")

    def optional(key: str) -> dict[str, str] | None:
        return None if raw.get(key) is None else by_language(raw[key], wrong, key)

    return Fact(
        id=fact_id,
        file=file,
        kind=kind,
        values=values,
        sources=sources(raw.get("source"), wrong),
        versions=raw.get("versions"),
        proof=raw.get("proof"),
        verified=raw.get("verified", True),
        note=optional("note"),
        component=optional("component"),
        protocol=optional("protocol"),
        deprecated=raw.get("deprecated"),
    )


def _check_releases(versions: str | None, deprecated: str | None) -> None:
    """See that a range of releases is one, and that a flag was deprecated while it existed.

    Raises:
        ValueError: it is not; says both.
    """
    if versions:
        releases.ends(versions)
    if deprecated and not releases.is_within(releases.release(deprecated), versions):
        raise ValueError(f"was deprecated in {deprecated}, but exists in {versions} only")


def by_language(raw: Any, wrong: Any, key: str) -> dict[str, str]:  # noqa: ANN401
    """Accept one text for both languages, a date, or one text for each language."""
    if isinstance(raw, datetime.date):
        raw = raw.isoformat()
    if isinstance(raw, (int, float)):
        raise wrong(f"`{key}` is a bare number, which YAML shortens (1.20 becomes 1.2): put it in quotes")
    if isinstance(raw, str):
        raw = dict.fromkeys(LANGUAGES, raw)
    if not isinstance(raw, dict) or set(raw) != set(LANGUAGES):
        raise wrong(f"`{key}` is a text, or a mapping with exactly {' and '.join(LANGUAGES)}")
    texts = {lang: raw[lang] for lang in LANGUAGES}
    if not all(isinstance(text, str) and text.strip() for text in texts.values()):
        raise wrong(f"`{key}` is empty or not text")
    return {lang: text.strip() for lang, text in texts.items()}


def lines(raw: Any, wrong: Any, key: str) -> dict[str, str]:  # noqa: ANN401
    """Accept one line for each language, as a row of a table or of a list has room for."""
    if not isinstance(raw, dict):
        raise wrong(f"`{key}` is a mapping with exactly {' and '.join(LANGUAGES)}")
    texts = by_language(raw, wrong, key)
    if any("\n" in text for text in texts.values()):
        raise wrong(f"`{key}` is one line in each language")
    return texts


def sources(raw: Any, wrong: Any) -> tuple[Source, ...]:  # noqa: ANN401
    """Check the list of sources."""
    if not isinstance(raw, list) or not raw:
        raise wrong("`source` is a list of at least one {title, url}")
    sources = []
    for entry in raw:
        if not isinstance(entry, dict) or set(entry) != {"title", "url"}:
            raise wrong("each source has exactly `title` and `url`")
        title, url = entry["title"], entry["url"]
        if not isinstance(title, str) or not title.strip():
            raise wrong("a source has no title")
        if not isinstance(url, str) or not re.match(r"https://[^\s/]+", url):
            raise wrong(f"a source's url begins with https://, not {url!r}")
        sources.append(Source(title.strip(), url.strip()))
    return tuple(sources)
