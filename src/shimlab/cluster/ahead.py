"""`shimlab build`: the node images of several labs in one go, before any of them comes up."""

from __future__ import annotations

from collections.abc import Sequence

from shimlab import lock
from shimlab.cluster import config, leftovers
from shimlab.cluster.lifecycle import prepare
from shimlab.images import image, release
from shimlab.machine import host
from shimlab.progress import say


def build(names: Sequence[str] = (), *, keep: bool = False) -> list[str]:
    """Build the node images of labs, or those of every release, and return their names.

    A lab may come up meanwhile: one that needs an image that is being built waits for it. ``keep`` keeps the stages
    of the build.

    Raises:
        LabError: a lab is unknown, the machine cannot be made ready, or a step of the build fails.
        KeyboardInterrupt: with what is left.
    """
    minors = dict.fromkeys(minor for name in names for minor in config.built(name).releases)
    host.architecture()
    # No lab that goes down meanwhile stops the engine.
    with lock.using_engine(), leftovers.told("build"):
        prepare()
        built = image.ensure_all([release.load(minor) for minor in (minors or release.known())], keep=keep)
    say(f"There are node images of {', '.join(built)}.")
    return list(built.values())
