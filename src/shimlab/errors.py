"""The one error that a user of shimlab is meant to read."""

from __future__ import annotations

#: Letters of a line that a user is meant to read, and of a word of theirs that is quoted in it.
LINE, WORD = 2000, 60


class LabError(Exception):
    """Something the user can mend: what happened and where, then what to do next.

    ``what`` and ``remedy`` are one line each; the command prints both and exits with status 1.
    """

    def __init__(self, what: str, remedy: str) -> None:
        """Keep both lines apart for whoever shows them."""
        super().__init__(f"{what}\n{remedy}")
        self.what = one_line(what)
        self.remedy = one_line(remedy)


def one_line(text: str, most: int = LINE) -> str:
    """Return a text as one line that a terminal shows: no control characters, and of a long one not the middle."""
    shown = "".join(each if each.isprintable() else _escaped(each) for each in text)
    if len(shown) <= most:
        return shown
    return f"{shown[: most * 2 // 3]} … {shown[-(most // 3) :]}"


def _escaped(letter: str) -> str:
    return " " if letter.isspace() else letter.encode("unicode_escape").decode("ascii")
