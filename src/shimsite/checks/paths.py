"""Check of the files that prose names: each is there, so that a renamed one is renamed in words too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

#: Folders of a repository that prose names files of.
FOLDERS = (
    "bench",
    "docs",
    "facts",
    "lab",
    "notebooks",
    "overrides",
    "requirements",
    "snippets",
    "src",
    "tests",
)
_NAMED = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]+)`")
#: A name that stands for any: NAME, NN, MINOR.
_ANY = re.compile(r"[A-Z]{2,}")


def problems(root: Path) -> Iterator[str]:
    """Tell which files the pages, the readme and the guide for contributors name although they are not there."""
    for page in [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]:
        for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
            for name in _NAMED.findall(line):
                if not _ANY.search(Path(name).name) and not (root / name).exists():
                    yield f"{page.relative_to(root)}:{number}: names {name}, which is not there"
