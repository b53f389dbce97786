"""`shimlab up` and `shimlab down`: from any machine to a cluster, and back."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from shimlab import paths
from shimlab.errors import LabError
from shimlab.lab import cluster, engine, host, image, kind, release
from shimlab.progress import say, step


def up(minor: str = release.DEFAULT, *, keep: bool = False) -> None:
    """Make the machine ready, build the node image if needed, and create the cluster if it is not there.

    Raises:
        LabError: for each thing the user can mend; what was half made is removed.
    """
    began = time.monotonic()
    host.architecture()
    wanted = release.load(minor)
    with alone():
        prepare()
        cluster.refuse_foreign()
        tag = image.ensure(wanted, keep=keep)
        if cluster.is_up(tag):
            say("The lab is up.")
            return
        cluster.remove()
        kubeadm = cluster.create(wanted, tag)
    seconds = time.monotonic() - began
    say(
        f"The lab is up: {seconds:.0f} s, of which kubeadm took {kubeadm:.0f} s (ratio {seconds / kubeadm:.2f})."
    )


def prepare() -> None:
    """Make sure of an engine and of kind, installing them where the machine is a root Debian.

    Raises:
        LabError: if something is missing that we do not install here.
    """
    host.ensure_packages("packages")
    with step("Docker engine"):
        engine.ensure()
    with step("kind") as current:
        kind.ensure(current.note)


def down(*, everything: bool = False) -> None:
    """Remove the cluster and stop the engine if it is ours; with ``everything``, the images and the caches as well.

    Raises:
        LabError: if something of ours cannot be removed.
    """
    with alone():
        if engine.was_killed():
            # Only an engine can tell what its containers left, so it is started once more.
            with step("Starting our Docker engine, which was killed"):
                engine.start_private()
        try:
            found: engine.Engine | None = engine.current()
        except LabError:
            say("No Docker engine runs, so nothing of the lab does.")
            found = None
        if found is not None:
            with step("Removing the cluster"):
                cluster.remove()
                if everything:
                    image.remove_all()
            if found.ours:
                with step("Stopping our Docker engine"):
                    if not engine.stop_private():
                        say("  it goes on: containers that are not the lab's run in it")
        if everything:
            shutil.rmtree(engine.DATA, ignore_errors=True)
            shutil.rmtree(paths.cache_dir(), ignore_errors=True)
            shutil.rmtree(paths.log_dir(), ignore_errors=True)


def lock() -> Path:
    """Return the file that a running `up`, `down` or `node` holds locked."""
    return paths.state_dir() / "lock"


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one command that changes the lab run at a time.

    Raises:
        LabError: another one is at work.
    """
    with lock().open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LabError(
                "another `shimlab up`, `down` or `node` is at work", "wait for it to end"
            ) from error
        yield
