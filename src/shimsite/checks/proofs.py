"""Keep what passed: `python -m shimsite.checks.proofs --keep` moves outcomes of this machine into the committed ledger.

Only those of proofs that facts and tables name, as they stand now. Without `--keep` it tells which proofs lack one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from shimfacts import ledger
from shimfacts.ledger import Entry
from shimfacts.proofs import Proofs
from shimsite import build
from shimsite.tables import data

#: Kubernetes' own tests: their page tells the numbers that this one told.
CONFORMANCE = "tests/live/conformance/test_workers.py::test_a_worker_passes_and_is_left_as_it_was"


def named(root: Path) -> set[str]:
    """List every proof that facts and tables of a repository name, or show how it ended."""
    kept = data.load(root, lambda _: None)
    shown = {proof for table in kept.tables for proof in table.shown_proofs()}
    return {CONFORMANCE} | shown | {proof for _, proof, _ in kept.proofs()}


def keep(root: Path) -> list[str]:
    """Move outcomes that passed into the committed ledger, and drop what is kept for nothing; tell which are new.

    Raises:
        ResultError: a ledger cannot be read.
    """
    facts, wanted = data.load(root, lambda _: None).facts, named(root)
    seen, before = Proofs(root, facts, (ledger.SEEN,)), ledger.load(root / ledger.KEPT)
    found = {
        name: entry
        for proof in sorted(wanted)
        for name, entry in seen.entries(proof).items()
        if entry.outcome == ledger.PASSED and _is_newer(entry, before.get(name))
    }
    # Every cell that was recorded is kept: recording vouches for whole notebooks.
    idle = [name for name in before if "#" not in name and name.partition("[")[0] not in _bare(wanted)]
    if found or idle:
        ledger.merge(root / ledger.KEPT, found, idle)
    return sorted(found)


def problems(root: Path) -> Iterator[str]:
    """Tell which proofs did not pass as they stand now, each once."""
    kept = data.load(root, lambda _: None)
    for proof in sorted({proof for _, proof, _ in kept.proofs()}):
        if what := kept.known.proofs.problem(proof):
            yield f"{proof} {what}"


def _is_newer(entry: Entry, before: Entry | None) -> bool:
    return before is None or entry.fingerprint != before.fingerprint or entry.date > before.date


def _bare(proofs: set[str]) -> set[str]:
    return {proof.partition("[")[0] for proof in proofs}


def main(argv: list[str] | None = None) -> int:
    """Tell which proofs have not passed; with --keep, commit those that have on this machine."""
    parser = argparse.ArgumentParser(prog="python -m shimsite.checks.proofs", description=main.__doc__)
    parser.add_argument("--keep", action="store_true", help=f"write what passed here into {ledger.KEPT}")
    if parser.parse_args(argv).keep:
        for name in (kept := keep(build.ROOT)):
            print(f"kept: {name}")
        print(f"{len(kept)} new in {ledger.KEPT}")
    missing = list(problems(build.ROOT))
    for what in missing:
        print(what, file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
