"""A Debian machine under qemu, made from lab/vm, that runs commands in this checkout: ``python -m shimlab.vm.machine``.

It has what the machine beneath may lack: Debian's own kernel with cgroup v2, systemd as process 1, every capability.
Where the processor does not help (KVM), qemu emulates one, some ten times as slow; so the node images, packages and
virtual environments are made on the host and handed over ready.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from shimfacts import ledger
from shimlab import lock, paths, process, settings
from shimlab.cluster.lifecycle import prepare
from shimlab.errors import LabError
from shimlab.images import build, image, release
from shimlab.machine import engine, host
from shimlab.progress import say, step
from shimlab.waiting import PATIENCE, wait

TAG = "shimlab/machine:bookworm"
MEMORY_MEGABYTES = 8192
DISK = "20G"
#: The node images that the tests in the machine use, and those tests.
RELEASES = ("1.20",)
TESTS = ".nox/dev/bin/python -m pytest --verbose tests/live/vm"
#: Measured: Python code runs 13 times as long in an emulated machine as on its host.
EMULATED_PATIENCE = 12


@dataclass(frozen=True)
class Processor:
    """How qemu gets the machine's processor, and how much longer things take on it."""

    accelerator: str
    patience: int


def processor(cpuinfo: Path = Path("/proc/cpuinfo"), kvm: Path = Path("/dev/kvm")) -> Processor:
    """Return KVM where the processor offers it to us, else emulation.

    The device alone says nothing: on a machine that is virtual itself it may be there, and a kernel under it stop in
    the middle of its start (seen). Without one of the two flags the processor offers nothing for it to use.
    """
    flags = re.search(r"^flags\s*:.*\b(vmx|svm)\b", cpuinfo.read_text(encoding="ascii"), re.MULTILINE)
    if flags and os.access(kvm, os.R_OK | os.W_OK):
        return Processor("kvm", 1)
    return Processor("tcg,thread=multi,tb-size=1024", EMULATED_PATIENCE)


def run(commands: Sequence[str], releases: Sequence[str], seconds: float) -> int:
    """Run shell commands, the first that fails ends them, in the checkout on a machine with these releases' images.

    Everything that the machine says goes to stdout. Return the commands' status.

    Raises:
        LabError: the machine cannot be made, ends without saying how it went, or takes longer than ``seconds``.
    """
    if not host.is_root_debian():
        raise LabError("only root on a Debian can make the machine's disk", "run it there")
    if host.architecture() != "amd64":
        raise LabError("the machine is made for amd64 alone", "run it there")
    with lock.machine():
        host.ensure_packages("packages-vm")
    chosen = processor()
    with tempfile.TemporaryDirectory(prefix="machine-", dir=paths.cache_dir()) as name:
        folder = Path(name)
        # A `down` in the midst of it would stop the engine.
        with lock.alone(), lock.using_engine():
            prepare()
            tags = image.ensure_all([release.load(minor) for minor in releases])
            _build()
            _make(folder, list(tags.values()), [f"export {PATIENCE}={chosen.patience}", *commands])
        say(f"The machine starts ({chosen.accelerator.partition(',')[0]}).")
        return _boot(folder, chosen, seconds)


def _build() -> None:
    """Build the machine's image, with this checkout in it."""
    with build.alone(), step("Building the machine") as current, tempfile.TemporaryDirectory() as checkout:
        build.ensure_base(current)
        _copy(Path(checkout))
        dockerfile = paths.repository() / "lab/vm/Dockerfile"
        labels = {image.MADE_BY: "machine"}
        build.build(dockerfile, Path(checkout), "machine", TAG, {}, current, labels=labels)


def _make(folder: Path, tags: Sequence[str], commands: Sequence[str]) -> None:
    """Make the machine's disk, its kernel and its initrd out of its image, with the node images in its engine."""
    with step("Making its disk") as current:
        root = folder / "root"
        root.mkdir()
        # By these labels `shimlab down` finds one that was left when its maker was killed.
        labels = ["--label", f"{image.MADE_BY}=build", "--label", f"{image.OF_LAB}={paths.name()}"]
        container = engine.docker("create", *labels, TAG).strip()
        try:
            archive = folder / "root.tar"
            engine.docker("export", "--output", str(archive), container, timeout=600)
        finally:
            engine.docker("rm", container)
        process.output(["tar", "--extract", f"--file={archive}", f"--directory={root}"], timeout=600)
        archive.unlink()
        (root / "srv" / "commands").write_text("".join(f"{line}\n" for line in commands), encoding="utf-8")
        for kind in ("vmlinuz", "initrd.img"):
            newest = max((root / "boot").glob(f"{kind}-*"))
            shutil.copy(newest, folder / kind)
        current.note("filling its engine")
        _fill(root / "var/lib/docker", folder, tags)
        current.note("writing the file system")
        argv = ["mke2fs", "-q", "-t", "ext4", "-m", "0", "-d", str(root), str(folder / "machine.img"), DISK]
        process.output(argv, timeout=900)
        shutil.rmtree(root)


