from __future__ import annotations

from pathlib import Path

from shimlab.machine import engine

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
    assert engine.mounts(table) == [
        "/var/lib/shimlab/docker",
        "/var/lib/shimlab/docker/overlay2/abc/merged",
        "/run/shimlab/docker/netns/default",
    ]


def test_a_disk_that_somebody_mounted_there_is_theirs(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(MOUNTINFO.format(bind="/"))
    assert "/var/lib/shimlab/docker" not in engine.mounts(table)


def test_a_machine_without_mountinfo_has_none(tmp_path: Path) -> None:
    assert engine.mounts(tmp_path / "nowhere") == []
