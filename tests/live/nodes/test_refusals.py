"""What a machine lacks is answered in two lines that say what to do."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.lab import ON_CONTAINERD, ON_DOCKERSHIM, role

from shimlab import paths
from shimlab.waiting import bound

AS_NOBODY = """
import os, sys
import shimlab.cluster.lifecycle
from shimlab import cli
cli.parser()
os.setgroups([]); os.setgid(65534); os.setuid(65534)
home, docker_host, command = sys.argv[1:]
os.environ.update(HOME=home, XDG_STATE_HOME=home + "/state", XDG_CACHE_HOME=home + "/cache", DOCKER_HOST=docker_host)
sys.exit(cli.main([command]))
"""


def _shimlab(*arguments: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-m", "shimlab", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=bound(60),
    )
    return done.returncode, done.stderr.splitlines()


@pytest.mark.parametrize(
    ("arguments", "what", "remedy"),
    [
        (["node", "exec", "nowhere", "--", "true"], "no node nowhere", ON_DOCKERSHIM),
        (["node", "exec", ON_CONTAINERD], "no command", "shimlab node exec"),
        (["up", "--lab", "forgotten"], "no lab forgotten", "removed"),
        (["up", "--lab", "removed"], "the lab that is up is 'deprecated'", "shimlab down"),
        (["up", "--image", "kindest/node:v1.31.0"], "the lab that is up is 'deprecated'", "SHIMLAB_NAME"),
        (["cri", "nowhere", "version"], "no node nowhere", ON_DOCKERSHIM),
        (["cri", ON_CONTAINERD, "version", "--socket", "/nowhere.sock"], "no such socket", "--socket"),
        (["cri", ON_DOCKERSHIM, "version", "--api", "v1"], "no CRI service in v1", "--api"),
    ],
    ids=lambda value: " ".join(role(each) or each for each in value) if isinstance(value, list) else "",
)
def test_bad_input_is_answered_in_two_lines(arguments: list[str], what: str, remedy: str) -> None:
    status, lines = _shimlab(*arguments)
    assert status == 1
    # What was done before, looking for an engine and for kind, is told on lines of its own.
    lines = [line for line in lines if line[0] not in "•✓✗"]
    assert len(lines) == 2, lines
    assert lines[0].startswith("shimlab: ")
    assert what in lines[0]
    assert remedy in lines[1]


def test_a_command_in_a_node_hands_its_status_on() -> None:
    assert _shimlab("node", "exec", ON_CONTAINERD, "--", "sh", "-c", "exit 7")[0] == 7


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("mode", [0o600, None], ids=["no permission", "no engine"])
def test_docker_that_is_not_ours_to_use(open_folder: Path, mode: int | None) -> None:
    path = open_folder / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        if mode is not None:
            listener.bind(str(path))
            path.chmod(mode)
            listener.listen()
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, str(open_folder), f"unix://{path}", "up"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    what, remedy = done.stderr.splitlines()[-2:]
    assert what == (
        "shimlab: no Docker engine answers"
        if mode is None
        else "shimlab: Docker refuses this user its socket (permission denied)"
    )
    assert ("Debian 12" if mode is None else "usermod -aG docker") in remedy


def test_two_at_once_do_not_get_into_each_others_way() -> None:
    import fcntl

    with (paths.state_dir() / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        status, lines = _shimlab("down")
    assert status == 1
    assert "at work" in lines[-2]
