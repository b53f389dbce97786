"""Where mkdocs-jupyter keeps the pages that it made of notebooks, so that a build makes only what changed.

It finds a page by the notebook's bytes and by its own settings. What it does not see is added here: the versions of the
programs that make the page. Each language has a folder of its own, for a build removes whatever it did not use.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, MutableMapping
from importlib import metadata
from pathlib import Path
from typing import Any

FOLDER = Path(".cache") / "mkdocs-jupyter"
#: What turns a notebook into a page.
MAKERS = ("jupytext", "mistune", "mkdocs-jupyter", "nbconvert", "nbformat", "pygments", "traitlets")


def keep(root: Path, lang: str, settings: MutableMapping[str, Any]) -> Path:
    """Tell mkdocs-jupyter by its settings where to keep pages, and return it; what is of no use there is removed."""
    folder = root / FOLDER / lang / _versions(MAKERS)
    for other in folder.parent.glob("*"):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)
    for page in folder.glob("*.json"):
        # A build that was ended while it wrote.
        if not page.read_bytes().endswith(b"}"):
            page.unlink()
    settings["cache_dir"] = str(folder)
    return folder


def _versions(programs: Iterable[str]) -> str:
    """Name the versions of programs that are installed, in a few letters."""
    found = ",".join(f"{name}=={metadata.version(name)}" for name in programs)
    return hashlib.sha256(found.encode()).hexdigest()[:16]
