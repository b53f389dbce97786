"""What a node image is finished with: both image stores filled, what is in it written down as labels."""

from __future__ import annotations

import json
import re
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from shimlab import paths, process
from shimlab.errors import LabError
from shimlab.images.build import SCRATCH, exists, goes_on
from shimlab.images.recipe import MADE_BY
from shimlab.images.release import Release
from shimlab.machine import engine
from shimlab.progress import Step

VERSIONS_FILE = "/usr/share/shimlab/versions.json"
# Two releases may have an image of the same name, so one release at a time has its images under those names.
_NAMES = threading.Lock()
#: What the volumes of :func:`fill` are called.
VOLUME = re.compile(r"shimlab-stores-[0-9a-f]{8}-(stores|images)")


def finish(release: Release, built: str) -> None:
    """Commit a node image that needs no stores of its own, ``built``, under the release's tag."""
    name = f"shimlab-finish-{uuid.uuid4().hex[:8]}"
    try:
        engine.docker("create", "--name", name, "--label", f"{MADE_BY}=build", built)
        _commit(release, built, name)
    finally:
        engine.docker("rm", "--force", name, timeout=120)


def fill(
    release: Release, built: str, images: Mapping[str, str], current: Step, stop: threading.Event
) -> None:
    """Fill both image stores in a container of the node image ``built``, and commit it under the release's tag.

    ``images`` names, for each reference that the stores hold, the image that goes under it. The stores are filled on
    a volume, since an overlay does not lie on an overlay, and then copied. Both volumes are named ones: Docker would
    write anonymous ones into the committed image. ``stop``, once set, breaks it off.

    Raises:
        LabError: if a store does not take an image, or it was broken off. Nothing is left then.
    """
    name = f"shimlab-stores-{uuid.uuid4().hex[:8]}"
    volumes = {place: f"{name}-{place}" for place in ("stores", "images")}

    def at(text: str) -> None:
        if stop.is_set():
            raise LabError(f"filling {release.version} was broken off", "run the same command again")
        current.note(text)

    try:
        engine.docker(
            *["create", "--name", name, "--privileged", "--label", f"{MADE_BY}=build"],
            *[word for place, volume in volumes.items() for word in ("--volume", f"{volume}:/{place}")],
            *["--entrypoint", "/usr/local/lib/shimlab/fill-stores", built],
        )
        with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=paths.cache_dir()) as folder:
            for archive in _archives(release, images, Path(folder), at):
                engine.docker("cp", str(archive), f"{name}:/images/{archive.name}", timeout=600)
        at("importing")
        process.stream(
            ["docker", "start", "--attach", name],
            paths.log_dir() / f"fill-stores-{release.minor}.log",
            on_line=at,
            env=engine.current().environment,
            timeout=900,
            remedy="run the same command again",
        )
        at("committing")
        _commit(release, built, name)
    finally:
        engine.docker("rm", "--force", name, timeout=120)
        for volume in volumes.values():
            engine.docker("volume", "rm", "--force", volume, timeout=120)


def broken_off(volumes: Iterable[str]) -> list[str]:
    """Return which of these volumes a build left that was killed; while one goes on there are none."""
    found = [name for name in volumes if VOLUME.fullmatch(name)]
    return [] if found and goes_on() else found


def _archives(
    release: Release, images: Mapping[str, str], folder: Path, at: Callable[[str], None]
) -> list[Path]:
    """Save each store's images under the names that the store is to know them by."""
    found = []
    with _NAMES:
        try:
            for reference, image in images.items():
                engine.docker("tag", image, reference)
            for store in ("containerd", "docker"):
                at(f"images for {store}")
                found.append(folder / f"{store}.tar")
                references = [image.reference for image in release.images if store in image.stores]
                engine.docker("save", "--output", str(found[-1]), *references, timeout=600)
        finally:
            for reference in images:
                if exists(reference):
                    engine.docker("rmi", reference)
    return found


def _commit(release: Release, built: str, container: str) -> None:
    versions = json.loads(engine.docker("run", "--rm", "--entrypoint", "cat", built, VERSIONS_FILE))
    changes = [
        'ENTRYPOINT ["/usr/local/bin/entrypoint"]',
        "CMD []",
        f"LABEL {MADE_BY}=node",
        f"LABEL {MADE_BY}.release={release.minor}",
        *(f"LABEL {MADE_BY}.{name}={value}" for name, value in sorted(versions.items())),
    ]
    arguments = [word for change in changes for word in ("--change", change)]
    engine.docker("commit", *arguments, container, release.tag, timeout=600)
