"""A message as readers come by it: bare, or with what a log, a terminal or kubectl puts around it."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: What a place in a message is filled with, in turn.
VALUES = {
    "%q": ('"cgroupfs"', '"systemd"'),
    "%v": ("unix:///var/run/docker.sock",),
    "%s": ("/var/run/dockershim.sock",),
}
_KLOG = "E1128 10:15:02.123456    1742 server.go:161] "
_JOURNAL = "Nov 28 10:15:02 worker-3 kubelet[1742]: "
_COLUMNS = 80


def filled(message: str) -> str:
    """Put values where a message has places for them."""
    used = dict.fromkeys(VALUES, -1)

    def value(match: re.Match[str]) -> str:
        used[match[0]] += 1
        values = VALUES[match[0]]
        return values[used[match[0]] % len(values)]

    return re.sub("|".join(VALUES), value, message)


def forms(message: str) -> Iterator[tuple[str, str]]:
    """Give the forms in which a message is pasted: the name of each, and the text."""
    escaped = message.replace('"', '\\"')
    structured = f'E1128 10:15:02.123456    1742 run.go:74] "command failed" err="{escaped}"'
    yield "bare", message
    yield "klog", _KLOG + message
    yield "structured", structured
    yield "journald", f"{_JOURNAL}Error: {message}"
    yield "event", f"  Warning  FailedCreatePodSandBox  3m2s (x14 over 6m)  kubelet  {message}"
    yield "cut", (_KLOG + message)[:_COLUMNS]
    line = _JOURNAL + structured
    # What a field for one line makes of line breaks.
    yield "wrapped", " ".join(line[at : at + _COLUMNS] for at in range(0, len(line), _COLUMNS))
    yield "coloured", f"\x1b[0;31m{_KLOG}{message}\x1b[0m"
