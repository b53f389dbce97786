"""A release of Kubernetes that the lab can run: a folder under lab/node/kubernetes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from shimlab import paths
from shimlab.errors import LabError

DEFAULT = "1.20"


@dataclass(frozen=True)
class Image:
    """An image that the stores of a node hold when it boots."""

    target: str
    reference: str
    stores: tuple[str, ...]


@dataclass(frozen=True)
class Release:
    """One release: its folder's name and the images that its nodes hold."""

    minor: str
    images: tuple[Image, ...]

    @property
    def tag(self) -> str:
        """Return the node image's name: the content of lab/node decides it, so that it is built once."""
        return f"shimlab/node:{self.minor}-{_content(paths.repository() / 'lab' / 'node', self.minor)}"


def load(minor: str = DEFAULT) -> Release:
    """Read a release from its folder.

    Raises:
        LabError: if there is no such release, or its list of images is not as expected.
    """
    releases = paths.repository() / "lab" / "node" / "kubernetes"
    listed = releases / minor / "images"
    if not listed.is_file():
        known = ", ".join(sorted(path.name for path in releases.iterdir() if path.is_dir()))
        raise LabError(f"the lab has no release {minor}", f"choose one of: {known}")
    images = []
    for number, line in enumerate(listed.read_text(encoding="utf-8").splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 3 or not set(words[2].split(",")) <= {"containerd", "docker"}:
            raise LabError(f"{listed}:{number} is not `target reference stores`", "see lab/node/README.md")
        images.append(Image(words[0], words[1], tuple(words[2].split(","))))
    return Release(minor, tuple(images))


def _content(folder: Path, minor: str) -> str:
    """Hash all that the image is built from; another release's folder and prose do not count."""
    digest = hashlib.sha256(minor.encode())
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        foreign = relative.parts[0] == "kubernetes" and len(relative.parts) > 1 and relative.parts[1] != minor
        if not path.is_file() or foreign or path.suffix == ".md":
            continue
        digest.update(f"{relative}\0{path.stat().st_mode & 0o111 != 0}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
