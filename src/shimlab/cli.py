"""The command `shimlab`."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence

import shimlab
from shimlab import interruption, process, settings, streams
from shimlab.errors import LabError

#: What a machine refuses, and its user can mend (errno(3)). Any other error of the kind is a mistake of ours.
REFUSALS = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO),
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.E2BIG, errno.ENAMETOOLONG),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its status.

    Errors the user can mend are two lines and status 1, also where the machine refuses a file or the output; a wrong
    word is status 2, as argparse has it. A signal that ended it is status 130; 141 says that the reader of the output
    has gone.

    Raises:
        Exception: a mistake of ours, with all that Python says of it.
    """
    # It is for what a caller of ours has started; what we start and leave running is not his.
    os.environ.pop(process.MARK, None)
    try:
        streams.prepare()
        with interruption.heard():
            status = _run(argv)
        streams.flush()
    except LabError as error:
        return _told(error)
    except KeyboardInterrupt as interrupt:
        streams.tell("; ".join(["shimlab: interrupted", *interrupt.args]) + "\n")
        return 130
    except BrokenPipeError:
        # The reader of our output (head, less) has gone; so do we.
        return 141
    except OSError as error:
        if streams.refused():
            return _told(
                LabError(
                    f"the output cannot be written: {error.strerror}",
                    "make room for it, or let it go elsewhere; what the command was to do is done",
                )
            )
        if error.errno not in REFUSALS:
            raise
        return _told(
            LabError(
                f"{error.filename or 'a file of the lab'} cannot be used: {error.strerror}",
                "mend that, then run the same command again; `shimlab doctor` looks at the lab's folders",
            )
        )
    else:
        return status
    finally:
        streams.settle()


def _run(argv: Sequence[str] | None) -> int:
    try:
        arguments = parser().parse_args(argv)
    except SystemExit as end:
        # After --help, --version and a wrong word.
        return int(end.code or 0)
    settings.check()
    with interruption.heard():
        return int(arguments.run(arguments) or 0)


def _told(error: LabError) -> int:
    streams.tell(f"shimlab: {error.what}\n  → {error.remedy}\n")
    return 1


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    from shimlab.commands import cluster, conformance, cri, doctor, export, faults, node, words

    top: argparse.ArgumentParser = words.Parser(prog="shimlab", description=shimlab.__doc__)
    top.add_argument("--version", action="version", version=f"shimlab {shimlab.__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    # In the order in which `shimlab --help` lists them.
    for each in (cluster, doctor, export, node, cri, faults, conformance):
        each.add_parser(commands)
    return top


if __name__ == "__main__":
    sys.exit(main())
