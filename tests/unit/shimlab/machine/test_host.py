from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import command

from shimlab.errors import LabError
from shimlab.images import image
from shimlab.machine import host


def test_an_architecture_without_a_lab_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(LabError, match="riscv64"):
        host.architecture()


def test_too_little_space_says_how_much_is_missing(tmp_path: Path) -> None:
    with pytest.raises(LabError) as caught:
        image.need_space(tmp_path / "not" / "there", 10**18)
    assert "GB free" in caught.value.what
    assert caught.value.remedy.startswith("free ")
    image.need_space(tmp_path, 1)


def test_bounded_is_what_the_kernel_says() -> None:
    allowed = subprocess.run(
        ["grep", "CapBnd", "/proc/self/status"], capture_output=True, text=True, check=True
    ).stdout.split()[1]
    assert host.is_bounded() == (int(allowed, 16) & (1 << 24) == 0)


def test_the_package_lists_name_each_package_once() -> None:
    for listed in ("packages", "packages-browser"):
        names = host.wanted_packages(listed)
        assert names
        assert len(names) == len(set(names))


def test_errors_of_the_command_are_two_lines_and_status_1(tmp_path: Path) -> None:
    # An empty PATH has no docker command: the first thing that a bare machine lacks.
    bare = {"PATH": str(tmp_path), "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    done = command.shimlab("status", env=bare)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert len(lines) == 2, done.stderr
    assert lines[0].startswith("shimlab: there is no docker command")
    assert lines[1].startswith("  → ")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_without_root_and_without_docker_up_says_what_to_install(open_folder: Path) -> None:
    # Everything is imported first: another user may not read where this python lives.
    code = f"""
import os, sys
import shimlab.cluster.lifecycle
from shimlab import cli
cli.parser()
os.setgroups([]); os.setgid(65534); os.setuid(65534)
home = {str(open_folder)!r}
os.environ.update(PATH=home, HOME=home, XDG_STATE_HOME=home + "/state", XDG_CACHE_HOME=home + "/cache")
sys.exit(cli.main(["up"]))
"""
    done = command.program(sys.executable, "-c", code)
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[-2].startswith("shimlab: there is no docker command")
    assert "apt-get install docker.io" in done.stderr


APT = """#!/bin/sh
echo "$(basename "$0") $* [$STARTED_BY_SHIMLAB]" >>FOLDER/asked
case "$(basename "$0") $*" in
dpkg*) touch FOLDER/configured ;;
*install*)
    [ -e FOLDER/configured ] && exit
    echo "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem. "
    exit 100
    ;;
esac
"""


def test_an_installation_that_was_killed_is_brought_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("apt-get", "dpkg"):
        program = tmp_path / name
        program.write_text(APT.replace("FOLDER", str(tmp_path)), "utf-8")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    host.install_packages("packages", lambda note: None)
    asked = (tmp_path / "asked").read_text().splitlines()
    assert ["install" in line for line in asked] == [False, True, False, True]
    assert asked[2] == "dpkg --configure -a []"
    # What packages start is to stay: it does not carry our mark.
    assert all(line.endswith("[]") for line in asked)
