"""Measure what the programs between the kubelet and runc cost: ``python -m bench.middlemen [--rounds N] [--keep]``.

One worker of the running lab is moved between dockershim, dockershim out of the tree and containerd, round after round
and in another order each time, so that whatever else the machine does falls on all three alike. Each time the same is
measured (bench.load). Medians and ratios to containerd, the baseline of the same run, are printed. ``--keep`` also
writes the rounds into notebooks/records/price.json, from which notebook 13 makes its tables and its plot.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench import load
from shimlab import evidence
from shimlab.cluster.namespace import worker_on
from shimlab.errors import LabError
from shimlab.migrate.migrate import migrate
from shimlab.node import exec as nodes
from shimlab.notebook import price
from shimlab.notebook.price import RUNTIMES
from shimlab.progress import say

FILE = Path(".cache/bench/middlemen.csv")
HOME = "dockershim"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the rounds, print the medians, and bring the node back to where it was."""
    parser = argparse.ArgumentParser(prog="nox -s bench -- middlemen", description=__doc__)
    parser.add_argument(
        "--rounds",
        type=int,
        default=3,
        help="a multiple of three, for each was at each place then (%(default)s)",
    )
    parser.add_argument(
        "--pods", type=int, default=50, help="how many pods the node is put under (%(default)s)"
    )
    parser.add_argument("--times", type=int, default=10, help="how often each start is timed (%(default)s)")
    parser.add_argument("--keep", action="store_true", help="write the record that notebook 13 shows")
    parser.add_argument("--out", type=Path, default=FILE, help="(%(default)s)")
    chosen = parser.parse_args(argv)
    worker = worker_on(HOME)
    rounds: list[dict[str, Any]] = []
    try:
        for number in range(1, chosen.rounds + 1):
            for runtime in order(number):
                migrate(worker, runtime)
                say(f"round {number} of {chosen.rounds}: {runtime}")
                measured = load.measure(worker, pods=chosen.pods, times=chosen.times)
                rounds.append({"round": number, "runtime": runtime, **measured})
    finally:
        migrate(worker, HOME)
    record = {"machine": machine(worker, chosen), "rounds": rounds}
    write(rounds, chosen.out)
    if chosen.keep:
        price.path().write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    report(price.parse(record))
    return 0


def order(number: int) -> list[str]:
    """Return the runtimes in the order of a round: each begins in its turn, and every second three go backwards.

    So after every three rounds each was at each place equally often, and after six each came after each other as well.
    """
    turns, first = divmod(number - 1, len(RUNTIMES))
    turned = [*RUNTIMES[first:], *RUNTIMES[:first]]
    return turned[::-1] if turns % 2 else turned


def machine(worker: str, chosen: argparse.Namespace) -> dict[str, Any]:
    """Say on what it was measured, and how."""
    versions = json.loads(nodes.run(worker, ["cat", "/usr/share/shimlab/versions.json"]))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "cores": os.cpu_count() or 0,
        "memory_gib": round(memory / 2**30),
        "architecture": platform.machine(),
        "kubelet": evidence.kubelet(worker).release,
        "docker": versions["docker"],
        "containerd": versions["containerd"],
        "runc": versions["runc"],
        "pods": chosen.pods,
        "times": chosen.times,
    }


def write(rounds: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Write every single measurement, a line each."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="ascii", newline="") as handle:
        rows = csv.writer(handle)
        rows.writerow(("round", "runtime", "what", "value"))
        for each in rounds:
            for what, value in flat(each):
                rows.writerow((each["round"], each["runtime"], what, value))


def flat(measured: Mapping[str, Any], above: str = "") -> list[tuple[str, float]]:
    """Return the numbers of a round with the names under which they lie."""
    found: list[tuple[str, float]] = []
    for name, value in measured.items():
        at = f"{above}.{name}".lstrip(".")
        if isinstance(value, Mapping):
            found += flat(value, at)
        elif isinstance(value, list):
            found += [(at, each) for each in value]
        elif isinstance(value, (int, float)) and name != "round":
            found.append((at, value))
    return found


def report(measured: price.Price) -> None:
    """Print medians with the least and the most, and their ratio to containerd's in the same run."""
    base = {what.name: median(measured.values(what, "containerd")) for what in price.QUANTITIES}
    rows = []
    for what in price.QUANTITIES:
        for runtime in RUNTIMES:
            values = measured.values(what, runtime)
            middle = median(values)
            ratio = f"{middle / base[what.name]:.2f}" if base[what.name] else "–"
            rows.append(
                (what.title, runtime, f"{middle:.1f}", f"{min(values):.1f} to {max(values):.1f}", ratio)
            )
    print(evidence.table(("WHAT", "RUNTIME", "MEDIAN", "FROM … TO", "RATIO TO containerd"), rows))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(f"{error.what}\n  → {error.remedy}")
