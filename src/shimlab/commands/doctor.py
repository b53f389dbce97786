"""The command ``shimlab doctor``."""

from __future__ import annotations

import argparse
import os
import sys


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add it to the command line; its ``run`` default is what to call."""
    doctor = subparsers.add_parser("doctor", help="what can stop the lab on this machine, each with its fix")
    doctor.add_argument("--json", action="store_true", help="for programs")
    doctor.set_defaults(run=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    from shimlab.doctor import examine

    found = examine.examine()
    if arguments.json:
        print(examine.as_json(found))
    else:
        # no-color.org: what the variable holds does not matter.
        print(examine.as_text(found, colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR")))
    return 1 if examine.stops(found) else 0
