"""What a node is told for each of its two runtimes: the kubelet's flags in kubeadm's file, and kubeadm's annotation.

Sources, in Kubernetes v1.20.15: cmd/kubeadm/app/phases/kubelet/flags.go (which flags kubeadm writes for which
socket, in alphabetical order), pkg/kubelet/config/flags.go (which flags only dockershim reads),
cmd/kubeadm/app/constants (the annotation).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shimlab.errors import LabError
from shimlab.evidence.kubelets import KUBEADM_FLAGS

LABEL = "shimlab/runtime"
ANNOTATION = "kubeadm.alpha.kubernetes.io/cri-socket"
DOCKERSHIM_SOCKET = "/var/run/dockershim.sock"
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"

_LINE = re.compile(r"^(KUBELET_KUBEADM_ARGS=)([\"']?)(.*)\2[ \t]*$", re.M)
_WORD = re.compile(r"""(?:[^\s"'\\]|\\.|"(?:\\.|[^"\\])*"|'[^']*')+""")


@dataclass(frozen=True)
class Runtime:
    """One of the runtimes that a node of the lab can be moved to."""

    name: str
    #: How the API calls it: the scheme of containerRuntimeVersion and of containers' ids.
    scheme: str
    #: The program in whose store its containers are, as people write it.
    holder: str
    #: What kubeadm writes into the node's annotation.
    annotation: str
    #: Flags that the kubelet must have for it, by name.
    given: tuple[tuple[str, str], ...]
    #: Flags that only this runtime's kubelet reads; ``given`` is among them.
    own: tuple[str, ...]


DOCKERSHIM = Runtime(
    "dockershim",
    "docker",
    "Docker",
    DOCKERSHIM_SOCKET,
    (("network-plugin", "cni"),),
    (
        "network-plugin",
        "network-plugin-mtu",
        "cni-bin-dir",
        "cni-cache-dir",
        "cni-conf-dir",
        "docker-endpoint",
        "experimental-dockershim-root-directory",
        "image-pull-progress-deadline",
    ),
)
CONTAINERD = Runtime(
    "containerd",
    "containerd",
    "containerd",
    f"unix://{CONTAINERD_SOCKET}",
    # Both: with the endpoint alone, a kubelet up to 1.23 starts dockershim and lets it listen there.
    (("container-runtime", "remote"), ("container-runtime-endpoint", f"unix://{CONTAINERD_SOCKET}")),
    ("container-runtime", "container-runtime-endpoint", "image-service-endpoint"),
)
RUNTIMES = {runtime.name: runtime for runtime in (DOCKERSHIM, CONTAINERD)}


def named(name: str) -> Runtime:
    """Return a runtime by its name.

    Raises:
        LabError: there is none of that name.
    """
    if name not in RUNTIMES:
        raise LabError(f"a node cannot be moved to {name}", f"choose one of: {', '.join(RUNTIMES)}")
    return RUNTIMES[name]


def other(runtime: Runtime) -> Runtime:
    """Return the runtime that a node moves away from."""
    return CONTAINERD if runtime is DOCKERSHIM else DOCKERSHIM


def rewrite(text: str, runtime: Runtime) -> str:
    """Return kubeadm's flags file as it has to be for a runtime; what belongs to neither is kept.

    Flags that only the other runtime's kubelet reads go, the missing ones come in kubeadm's alphabetical order,
    so that there and back gives kubeadm's own file again. The lab's label is rewritten too: a kubelet that
    registers anew takes it from here.

    Raises:
        LabError: the file has no line of kubeadm's.
    """
    found = _LINE.search(text)
    if found is None:
        raise LabError(
            f"{KUBEADM_FLAGS} has no line KUBELET_KUBEADM_ARGS=…",
            "write that line again as kubeadm does, or make the lab anew: `shimlab down`, `shimlab up`",
        )
    before = _WORD.findall(found[3])
    after = _reworded(before, runtime)
    if after == before:
        return text
    return text[: found.start(3)] + " ".join(after) + text[found.end(3) :]


def _reworded(words: list[str], runtime: Runtime) -> list[str]:
    given, gone = dict(runtime.given), other(runtime).own
    missing = dict(given)
    kept: list[str] = []
    value_goes_too = False
    for word in words:
        flag, has_value, value = word.partition("=")
        name = flag.removeprefix("--") if flag.startswith("--") else ""
        if not name and value_goes_too and not word.startswith("-"):
            value_goes_too = False
            continue
        value_goes_too = False
        if name in missing and value == missing[name]:
            del missing[name]
            kept.append(word)
        elif name in given or name in gone:
            # Written as two words, the value must go with its flag.
            value_goes_too = not has_value
        else:
            kept.append(_relabelled(word, runtime) if name == "node-labels" else word)
    for name, value in sorted(missing.items()):
        at = next(
            (i for i, word in enumerate(kept) if word.startswith("--") and word[2:].partition("=")[0] > name),
            len(kept),
        )
        kept.insert(at, f"--{name}={value}")
    return kept


def _relabelled(word: str, runtime: Runtime) -> str:
    return re.sub(rf"(?<=[=,]){re.escape(LABEL)}=[^,\"']*", f"{LABEL}={runtime.name}", word)
