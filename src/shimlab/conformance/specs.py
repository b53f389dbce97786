"""The chosen specs of a release: lab/conformance/<minor>/specs, and the images that they start: …/images."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from shimlab import paths
from shimlab.errors import LabError

# A focus is matched against the suite's description, the name of the container of everything, and the spec's name
# (Ginkgo 1.11, internal/spec/specs.go).
_SUITE = r"Kubernetes e2e suite \[Top Level\]"
EVERY_RUNTIME = "any"
# What a regular expression of Go's gives a meaning to (RE2); Python's own escapes more, which RE2 refuses.
_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")
_KNOWN = re.compile(r'\s+may fail on (?P<runtime>[a-z-]+) with "(?P<saying>[^"]+)": (?P<why>\S.*)')


@dataclass(frozen=True)
class Known:
    """A failure that is explained: on which runtime, by which words in its message it is known, and why it happens."""

    runtime: str
    saying: str
    why: str


@dataclass(frozen=True)
class Spec:
    """One spec: its exact name, and the failures of it that are explained."""

    name: str
    known: tuple[Known, ...] = ()

    def explained(self, runtime: str, failure: str) -> str:
        """Return why it failed with this message on a runtime; empty if nothing explains that."""
        for known in self.known:
            if known.runtime in (runtime, EVERY_RUNTIME) and known.saying in failure:
                return known.why
        return ""


def folder() -> Path:
    """Return the folder that holds a folder for each release."""
    return paths.repository() / "lab" / "conformance"


def releases() -> list[str]:
    """Return the releases that specs were chosen for."""
    return sorted(path.parent.name for path in folder().glob("*/specs"))


def load(minor: str) -> tuple[Spec, ...]:
    """Read the chosen specs of a release.

    A line is a spec's name; an indented one below it, `may fail on RUNTIME with "WORDS": why`, explains a failure.

    Raises:
        LabError: nobody has chosen specs for that release, or a line is not understood.
    """
    file = _file(minor, "specs")
    found: list[Spec] = []
    for number, line in _lines(file):
        if not line[0].isspace():
            found.append(Spec(line))
            continue
        known = _KNOWN.fullmatch(line)
        if known is None or not found:
            raise LabError(
                f'{file}:{number} is not `may fail on RUNTIME with "WORDS": why` below a spec', _README
            )
        last = found.pop()
        found.append(Spec(last.name, (*last.known, Known(**known.groupdict()))))
    names = [spec.name for spec in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise LabError(f"{file} names a spec twice: {twice[0]}", "take one of them out")
    return tuple(found)


def images(minor: str) -> dict[str, str]:
    """Return what is behind each image that the specs ask for, by the name that they ask for.

    That is a target of lab/conformance/Dockerfile, or of lab/node/Dockerfile: the node holds that one already.

    Raises:
        LabError: nobody has chosen specs for that release, or a line is not understood.
    """
    file = _file(minor, "images")
    found = {}
    for number, line in _lines(file):
        words = line.split()
        if len(words) != 2:
            raise LabError(f"{file}:{number} is not `target name-and-tag`", _README)
        found[words[1]] = words[0]
    return found


def focus(chosen: tuple[Spec, ...]) -> str:
    """Return the regular expression, in Go's dialect, that these specs match and no other."""
    names = "|".join(_SPECIAL.sub(r"\\\1", spec.name) for spec in chosen)
    return f"^{_SUITE} ({names})$"


_README = "see lab/conformance/README.md"


def _file(minor: str, name: str) -> Path:
    file = folder() / minor / name
    if not file.is_file():
        raise LabError(
            f"there are no conformance tests for Kubernetes {minor}",
            f"choose one of: {', '.join(releases())}",
        )
    return file


def _lines(file: Path) -> list[tuple[int, str]]:
    lines = enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
    return [(number, line) for number, line in lines if line.strip() and not line.startswith("#")]
