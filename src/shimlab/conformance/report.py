"""What the tests' program reported (JUnit XML, one file for each of its processes), held against the chosen specs."""

from __future__ import annotations

import enum
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shimlab.conformance.specs import Spec
from shimlab.errors import LabError

FILES = "junit_*.xml"
# Ginkgo says where a failure is in whole paths and over many lines; its words are what is wanted.
_PLACE = re.compile(r"^/?\S+\.go:\d+$")
# How much of them is shown.
_WORDS = 300


class Outcome(enum.Enum):
    """What became of a spec."""

    PASSED = "passed"
    EXPLAINED = "failed, as explained"
    FAILED = "failed"
    MISSING = "did not run"

    @property
    def fine(self) -> bool:
        """Tell whether it is as the list says."""
        return self in (Outcome.PASSED, Outcome.EXPLAINED)


@dataclass(frozen=True)
class Result:
    """What one test case of a report says; ``failure`` is empty if it passed, ``seconds`` is how long it ran."""

    name: str
    seconds: float
    failure: str


@dataclass(frozen=True)
class Verdict:
    """A chosen spec, or something that failed beside them, and what became of it on a node."""

    name: str
    outcome: Outcome
    seconds: float = 0.0
    why: str = ""


def read(folder: Path) -> list[Result]:
    """Return what ran, in the order of the reports; what was skipped is left out.

    Raises:
        LabError: there is no report, or it cannot be read.
    """
    files = sorted(folder.rglob(FILES))
    if not files:
        raise LabError("the tests' program left no report", "its log says how far it came")
    found = []
    for file in files:
        try:
            # Written by a program of ours that was built from pinned sources, not by a stranger.
            cases = list(ElementTree.parse(file).iter("testcase"))  # noqa: S314
        except ElementTree.ParseError as error:
            raise LabError(f"{file.name} is not whole: {error}", "run the tests again") from error
        for case in cases:
            if case.find("skipped") is not None:
                continue
            failure = case.find("failure")
            words = "" if failure is None else (_told(failure.text or "") or "it did not say why")
            found.append(Result(case.get("name", ""), float(case.get("time", 0)), words))
    return found


def judge(chosen: Sequence[Spec], results: Iterable[Result], runtime: str) -> list[Verdict]:
    """Say of each chosen spec, in the list's order, what became of it on a runtime.

    What failed and is no spec of the list, such as the suite's own preparation, comes last.
    """
    ran = {result.name: result for result in results}
    verdicts = []
    for spec in chosen:
        result = ran.pop(spec.name, None)
        if result is None:
            verdicts.append(Verdict(spec.name, Outcome.MISSING))
            continue
        why, outcome = "", Outcome.PASSED
        if result.failure:
            why = spec.explained(runtime, result.failure)
            outcome = Outcome.EXPLAINED if why else Outcome.FAILED
        verdicts.append(Verdict(spec.name, outcome, result.seconds, why or result.failure[:_WORDS]))
    verdicts += [
        Verdict(result.name, Outcome.FAILED, result.seconds, result.failure[:_WORDS])
        for result in ran.values()
        if result.failure
    ]
    return verdicts


def _told(text: str) -> str:
    """Return the words of a failure in one line, without the places in the source."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return " ".join(line for line in lines if line and not _PLACE.match(line))
