"""A release of Kubernetes that the lab can run: a folder under lab/node/kubernetes."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from shimlab import paths
from shimlab.errors import LabError

DEFAULT = "1.20"
#: What the file `release` must say; the rest of it is for the build alone (lab/node/README.md).
REQUIRED = ("KUBERNETES", "GO", "GO_SUITE")


@dataclass(frozen=True)
class Image:
    """An image that the stores of a node hold when it boots."""

    target: str
    reference: str
    stores: tuple[str, ...]

    @property
    def tag(self) -> str:
        """Return the reference's tag."""
        return self.reference.rpartition(":")[2]


@dataclass(frozen=True)
class Release:
    """One release: its folder's name, its version, and the images that its nodes hold.

    ``on`` is the folder's name of the release whose node this one lies on, with a kubelet of its own and nothing
    else; its images are that one's. ``recipe`` is what the file `release` says, by name.
    """

    minor: str
    version: str
    on: str | None
    images: tuple[Image, ...]
    recipe: tuple[tuple[str, str], ...]

    @functools.cached_property
    def tag(self) -> str:
        """Return the node image's name: the content of what it is built from decides it, so that it is built once.

        It stays what it was when it was first asked for: a file that changes while an image is built names another.
        """
        lab = paths.repository() / "lab"
        beneath = "" if self.on is None else load(self.on).tag
        own = {"kubernetes": self.minor, "coredns": dict(self.recipe).get("COREDNS", "")}
        return f"shimlab/node:{self.minor}-{content(_sources(lab, own), lab, self.minor, beneath)}"


def load(minor: str = DEFAULT) -> Release:
    """Read a release from its folder.

    Raises:
        LabError: if there is no such release, or one of its files is not as expected.
    """
    releases = paths.repository() / "lab" / "node" / "kubernetes"
    folder = releases / minor
    if not minor or not (folder / "release").is_file():
        raise LabError(f"the lab has no release {minor}", f"choose one of: {', '.join(known())}")
    said = recipe(folder / "release")
    on = said.get("ON")
    if on is not None and (on == minor or _recipe_of(releases, on).get("ON")):
        raise LabError(f"{folder / 'release'}: no whole release is called {on}", "see lab/node/README.md")
    images = load(on).images if on else _images(folder / "images")
    return Release(minor, said["KUBERNETES"], on, images, tuple(sorted(said.items())))


def known() -> tuple[str, ...]:
    """Return the releases' folders, oldest first."""
    releases = paths.repository() / "lab" / "node" / "kubernetes"
    names = [path.name for path in releases.iterdir() if (path / "release").is_file()]
    return tuple(sorted(names, key=lambda name: [int(part) for part in re.findall(r"\d+", name)]))


def recipe(file: Path) -> dict[str, str]:
    """Read a file `release`: lines NAME=VALUE and remarks.

    Raises:
        LabError: if one of REQUIRED is missing.
    """
    said = dict(re.findall(r"^([A-Z_]+)=(\S+)$", file.read_text(encoding="utf-8"), re.MULTILINE))
    missing = [name for name in REQUIRED if name not in said]
    if missing:
        raise LabError(f"{file} does not say {', '.join(missing)}", "see lab/node/README.md")
    return said


def content(files: Iterable[Path], relative_to: Path, *more: str) -> str:
    """Hash names, contents and modes of files, and whatever else decides what is built from them: twelve digits."""
    digest = hashlib.sha256("\0".join(more).encode())
    for path in sorted(files):
        executable = path.stat().st_mode & 0o111 != 0
        digest.update(f"{path.relative_to(relative_to)}\0{executable}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _sources(lab: Path, own: dict[str, str]) -> list[Path]:
    """List all that a node image is built from; prose and the folders of other releases do not count."""
    found = [lab / ".dockerignore"]
    for path in (*(lab / "node").rglob("*"), *(lab / "dockershim").rglob("*")):
        of_node, *parts = path.relative_to(lab).parts
        foreign = of_node == "node" and len(parts) > 2 and parts[1] != own.get(parts[0], parts[1])
        if path.is_file() and not foreign and path.suffix != ".md":
            found.append(path)
    return found


def _recipe_of(releases: Path, minor: str) -> dict[str, str]:
    file = releases / minor / "release"
    if not file.is_file():
        raise LabError(f"the lab has no release {minor}", f"choose one of: {', '.join(known())}")
    return recipe(file)


def _images(listed: Path) -> tuple[Image, ...]:
    if not listed.is_file():
        raise LabError(f"{listed.parent} has no list of images", "see lab/node/README.md")
    images = []
    for number, line in enumerate(listed.read_text(encoding="utf-8").splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 3 or not set(words[2].split(",")) <= {"containerd", "docker"}:
            raise LabError(f"{listed}:{number} is not `target reference stores`", "see lab/node/README.md")
        images.append(Image(words[0], words[1], tuple(words[2].split(","))))
    return tuple(images)
