"""What `down` removes and what is left afterwards: the lab's own, and nothing of anybody else's in the same engine."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from tests.support import command, private_engine

from shimlab import lock, paths
from shimlab.cluster import contents, leftovers, volumes
from shimlab.cluster.status import KIND_LABEL
from shimlab.errors import LabError
from shimlab.images import image
from shimlab.machine import engine, kind, private
from shimlab.machine.engine import Engine

# On a machine with a lab no process is of one of this name.
NAME = "tried"
OURS = f"{NAME}-worker"


@dataclass
class Container:
    """A container as far as somebody asks for it."""

    labels: dict[str, str] = field(default_factory=dict)
    mounts: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    image: str = ""


@dataclass
class Docker:
    """An engine's containers, volumes and networks, and the docker command over them as far as the lab uses it."""

    containers: dict[str, Container] = field(default_factory=dict)
    volumes: list[str] = field(default_factory=list)
    networks: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    #: What an engine that was killed, or a user, left behind: `rm --volumes` removes no volume then.
    keeps_volumes: bool = False

    def __call__(self, *words: str, **_: object) -> str:
        """Do what the docker command does, and return what it prints."""
        options = dict(itertools.pairwise(words))
        match words:
            case ("ps", *_):
                return "".join(f"{line}\n" for line in self._ps(words, options))
            case ("volume", "ls", *_):
                return "\n".join(self.volumes)
            case ("volume", "rm", "--force", *names):
                self.volumes = [each for each in self.volumes if each not in names]
            case ("network", "ls", *_):
                return "\n".join(each for each in self.networks if f"name=^{each}$" in words)
            case ("network", "rm", name):
                assert not any(name in each.networks for each in self.containers.values())
                self.networks.remove(name)
            case ("rm", "--force", "--volumes", name):
                gone = self.containers.pop(name)
                if not self.keeps_volumes:
                    self.volumes = [each for each in self.volumes if each not in gone.mounts]
            case ("inspect", "--format", "{{.Image}}", *names):
                return "\n".join(each.image for name, each in self.containers.items() if name in names)
            case ("images", "--no-trunc", *_):
                return "\n".join(f"{each} {each}-id" for each in self.images)
            case ("images", *_):
                return ""
            case ("rmi", "--force", name):
                self.images.remove(name)
            case ("image", "prune", *_):
                pass
            case _:
                pytest.fail(f"not asked in earnest: {words}")
        return ""

    def _ps(self, words: tuple[str, ...], options: dict[str, str]) -> Iterator[str]:
        wanted = [each.partition("=") for each in words if each.startswith(("label=", "network="))]
        for name, each in self.containers.items():
            labels = [f"{label}={value}" for label, value in each.labels.items()]
            has = {"label": labels, "network": each.networks}
            if all(value in has[kind_] for kind_, _, value in wanted):
                row = options.get("--format", "{{.Names}}").replace("{{.Names}}", name)
                row = row.replace("{{.Mounts}}", ",".join(each.mounts))
                yield re.sub(
                    r'{{.Label "([^"]+)"}}', lambda label, own=each.labels: own.get(label[1], ""), row
                )


def node(cluster: str = NAME, *mounts: str, made_by: str = "node") -> Container:
    labels = {KIND_LABEL: cluster, **({image.MADE_BY: made_by} if made_by else {})}
    return Container(labels, mounts, (kind.NETWORK,))


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    """The lab's own engine, which runs as long as nobody stops it."""
    private_engine.moved(tmp_path, monkeypatch)
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("SHIMLAB_NAME", NAME)
    found = Docker(networks=[kind.NETWORK])
    running = [True]

    def stop() -> bool:
        if found.containers:
            return False
        running.clear()
        return True

    monkeypatch.setattr(engine, "docker", found)
    monkeypatch.setattr(engine, "current", cache(lambda: Engine(private.SOCKET, "20.10.24")))
    monkeypatch.setattr(engine, "stop_private", stop)
    monkeypatch.setattr(private, "pid", lambda: 1 if running else None)
    monkeypatch.setattr(private, "mounts", lambda: [f"{private.RUN}/docker"] if running else [])
    monkeypatch.setattr(leftovers.os, "geteuid", lambda: 0)
    return found


ANONYMOUS, THEIRS = "a" * 64, "b" * 64


