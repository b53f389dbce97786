"""The command `shimlab`."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import shimlab
from shimlab import interruption, process
from shimlab.errors import LabError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; errors the user can mend are two lines and status 1, a signal that ended it is status 130."""
    # It is for what a caller of ours had started; what we start and leave running (an engine) is not his.
    os.environ.pop(process.MARK, None)
    try:
        with interruption.heard():
            arguments = parser().parse_args(argv)
            return int(arguments.run(arguments) or 0)
    except LabError as error:
        _tell(f"shimlab: {error.what}\n  → {error.remedy}")
        return 1
    except KeyboardInterrupt as interrupt:
        _tell("; ".join(["shimlab: interrupted", *interrupt.args]))
        return 130
    except BrokenPipeError:
        # The reader of our output (head, less) has gone; so do we.
        return 141
    finally:
        _let_go()


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


def _tell(text: str) -> None:
    # Where nobody hears it, the status says it.
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def _let_go() -> None:
    """See that what could not be written is no complaint at exit, and no other status."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
