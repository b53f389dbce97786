"""The tests' images in a node's store, under the names that the tests ask for, for as long as they run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from shimlab import paths
from shimlab.machine import engine
from shimlab.migrate import cleanup
from shimlab.node import exec as nodes
from shimlab.progress import step
from shimlab.runtimes import DOCKERSHIM, Runtime
from shimlab.waiting import until

# On a volume: what is copied to a node's /tmp lies under the tmpfs that the node mounts there.
ARCHIVE = "/var/tmp/shimlab-conformance.tar"  # noqa: S108
LOAD_SECONDS = 300
# The kubelet removes dead containers once a minute, and an image goes after the last container of it.
REMOVE_SECONDS = 150
LIBRARY = "docker.io/library/"


@contextmanager
def present(
    node: str, runtime: Runtime, wanted: Mapping[str, str], built: Mapping[str, str]
) -> Iterator[None]:
    """Put images into a node's store, and take them out again.

    ``wanted`` tells what is behind each name that the tests ask for: an image of ``built``, by target, which is
    copied into the node, or one that the node holds.

    Raises:
        LabError: the store does not take one, or does not let it go.
    """
    guests = {name: behind for name, behind in wanted.items() if name != behind}
    carried = sorted({built[behind] for behind in guests.values() if behind in built})
    try:
        with step(f"Loading the tests' images into {node}"):
            _carry(node, runtime, carried)
            for name, behind in guests.items():
                _name(node, runtime, built.get(behind, behind), name)
            _forget(node, runtime, carried)
        yield
    finally:
        with step(f"Removing the tests' images from {node}") as current:
            gone = [*guests, *carried, *_own_names(runtime, carried)]
            until(current, REMOVE_SECONDS, lambda: _still_there(node, runtime, gone))


def _carry(node: str, runtime: Runtime, references: list[str]) -> None:
    with tempfile.TemporaryDirectory(dir=paths.cache_dir()) as folder:
        archive = Path(folder) / "images.tar"
        engine.docker("save", "--output", str(archive), *references, timeout=LOAD_SECONDS)
        engine.docker("cp", str(archive), f"{node}:{ARCHIVE}", timeout=LOAD_SECONDS)
    load = ["docker", "load", "--input"] if _docker(runtime) else [*_CTR, "import"]
    try:
        nodes.run(node, [*load, ARCHIVE], timeout=LOAD_SECONDS)
    finally:
        nodes.run(node, ["rm", "-f", ARCHIVE])


def _own_names(runtime: Runtime, references: list[str]) -> list[str]:
    """Return the names that a store gives images of its own accord: containerd's CRI plugin adds their ids."""
    if _docker(runtime):
        return []
    return engine.docker("image", "inspect", "--format", "{{.Id}}", *references).split()


def _name(node: str, runtime: Runtime, reference: str, name: str) -> None:
    if _docker(runtime):
        nodes.run(node, ["docker", "tag", reference, name])
    else:
        # Of an earlier run that was killed: the name may lead elsewhere.
        nodes.run(node, [*_CTR, "tag", "--force", in_full(reference), name])


def _forget(node: str, runtime: Runtime, references: list[str]) -> None:
    """Take names out of a store, and what has no other name; what is not there is no error."""
    for reference in references:
        if _docker(runtime):
            nodes.run(node, ["docker", "rmi", reference])
        else:
            nodes.run(node, [*_CTR, "rm", "--sync", in_full(reference)])


def _still_there(node: str, runtime: Runtime, references: list[str]) -> list[str]:
    """Take names out of a store, as far as it lets them go; return what it says of the others."""
    held = cleanup.images(node, runtime)
    spelled = {
        reference: short(reference) if _docker(runtime) else in_full(reference) for reference in references
    }
    left = [reference for reference, name in spelled.items() if name in held]
    if left:
        # Docker refuses while a container of it is there; that is told as what is waited for.
        _forget(node, runtime, left)
    return []


def in_full(reference: str) -> str:
    """Return a name as containerd keeps it: with the registry that Docker leaves out."""
    if reference.startswith("sha256:"):
        return reference
    first, slash, _ = reference.partition("/")
    if not slash:
        return f"{LIBRARY}{reference}"
    return reference if "." in first else f"docker.io/{reference}"


def short(reference: str) -> str:
    """Return a name as Docker shows it."""
    return reference.removeprefix(LIBRARY).removeprefix("docker.io/")


def _docker(runtime: Runtime) -> bool:
    return runtime.shares_with(DOCKERSHIM)


_CTR = ["ctr", "--namespace", "k8s.io", "images"]
