"""The node image: built once for each content of lab/node, found again ever after."""

from __future__ import annotations

import json
import os
import re
import tempfile
import uuid
from pathlib import Path

from shimlab import paths, process
from shimlab.errors import LabError
from shimlab.lab import engine, host
from shimlab.lab.release import Release
from shimlab.progress import Step, step

BASE = "shimlab/base:bookworm"
# debian:bookworm-slim as multi-architecture index.
BASE_UPSTREAM = "debian:bookworm-slim@sha256:4724b8cc51e33e398f0e2e15e18d5ec2851ff0c2280647e1310bc1642182655d"
# Bytes that a cold build takes at its peak on the file system of the engine's data: measured, rounded up.
BUILD_SPACE = 10 * 10**9
BUILD_SECONDS = 5400
MADE_BY = "io.shimlab"
VERSIONS_FILE = "/usr/share/shimlab/versions.json"


def exists(reference: str) -> bool:
    """Tell whether the engine has an image."""
    return bool(engine.docker("images", "--quiet", reference).strip())


def ensure(release: Release, *, keep: bool = False) -> str:
    """Return the release's node image, building it if this content was never built; ``keep`` keeps the build stages.

    Raises:
        LabError: if there is too little space, or a step of the build fails; finished steps are found again.
    """
    if exists(release.tag):
        return release.tag
    need_space(engine.data_root(), BUILD_SPACE)
    with step("Base image") as current:
        _base(current)
    for target in ("node", *(image.target for image in release.images)):
        with step(f"Building {target}") as current:
            _target(release, target, current)
    with step("Filling the image stores") as current:
        _stores(release, current)
    if not keep:
        prune()
    return release.tag


def need_space(folder: Path, needed: int) -> None:
    """Ask for free space before anything starts.

    Raises:
        LabError: if the file system that holds ``folder`` has fewer than ``needed`` bytes free.
    """
    free = host.free_bytes(folder)
    if free < needed:
        raise LabError(
            f"{folder} has {free / 1e9:.1f} GB free; building the node image takes {needed / 1e9:.0f} GB for a while",
            f"free {(needed - free) / 1e9:.1f} GB there, or move the engine's data",
        )


def workshop() -> list[str]:
    """Return the containers in which a build goes on or broke off; a node has the same labels and one of its own."""
    form = f'{{{{.Names}}}}|{{{{.Label "{MADE_BY}"}}}}|{{{{.Label "{MADE_BY}.stage"}}}}'
    found = (line.split("|") for line in engine.docker("ps", "--all", "--format", form).splitlines())
    # A stand-in for docker may print something else.
    rows = (row for row in found if len(row) == 3)
    return [name for name, made, stage in rows if made == "build" or (stage and made != "node")]


def prune() -> None:
    """Remove the stages of the build, Go's caches among them; the node image stays."""
    for reference in engine.docker(
        "images", "--format", "{{.Repository}}:{{.Tag}}", "shimlab-build/*"
    ).split():
        engine.docker("rmi", reference, timeout=300)
    engine.docker("image", "prune", "--force", "--filter", f"label={MADE_BY}.stage", timeout=600)


def remove_all() -> None:
    """Remove every image that the lab made, whatever its content."""
    prune()
    references = engine.docker(
        "images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", f"label={MADE_BY}"
    ).split()
    for reference in references:
        engine.docker("rmi", "--force", reference, timeout=300)


def _base(current: Step) -> None:
    if exists(BASE):
        return
    log = paths.log_dir() / "base.log"
    environment = engine.current().environment
    try:
        process.stream(
            ["docker", "pull", BASE_UPSTREAM], log, on_line=current.note, env=environment, timeout=300
        )
    except LabError as error:
        if not host.is_root_debian():
            raise LabError(
                f"no image registry answers ({error.what[:120]})",
                "give this machine a way to Docker Hub, or be root on a Debian 12: there the base is made locally",
            ) from error
        process.stream(
            [str(paths.repository() / "lab" / "host" / "make-base"), BASE],
            log,
            on_line=current.note,
            env=environment,
            timeout=900,
            remedy="mend the network, then run the same command again",
            append=True,
        )
    else:
        engine.docker("tag", BASE_UPSTREAM, BASE)


