"""Prove on the live lab that the notebooks' outputs hold: ``-m shimlab.notebook.runs.validate [-k PART] [ARGS]``.

Each notebook is a pytest run of its own, so that the first failure of one does not hide another's. ARGS go to
pytest. Status 0 means that every cell of every picked notebook ran and printed what is recorded. How each cell ended
is kept in .cache/outcomes.json.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from shimlab.cluster import status
from shimlab.cluster.export import kept
from shimlab.notebook.runs import books, nbval_plugin, needs_lab

#: nbval's own default is 2000 s.
CELL_SECONDS = 120
#: What asks for the lab before a cell runs.
NEEDS_LAB = ["-p", "shimlab.notebook.runs.needs_lab"]


def main(argv: Sequence[str] | None = None) -> int:
    """Validate every notebook that was picked; return 1 if one failed."""
    parser = argparse.ArgumentParser(prog="nox -s notebooks --", description=__doc__)
    parser.add_argument("-k", metavar="PART", default="", help="only notebooks with this in their name")
    parser.add_argument(
        "--rounds", type=int, default=1, help="so many times, in another order from the second time on"
    )
    known, rest = parser.parse_known_args(argv)
    picked = needs_lab.picked(known.k)
    if not picked:
        return 1
    found: list[tuple[Path, int]] = []
    for number in range(known.rounds):
        began = time.monotonic()
        # The same orders in every run: a failure of one can be had again.
        order = random.Random(number).sample(picked, len(picked)) if number else picked  # noqa: S311
        found += [(path, validate(path, rest)) for path in order]
        print(f"all in this order: {time.monotonic() - began:.0f} s", flush=True)
    red = {path.name: ended for path, ended in found if ended}
    if where := kept.folder():
        for name in red:
            kept.failed(where, f"notebooks/{name}")
    if died := [name for name, ended in red.items() if ended == nbval_plugin.KERNEL_DIED]:
        print(f"the kernel died: {', '.join(died)}", file=sys.stderr)
    if failed := [name for name in red if name not in died]:
        print(f"not as recorded: {', '.join(failed)}", file=sys.stderr)
        print("if the new outputs are right: nox -s notebooks -- --update", file=sys.stderr)
    return int(bool(red))


def validate(path: Path, more: Sequence[str] = ()) -> int:
    """Run one notebook and compare; return pytest's status, 0 if all was as recorded, or nbval_plugin.KERNEL_DIED."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, *command(path), *NEEDS_LAB, "--lab", status.lab(), *more],
        cwd=books.ROOT,
        env={**os.environ, "PYTHONUTF8": "1"},  # nbval opens the sanitize file in the locale's encoding
        check=False,
    )
    print(f"{path.name}: {time.monotonic() - began:.1f} s", flush=True)
    return done.returncode


def command(path: Path) -> list[str]:
    """Return pytest's arguments for one notebook."""
    return [
        *["-m", "pytest", "-p", "shimlab.notebook.runs.nbval_plugin", "-p", "no:cacheprovider"],
        *["--nbval", "--nbval-current-env", f"--nbval-cell-timeout={CELL_SECONDS}"],
        *["--nbval-sanitize-with", str(books.SANITIZE), "--color=no", "-q", str(path)],
    ]


if __name__ == "__main__":
    raise SystemExit(main())
