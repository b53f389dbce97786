"""Flags over the releases of Kubernetes: in which each is there, deprecated, gone.

Each cell is a shape for the eye and a word for everybody else; no colour is needed to read it. A flag is the kubelet's
where nobody else is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set

from shimfacts import releases
from shimfacts.model import Fact
from shimsite.references import escape, unverified
from shimsite.tables import writer

#: From the release that deprecated dockershim to the one without the last of its flags; then the lab's newest kubelet.
RELEASES = tuple(f"1.{minor}" for minor in range(20, 28))
TODAY = "k8s-lab-today"
KUBELET = "kubelet"
SHAPES = {"there": "●", "deprecated": "◐", "gone": "○", "not-yet": "–"}
LOOKS = {"there": "is-good", "deprecated": "is-ending", "gone": "is-gone", "not-yet": "is-gone"}
WORDS = {
    "en": {
        "flag": "Flag",
        "there": "there",
        "deprecated": "there, deprecated",
        "gone": "gone",
        "not-yet": "not yet there",
    },
    "zh": {
        "flag": "标志",
        "there": "可用",
        "deprecated": "可用，已弃用",
        "gone": "已移除",
        "not-yet": "尚未出现",
    },
}


def state(fact: Fact, when: str) -> str:
    """Tell what a flag was in a release: there, deprecated, gone, or not yet there."""
    release = releases.release(when)
    if releases.is_before(release, fact.versions):
        return "not-yet"
    if releases.is_after(release, fact.versions):
        return "gone"
    return "deprecated" if fact.deprecated and release >= releases.release(fact.deprecated) else "there"


def matrix(flags: Iterable[Fact], today: Fact | None, lang: str, sources: Callable[[Fact], str]) -> str:
    """Make the matrix, a row for each flag with its id as the anchor, and the key to its shapes above."""
    words = WORDS[lang]
    columns = [*RELEASES, *([_minor(today)] if today else [])]
    rows, seen = [], set()
    for fact in flags:
        states = [state(fact, when) for when in columns]
        seen |= set(states)
        whose = writer.plain(fact.component, lang)
        name = writer.lines_of(
            f"<code>{escape(fact.value(lang))}</code>{unverified(fact, lang)}",
            "" if whose == KUBELET else whose,
            writer.small(writer.plain(fact.note, lang)),
            writer.small(sources(fact), searched=False),
        )
        rows.append(writer.Row(fact.id, (name, *(_cell(each, lang) for each in states))))
    return f"{_key(seen, lang)}\n\n{writer.table('matrix', (words['flag'], *columns), rows, lang)}"


def _minor(today: Fact) -> str:
    return ".".join(today.value("en").split(".")[:2])


def _cell(state: str, lang: str) -> writer.Cell:
    shape = f'<span aria-hidden="true">{SHAPES[state]}</span>'
    return writer.Cell(f'{shape}<span class="unseen">{WORDS[lang][state]}</span>', LOOKS[state])


def _key(seen: Set[str], lang: str) -> str:
    """Say what the shapes mean that the matrix has."""
    said = [f"{SHAPES[state]} {WORDS[lang][state]}" for state in SHAPES if state in seen]
    return f'<p class="key">{" &ensp; ".join(said)}</p>'
