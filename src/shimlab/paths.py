"""Where the lab keeps what it makes: one folder for its state, one for what can be made again."""

from __future__ import annotations

import os
from pathlib import Path

from shimlab import settings
from shimlab.errors import WORD, LabError, one_line

ROOT_STATE = Path("/var/lib/shimlab")
DEFAULT_NAME = settings.NAME.default


def name() -> str:
    """Return the name of the lab's cluster; SHIMLAB_NAME gives a second lab beside the first another one.

    Raises:
        LabError: if it is not a name that kind and Docker take.
    """
    return settings.NAME.value()


def typed(command: str) -> str:
    """Return what somebody types to run a command on this lab: one of another name has to be named."""
    return f"shimlab {command}" if name() == DEFAULT_NAME else f"SHIMLAB_NAME={name()} shimlab {command}"


def state_dir() -> Path:
    """Return the folder of this lab's kubeconfig and logs, made if missing.

    Raises:
        LabError: if it cannot be made.
    """
    folder = state_file("lock").parent
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def state_file(file: str) -> Path:
    """Return the path of a file in the folder of :func:`state_dir`, which looking for it does not make.

    Raises:
        LabError: the folder of all labs cannot be made.
    """
    folder = _folder("XDG_STATE_HOME", ".local/state", ROOT_STATE)
    return (folder if name() == DEFAULT_NAME else folder / "labs" / name()) / file


def cache_dir() -> Path:
    """Return the folder of what can be made again (kind, kubectl, CRI descriptors), made if missing.

    Raises:
        LabError: if it cannot be made.
    """
    return _folder("XDG_CACHE_HOME", ".cache", ROOT_STATE / "cache")


def log_dir() -> Path:
    """Return the folder of the logs of long steps, made if missing."""
    folder = state_dir() / "log"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def repository() -> Path:
    """Return the checkout that holds lab/: the lab is built from its files.

    Raises:
        LabError: if shimlab was installed away from its checkout.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / "lab" / "node" / "Dockerfile").is_file():
        raise LabError(
            f"the lab's files are not beside {root}", "run shimlab from a checkout: ./run shimlab -- up"
        )
    return root


def _folder(variable: str, under_home: str, for_root: Path) -> Path:
    base = os.environ.get(variable)
    if base:
        folder = Path(base) / "shimlab"
    elif os.geteuid() == 0:
        folder = for_root
    else:
        try:
            folder = Path.home() / under_home / "shimlab"
        except RuntimeError as error:
            raise LabError(
                "this user has no home folder", f"export HOME, or {variable}, to a folder"
            ) from error
    shown = one_line(str(folder), 2 * WORD)
    if not folder.is_absolute():
        raise LabError(
            f"the lab's folder would be {shown}, in whatever folder a command is begun",
            f"export HOME, or {variable}, to a folder that begins with /",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(
            f"the lab's folder {shown} cannot be made: {error.strerror}",
            f"let this user write there, or name another place: export {variable}=/some/where",
        ) from error
    return folder