def _build_reference(release: Release, target: str) -> str:
    return f"shimlab-build/{target}:{release.minor}"


def _target(release: Release, target: str, current: Step) -> None:
    folder = paths.repository() / "lab" / "node"
    # Without --force-rm the classic builder leaves the container of a step that failed.
    argv = [
        "docker",
        "build",
        "--force-rm",
        "--network",
        "host",
        "--file",
        str(folder / "Dockerfile"),
        "--target",
        target,
    ]
    # BuildKit passes none of ours on; the classic builder none either: what reaches a build is named here.
    arguments = {"BASE": BASE, "RELEASE": release.minor, "GOPROXY": os.environ.get("GOPROXY", "")}
    for name, value in arguments.items():
        if value:
            argv += ["--build-arg", f"{name}={value}"]
    process.stream(
        [*argv, "--tag", _build_reference(release, target), str(folder)],
        paths.log_dir() / f"build-{target}.log",
        on_line=_BuildLines(current).read,
        env=engine.current().environment,
        timeout=BUILD_SECONDS,
        remedy="run the same command again: finished steps are kept",
    )


class _BuildLines:
    """Show the builder's own step, not what runs inside it: a compiler's chatter says only that it lives."""

    def __init__(self, current: Step) -> None:
        self._current = current
        self._at = "sending the files"

    def read(self, line: str) -> None:
        match = re.match(r"(Step \d+/\d+ : .*|#\d+ \[.*)", line)
        self._at = match[1] if match else self._at
        self._current.note(self._at)


def _stores(release: Release, current: Step) -> None:
    """Fill both image stores in a container of the node image, and commit it.

    The stores are filled on a volume, since an overlay does not lie on an overlay, and then copied. Both volumes are
    named ones: Docker would write anonymous ones into the committed image.
    """
    name = f"shimlab-stores-{uuid.uuid4().hex[:8]}"
    volumes = {place: f"{name}-{place}" for place in ("stores", "images")}
    try:
        engine.docker(
            *["create", "--name", name, "--privileged", "--label", f"{MADE_BY}=build"],
            *[word for place, volume in volumes.items() for word in ("--volume", f"{volume}:/{place}")],
            *["--entrypoint", "/usr/local/lib/shimlab/fill-stores", _build_reference(release, "node")],
        )
        for image in release.images:
            engine.docker("tag", _build_reference(release, image.target), image.reference)
        with tempfile.TemporaryDirectory(dir=paths.cache_dir()) as folder:
            for store in ("containerd", "docker"):
                current.note(f"images for {store}")
                archive = str(Path(folder) / f"{store}.tar")
                references = [image.reference for image in release.images if store in image.stores]
                engine.docker("save", "--output", archive, *references, timeout=600)
                engine.docker("cp", archive, f"{name}:/images/{store}.tar", timeout=600)
        process.stream(
            ["docker", "start", "--attach", name],
            paths.log_dir() / "fill-stores.log",
            on_line=current.note,
            env=engine.current().environment,
            timeout=900,
            remedy="run the same command again",
        )
        current.note("committing")
        _commit(release, name)
    finally:
        engine.docker("rm", "--force", name, timeout=120)
        for volume in volumes.values():
            engine.docker("volume", "rm", "--force", volume, timeout=120)
        for image in release.images:
            if exists(image.reference):
                engine.docker("rmi", image.reference)


def _commit(release: Release, container: str) -> None:
    versions = json.loads(
        engine.docker("run", "--rm", "--entrypoint", "cat", _build_reference(release, "node"), VERSIONS_FILE)
    )
    changes = [
        'ENTRYPOINT ["/usr/local/bin/entrypoint"]',
        "CMD []",
        f"LABEL {MADE_BY}=node",
        f"LABEL {MADE_BY}.release={release.minor}",
        *(f"LABEL {MADE_BY}.{name}={value}" for name, value in sorted(versions.items())),
    ]
    arguments = [word for change in changes for word in ("--change", change)]
    engine.docker("commit", *arguments, container, release.tag, timeout=600)
