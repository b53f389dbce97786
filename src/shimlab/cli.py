"""The command `shimlab`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence

import shimlab
from shimlab.errors import LabError

NOTHING_LEFT = "nothing half-made is left"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; errors the user can mend are two lines and status 1, Ctrl-C is status 130."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        arguments = parser().parse_args(argv)
        return int(arguments.run(arguments) or 0)
    except LabError as error:
        sys.stderr.write(f"shimlab: {error.what}\n  → {error.remedy}\n")
        return 1
    except KeyboardInterrupt as interrupt:
        sys.stderr.write(f"shimlab: interrupted; {interrupt.args[0] if interrupt.args else NOTHING_LEFT}\n")
        return 130
    except BrokenPipeError:
        # The reader of our output (head, less) has gone; so do we, without a complaint at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    from shimlab.commands import cluster, conformance, cri, doctor, export, faults, node

    top = argparse.ArgumentParser(prog="shimlab", description=shimlab.__doc__)
    top.add_argument("--version", action="version", version=f"shimlab {shimlab.__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    # In the order in which `shimlab --help` lists them.
    for each in (cluster, doctor, export, node, cri, faults, conformance):
        each.add_parser(commands)
    return top


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
