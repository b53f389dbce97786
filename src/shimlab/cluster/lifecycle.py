"""`shimlab up` and `shimlab down`: from any machine to a cluster, and back."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass

from shimlab import lock, orphans, paths
from shimlab.cluster import config, contents, create, leftovers, status, troubles
from shimlab.errors import LabError
from shimlab.images import build, image, release
from shimlab.images import custom_image as given_image
from shimlab.machine import engine, host, kind, private
from shimlab.node import exec as node_exec
from shimlab.progress import Step, say, step, unheard
from shimlab.runtimes import command_of
from shimlab.waiting import POLL_SECONDS_OF_NODES, soon

# A node that is started boots its systemd first; a control plane's API server took 30 s after that.
ANSWER_SECONDS = 90
BACK_SECONDS = 120
# For a kubelet that somebody has started again a moment ago.
READY_SECONDS = 30


@dataclass(frozen=True)
class Took:
    """How many seconds making a cluster took, and how many of them kubeadm's own init and join."""

    cluster: float
    kubeadm: float

    @property
    def ratio(self) -> float:
        """Return how many times kubeadm's own time it was: machines differ, this little."""
        return self.cluster / self.kubeadm


def up(name: str = config.DEFAULT, *, given: str = "", keep: bool = False) -> Took | None:
    """Make the machine ready, build the node images if needed, and create the cluster if it is not there.

    Return how long the cluster took, or nothing if it was there.

    ``name`` is a lab of lab/clusters. ``given`` is a node image of somebody else's, such as kindest/node; the lab is
    then one that needs containerd alone. ``keep`` keeps the stages of the image build.

    Raises:
        LabError: for each thing the user can mend; what was half made is removed.
    """
    began = time.monotonic()
    if given:
        given_image.check(given)
    lab = config.load(config.FOR_GIVEN) if given else config.built(name)
    if not given:
        host.architecture()
    if not given and _is_there(lab):
        return None
    with lock.alone(), lock.using_engine(), leftovers.told("up"):
        prepare()
        status.refuse_foreign()
        _refuse_other(lab)
        images = {config.GIVEN: given_image.ensure(given)} if given else _images(lab, keep=keep)
        configuration = lab.for_kind(images)
        recipe = config.recipe(lab, configuration)
        if status.is_made(recipe):
            _wake()
            if status.is_up(recipe):
                _say_there(lab)
                return None
            troubles.refuse_broken_api()
        status.remove()
        ready = time.monotonic()
        kubeadm = create.create(configuration, recipe)
    took = Took(time.monotonic() - ready, kubeadm)
    before = f", after {ready - began:.0f} s for the machine and the images" if ready - began >= 5 else ""
    say(
        f"The lab is up ({lab.name}): {took.cluster:.0f} s{before}. "
        f"kubeadm took {took.kubeadm:.0f} s of them (ratio {took.ratio:.2f})."
    )
    return took


def _is_there(lab: config.Lab) -> bool:
    """Tell whether all is there already, and say so: then nobody who works on one of its nodes is in the way."""
    with lock.together():
        try:
            status.refuse_foreign()
            if (
                kind.binary() is None
                or status.halted()
                or not is_current(lab.name)
                or not all(map(build.exists, _tags(lab).values()))
            ):
                return False
        except engine.SilentEngineError:
            raise
        except LabError:
            # No engine yet, or one that is not ours: the way through all of it says what there is to say.
            return False
        _say_there(lab)
        return True


def _tags(lab: config.Lab) -> dict[str, str]:
    return {minor: release.load(minor).tag for minor in lab.releases}


def is_current(name: str) -> bool:
    """Tell whether the lab of this name is up, made from what lab/ holds now; one of a given image always is.

    Raises:
        LabError: lab/ has no such lab.
    """
    lab = config.load(name)
    if name == config.FOR_GIVEN:
        return bool(status.made_from())
    return status.is_up(config.recipe(lab, lab.for_kind(_tags(lab))))


def _images(lab: config.Lab, *, keep: bool) -> dict[str, str]:
    return image.ensure_all([release.load(minor) for minor in lab.releases], keep=keep)


def _refuse_other(lab: config.Lab) -> None:
    there = status.lab()
    if there and there != lab.name:
        raise LabError(
            f"the lab that is up is {there!r}, and {lab.name!r} would take its place",
            "`shimlab down` first, or export SHIMLAB_NAME=another-name for a second lab",
        )


def _wake() -> None:
    """Let every node of the lab run whose container was stopped or paused; what ran in the cluster is kept.

    Raises:
        LabError: one does not start.
    """
    halted = status.halted()
    if not halted:
        return
    with step(f"Starting {', '.join(halted)}") as current:
        since = {name: _wake_one(name, state) for name, state in halted.items()}
        if not soon(status.answers, ANSWER_SECONDS, POLL_SECONDS_OF_NODES):
            return
        # How they fare after that is told with all other nodes.
        soon(lambda: _are_back(since, current), BACK_SECONDS, POLL_SECONDS_OF_NODES)


def _wake_one(name: str, state: str) -> float:
    """Let a container run, and return since when its kubelet has to have reported, in seconds by the node's clock."""
    if state == "paused":
        engine.docker("unpause", name)
        # It goes on as it was, and reports at its usual time.
        return 0
    engine.docker("start", name, timeout=120)
    return float(node_exec.run(name, ["date", "+%s"]))


def _are_back(since: Mapping[str, float], current: Step) -> bool:
    """Tell whether nodes are well, or not so for a reason that waiting does not mend."""
    try:
        wrong = {each.node: each for each in troubles.look()[1]}
        last = status.reports()
    except LabError as error:
        current.note(error.what)
        return False
    for name, began in since.items():
        found = wrong.get(name)
        if found and found.state in ("broken", "migrating", "between"):
            continue
        if (found and not found.wanted) or last.get(name, 0) < began:
            current.note(f"waiting for {name}")
            return False
    return True


