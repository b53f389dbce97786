"""What pages include from snippets/, and how a scenario is written: its head, and its sections.

A scenario is ``snippets/scenarios/NAME.sh``, a script that an operator runs as it is. Pages show it section by section;
a section lies between the marks that pymdownx knows, ``# --8<-- [start:NAME]`` and ``# --8<-- [end:NAME]``. What each
section prints lies in ``NAME.out`` beside it, between the same marks.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

SCENARIOS = "snippets/scenarios"
SHEBANG = "#!/bin/bash"
STRICT = "set -euo pipefail"
SET_UP, CLEAN_UP = "set-up", "clean-up"
#: How long a section may take, in seconds, where the head says nothing.
SECONDS = 60

_INCLUDE = re.compile(r'^[ \t]*-+8<-+[ \t]+"(?P<path>[^":]+)(?::(?P<section>[^"]+))?"[ \t]*$')
_MARK = re.compile(r"^[ \t]*# --8<-- \[(?P<edge>start|end):(?P<name>[a-z][a-z0-9-]*)\]$")
_LIKE_A_MARK = re.compile(r"-8<-")
_KEY = re.compile(r"^# (?P<key>[a-z]+(?:-[a-z]+)*): *(?P<value>.*)$")
_KEYS = ("labs", "nodes", "changes", "seconds", "shown")
_NODE = re.compile(r"(?P<variable>[A-Z][A-Z0-9_]*)=(?P<runtime>[a-z-]+)")
_TRAP = re.compile(r"^trap \S.* EXIT$")


@dataclass(frozen=True)
class Include:
    """A page's line that includes a file of snippets/: the file as written there, its section or "", the line."""

    path: str
    section: str
    line: int


@dataclass(frozen=True)
class Section:
    """One section of a file, as a page shows it, and the line that it begins on."""

    name: str
    text: str
    line: int


@dataclass(frozen=True)
class Scenario:
    """A scenario as it lies in the repository."""

    path: Path
    #: What it is about: the first lines of its head.
    purpose: str
    #: The labs that it runs on.
    labs: tuple[str, ...]
    #: The workers that it needs: the variable that names one, and the runtime that this one is on.
    nodes: Mapping[str, str]
    #: What it changes, in words.
    changes: str
    #: How long a section may take, in seconds.
    seconds: int
    #: Which of set-up and clean-up pages may show.
    shown: tuple[str, ...]
    #: Its sections as they run: the clean-up is the last, wherever it is written.
    sections: tuple[Section, ...]

    @property
    def expected(self) -> Path:
        """The file with what its sections print."""
        return self.path.with_suffix(".out")

    @property
    def to_show(self) -> tuple[str, ...]:
        """The sections that readers have to see."""
        return tuple(
            each.name
            for each in self.sections
            if each.name not in (SET_UP, CLEAN_UP) or each.name in self.shown
        )


class _Keys(TypedDict):
    """What the head of a scenario says."""

    labs: tuple[str, ...]
    nodes: dict[str, str]
    changes: str
    seconds: int
    shown: tuple[str, ...]


def include(line: str, number: int = 0) -> Include | None:
    """Read one line of a page; None if it includes nothing."""
    found = _INCLUDE.match(line)
    return Include(found["path"], found["section"] or "", number) if found else None


def includes(text: str) -> list[Include]:
    """List what a text includes, in order."""
    found = (include(line, number) for number, line in enumerate(text.splitlines(), 1))
    return [each for each in found if each]


def mark(line: str) -> tuple[str, str] | None:
    """Read a line that begins or ends a section: ``start`` or ``end``, and the name."""
    found = _MARK.match(line)
    return (found["edge"], found["name"]) if found else None


def sections(path: Path) -> list[Section]:
    """List the sections of a file, as they stand there.

    Raises:
        ValueError: a mark is not understood, or has no partner, or a name stands twice; says in which line.
    """
    found: list[Section] = []
    opened: tuple[str, int] | None = None
    lines: list[str] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        edge = mark(line)
        if edge is None:
            if _LIKE_A_MARK.search(line):
                raise _wrong(path, number, "a mark is written # --8<-- [start:NAME] or # --8<-- [end:NAME]")
            lines.append(line)
        elif edge[0] == "start":
            if opened:
                raise _wrong(path, number, f"the section {opened[0]} of line {opened[1]} has not ended")
            if edge[1] in [each.name for each in found]:
                raise _wrong(path, number, f"there are two sections {edge[1]}")
            opened, lines = (edge[1], number), []
        else:
            if opened is None or opened[0] != edge[1]:
                raise _wrong(path, number, f"the section {edge[1]} has not begun")
            found.append(Section(edge[1], textwrap.dedent("".join(f"{each}\n" for each in lines)), opened[1]))
            opened = None
    if opened:
        raise _wrong(path, opened[1], f"the section {opened[0]} does not end")
    return found


def scenario_files(root: Path) -> list[Path]:
    """List the scenarios of a repository."""
    return sorted((root / SCENARIOS).glob("*.sh"))