def test_everything_of_the_lab_goes_and_its_engine_with_it(docker: Docker) -> None:
    docker.containers = {OURS: node(NAME, ANONYMOUS)}
    docker.volumes = [ANONYMOUS]
    done = command.inside("down", "--check")
    assert done.returncode == 0, done
    assert (docker.containers, docker.volumes, docker.networks) == ({}, [], [])
    assert "goes on" not in done.stderr
    # To look for what is left leaves nothing either.
    assert not paths.state_file("lock").parent.exists()


def test_what_is_the_users_in_the_labs_engine_is_no_leftover_and_the_engine_goes_on_for_it(
    docker: Docker,
) -> None:
    docker.containers = {
        OURS: node(NAME, ANONYMOUS),
        "mine": Container(mounts=(THEIRS,)),
        "of the lab's image": Container({image.MADE_BY: "node"}),
    }
    docker.volumes = [ANONYMOUS, THEIRS, "named"]
    done = command.inside("down", "--check")
    assert (done.returncode, docker.volumes) == (0, [THEIRS, "named"]), done
    assert "it goes on for what is not this lab's: mine, of the lab's image" in done.stderr
    assert list(docker.containers) == ["mine", "of the lab's image"]
    assert docker.networks == []


def test_a_volume_of_the_users_alone_keeps_no_engine_up_and_is_no_leftover(docker: Docker) -> None:
    docker.volumes = [THEIRS]
    done = command.inside("down", "--check")
    assert (done.returncode, docker.volumes) == (0, [THEIRS]), done
    assert "goes on" not in done.stderr


def test_a_container_of_the_users_in_the_labs_network_keeps_the_network(docker: Docker) -> None:
    docker.containers = {"mine": Container(networks=(kind.NETWORK,))}
    done = command.inside("down", "--check")
    assert (done.returncode, docker.networks) == (0, [kind.NETWORK]), done


def test_what_the_lab_left_is_named_and_what_is_the_users_is_not(docker: Docker) -> None:
    docker.containers = {
        OURS: node(NAME, ANONYMOUS),
        "half-built": Container({image.MADE_BY: "build"}),
        "mine": Container(mounts=(THEIRS,)),
        f"{NAME}-control-plane": node(made_by=""),
    }
    docker.volumes = [ANONYMOUS, THEIRS, "shimlab-stores-0123abcd-images", "shimlab-stores-of-mine"]
    volumes.note([OURS])
    found = leftovers.found()
    assert [line for line in found if not line.startswith("process")] == [
        f"cluster {OURS}",
        "container half-built",
        f"volume {ANONYMOUS}",
        "volume shimlab-stores-0123abcd-images",
    ]


def test_an_engine_of_the_labs_in_which_nothing_is_left_is_a_leftover(docker: Docker) -> None:
    assert [line for line in leftovers.found() if not line.startswith("process")] == [
        f"network {kind.NETWORK}",
        f"mount {private.RUN}/docker",
    ]


def test_volumes_that_outlive_their_node_are_removed(docker: Docker) -> None:
    """As where the engine was killed while it removed the node, or a user removed it by hand."""
    docker.containers = {OURS: node(NAME, ANONYMOUS, "/var/run/a:b")}
    docker.volumes = [ANONYMOUS, THEIRS]
    docker.keeps_volumes = True
    done = command.inside("down", "--check")
    assert (done.returncode, docker.volumes) == (0, [THEIRS]), done
    assert volumes.left() == []