def _say_there(lab: config.Lab) -> None:
    """Say that the lab is up, whether all of it is well, and which nodes are on another runtime than it was made with.

    A node that is not Ready gets some time. What is wrong is for whoever asks (troubles.look).
    """
    nodes, wrong = troubles.look()
    if late := [each.node for each in wrong if each.state == "not ready" and not each.wanted]:
        with step(f"Waiting for {', '.join(late)} to be Ready") as current:
            soon(lambda: _are_back(dict.fromkeys(late, 0), current), READY_SECONDS, POLL_SECONDS_OF_NODES)
        nodes, wrong = troubles.look()
    say(f"The lab is up ({lab.name})" + (", and not all of it is well." if wrong else "."))
    made_with = lab.runtimes(paths.name())
    for node in nodes:
        wanted = made_with.get(node.name, node.asked)
        if node.asked != wanted:
            back = command_of(wanted, node.name)
            say(f"  {node.name} was migrated to {node.asked}; back: {back}")


def prepare() -> None:
    """Make sure of an engine and of kind, installing them where the machine is a root Debian.

    Raises:
        LabError: if something is missing that we do not install here, or there is no room for the lab's own files.
    """
    for folder in (paths.state_dir(), paths.cache_dir()):
        host.need_room(folder)
    end_orphans()
    with lock.machine():
        host.ensure_packages("packages")
        with step("Docker engine"):
            engine.ensure()
        with step("kind") as current:
            kind.ensure(current.note)


def end_orphans() -> None:
    """End what a command that was killed left running, whichever lab it was for: nobody waits for it."""
    if orphans.found():
        with step("Ending what a killed command left at work"):
            orphans.end()


@unheard()
def down(*, everything: bool = False) -> None:
    """Remove the cluster and stop the engine if it is ours; with ``everything``, the images and the caches as well.

    It is done whether anybody hears of it or not.

    Raises:
        LabError: if something of ours cannot be removed, or an engine is there that does not answer: nothing is removed
            then. Also if ``everything`` was asked for and another lab needs it.
        BrokenPipeError: all is removed, and nobody heard of it.
        KeyboardInterrupt: with what is left.
    """
    needed = ""
    with lock.alone(), leftovers.told("down"), lock.using_engine():
        end_orphans()
        found = _engine()
        if found is not None:
            with step("Removing the cluster"):
                status.remove()
        with lock.engine_alone(leave=True) as last:
            needed = _needed_by(found, last=last) if everything else ""
            if everything and found is not None and not needed:
                with step("Removing the images"):
                    for each in image.remove_all():
                        say(f"  {each} stays: a container that is not the lab's is made from it")
            if found is not None:
                _leave_engine(found, last=last)
            elif last and os.geteuid() == 0:
                # A `down` that was killed may have stopped it and come no further.
                private.clear_up()
            if paths.name() != paths.DEFAULT_NAME:
                shutil.rmtree(paths.state_dir(), ignore_errors=True)
            if everything and not needed:
                _forget()
    if everything and needed:
        raise LabError(
            f"the images and the caches stay: {needed}",
            "`shimlab down --all` again when no other lab is there",
        )


def _engine() -> engine.Engine | None:
    """Return the engine that the lab is in; none if none runs.

    Raises:
        LabError: one is there and does not answer, or one that was killed cannot be started once more.
    """
    with lock.machine():
        if private.was_killed():
            # Only an engine can tell what its containers left, so it is started once more.
            with step("Starting our Docker engine, which was killed"):
                engine.start_private()
    # Another lab's `down` may have stopped it while we waited.
    engine.current.cache_clear()
    try:
        return engine.current()
    except engine.NoEngineError as nobody:
        if status.recipe_file().is_file() and not private.DATA.exists():
            # What is in the data of the user's own engine comes back with it.
            raise LabError(
                "no Docker engine runs, and the lab's cluster is in the data of the one that did",
                f"start it, then `shimlab down` again; if that data is gone: rm {status.recipe_file()}",
            ) from nobody
        say("No Docker engine runs, so nothing of the lab does.")
        return None


def _needed_by(found: engine.Engine | None, *, last: bool) -> str:
    """Say which other lab needs what labs share; nothing if none does."""
    if not last:
        return "another lab comes up or goes down, or an image is built"
    labs = contents.look().labs if found is not None else ()
    return f"another lab is up ({', '.join(labs)})" if labs else ""


def _leave_engine(found: engine.Engine, *, last: bool) -> None:
    """Remove the network and stop the engine if it is ours, where no other lab or anybody else needs them."""
    if last:
        # Of two labs that went down at once, each saw the other there when it removed its own cluster.
        status.remove_network()
    if not found.ours:
        return
    with step("Stopping our Docker engine"):
        if not last:
            say("  it goes on: another lab comes up or goes down in it, or an image is built")
        elif not engine.stop_private():
            there = contents.look()
            labs = [f"the lab {name}" for name in there.labs]
            say(f"  it goes on for what is not this lab's: {contents.few([*labs, *there.foreign])}")


def _forget() -> None:
    """Remove what can be made again; of a stopped engine's data nothing, where volumes are in it that are not ours."""
    if private.pid() is None:
        if theirs := private.volumes():
            say(f"  {private.DATA} stays: volumes are in it that are not the lab's ({contents.few(theirs)})")
        else:
            shutil.rmtree(private.DATA, ignore_errors=True)
    shutil.rmtree(paths.cache_dir(), ignore_errors=True)
    shutil.rmtree(paths.log_dir(), ignore_errors=True)