def _fill(data: Path, folder: Path, tags: Sequence[str]) -> None:
    """Put node images into the data of the machine's engine, with an engine on the host: emulated, it takes ages."""
    archive, socket = folder / "nodes.tar", f"unix://{folder}/docker.sock"
    engine.docker("save", "--output", str(archive), *tags, timeout=900)
    argv = [
        *["dockerd", "--host", socket, "--data-root", str(data), "--exec-root", str(folder / "exec")],
        *["--pidfile", str(folder / "docker.pid"), "--bridge", "none", "--iptables=false"],
    ]
    with (paths.log_dir() / "machine-dockerd.log").open("wb") as log:
        filling = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        try:
            there = {"DOCKER_HOST": socket}
            wait(
                lambda: process.works(["docker", "version"], env=there), "an engine for the machine's images"
            )
            process.output(["docker", "load", "--input", str(archive)], env=there, timeout=900)
        finally:
            process.end(filling)
    archive.unlink()


def _copy(target: Path) -> None:
    """Copy the checkout as it is, what git ignores left out."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    there = subprocess.run(listed, cwd=paths.repository(), capture_output=True, text=True, check=True).stdout
    for name in filter(None, there.split("\0")):
        source = paths.repository() / name
        if source.is_symlink() or source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)


def _boot(folder: Path, chosen: Processor, seconds: float) -> int:
    """Start the machine, hand on what it says, and return the status that it ends with."""
    status: list[int] = []
    console = paths.log_dir() / "machine.log"
    with _qemu(folder, chosen, console) as machine:
        alarm = threading.Timer(seconds, machine.kill)
        alarm.daemon = True
        alarm.start()
        began = time.monotonic()
        for raw in machine.stdout or ():
            line = raw.decode("utf-8", "replace").rstrip()
            if told := re.fullmatch(r"machine: outcomes (\S+)", line):
                _keep_outcomes(base64.b64decode(told[1]))
                continue
            print(f"{time.monotonic() - began:5.0f} s  {line}", flush=True)
            if told := re.fullmatch(r"machine: status (\d+)", line):
                status.append(int(told[1]))
        machine.wait()
        late = not alarm.is_alive()
        alarm.cancel()
    if late:
        raise LabError(f"the machine did not end within {seconds:.0f} s", f"its console is in {console}")
    if not status:
        raise LabError("the machine ended without a word of its commands", f"its console is in {console}")
    return status[-1]


def _keep_outcomes(told: bytes) -> None:
    """Take how the tests in the machine ended into the ledger of this one."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "outcomes.json"
        file.write_bytes(told)
        ledger.merge(paths.repository() / ledger.SEEN, ledger.load(file))


@contextlib.contextmanager
def _qemu(folder: Path, chosen: Processor, console: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run qemu, whose second serial line is its stdout, and leave none behind."""
    argv = [
        *["qemu-system-x86_64", "-machine", "q35", "-accel", chosen.accelerator, "-cpu", "max"],
        *["-smp", str(os.cpu_count() or 1), "-m", str(MEMORY_MEGABYTES)],
        *["-display", "none", "-nodefaults", "-no-reboot", "-monitor", "none"],
        *["-kernel", str(folder / "vmlinuz"), "-initrd", str(folder / "initrd.img")],
        *["-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0 systemd.hostname=machine panic=1"],
        # Nobody needs the disk after the machine, so nothing waits for it to be written.
        *["-drive", f"file={folder / 'machine.img'},format=raw,if=virtio,cache=unsafe"],
        *["-netdev", "user,id=network", "-device", "virtio-net-pci,netdev=network"],
        *["-device", "virtio-rng-pci"],
        *["-serial", f"file:{console}", "-serial", "stdio"],
    ]
    machine = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True)
    try:
        yield machine
    finally:
        process.end(machine)
        if machine.stdout is not None:
            machine.stdout.close()


def main() -> int:
    """Run the tests of tests/live/vm on a machine; SIGTERM ends it as Ctrl-C does."""
    parser = argparse.ArgumentParser(prog="nox -s vm --", description=main.__doc__)
    parser.add_argument(
        "--command", action="append", help="run this in the checkout instead, in the order given"
    )
    parser.add_argument("--release", action="append", help="hand over this release's node image")
    parser.add_argument("--minutes", type=int, default=60, help="how long it may take (%(default)s)")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        settings.check()
        return run(chosen.command or [TESTS], chosen.release or RELEASES, chosen.minutes * 60)
    except LabError as error:
        print(f"{error.what}\n  → {error.remedy}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
