"""Bring the lab up, move a node three times, take it down, over and over: ``python -m bench.rounds [--rounds N]``.

Every round writes a line to a file: how long each part took, and the ratio of `up` to the time that kubeadm itself
took in it. After every round the machine is compared with what it was before the first: containers, networks,
volumes, mounts, loop devices, processes, and files outside the lab's folders. Anything that is left is an error. A
round is a process of its own, as a user's commands are: what a client needs while it runs is not left behind by it.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from bench import traces
from shimlab import paths
from shimlab.cluster import config
from shimlab.cluster.lifecycle import Took, down, up
from shimlab.errors import LabError
from shimlab.migrate.migrate import migrate
from shimlab.progress import say

FILE = Path(".cache/bench/rounds.csv")
MOVES = ("containerd", "dockershim-out-of-tree", "dockershim")
COLUMNS = ("round", "up", "kubeadm", "ratio", *(f"to {runtime}" for runtime in MOVES), "down", "left")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the rounds; status 1 if a round failed or left something."""
    parser = argparse.ArgumentParser(prog="nox -s bench -- rounds", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--out", type=Path, default=FILE, help="(%(default)s)")
    parser.add_argument("--one", type=int, metavar="N", help="run this round alone and print it as JSON")
    chosen = parser.parse_args(argv)
    if chosen.one is not None:
        print(json.dumps(one_round(chosen.one)))
        return 0
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    # What a machine gets once, packages and the node image, is not a leftover of a round.
    say("a round that does not count: packages, node image")
    _apart(0)
    chosen.out.touch()
    before = traces.take()
    rows = []
    with chosen.out.open("w", encoding="ascii", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS)
        writer.writeheader()
        for number in range(1, chosen.rounds + 1):
            row = _apart(number)
            left = traces.left(before)
            rows.append({**row, "left": len(left)})
            writer.writerow(rows[-1])
            handle.flush()
            for line in left:
                say(f"left behind: {line}")
    report(rows, chosen.out)
    return int(any(row["left"] for row in rows))


def _apart(number: int) -> dict[str, float]:
    """Run a round in a process of its own, which says on stderr how far it is."""
    argv = [sys.executable, "-m", "bench.rounds", "--one", str(number)]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"round {number} failed", "mend what is told above, then `shimlab down`")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def one_round(number: int) -> dict[str, float]:
    """Run one round and return the seconds of its parts.

    Raises:
        LabError: a part failed, or the lab was up already.
    """
    row: dict[str, float] = {"round": number}
    took = up()
    if not isinstance(took, Took):
        raise LabError("the lab is up already", "`shimlab down` first: a round begins with nothing")
    row |= {"up": took.cluster, "kubeadm": took.kubeadm, "ratio": took.ratio}
    worker = next(
        name for name, runtime in config.load().runtimes(paths.name()).items() if runtime == "dockershim"
    )
    for runtime in MOVES:
        row[f"to {runtime}"] = _seconds(partial(migrate, worker, runtime))
    row["down"] = _seconds(down)
    return {name: round(value, 2) for name, value in row.items()}


def report(rows: Sequence[dict[str, float]], out: Path) -> None:
    """Print the medians with the least and the most, and where the rounds are written."""
    for name in COLUMNS[1:]:
        values = [row[name] for row in rows]
        print(f"{name:<26} median {median(values):7.2f}   {min(values):7.2f} to {max(values):7.2f}")
    print(f"{len(rows)} rounds, each in {out}")


def _seconds(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(f"{error.what}\n  → {error.remedy}")
