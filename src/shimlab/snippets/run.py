"""The commands that pages show: which there are, in which order, and what they print.

A snippet is ``snippets/shell/NAME.sh``, its expected output ``NAME.out`` beside it. A snippet has no shebang, for
a page shows it as it is; it runs as ``bash -euo pipefail NAME.sh`` in an empty folder.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shimfacts import snippets
from shimlab.paths import repository

ROOT = repository()
FOLDER = ROOT / "snippets" / "shell"
PAGES = ROOT / "docs" / "en"
SECONDS = 240

#: Snippets that cannot run on the lab, with the reason. Another vendor's cloud would be one; there is none yet.
NOT_RUN: dict[str, str] = {}

#: What an output may vary in: a pattern, and the placeholder that a reader sees in its place. Nothing else is
#: changed, so two outputs that differ in anything but these do not become equal. They are applied in order.
PLACEHOLDERS: list[tuple[str, str]] = [
    # The header of klog, which the kubelet writes: level and month and day, time, PID, source. Level and source stay.
    (
        r"(?m)^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ (?=[\w.]+:\d+\])",
        r"\1<mmdd> <hh:mm:ss.micros> <pid> ",
    ),
    # The column AGE of kubectl, which is its last; a column that is called otherwise stays.
    (r"(?m)(?<=   )(?:\d+[ydhms]){1,2}$", "<age>"),
    # All of a node's containers, however many it has; that some of them did not run on stays to be seen.
    (r"\b(\d+) of \1 containers run on(?!, [1-9])", "<n> of <n> containers run on"),
    # A pod that a controller made, as NAMESPACE/NAME or pod/NAME: the end of its name is random, and what a Deployment
    # puts before it is a hash of the pod's template. Kubernetes takes both from these 27 characters.
    (
        r"(?<![\w./-])([a-z0-9-]+/[a-z0-9-]*?[a-z0-9])(?:-[HASH]{8,10})?-[HASH]{5}(?![\w./-])".replace(
            "HASH", "bcdfghjklmnpqrstvwxz2456789"
        ),
        r"\1-<hash>",
    ),
]

#: What `shimlab` writes to stderr while it works (shimlab.progress): steps and their times, no part of an answer.
_PROGRESS = re.compile(r"(?:[•✓] |  … )")


@dataclass(frozen=True)
class Ran:
    """What a snippet did."""

    status: int
    stdout: str
    stderr: str


def in_page_order() -> list[Path]:
    """List all snippets: as the pages include them from top to bottom, pages by name; then the others by name."""
    seen: dict[str, None] = {}
    for page in sorted(PAGES.rglob("*.md")):
        seen.update(dict.fromkeys(each.path for each in snippets.includes(page.read_text(encoding="utf-8"))))
    there = {f"shell/{path.name}": path for path in sorted(FOLDER.glob("*.sh"))}
    return [there[name] for name in seen if name in there] + [
        path for name, path in there.items() if name not in seen
    ]


def expected(path: Path) -> Path:
    """Return the file with a snippet's expected output."""
    return path.with_suffix(".out")


def normal(text: str) -> str:
    """Put placeholders where an output varies, and end it with one newline."""
    for pattern, placeholder in PLACEHOLDERS:
        text = re.sub(pattern, placeholder, text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def complaints(stderr: str) -> str:
    """Return what came on stderr beside the lab's own progress."""
    return "".join(line for line in stderr.splitlines(keepends=True) if not _PROGRESS.match(line))


def run(path: Path, folder: Path, environment: Mapping[str, str]) -> Ran:
    """Run a snippet as a careful reader would: any failing command ends it.

    Raises:
        TimeoutExpired: it did not end.
    """
    done = subprocess.run(
        ["bash", "-euo", "pipefail", str(path)],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)
