"""Running a read-only command where the evidence is: on a node, or on this machine.

A probe is one shell script whose every finding is a line of its own: what it is, and its bytes in base64. Names and
arguments, paths and files may hold newlines and bytes that are no text; in base64 none of them can be taken for the
next line. Scripts need what every Debian has (sh, grep, find, sed, stat, base64, perl-base), no Python.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Protocol

from shimlab import process
from shimlab.errors import LabError
from shimlab.node import exec as nodes

# `section NAME COMMAND…` prints one finding. What cannot be read, such as a process that has just ended, is left out.
# The sorting order and the messages of another locale would change what the commands print.
SECTION = r"""
export LC_ALL=C
section() { name=$1; shift; printf '%s ' "$name"; "$@" 2>/dev/null | base64 -w0; echo; }
"""


class Run(Protocol):
    """Runs an argument vector with the given standard input and returns its standard output."""

    def __call__(self, argv: Sequence[str], *, input: str | None = None) -> str:
        """Run it.

        Raises:
            LabError: it failed.
        """


def on(node: str) -> Run:
    """Return the runner of a node of the lab."""

    def run(argv: Sequence[str], *, input: str | None = None) -> str:
        return nodes.run(node, list(argv), input=input)

    return run


def here(argv: Sequence[str], *, input: str | None = None) -> str:
    """Run a command on this machine.

    Raises:
        LabError: the command failed.
    """
    return process.output(argv, input=input)


def sections(run: Run, script: str, *arguments: str) -> dict[str, bytes]:
    """Run a probe in one round trip and return its findings by name.

    Raises:
        LabError: the place cannot be asked, or answers in another way.
    """
    return parse_sections(run(["sh", "-s", "--", *arguments], input=SECTION + script))


def parse_sections(answer: str) -> dict[str, bytes]:
    """Read the lines of a probe's answer.

    Raises:
        LabError: a line is not of the form NAME BASE64.
    """
    found: dict[str, bytes] = {}
    for line in answer.splitlines():
        name, _, word = line.rpartition(" ")
        try:
            found[name] = base64.b64decode(word, validate=True)
        except binascii.Error as error:
            raise LabError(f"a probe answered {line[:80]!r}", "see whether the node is whole") from error
    return found


def text(data: bytes) -> str:
    """Decode bytes of the kernel; those that are no UTF-8 are kept, so that nothing is lost and nothing fails."""
    return data.decode("utf-8", "surrogateescape")
