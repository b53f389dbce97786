"""What must hold between facts, declared in `facts/relations.yaml`: a date or a release that was mistyped shows here.

A fact alone cannot tell that 1.23 should have been 1.24; the releases, days, flags and files around it can.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from pydantic import Field

from shimfacts import releases
from shimfacts.model import Fact
from shimfacts.releases import Release
from shimfacts.schema import File, Model

PATH = "relations.yaml"
Ids = tuple[str, ...]


class Relations(Model):
    """What is declared; every name is the id of a fact."""

    #: Days or releases in their order; equal ones may stand side by side.
    order: tuple[Ids, ...] = Field(
        default=(), description="a list of lists of facts, the earlier before the later"
    )
    #: A release, and the minor release just before it.
    follows: Mapping[str, str] = Field(
        default={}, description="a mapping of each release to the one just before it"
    )
    #: A patch release, and its minor release.
    series: Mapping[str, str] = Field(
        default={}, description="a mapping of patch releases to their minor releases"
    )
    begins: Mapping[str, Ids] = Field(
        default={}, description="a mapping of a release to facts whose range begins with it"
    )
    ends: Mapping[str, Ids] = Field(
        default={}, description="a mapping of a release to facts whose range ends with it"
    )
    ends_before: Mapping[str, Ids] = Field(
        default={}, description="a mapping of a release to facts whose range ends with the one just before it"
    )
    deprecates: Mapping[str, Ids] = Field(
        default={}, description="a mapping of a release to the flags it deprecates"
    )
    files: Mapping[str, Ids] = Field(
        default={},
        description="a mapping of releases to lists of PATH: TEXT, what a file says, where {} stands for the release",
    )


def load(folder: Path) -> Relations:
    """Read what is declared; nothing where a repository declares nothing.

    Raises:
        FactError: it is not of that form.
    """
    if not (folder / PATH).is_file():
        return Relations()
    file = File(folder, PATH)
    return file.read(Relations, file.mapping("relations"), "")


def named(relations: Relations) -> set[str]:
    """List the facts whose own value, a day or a release, some relation holds to."""
    found = {name for chain in relations.order for name in chain}
    for pairs in (relations.follows, relations.series):
        found |= {*pairs, *pairs.values()}
    for lists in (
        relations.begins,
        relations.ends,
        relations.ends_before,
        relations.deprecates,
        relations.files,
    ):
        found |= set(lists)
    return found


def ranged(relations: Relations) -> set[str]:
    """List the facts whose range, or the release that deprecates them, some relation holds to."""
    lists = (relations.begins, relations.ends, relations.ends_before, relations.deprecates)
    return {name for each in lists for names in each.values() for name in names}


def problems(root: Path, facts: Mapping[str, Fact]) -> Iterator[str]:
    """Tell which relations do not hold, a line each.

    Raises:
        FactError: what is declared cannot be read.
    """
    declared = load(root / "facts")
    if unknown := sorted((named(declared) | ranged(declared)) - set(facts)):
        yield f"facts/{PATH}: there is no fact {', '.join(unknown)}"
        return
    for what in _broken(declared, facts, root):
        yield f"facts/{PATH}: {what}"


def _broken(declared: Relations, facts: Mapping[str, Fact], root: Path) -> Iterator[str]:
    def said(name: str) -> str:
        return f"{name} ({facts[name].values['en']})"

    def release(name: str) -> Release:
        return releases.release(facts[name].values["en"])

    for chain in declared.order:
        for before, after in pairwise(chain):
            if not _in_order(facts[before], facts[after]):
                yield f"{said(after)} does not come after {said(before)}"
    for after, before in declared.follows.items():
        if release(after) != _next(release(before)):
            yield f"{said(after)} is not the release after {said(before)}"
    for patch, minor in declared.series.items():
        if release(patch)[:-1] != release(minor) or len(release(patch)) < 3:
            yield f"{said(patch)} is no patch release of {said(minor)}"
    for first, names in declared.begins.items():
        for name in names:
            if _ends(facts[name])[0] != release(first):
                yield f"{name} holds for {facts[name].versions}, which does not begin with {said(first)}"
    for last, names in declared.ends.items():
        for name in names:
            if _ends(facts[name])[1] != release(last):
                yield f"{name} holds for {facts[name].versions}, which does not end with {said(last)}"
    for gone, names in declared.ends_before.items():
        for name in names:
            last_ = _ends(facts[name])[1]
            if last_ is None or _next(last_) != release(gone):
                yield f"{name} holds for {facts[name].versions}, which does not end just before {said(gone)}"
    for marks, names in declared.deprecates.items():
        for name in names:
            if facts[name].deprecated != facts[marks].values["en"]:
                yield f"{name} is deprecated in {facts[name].deprecated}, not in {said(marks)}"
    for name, lines in declared.files.items():
        for line in lines:
            path, _, text = line.partition(": ")
            wanted = text.replace("{}", facts[name].values["en"])
            file = root / path
            if not file.is_file():
                yield f"{name}: there is no {path}"
            # Whole: 1.20.1 does not stand in 1.20.15.
            elif not re.search(rf"(?<![\w.]){re.escape(wanted)}(?!\w|\.\d)", file.read_text("utf-8")):
                yield f"{said(name)}: {path} does not say '{wanted}'"


def _next(release: Release) -> Release:
    return (*release[:-1], release[-1] + 1)


def _ends(fact: Fact) -> tuple[Release | None, Release | None]:
    return releases.ends(fact.versions) if fact.versions else (None, None)


def _in_order(before: Fact, after: Fact) -> bool:
    earlier, later = before.values["en"], after.values["en"]
    if before.kind == after.kind == "date":
        # A month and a day in it may stand in either order.
        return earlier[: len(later)] <= later[: len(earlier)]
    return releases.release(earlier) <= releases.release(later)
