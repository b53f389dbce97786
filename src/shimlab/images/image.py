"""The node image: built once for each content of lab/node, found again ever after."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from shimlab import interruption, orphans, paths
from shimlab.errors import LabError
from shimlab.images import build, recipe, release, stores
from shimlab.images.build import Job
from shimlab.images.release import Release
from shimlab.machine import engine, host
from shimlab.progress import say, step
from shimlab.waiting import wait

MADE_BY = recipe.MADE_BY
# Bytes that a cold build of all labs takes at its peak on the file system of the engine's data: measured, rounded up.
BUILD_SPACE = 12 * 10**9
# On a container that only the lab of this name may remove.
OF_LAB = f"{MADE_BY}.lab"
# Contents that are kept of each part of each release: what is in use now, and what was before it.
CONTENTS = 2
# What an engine has begun for a builder that is ended it breaks off at once, and removes.
CLEAR_SECONDS = 60
exists = build.exists


def ensure(wanted: Release, *, keep: bool = False) -> str:
    """Return one release's node image as :func:`ensure_all` does."""
    return ensure_all([wanted], keep=keep)[wanted.minor]


def ensure_all(wanted: Sequence[Release], *, keep: bool = False) -> dict[str, str]:
    """Return the releases' node images by minor release, building what was never built with this content.

    A release that lies on another one has that built first. ``keep`` keeps the stages of the build.

    Raises:
        LabError: if there is too little space, or a step of the build fails; finished steps are found again.
    """
    if missing := [each for each in wanted if not exists(each.tag)]:
        with build.alone():
            clear()
            # Whoever was waited for may have built them.
            lacking = [each for each in _with_what_they_lie_on(missing) if not exists(each.tag)]
            try:
                _build(lacking, keep=keep)
            except BaseException:
                with interruption.cleaning_up():
                    clear()
                raise
    return {each.minor: each.tag for each in wanted}


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
    """Return the containers in which a build or a run of this lab's broke off; a node has labels like theirs.

    While some build goes on there are none: its containers look the same, and it removes them itself.
    """
    if build.goes_on():
        return []
    found = _workshop()
    # One that began meanwhile has its containers in the list.
    return [] if build.goes_on() else found


def clear() -> None:
    """Remove what builds that broke off left: containers, volumes, archives. Who calls has `build.alone`.

    Raises:
        LabError: something cannot be removed, or the engine does not come to an end with it.
    """
    for folder in paths.cache_dir().glob(f"{build.SCRATCH}*"):
        shutil.rmtree(folder, ignore_errors=True)

    def left() -> list[str]:
        # Asked in this order: what somebody waited for is there when he waits no more.
        busy = [" ".join(each.argv[:3]) for each in orphans.making()]
        containers, volumes = _workshop(), _volumes()
        for command, names in (("rm", containers), ("volume rm", volumes)):
            if names:
                engine.docker(*command.split(), "--force", *names, timeout=120)
        return [*busy, *containers, *volumes]

    wait(lambda: not left(), "the engine to end what a build that broke off had begun", CLEAR_SECONDS)


def _workshop() -> list[str]:
    labels = "|".join(f'{{{{.Label "{label}"}}}}' for label in (MADE_BY, f"{MADE_BY}.stage", OF_LAB))
    told = engine.docker("ps", "--all", "--format", f"{{{{.Names}}}}|{labels}")
    # A stand-in for docker may print something else.
    rows = [row for line in told.splitlines() if len(row := line.split("|")) == 4]
    return [
        name
        for name, made, stage, lab in rows
        if (made == "build" or (stage and made != "node")) and lab in ("", paths.name())
    ]


def _volumes() -> list[str]:
    return list(filter(stores.VOLUME.fullmatch, engine.docker("volume", "ls", "--quiet").split()))


