"""Jupyter on the notebooks, as `./run lab` starts it: ``python -m shimlab.notebook.jupyter``; more words are Jupyter's.

What it keeps lies in this checkout. The user's own Jupyter and IPython, their settings, histories and secrets, are
neither read nor written.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from shimlab import paths

CACHE = Path(".cache")
#: Jupyter's own name of a folder, and what it is called in ours (docs.jupyter.org, "Common directories").
FOLDERS = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "IPYTHONDIR": "ipython",
}
#: Names of other folders and files, which would lead to the user's own.
OTHERS = (
    *("JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "JUPYTER_NO_CONFIG"),
    *("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"),
)
ARGUMENTS = (
    *("--ServerApp.ip=127.0.0.1", "--ServerApp.allow_remote_access=False"),
    # Jupyter would ask its makers for news and newer versions.
    *("--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.news_url=None"),
    # It would ask npm for language servers, and npm keeps a log of that in the user's home.
    "--LanguageServerManager.autodetect=False",
)


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of this process, with ``folder`` as the place of all that Jupyter and its kernels keep."""
    others = {name: value for name, value in os.environ.items() if name not in OTHERS}
    return {**others, **{name: str(folder / each) for name, each in FOLDERS.items()}}


def start(folder: Path, notebooks: Path, arguments: Sequence[str] = ()) -> NoReturn:
    """Become Jupyter: it keeps its files in ``folder`` and shows the folder ``notebooks``."""
    # There are secrets among them.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    as_root = ["--allow-root"] if os.geteuid() == 0 else []
    argv = [
        *[sys.executable, "-m", "jupyter", "lab", *ARGUMENTS, f"--ServerApp.root_dir={notebooks}"],
        *as_root,
        *arguments,
    ]
    os.execve(sys.executable, argv, environment(folder))  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    cache = paths.repository() / CACHE
    start(cache / "jupyter", cache / "lab", sys.argv[1:])
