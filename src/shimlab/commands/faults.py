"""The commands ``shimlab break`` and ``shimlab repair``."""

from __future__ import annotations

import argparse

from shimlab.errors import LabError
from shimlab.evidence.text import table


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add both to the command line; their ``run`` defaults are what to call."""
    parser = subparsers.add_parser(
        "break",
        help="break a node in a way of your choice; `repair` undoes it",
        description="Break a node of the lab, wait until that shows, and print what shows it.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="which fault; --list lists them")
    parser.add_argument("node", nargs="?", default="", metavar="NODE", help="default: the first that it fits")
    parser.add_argument("--list", action="store_true", help="list the faults, and the nodes that each fits")
    parser.set_defaults(run=run_break)
    parser = subparsers.add_parser(
        "repair",
        help="undo what `break` did, and wait until the nodes are well",
        description="Undo what `shimlab break` did, and wait until every node is well again.",
    )
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="which fault (default: all)")
    parser.add_argument("--node", default="", metavar="NODE", help="on this node alone (default: all)")
    parser.set_defaults(run=run_repair)


def run_break(arguments: argparse.Namespace) -> int:
    """Break a node and print what shows it, or list the faults.

    Raises:
        LabError: as ``work.break_node`` says, or no fault is named.
    """
    if arguments.list:
        print(listing())
        return 0
    if not arguments.name:
        raise LabError("no fault is named", "`shimlab break --list` lists them")
    from shimlab.faults import inject

    node, signs = inject.break_node(arguments.name, arguments.node)
    print(table(("NODE", "WHERE", "SEEN"), [(node, sign.way, sign.seen) for sign in signs]))
    return 0


def run_repair(arguments: argparse.Namespace) -> int:
    """Repair and print what was repaired.

    Raises:
        LabError: as ``work.repair`` says.
    """
    from shimlab.faults import inject

    done = inject.repair(arguments.name, arguments.node)
    for node, fault in done:
        print(f"{node} is well again: {fault} is undone")
    if not done:
        by = f" by {arguments.name}" if arguments.name else ""
        at = f" on {arguments.node}" if arguments.node else ""
        print(f"nothing is broken{by}{at}")
    return 0


def listing() -> str:
    """Lay out the faults: name, nodes that it fits, what is wrong."""
    from shimlab.faults.catalog.registry import FAULTS
    from shimlab.faults.fault import CONTROL_PLANE

    rows = [
        (
            each.name,
            "control plane" if each.place == CONTROL_PLANE else ", ".join(each.runtimes),
            each.title,
        )
        for each in FAULTS
    ]
    return table(("FAULT", "NODES", "WHAT IS WRONG"), rows)
