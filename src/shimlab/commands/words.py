"""What a word of the command line may be, for every command alike."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from shimlab import streams
from shimlab.errors import WORD, one_line

#: Letters of a word: no name of a node, a fault or an image has more, nor a path of a socket.
MOST = 512
#: Letters of a complaint.
COMPLAINT = 600
# What names of files are made of (POSIX, portable filenames); a few others mean something to socat, which connects.
SOCKET = re.compile(r"(unix://)?/[\w./@+-]+", re.ASCII)


def word(text: str) -> str:
    """Return a word as it is.

    Raises:
        argparse.ArgumentTypeError: it is empty, too long, an option for whoever gets it, or cannot be shown.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty")
    if len(text) > MOST:
        raise argparse.ArgumentTypeError(f"it has {len(text)} letters, and at most {MOST} are taken")
    if not text.isprintable():
        raise argparse.ArgumentTypeError(
            f"it has characters that cannot be shown: {one_line(repr(text), WORD)}"
        )
    if text.startswith("-"):
        raise argparse.ArgumentTypeError(f"it begins with a dash: {one_line(text, WORD)}")
    return text


def socket(text: str) -> str:
    """Return the path of a socket as it is.

    Raises:
        argparse.ArgumentTypeError: it does not begin at the root, or has letters that no runtime's socket has.
    """
    if not SOCKET.fullmatch(word(text)):
        raise argparse.ArgumentTypeError(
            f"it is no path of a socket, such as /run/x.sock: {one_line(text, WORD)}"
        )
    return text


class Parser(argparse.ArgumentParser):
    """A parser whose arguments are words (:func:`word`) unless they have a type, and whose options are given once.

    An error is the usage and one line. The parsers of its subcommands are like it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as argparse has them
        """Make it as argparse does."""
        super().__init__(*args, **kwargs)
        self.register("action", None, _Once)
        self.register("action", "store", _Once)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with status 2.

        Raises:
            SystemExit: always.
        """
        streams.tell(f"{self.format_usage()}{self.prog}: error: {one_line(message, COMPLAINT)}\n")
        raise SystemExit(2)

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:  # noqa: ANN401
        # `--option=--`: the two dashes would be taken away, and the value be an empty list.
        if action.nargs is None and arg_strings == ["--"]:
            raise argparse.ArgumentError(action, "expected one argument")
        # Not by a type of all arguments: one is used on defaults as well, and on the words of subcommands.
        if action.type is None and action.nargs not in (argparse.PARSER, argparse.REMAINDER):
            try:
                for text in arg_strings:
                    if text != "--":
                        word(text)
            except argparse.ArgumentTypeError as error:
                raise argparse.ArgumentError(action, str(error)) from None
        return super()._get_values(action, arg_strings)


class _Once(argparse.Action):
    """Keep a value; an option that was given before is refused, since one of the two would be ignored."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        given: set[str] = namespace.__dict__.setdefault("given", set())
        if option_string and self.dest in given:
            raise argparse.ArgumentError(self, "it is given twice")
        given.add(self.dest)
        setattr(namespace, self.dest, values)
