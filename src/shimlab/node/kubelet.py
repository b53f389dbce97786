"""A node's kubelet as it runs: what it was given, and how it was told to reach its runtime."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from shimlab.errors import LabError
from shimlab.kubelet_flags import KUBEADM_FLAGS, effective, parse_flags, parse_flags_file
from shimlab.node import exec as node_exec
from shimlab.node import procfs as proc
from shimlab.node.probe import Run, on, sections, text

# A node image holds each kubelet here, named by its version, and a link to the one in use (lab/node).
FOLDER = "/usr/local/lib/shimlab/kubelet"
LINK = "/usr/bin/kubelet"
SCRIPT = (
    proc.SCRIPT
    + r"""
main=$(systemctl show --property=MainPID --value kubelet)
section main echo "$main"
section version /proc/$main/exe --version
settings() {
  systemctl show --property=EnvironmentFiles --value kubelet | sed -n 's/ (ignore_errors=[a-z]*)$//p' |
    while read -r path; do printf '%s\0' "$path"; [ ! -e "$path" ] || cat "$path"; printf '\0'; done
}
section settings settings
"""
)


@dataclass(frozen=True)
class KubeletSetup:
    """A running kubelet: what it was given, and what follows from that."""

    columns: ClassVar = ("pid", "release", "runtime", "endpoint")

    pid: int
    version: tuple[int, int, int]
    argv: tuple[str, ...]
    flags: dict[str, str]
    flags_file: str
    flags_in_file: dict[str, str]
    runtime: str
    endpoint: str

    @property
    def release(self) -> str:
        """Return the version as people write it."""
        return "v" + ".".join(str(number) for number in self.version)

    @property
    def socket(self) -> str:
        """Return the endpoint as a path."""
        return self.endpoint.removeprefix("unix://")

    @property
    def in_tree(self) -> bool:
        """Tell whether the kubelet runs dockershim in its own process."""
        return self.runtime == "docker"


def kubelet(node: str, *, run: Run | None = None) -> KubeletSetup:
    """Read the command line and flags file of a node's kubelet, and apply its release's defaults, in one round trip.

    Which process it is, systemd says: anybody may call a process kubelet. Its version tells the program that runs,
    even if another lies at its path by now.

    Raises:
        LabError: no kubelet runs there, or it cannot be asked.
    """
    return parse(node, sections(run or on(node), SCRIPT))


def programs(node: str) -> tuple[str, str]:
    """Return the files of the kubelet that the node's unit starts and of the one that runs; empty where there is none.

    Raises:
        LabError: the node cannot be asked.
    """
    script = (
        'readlink -f "$1"; readlink "/proc/$(systemctl show --property=MainPID --value kubelet)/exe" || true'
    )
    starts, _, runs = node_exec.run(node, ["sh", "-c", script, "sh", LINK]).partition("\n")
    return starts, runs.strip()


def parse(node: str, found: Mapping[str, bytes]) -> KubeletSetup:
    """Read the findings of the script.

    Raises:
        LabError: no kubelet runs there, or it does not tell its version or its endpoint.
    """
    pid = int(found["main"] or 0)
    running = next((each for each in proc.parse(found) if each.pid == pid), None)
    if running is None:
        raise LabError(
            f"{node}: no kubelet runs there",
            f"see its log: shimlab node exec {node} -- journalctl -u kubelet -n 20",
        )
    flags = parse_flags(running.argv[1:])
    version = _version(text(found["version"]))
    runtime, endpoint = effective(flags, version)
    file, written = _flags_file(text(found["settings"]))
    return KubeletSetup(pid, version, running.argv, flags, file, parse_flags_file(written), runtime, endpoint)


def _flags_file(settings: str) -> tuple[str, str]:
    """Return the path and text of the first of the unit's environment files that is there and says something."""
    parts = settings.split("\0")[:-1]
    return next(
        ((path, written) for path, written in zip(parts[::2], parts[1::2], strict=True) if written),
        (KUBEADM_FLAGS, ""),
    )


def _version(answer: str) -> tuple[int, int, int]:
    found = re.search(r"v(\d+)\.(\d+)\.(\d+)", answer)
    if found is None:
        raise LabError(
            f"the kubelet does not tell its version: {answer.strip()!r}", "see which program it is"
        )
    return int(found[1]), int(found[2]), int(found[3])
