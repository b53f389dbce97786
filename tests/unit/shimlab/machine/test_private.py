from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import private_engine
from tests.support.private_engine import Engine

from shimlab.errors import LabError
from shimlab.machine import private

MOUNTINFO = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
90 22 254:0 {bind} /var/lib/shimlab/docker rw - ext4 /dev/vda rw
91 90 0:60 / /var/lib/shimlab/docker/overlay2/abc/merged rw - overlay overlay rw
92 22 0:4 net:[4026531840] /run/shimlab/docker/netns/default rw - nsfs nsfs rw
93 22 254:0 / /var/lib/shimlab-of-others rw - ext4 /dev/vda rw
"""


def test_the_mounts_of_a_killed_engine_are_found_in_order(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(MOUNTINFO.format(bind="/var/lib/shimlab/docker"))
    assert private.mounts(table) == [
        "/var/lib/shimlab/docker",
        "/var/lib/shimlab/docker/overlay2/abc/merged",
        "/run/shimlab/docker/netns/default",
    ]


def test_a_disk_that_somebody_mounted_there_is_theirs(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(MOUNTINFO.format(bind="/"))
    assert "/var/lib/shimlab/docker" not in private.mounts(table)


def test_a_machine_without_mountinfo_has_none(tmp_path: Path) -> None:
    assert private.mounts(tmp_path / "nowhere") == []


@pytest.fixture
def dockerd(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    with private_engine.stand_in(open_folder, monkeypatch) as found:
        yield found


def test_an_engine_has_an_environment_of_its_own(dockerd: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts it: it goes on when that shell has ended, and each container has what it has."""
    monkeypatch.setenv("TMPDIR", "/nonexistent")
    monkeypatch.setenv("DOCKER_TMP", "/nonexistent")
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    monkeypatch.chdir(dockerd.folder)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    mask = os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10**9, hard))
    try:
        dockerd.start()
        assert resource.getrlimit(resource.RLIMIT_FSIZE) == (10**9, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        os.umask(mask)
    seen = dockerd.seen
    # Python's own (PEP 538).
    seen["environment"].pop("LC_CTYPE", None)
    assert seen["environment"] == {
        **{name: value for name, value in os.environ.items() if name.upper() in private.HANDED_ON},
        "https_proxy": "http://proxy:3128",
        "HOME": "/root",
        "PATH": f"{dockerd.folder}/bin:{private.SYSTEM_PATH}",
    }
    assert (seen["cwd"], seen["umask"]) == ("/", 0o022)
    assert [tuple(each) for each in seen["limits"]] == [
        (hard, hard),
        (resource.getrlimit(resource.RLIMIT_CPU)[1],) * 2,
    ]


def test_an_engine_that_ends_at_once_says_why(dockerd: Engine) -> None:
    (dockerd.folder / "bin" / "dockerd").write_text("#!/bin/sh\necho 'no space left on device'\nexit 1\n")
    with pytest.raises(LabError, match="dockerd ended: no space left on device"):
        dockerd.start()


def test_an_engine_is_found_where_the_path_lacks_what_only_root_runs(
    dockerd: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after `su` without a dash."""
    monkeypatch.setattr(private, "SYSTEM_PATH", str(dockerd.folder / "bin"))
    monkeypatch.setenv("PATH", "/nowhere")
    assert private.command()[0] == str(dockerd.folder / "bin" / "dockerd")
    monkeypatch.setattr(private, "SYSTEM_PATH", "/nowhere")
    with pytest.raises(LabError, match="there is no dockerd"):
        private.command()


def test_the_volumes_in_the_data_of_an_engine_are_seen_without_it(dockerd: Engine) -> None:
    assert private.volumes() == []
    (private.DATA / "volumes" / "mine" / "_data").mkdir(parents=True)
    (private.DATA / "volumes" / "metadata.db").touch()
    assert private.volumes() == ["mine"]
