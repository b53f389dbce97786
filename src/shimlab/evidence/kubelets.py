"""How a node's kubelet was told to reach its runtime.

Sources for the rules, in Kubernetes v1.20.15 (the same up to 1.23): cmd/kubelet/app/options/options.go
(NewKubeletFlags: the default endpoint), cmd/kubelet/app/options/container_runtime.go
(NewContainerRuntimeOptions: the default runtime) and pkg/kubelet/kubelet.go (PreInitRuntimeService:
dockershim listens on the endpoint).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from shimlab.errors import LabError
from shimlab.evidence import procfs as proc
from shimlab.evidence.probe import Run, on

DEFAULT_RUNTIME = "docker"
DEFAULT_ENDPOINT = "unix:///var/run/dockershim.sock"
FIRST_WITHOUT_DOCKERSHIM = (1, 24)
# Where kubeadm writes; a unit may name another file.
KUBEADM_FLAGS = "/var/lib/kubelet/kubeadm-flags.env"


@dataclass(frozen=True)
class KubeletSetup:
    """A running kubelet: what it was given, and what follows from that."""

    pid: int
    version: tuple[int, int, int]
    argv: tuple[str, ...]
    flags: dict[str, str]
    flags_file: str
    flags_in_file: dict[str, str]
    runtime: str
    endpoint: str

    @property
    def socket(self) -> str:
        """Return the endpoint as a path."""
        return self.endpoint.removeprefix("unix://")

    @property
    def in_tree(self) -> bool:
        """Tell whether the kubelet runs dockershim in its own process."""
        return self.runtime == "docker"


def kubelet(node: str, *, run: Run | None = None) -> KubeletSetup:
    """Read the command line and flags file of a node's kubelet, and apply its release's defaults.

    Raises:
        LabError: no kubelet runs there, or it cannot be asked.
    """
    run = run or on(node)
    running = [each for each in proc.processes(node, run=run) if each.comm == "kubelet"]
    if len(running) != 1:
        raise LabError(
            f"{node}: {len(running) or 'no'} kubelets run there, but it takes one",
            f"see its log: shimlab node exec {node} -- journalctl -u kubelet -n 20",
        )
    flags = parse_flags(running[0].argv[1:])
    # The program that runs, even if another lies at its path by now.
    version = _version(run([f"/proc/{running[0].pid}/exe", "--version"]))
    runtime, endpoint = effective(flags, version)
    file, text = _flags_file(run)
    return KubeletSetup(
        running[0].pid, version, running[0].argv, flags, file, parse_flags_file(text), runtime, endpoint
    )


def effective(flags: dict[str, str], version: tuple[int, int, int]) -> tuple[str, str]:
    """Return the runtime (docker or remote) and the endpoint that a kubelet of ``version`` uses.

    Up to 1.23 the runtime is docker unless a flag says remote, and the endpoint is dockershim's unless a flag
    names one, *whichever* the runtime is: with docker it is where dockershim listens. From 1.24 on there is
    only remote, and no default for the endpoint.

    Raises:
        LabError: the release has no default and no flag names an endpoint.
    """
    if version[:2] < FIRST_WITHOUT_DOCKERSHIM:
        return (
            flags.get("container-runtime", DEFAULT_RUNTIME),
            flags.get("container-runtime-endpoint", DEFAULT_ENDPOINT),
        )
    if not flags.get("container-runtime-endpoint"):
        raise LabError(
            "the kubelet has no --container-runtime-endpoint, and its release has no default",
            "name the socket yourself (--socket)",
        )
    return "remote", flags["container-runtime-endpoint"]


def parse_flags(words: Sequence[str]) -> dict[str, str]:
    """Read ``--flag=value``, ``--flag value`` and ``--switch``; the last of a name counts, as in pflag."""
    flags: dict[str, str] = {}
    name = None
    for word in words:
        if word.startswith("--"):
            name, has_value, value = word[2:].partition("=")
            flags[name] = value if has_value else "true"
            name = None if has_value else name
        elif name is not None and not word.startswith("-"):
            flags[name] = word
            name = None
        else:
            name = None
    return flags


def parse_flags_file(text: str) -> dict[str, str]:
    """Read the flags from kubeadm's file: ``KUBELET_KUBEADM_ARGS="--a=b …"``."""
    words: list[str] = []
    for assignment in shlex.split(text, comments=True):
        words += shlex.split(assignment.partition("=")[2])
    return parse_flags(words)


def _flags_file(run: Run) -> tuple[str, str]:
    """Return the path and text of the first environment file of the unit that exists."""
    shown = run(["systemctl", "show", "--property=EnvironmentFiles", "--value", "kubelet"])
    named = re.findall(r"^(\S+) \(ignore_errors=", shown, re.M)
    for path in (KUBEADM_FLAGS, *named):
        text = run(["sh", "-s", "--", path], input='if [ -e "$1" ]; then cat "$1"; fi')
        if text:
            return path, text
    return KUBEADM_FLAGS, ""


def _version(answer: str) -> tuple[int, int, int]:
    found = re.search(r"v(\d+)\.(\d+)\.(\d+)", answer)
    if found is None:
        raise LabError(
            f"the kubelet does not tell its version: {answer.strip()!r}", "see which program it is"
        )
    return int(found[1]), int(found[2]), int(found[3])