def test_another_labs_nodes_are_its_own(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    docker.containers = {"second-worker": node("second")}
    assert contents.look() == contents.Contents((), (), ("second",), ())
    done = command.inside("down", "--check")
    assert (done.returncode, "it goes on for what is not this lab's: the lab second" in done.stderr) == (
        0,
        True,
    )
    assert (list(docker.containers), docker.networks) == (["second-worker"], [kind.NETWORK])


def test_an_image_of_which_somebody_has_a_container_stays_and_is_named(docker: Docker) -> None:
    docker.containers = {"mine": Container({image.MADE_BY: "node"}, image="shimlab/node:1-id")}
    docker.images = ["shimlab/node:1", "shimlab/node:2"]
    done = command.inside("down", "--all")
    assert (done.returncode, docker.images) == (0, ["shimlab/node:1"]), done
    assert "shimlab/node:1 stays" in done.stderr


def test_what_a_killed_engine_holds_is_left(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*words: str, **_: object) -> str:
        raise engine.NoEngineError("no Docker engine answers", "`shimlab up` starts one")

    monkeypatch.setattr(engine, "docker", none)
    monkeypatch.setattr(private, "pid", lambda: None)
    assert not [line for line in leftovers.found() if "was killed" in line]
    (private.DATA / "containers" / "a").mkdir(parents=True)
    assert [line for line in leftovers.found() if "was killed" in line]


def test_what_another_lab_needs_is_not_removed_with_everything(docker: Docker) -> None:
    docker.containers = {"second-worker": node("second"), OURS: node()}
    done = command.inside("down", "--all")
    assert (done.returncode, list(docker.containers)) == (1, ["second-worker"])
    assert "the images and the caches stay: another lab is up (second)" in done.stderr
    assert lock.engine_file().is_file()


def test_what_a_lab_needs_that_comes_up_is_not_removed_with_everything(docker: Docker) -> None:
    """The image that it found is the one that it boots a moment later."""
    program = (
        "from shimlab import lock\nwith lock.using_engine():\n    print('held', flush=True)\n    input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        done = command.inside("down", "--all")
        other.communicate("\n")
    assert (done.returncode, "the images and the caches stay: another lab comes up" in done.stderr) == (
        1,
        True,
    )
    assert lock.engine_file().is_file()


@pytest.mark.parametrize("theirs", [True, False])
def test_of_a_stopped_engines_data_nothing_goes_where_volumes_of_somebody_elses_are_in_it(
    docker: Docker, theirs: bool
) -> None:
    (private.DATA / "image").mkdir(parents=True)
    if theirs:
        (private.DATA / "volumes" / "mine" / "_data").mkdir(parents=True)
    done = command.inside("down", "--all")
    assert done.returncode == 0, done
    assert private.DATA.exists() == theirs
    assert ("stays: volumes are in it that are not the lab's (mine)" in done.stderr) == theirs


def test_an_engine_that_does_not_answer_has_no_list_of_what_is_left(
    docker: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*words: str, **_: object) -> str:
        raise engine.SilentEngineError("it does not answer", "wait")

    monkeypatch.setattr(engine, "docker", silent)
    with pytest.raises(LabError, match="does not answer"):
        leftovers.found()


@pytest.mark.parametrize("shim", [True, False], ids=["in a container", "on its own"])
def test_a_kubelet_is_left_where_no_container_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, docker: Docker, shim: bool
) -> None:
    """One in a container is that container's, in whatever engine it is: another lab of this name may be in another."""
    processes = {
        "1": ("(init) S 0", "init"),
        "2": ("(containerd-shim) S 1" if shim else "(sh (of) mine) S 1", "shim"),
        "3": ("(systemd) S 2", "systemd"),
        "4": ("(kubelet) S 3", f"/usr/bin/kubelet\0--provider-id=kind://docker/{NAME}/{OURS}\0"),
    }
    for number, (stat, argv) in processes.items():
        (tmp_path / "proc" / number).mkdir(parents=True)
        (tmp_path / "proc" / number / "stat").write_text(f"{number} {stat} 1 1 0")
        (tmp_path / "proc" / number / "cmdline").write_text(argv)
    monkeypatch.setattr(leftovers, "PROC", tmp_path / "proc")
    assert ("process 4 kubelet" in leftovers.found()) is not shim


@pytest.mark.parametrize(
    ("argv", "ours"),
    [
        (["kubelet", "--v=2", "--provider-id=kind://docker/tried/tried-worker"], True),
        (["/usr/local/bin/kube-proxy", "--hostname-override=tried-worker2"], True),
        (["kubelet", "--provider-id=kind://docker/tried-two/tried-two-worker"], False),
        (["kubelet", "--provider-id=kind://docker/theirs/theirs-worker"], False),
        (["kubelet", "--v=2"], False),
    ],
)
def test_a_kubelet_is_the_labs_by_what_kind_tells_it(
    argv: list[str], ours: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHIMLAB_NAME", NAME)
    assert leftovers._is_of_a_node([word.encode() for word in argv]) is ours