def prune() -> None:
    """Remove the stages of the build, Go's caches among them; node images and their compiled parts stay."""
    references = engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}", f"{recipe.BUILD}/*").split()
    if references:
        engine.docker("rmi", *references, timeout=600)
    engine.docker("image", "prune", "--force", "--filter", f"label={MADE_BY}.stage", timeout=600)


def remove_all() -> list[str]:
    """Remove every image that the lab made, whatever its content, and return those that stay: a container uses them.

    Raises:
        LabError: if one is being built.
    """
    if build.goes_on():
        raise LabError("a node image is being built", "wait for it to end, or interrupt it")
    prune()
    containers = engine.docker("ps", "--all", "--quiet").split()
    used = engine.docker("inspect", "--format", "{{.Image}}", *containers).split() if containers else []
    form = ["--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}", "--filter", f"label={MADE_BY}"]
    images = [line.split() for line in engine.docker("images", *form).splitlines()]
    for reference, digest in images:
        if digest not in used:
            # One whose name another has taken is known by its content alone.
            engine.docker("rmi", "--force", digest if "<none>" in reference else reference, timeout=300)
    return [reference for reference, digest in images if digest in used]


def _build(missing: Sequence[Release], *, keep: bool) -> None:
    if not missing:
        return
    need_space(engine.data_root(), BUILD_SPACE)
    with step("Base image") as current:
        build.ensure_base(current)
    began = time.monotonic()
    build.side_by_side(_jobs(missing))
    say(f"Built in {time.monotonic() - began:.0f} s: {', '.join(_described(each) for each in missing)}.")
    _forget_older(missing)
    if not keep:
        with step("Removing the stages of the build"):
            prune()


def _with_what_they_lie_on(wanted: Sequence[Release]) -> list[Release]:
    found: dict[str, Release] = {}
    for each in wanted:
        if each.on and each.on not in found:
            found[each.on] = release.load(each.on)
        found.setdefault(each.minor, each)
    return list(found.values())


def _described(built: Release) -> str:
    """Say how large an image is; of one that lies on another, what it adds."""
    size = _bytes(built.tag)
    if not built.on:
        return f"{built.tag}, {size / 1e9:.2f} GB"
    beneath = release.load(built.on).tag
    return f"{built.tag}, {(size - _bytes(beneath)) / 1e9:.2f} GB on top of {beneath}"


def _bytes(reference: str) -> int:
    return int(engine.docker("image", "inspect", "--format", "{{.Size}}", reference))


def _jobs(missing: Sequence[Release]) -> list[Job]:
    """List what is to be done for the node images of releases: whole ones first, since others may lie on them."""
    jobs: dict[str, Job] = {}
    for each in sorted(missing, key=lambda wanted: bool(wanted.on)):
        lacking = [part for part in recipe.programs(each) if not exists(part.reference)]
        for part in recipe.with_what_they_start_from(lacking):
            jobs.setdefault(part.reference, build.job(part))
        for job in _node(each):
            jobs[job.name] = job
    return list(jobs.values())


def _node(wanted: Release) -> list[Job]:
    """List what puts a node image together of its programs."""
    if wanted.on:
        beneath = release.load(wanted.on).tag
        part = recipe.node(wanted, beneath)
        on_top = Job(part.reference, lambda stop: build.part(part, stop=stop), part.needs | {beneath})
        return [
            on_top,
            Job(wanted.tag, lambda _: stores.finish(wanted, part.reference), frozenset({on_top.name})),
        ]
    node = recipe.node(wanted)
    images = recipe.images(wanted)

    def fill(stop: threading.Event) -> None:
        with step(f"Filling the image stores of {wanted.version}") as current:
            built = {name: part.reference for name, part in images.items()}
            stores.fill(wanted, node.reference, built, current, stop)

    parts = [node, *images.values()]
    after = frozenset(part.reference for part in parts)
    return [*map(build.job, parts), Job(wanted.tag, fill, after)]


def _forget_older(used: Sequence[Release]) -> None:
    """Remove contents of compiled parts that were not used for longest, beyond CONTENTS of each part of each release.

    When one was used last is the time at which it was tagged last.
    """
    for part in (part for each in used for part in recipe.programs(each)):
        engine.docker("tag", part.reference, part.reference)
    references = engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}", f"{recipe.KEPT}*").split()
    if not references:
        return
    times = engine.docker("image", "inspect", "--format", "{{json .Metadata.LastTagTime}}", *references)
    newest_first = sorted(zip(times.split("\n"), references, strict=False), reverse=True)
    found: dict[str, int] = {}
    for _, reference in newest_first:
        kind = recipe.kind_of(reference)
        found[kind] = found.get(kind, 0) + 1
        if found[kind] > CONTENTS:
            engine.docker("rmi", reference, timeout=300)
