"""What is known of proofs: how each cell, test and snippet ended when it last ran, on which day and on which lab.

Two ledgers of the same shape say so, an entry for each proof. `facts/outcomes.json` is committed and holds what
passed: cells are written into it when they are recorded, tests and snippets when they are kept. `.cache/outcomes.json`
is of this machine alone, and says how its last runs ended. An entry tells of a proof only as long as the proof is the
same: shimfacts.proofs compares the fingerprints.
"""

from __future__ import annotations

import datetime
import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Committed; whatever is in it passed.
KEPT = Path("facts") / "outcomes.json"
#: Of this machine alone.
SEEN = Path(".cache") / "outcomes.json"
PASSED, FAILED, SKIPPED = OUTCOMES = ("passed", "failed", "skipped")
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


class ResultError(ValueError):
    """A ledger that cannot be read; says which, and what is wrong with it."""


@dataclass(frozen=True)
class Result:
    """How a proof ended, on which day (UTC) and on which lab."""

    outcome: str
    date: str
    lab: str


@dataclass(frozen=True)
class Entry(Result):
    """A result with the fingerprint of what ran, those of the facts that it read, and the numbers that it told."""

    fingerprint: str
    facts: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, int] = field(default_factory=dict)


def today() -> str:
    """Give the day as the ledgers write it."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def load(path: Path) -> dict[str, Entry]:
    """Read a ledger; nothing where there is none.

    Raises:
        ResultError: it is not of the shape that `merge` writes.
    """
    if not path.is_file():
        return {}
    where = f"{path.parent.name}/{path.name}"
    try:
        data = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ResultError(f"{where} is not JSON: {error}; remove it, or take it from git again") from error
    if not isinstance(data, dict):
        raise ResultError(f"{where} is no mapping of proofs to outcomes")
    return {name: _entry(f"{where}: {name}", raw) for name, raw in data.items()}


def merge(path: Path, entries: Mapping[str, Entry], gone: Iterable[str] = ()) -> None:
    """Write entries into a ledger, all at once, and take others away; leave the rest as it is.

    Lanes run side by side: while one reads and writes, another waits.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path.parent):
        now = {name: entry for name, entry in load(path).items() if name not in set(gone)} | dict(entries)
        # An entry is a line: two branches that ran different proofs then merge without a conflict.
        lines = [f"{json.dumps(name)}: {json.dumps(_plain(entry))}" for name, entry in sorted(now.items())]
        beside = path.with_suffix(".new")
        beside.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
        beside.replace(path)


def without_days(path: Path) -> str:
    """Tell what a ledger holds, but for days and labs; the file as it is where it cannot be read."""
    try:
        found = load(path)
    except ResultError:
        return path.read_text("utf-8", "replace")
    return json.dumps(
        [[name, each.outcome, each.fingerprint, dict(each.facts)] for name, each in sorted(found.items())]
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _plain(entry: Entry) -> dict[str, Any]:
    plain: dict[str, Any] = {"outcome": entry.outcome, "date": entry.date, "lab": entry.lab}
    plain["print"] = entry.fingerprint
    return plain | {key: dict(value) for key in ("facts", "told") if (value := getattr(entry, key))}


def _entry(where: str, raw: Any) -> Entry:  # noqa: ANN401 - JSON
    """Check one entry of a ledger."""
    keys = {"outcome", "date", "lab", "print"}
    if not isinstance(raw, dict) or not keys <= set(raw) <= keys | {"facts", "told"}:
        raise ResultError(f"{where} has exactly {', '.join(sorted(keys))}, and may have facts and told")
    try:
        datetime.date.fromisoformat(raw["date"])
    except (TypeError, ValueError) as error:
        raise ResultError(f"{where}: {raw['date']!r} is no day of the calendar; write 2026-11-25") from error
    facts, told = raw.get("facts", {}), raw.get("told", {})
    prints = [raw["print"], *(facts.values() if isinstance(facts, dict) else [None])]
    if not all(isinstance(each, str) and _FINGERPRINT.fullmatch(each) for each in prints):
        raise ResultError(f"{where}: a fingerprint is 16 hexadecimal digits")
    if not isinstance(told, dict) or not all(isinstance(each, int) for each in told.values()):
        raise ResultError(f"{where}: what it told is numbers by their names")
    if raw["outcome"] not in OUTCOMES:
        raise ResultError(f"{where}: unknown outcome {raw['outcome']!r}; there are {', '.join(OUTCOMES)}")
    return Entry(raw["outcome"], raw["date"], str(raw["lab"]), raw["print"], facts, told)
