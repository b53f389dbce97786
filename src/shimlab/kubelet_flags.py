"""A kubelet's flags: how they are written, and which runtime a release uses by them.

Sources for the rules, in Kubernetes v1.20.15 (the same up to 1.23): cmd/kubelet/app/options/options.go
(NewKubeletFlags: the default endpoint), cmd/kubelet/app/options/container_runtime.go
(NewContainerRuntimeOptions: the default runtime) and pkg/kubelet/kubelet.go (PreInitRuntimeService:
dockershim listens on the endpoint).
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from shimlab.errors import LabError

DEFAULT_RUNTIME = "docker"
DEFAULT_ENDPOINT = "unix:///var/run/dockershim.sock"
FIRST_WITHOUT_DOCKERSHIM = (1, 24)
# Where kubeadm writes; a unit may name another file.
KUBEADM_FLAGS = "/var/lib/kubelet/kubeadm-flags.env"


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
