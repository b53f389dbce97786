"""A node image that somebody else built, as far as it can be tried without a registry: a lab of it beside the first.

The image is the lab's own under kind's usual name, booted with kind's defaults; no other one can be had here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from shimlab.images import release
from shimlab.machine import engine

NAME = "shimlab-given"
REFERENCE = "kindest/node:v0.0.0-of-the-lab"


def _shimlab(*arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "shimlab", *arguments]
    environment = {**os.environ, "SHIMLAB_NAME": NAME}
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=280)


@pytest.fixture
def image() -> Iterator[str]:
    engine.docker("tag", release.load().tag, REFERENCE)
    try:
        yield REFERENCE
    finally:
        _shimlab("down")
        made = engine.docker(
            *["images", "--quiet", "--no-trunc", "--filter", f"label=io.shimlab.given={REFERENCE}"]
        )
        engine.docker("rmi", "--force", REFERENCE, *made.split())


@pytest.mark.timeout(300)
def test_a_lab_of_a_given_image_runs_on_containerd_and_goes_without_a_trace(image: str) -> None:
    up = _shimlab("up", "--image", image)
    assert up.returncode == 0, up.stderr
    assert "The lab is up (containerd)" in up.stderr
    rows = [line.split() for line in up.stdout.splitlines()[1:]]
    assert [row[0] for row in rows] == [f"{NAME}-control-plane", f"{NAME}-worker", f"{NAME}-worker2"]
    assert {(row[1], row[2].partition("://")[0], row[4]) for row in rows} == {
        ("containerd", "containerd", "yes")
    }
    again = _shimlab("up", "--image", image)
    assert (again.returncode, "kubeadm" in again.stderr) == (0, False)
    version = _shimlab("cri", f"{NAME}-worker", "version")
    assert "containerd" in version.stdout, version.stderr
    down = _shimlab("down", "--check")
    assert down.returncode == 0, down.stderr
