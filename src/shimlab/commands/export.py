"""The command ``shimlab export``: what a report of something that went wrong needs."""

from __future__ import annotations

import argparse
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from shimlab.errors import LabError


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add it to the command line; its ``run`` default is what to call."""
    export = subparsers.add_parser(
        "export", help="logs, processes, containers and objects of the lab into a folder, without keys"
    )
    export.add_argument(
        "folder", metavar="DIR", nargs="?", default="", help="a new folder (a temporary one if none is named)"
    )
    export.add_argument(
        "--since",
        metavar="TIME",
        default="",
        help="only what was logged from then on (2026-11-29T05:00:00, UTC if no zone is named), within 20 s",
    )
    export.set_defaults(run=_export)


def _export(arguments: argparse.Namespace) -> None:
    """Export the lab and print the digest; what could not be read is said in it."""
    from shimlab.cluster.export.export import export

    since = _time(arguments.since) if arguments.since else None
    folder = Path(arguments.folder or tempfile.mkdtemp(prefix="shimlab-export-"))
    found = export(folder, since=since)
    print("\n".join(found.digest))
    print(f"All of it: {folder}")


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise LabError(f"{text!r} is no time", "write it as 2026-11-29T05:00:00") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
