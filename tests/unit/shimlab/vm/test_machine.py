"""The virtual machine of `./run vm`: what it is made with, and what is run in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from shimlab import paths
from shimlab.images import release
from shimlab.vm import machine


@pytest.mark.parametrize(
    ("flags", "device", "accelerator"),
    [
        ("fpu vme svm", True, "kvm"),
        ("fpu vmx", True, "kvm"),
        ("fpu vmx", False, "tcg"),
        # A device with nothing under it, as on the machine of this project's own tests.
        ("fpu hypervisor", True, "tcg"),
        ("fpu svm_lock", True, "tcg"),
    ],
)
def test_a_device_alone_does_not_make_it_fast(
    tmp_path: Path, flags: str, device: bool, accelerator: str
) -> None:
    cpuinfo, kvm = tmp_path / "cpuinfo", tmp_path / "kvm"
    cpuinfo.write_text(f"model name\t: a processor\nflags\t\t: {flags}\nbugs\t\t:\n")
    if device:
        kvm.touch()
    found = machine.processor(cpuinfo, kvm)
    assert found.accelerator.partition(",")[0] == accelerator
    assert (found.patience == 1) == (accelerator == "kvm")


def test_what_it_runs_is_there() -> None:
    assert (paths.repository() / machine.TESTS.split()[-1]).is_dir()
    assert {release.load(minor).minor for minor in machine.RELEASES} == set(machine.RELEASES)


def test_the_checkout_goes_over_as_it_is(tmp_path: Path) -> None:
    machine._copy(tmp_path)
    ours = paths.repository()
    assert (tmp_path / "run").stat().st_mode == (ours / "run").stat().st_mode
    link = "lab/node/root/usr/local/lib/shimlab/crun-bounded"
    assert (tmp_path / link).readlink() == (ours / link).readlink()
    assert not (tmp_path / ".git").exists()
    assert not (tmp_path / ".nox").exists()
