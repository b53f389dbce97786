"""Mounts and links as a container's process sees them.

Source of the format: proc(5) on /proc/PID/mountinfo.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

_MOUNTINFO = re.compile(r"/proc/(\d+)/mountinfo:(.*)")
_LINK_OF = re.compile(r"/proc/(\d+)/root(/.*)", re.DOTALL)
_OCTAL = re.compile(r"\\([0-7]{3})")
# As many links as the kernel follows in one path: path_resolution(7).
MOST_LINKS = 40


@dataclass(frozen=True)
class Mount:
    """A mount, asked for or live; ``device`` is major:minor of the live one, ``source`` what is mounted."""

    destination: str
    type: str
    source: str
    options: tuple[str, ...]
    device: str = ""


def followed(path: str, links: Mapping[str, str]) -> str:
    """Follow the links of a path inside a container."""
    for _ in range(MOST_LINKS):
        parts = path.strip("/").split("/")
        prefixes = ("/" + "/".join(parts[:count]) for count in range(1, len(parts) + 1))
        prefix = next((each for each in prefixes if each in links), None)
        if prefix is None:
            break
        target = posixpath.join(posixpath.dirname(prefix), links[prefix])
        path = posixpath.normpath(target + path.rstrip("/")[len(prefix) :])
    return posixpath.normpath(path)


def mounts_of(lines: str) -> dict[int, tuple[Mount, ...]]:
    """Read the lines that grep printed of mountinfo: PID → mounts, in the order in which they were made."""
    found: dict[int, list[Mount]] = {}
    for line in lines.splitlines():
        if parts := _MOUNTINFO.fullmatch(line):
            # ID PARENT MAJOR:MINOR ROOT PLACE OPTIONS [TAG…] - TYPE SOURCE SUPEROPTIONS
            left, _, right = parts[2].partition(" - ")
            words, last = left.split(" "), right.split(" ")
            mount = Mount(
                _spelled(words[4]), last[0], _spelled(last[1]), tuple(words[5].split(",")), words[2]
            )
            found.setdefault(int(parts[1]), []).append(mount)
    return {pid: tuple(mounts) for pid, mounts in found.items()}


def _spelled(word: str) -> str:
    """Undo the kernel's escapes: octal for blanks and backslashes."""
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), word)


def links_of(words: str) -> dict[int, dict[str, str]]:
    """Read the links of containers, name and target by turns: PID → where it is inside → where it leads."""
    found: dict[int, dict[str, str]] = {}
    parts = words.split("\0")[:-1]
    for path, target in zip(parts[::2], parts[1::2], strict=True):
        if of := _LINK_OF.fullmatch(path):
            found.setdefault(int(of[1]), {})[of[2]] = target
    return found
