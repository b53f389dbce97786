"""The command line as the parser has it: every command with its arguments, so that a new one is tested by itself."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

from shimlab import cli

#: A word that fits, by the name of the argument; for any other it does not matter.
FITS = {"node": "shimlab-worker2", "name": "kubelet-stopped", "version": "v1.20.15"}
OTHER = "word"


@dataclass(frozen=True)
class Command:
    """One command that can be run, its words as typed."""

    words: tuple[str, ...]
    parser: argparse.ArgumentParser

    @property
    def actions(self) -> list[argparse.Action]:
        """List the arguments that take one word: not switches, nor what takes a whole command."""
        return [
            each
            for each in self.parser._actions
            if each.nargs in (None, "?") and not (each.option_strings and each.nargs == 0)
        ]

    @property
    def takes_anything(self) -> bool:
        """Tell whether it hands on all words that follow."""
        return any(each.nargs == argparse.REMAINDER for each in self.parser._actions)

    def line(self, which: argparse.Action | None = None, word: str = "", times: int = 1) -> list[str]:
        """Return a line that is right but for the word of one argument; an option comes as often as is asked for."""
        before, after = list(self.words), []
        for each in self.actions:
            if each.option_strings:
                before += [f"{each.option_strings[-1]}={word}"] * (times if each is which else 0)
            elif each is which:
                after.append(word)
            elif each.nargs is None or (which in self.actions and self._stands_before(each, which)):
                after.append(str(next(iter(each.choices))) if each.choices else FITS.get(each.dest, OTHER))
        return [*before, "--", *after] if after else before

    def _stands_before(self, one: argparse.Action, other: argparse.Action | None) -> bool:
        places = [each for each in self.actions if not each.option_strings]
        return other in places and places.index(one) < places.index(other)


def commands() -> list[Command]:
    """List all commands."""
    return list(below((), cli.parser()))


def below(words: tuple[str, ...], parser: argparse.ArgumentParser) -> Iterator[Command]:
    """List the commands of a parser that stands for these words."""
    actions = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    if not actions:
        yield Command(words, parser)
    for action in actions:
        for name, each in action.choices.items():
            yield from below((*words, name), each)
