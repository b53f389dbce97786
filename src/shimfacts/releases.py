"""Ranges of releases as facts give them: `1.20`, `1.21–1.23`, and open `1.24–` or `–1.23`; ends belong to them."""

from __future__ import annotations

import re

_RELEASE = r"\d+(?:\.\d+)+"
_RANGE = re.compile(rf"(?P<only>{_RELEASE})|(?P<first>{_RELEASE})?–(?P<last>{_RELEASE})?")

Release = tuple[int, ...]


def release(text: str) -> Release:
    """Read a release, `1.20` or `1.20.15`.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch(_RELEASE, text):
        raise ValueError(f"{text!r} is no release; write 1.20")
    return tuple(int(part) for part in text.split("."))


def ends(versions: str) -> tuple[Release | None, Release | None]:
    """Read a range: its first and its last release, None for an open end.

    Raises:
        ValueError: it is none, or ends before it begins.
    """
    match = _RANGE.fullmatch(versions)
    if match is None or versions == "–":
        raise ValueError(f"{versions!r} is no range of releases; write 1.20, 1.21–1.23, 1.24– or –1.23")
    if match["only"]:
        return release(match["only"]), release(match["only"])
    first, last = (release(match[end]) if match[end] else None for end in ("first", "last"))
    if first and last and last < first:
        raise ValueError(f"{versions!r} ends before it begins")
    return first, last


def is_before(when: Release, versions: str | None) -> bool:
    """Tell whether a release came before all of a range."""
    first, _ = ends(versions) if versions else (None, None)
    return first is not None and when < first[: len(when)]


def is_after(when: Release, versions: str | None) -> bool:
    """Tell whether a release came after all of a range."""
    _, last = ends(versions) if versions else (None, None)
    return last is not None and when[: len(last)] > last


def is_within(when: Release, versions: str | None) -> bool:
    """Tell whether a range, or no range at all, holds a release; a minor release stands for all its patches."""
    return not is_before(when, versions) and not is_after(when, versions)
