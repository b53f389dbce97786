"""The program kind: the one that is there, or Debian's."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from shimlab import paths, process
from shimlab.errors import LabError
from shimlab.machine import engine, host

# kind reads this name for the network it makes; a network of our own can be removed without asking whose it is.
NETWORK = "shimlab"
# The oldest release that was run with the lab's node image.
OLDEST = (0, 27)


def binary() -> Path | None:
    """Return the kind to use: on PATH and new enough, or the one fetched earlier."""
    fetched = _fetched()
    found = shutil.which("kind")
    if found and version(Path(found)) >= OLDEST:
        return Path(found)
    return fetched if os.access(fetched, os.X_OK) else None


def ensure(note: Callable[[str], None]) -> Path:
    """Return kind, fetching Debian's package on a root Debian that has none.

    Raises:
        LabError: if there is none and none can be fetched.
    """
    found = binary()
    if found:
        return found
    if not host.is_root_debian():
        raise lacking()
    process.stream(
        [str(paths.repository() / "lab" / "host" / "fetch-kind"), str(_fetched())],
        paths.log_dir() / "kind-package.log",
        on_line=note,
        timeout=300,
        remedy="mend apt, then run the same command again",
    )
    return _fetched()


def lacking() -> LabError:
    """Return what to tell a user who has no kind, or one that is too old."""
    wanted = ".".join(str(part) for part in OLDEST)
    found = shutil.which("kind")
    seen = f"; {found} is {'.'.join(map(str, version(Path(found))))}" if found else ""
    return LabError(
        f"there is no kind {wanted} or newer{seen}",
        "install kind (kind.sigs.k8s.io), or be root on a Debian 12",
    )


def environment() -> dict[str, str]:
    """Return what kind needs in its environment: our engine, our network."""
    return {**engine.current().environment, "KIND_EXPERIMENTAL_DOCKER_NETWORK": NETWORK}


def _fetched() -> Path:
    return paths.cache_dir() / "bin" / "kind"


def version(program: Path) -> tuple[int, int]:
    """Return what a kind says of itself; zeros if it is not understood.

    Raises:
        LabError: if it cannot be run.
    """
    match = re.search(r"v(\d+)\.(\d+)", process.output([str(program), "version"]))
    return (int(match[1]), int(match[2])) if match else (0, 0)