def scenario(path: Path) -> Scenario:
    """Read a scenario.

    Raises:
        ValueError: it is not written as a scenario is; one line, with file and line.
    """
    lines = path.read_text("utf-8").splitlines()
    if lines[:1] != [SHEBANG]:
        raise _wrong(path, 1, f"a scenario begins with {SHEBANG}")
    purpose, keys = _head(path, lines)
    there = sections(path)
    names = [each.name for each in there]
    for wanted in (SET_UP, CLEAN_UP):
        if wanted not in names:
            raise _wrong(path, 1, f"a scenario has a section {wanted}")
    steps = [each for each in there if each.name != CLEAN_UP]
    if len(steps) == 1:
        raise _wrong(path, 1, "there is no section beside set-up and clean-up")
    before = lines[: steps[0].line - 1]
    if STRICT not in before:
        raise _wrong(path, steps[0].line, f"`{STRICT}` stands above the first section")
    if not any(_TRAP.match(line) for line in lines[: _named(there, SET_UP).line - 1]):
        raise _wrong(
            path, _named(there, SET_UP).line, "the clean-up is set above the set-up: `trap clean_up EXIT`"
        )
    return Scenario(path, purpose, sections=(*steps, _named(there, CLEAN_UP)), **keys)


def outputs(path: Path) -> dict[str, str]:
    """Read what the sections of a scenario print, from ``NAME.out``.

    Raises:
        ValueError: as ``sections`` says.
    """
    text = path.read_text("utf-8").splitlines()
    return {
        # Not dedented: what is compared is what was printed.
        each.name: "".join(f"{line}\n" for line in text[each.line : each.line + len(each.text.splitlines())])
        for each in sections(path)
    }


def with_marks(printed: Mapping[str, str]) -> str:
    """Write what the sections print as ``NAME.out`` keeps it.

    Raises:
        ValueError: a section prints what would be read as a mark.
    """
    for name, text in printed.items():
        if _LIKE_A_MARK.search(text):
            raise ValueError(f"the section {name} prints `-8<-`, which pages read as a mark")
    return "\n".join(
        f"# --8<-- [start:{name}]\n{text}# --8<-- [end:{name}]\n" for name, text in printed.items()
    )


def proofs(root: Path) -> Iterator[str]:
    """List the sections of all scenarios by the names under which they are proofs: ``PATH:SECTION``.

    Raises:
        ValueError: as ``scenario`` says.
    """
    for path in scenario_files(root):
        for each in scenario(path).sections:
            yield f"{path.relative_to(root).as_posix()}:{each.name}"


def _head(path: Path, lines: list[str]) -> tuple[str, _Keys]:
    """Read the comment at the top: the purpose, then the keys."""
    purpose: list[str] = []
    told: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(lines[1:], 2):
        if not line.startswith("#"):
            break
        found = _KEY.match(line)
        if found is None:
            if told and line != "#":
                raise _wrong(
                    path, number, f"the keys of the head are last, each `# KEY: …`: {', '.join(_KEYS)}"
                )
            purpose.append(line[2:])
        elif found["key"] not in _KEYS:
            raise _wrong(path, number, f"the head has no key {found['key']}; it has {', '.join(_KEYS)}")
        elif found["key"] in told:
            raise _wrong(path, number, f"{found['key']} stands twice")
        else:
            told[found["key"]] = (found["value"].strip(), number)
    if not any(purpose):
        raise _wrong(path, 2, "the head begins with what the scenario is about")
    for key in ("labs", "changes"):
        if not told.get(key, ("", 0))[0]:
            raise _wrong(path, 2, f"the head does not say `# {key}: …`")
    return " ".join(" ".join(purpose).split()), _typed(path, told)


def _typed(path: Path, told: Mapping[str, tuple[str, int]]) -> _Keys:
    seconds, line = told.get("seconds", (str(SECONDS), 0))
    if not seconds.isdecimal() or int(seconds) == 0:
        raise _wrong(path, line, f"seconds is a whole number, not {seconds}")
    words, line = told.get("nodes", ("", 0))
    nodes: dict[str, str] = {}
    for word in words.split():
        found = _NODE.fullmatch(word)
        if found is None or found["variable"] in nodes:
            raise _wrong(path, line, f"nodes are VARIABLE=RUNTIME, each variable once, not {word}")
        nodes[found["variable"]] = found["runtime"]
    words, line = told.get("shown", ("", 0))
    if wrong := set(words.split()) - {SET_UP, CLEAN_UP}:
        raise _wrong(path, line, f"shown is {SET_UP} or {CLEAN_UP} or both, not {' '.join(sorted(wrong))}")
    return {
        "labs": tuple(told["labs"][0].split()),
        "nodes": nodes,
        "changes": told["changes"][0],
        "seconds": int(seconds),
        "shown": tuple(words.split()),
    }


def _named(there: list[Section], name: str) -> Section:
    return next(each for each in there if each.name == name)


def _wrong(path: Path, line: int, what: str) -> ValueError:
    return ValueError(f"{'/'.join(path.parts[-3:])}:{line}: {what}")
