"""The command ``shimlab conformance``: Kubernetes' own tests on the lab's workers."""

from __future__ import annotations

import argparse
import json
import sys
import time

from shimlab.evidence.text import table


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add ``conformance`` to the command line; its ``run`` default is what to call."""
    parser = subparsers.add_parser(
        "conformance",
        help="run Kubernetes' own tests of nodes and pods on the workers",
        description="Run a chosen list of Kubernetes' own conformance tests on each worker, the others cordoned.",
    )
    parser.add_argument(
        "--node", action="append", metavar="NODE", help="this worker alone; may be given more than once"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Test the workers one after the other; status 1 if a spec is not as the list says.

    Raises:
        LabError: the tests could not be built or run, or left something behind.
    """
    from shimlab.conformance import run as runs
    from shimlab.conformance.report import Outcome

    found = []
    for subject in runs.subjects(arguments.node):
        began = time.monotonic()
        verdicts = runs.run(subject)
        found.append((subject, verdicts, time.monotonic() - began))
    if arguments.json:
        records = [
            {
                "node": subject.node,
                "runtime": subject.runtime.name,
                "kubelet": subject.kubelet,
                "tests": subject.minor,
                "seconds": round(seconds, 1),
                "specs": [
                    {
                        "name": each.name,
                        "outcome": each.outcome.value,
                        "seconds": each.seconds,
                        "why": each.why,
                    }
                    for each in verdicts
                ],
            }
            for subject, verdicts, seconds in found
        ]
        json.dump(records, sys.stdout, indent=2)
        print()
    else:
        rows = [
            (
                subject.node,
                subject.runtime.name,
                subject.kubelet,
                str(len(verdicts)),
                str(sum(each.outcome is Outcome.PASSED for each in verdicts)),
                str(sum(each.outcome is Outcome.EXPLAINED for each in verdicts)),
                str(sum(not each.outcome.fine for each in verdicts)),
                f"{seconds:.0f} s",
            )
            for subject, verdicts, seconds in found
        ]
        print(table(("NODE", "RUNTIME", "KUBELET", "SPECS", "PASSED", "EXPLAINED", "WRONG", "TOOK"), rows))
        for subject, verdicts, _ in found:
            for each in verdicts:
                if each.why or not each.outcome.fine:
                    print(
                        f"{subject.node}: {each.name}: {each.outcome.value}{': ' if each.why else ''}{each.why}"
                    )
    return 0 if all(each.outcome.fine for _, verdicts, _ in found for each in verdicts) else 1
