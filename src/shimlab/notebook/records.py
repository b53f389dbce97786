"""What notebooks keep for the site: records as JSON in notebooks/records, from which its diagrams are drawn.

A record is written when the notebooks are recorded, and compared with what is seen at every other time. So a diagram
shows what a notebook saw, and a lab on which something else is seen turns that notebook red.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shimlab import paths, settings
from shimlab.errors import LabError
from shimlab.evidence import plain

#: Set by src/shimlab/notebook/runs/record.py: write what is seen, whatever was kept before.
WRITE = settings.KEEP_RECORDS.name


def keep(name: str, seen: Any) -> str:  # noqa: ANN401 - records in, JSON out
    """Keep what was seen under a name, or see that it is what was kept; return one sentence that says so.

    What is seen must be the same on every run: without ids, addresses and times.

    Raises:
        LabError: something else was kept, or nothing; the message names the first difference.
    """
    path, now = folder() / f"{name}.json", plain(seen)
    if settings.KEEP_RECORDS.value():
        path.parent.mkdir(exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(now, indent=1, ensure_ascii=False) + "\n", "utf-8")
        fresh.replace(path)
    if difference := first_difference(read(name), now):
        raise LabError(
            f"notebooks/records/{path.name} holds something else {difference}",
            "if what is seen now is right, record again: `./run notebooks -- --update`",
        )
    return f"as kept in notebooks/records/{path.name}"


def read(name: str) -> Any:  # noqa: ANN401 - JSON
    """Return what was kept under a name.

    Raises:
        LabError: nothing was.
    """
    path = folder() / f"{name}.json"
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise LabError(
            f"{path} cannot be read ({error})", "record it: `./run notebooks -- --update`"
        ) from error


def folder() -> Path:
    """Return the folder of the records, in the checkout that the lab was built from."""
    return paths.repository() / "notebooks" / "records"


def first_difference(kept: Any, seen: Any, where: str = "") -> str:  # noqa: ANN401 - JSON
    """Say where two JSON values differ first, with both values there; nothing if they are the same."""
    if isinstance(kept, dict) and isinstance(seen, dict):
        for key in dict.fromkeys([*kept, *seen]):
            at = f"{where}.{key}".lstrip(".")
            if key not in kept or key not in seen:
                return f"at {at}: it is {'not kept' if key in seen else 'kept'}, and {'seen' if key in seen else 'not'}"
            if found := first_difference(kept[key], seen[key], at):
                return found
        return ""
    if isinstance(kept, list) and isinstance(seen, list) and len(kept) == len(seen):
        pairs = enumerate(zip(kept, seen, strict=True))
        inside = (first_difference(one, other, f"{where}[{index}]") for index, (one, other) in pairs)
        return next(filter(None, inside), "")
    if kept == seen and type(kept) is type(seen):
        return ""
    return f"at {where or 'the top'}: {_short(kept)}, and {_short(seen)} is seen"


def _short(value: Any) -> str:  # noqa: ANN401 - JSON
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:79]}…"
