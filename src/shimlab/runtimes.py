"""The runtimes that a node can be migrated to; for each, what it is told: kubelet's flags and kubeadm's annotation.

Sources, in Kubernetes v1.20.15 and v1.24.17: cmd/kubeadm/app/phases/kubelet/flags.go (which flags kubeadm writes for
which socket, in alphabetical order), pkg/kubelet/config/flags.go (which flags only dockershim reads; gone in 1.24),
cmd/kubeadm/app/constants (the annotation, and how a socket is written in it); the changelog of 1.27 (the end of
--container-runtime).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shimlab.errors import LabError
from shimlab.kubelet_flags import FIRST_WITHOUT_DOCKERSHIM, KUBEADM_FLAGS

LABEL = "shimlab/runtime"
ANNOTATION = "kubeadm.alpha.kubernetes.io/cri-socket"
# Set while a migration is under way, so that a cordon of ours is told from somebody else's. It holds what the migration
# aims at: a runtime's name, and the options of the command after it.
MIGRATING = "shimlab/migrating-to"
KEEP_CORDON = "shimlab/cordoned-before"
DOCKERSHIM_SOCKET = "/var/run/dockershim.sock"
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
OUT_OF_TREE_SOCKET = "/run/dockershim-out-of-tree.sock"
# From here on "remote" is no value of a flag any more, but all that there is.
FIRST_WITHOUT_RUNTIME_FLAG = (1, 27)

_LINE = re.compile(r"^(KUBELET_KUBEADM_ARGS=)([\"']?)(.*)\2[ \t]*$", re.M)
_WORD = re.compile(r"""(?:[^\s"'\\]|\\.|"(?:\\.|[^"\\])*"|'[^']*')+""")
_RUNTIME_FLAG = "container-runtime"
_ENDPOINT_FLAG = "container-runtime-endpoint"
_OF_REMOTE = (_RUNTIME_FLAG, _ENDPOINT_FLAG, "image-service-endpoint")

Version = tuple[int, ...]


@dataclass(frozen=True)
class Runtime:
    """One of the runtimes that a node of the lab can be migrated to."""

    name: str
    #: How the API calls it: the scheme of containerRuntimeVersion and of containers' ids. Runtimes of the same scheme
    #: have the same store: one finds the containers that the other started, and goes on with them.
    scheme: str
    #: The program in whose store its containers are, as people write it.
    holder: str
    #: Where it answers the kubelet, and the name (comm, 15 bytes) of the process that listens there.
    socket: str
    listener: str
    #: Its flags without an endpoint: a kubelet up to 1.23 then carries the runtime itself.
    in_tree: tuple[tuple[str, str], ...] = ()
    #: Flags that only this runtime's kubelet reads.
    own: tuple[str, ...] = _OF_REMOTE
    #: The systemd unit that only this runtime needs, beside containerd's and Docker's.
    unit: str = ""

    def given(self, kubelet: Version) -> dict[str, str]:
        """Return the flags that a kubelet of this version must have for it, by name.

        Raises:
            LabError: that kubelet has no dockershim.
        """
        if not self.in_tree:
            endpoint = {_ENDPOINT_FLAG: f"unix://{self.socket}"}
            # Both: with the endpoint alone, a kubelet up to 1.23 starts dockershim and lets it listen there.
            return (
                endpoint if kubelet >= FIRST_WITHOUT_RUNTIME_FLAG else {_RUNTIME_FLAG: "remote", **endpoint}
            )
        if kubelet >= FIRST_WITHOUT_DOCKERSHIM:
            raise LabError(
                f"a kubelet of {'.'.join(map(str, kubelet[:2]))} has no {self.name}",
                f"choose {OUT_OF_TREE.name} or {CONTAINERD.name}, or take the kubelet back to an older release",
            )
        return dict(self.in_tree)

    def annotation(self, kubeadm: Version) -> str:
        """Return the socket as a kubeadm of this version writes it into the node's annotation."""
        return self.socket if self.in_tree and kubeadm < FIRST_WITHOUT_DOCKERSHIM else f"unix://{self.socket}"

    def shares_with(self, another: Runtime) -> bool:
        """Tell whether it finds the containers that another runtime started."""
        return self.scheme == another.scheme


DOCKERSHIM = Runtime(
    "dockershim",
    "docker",
    "Docker",
    DOCKERSHIM_SOCKET,
    "kubelet",
    in_tree=(("network-plugin", "cni"),),
    own=(
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
CONTAINERD = Runtime("containerd", "containerd", "containerd", CONTAINERD_SOCKET, "containerd")
OUT_OF_TREE = Runtime(
    "dockershim-out-of-tree",
    "docker",
    "Docker",
    OUT_OF_TREE_SOCKET,
    "dockershim-out-of-tree"[:15],
    unit="dockershim-out-of-tree.service",
)
RUNTIMES = {runtime.name: runtime for runtime in (DOCKERSHIM, CONTAINERD, OUT_OF_TREE)}


def named(name: str) -> Runtime:
    """Return a runtime by its name.

    Raises:
        LabError: there is none of that name.
    """
    if name not in RUNTIMES:
        raise LabError(f"a node cannot be migrated to {name}", f"choose one of: {', '.join(RUNTIMES)}")
    return RUNTIMES[name]


def command_of(aim: str, node: str) -> str:
    """Return the command that migrates a node, or goes on with its migration; ``aim`` is what MIGRATING holds."""
    runtime, *options = aim.split()
    return " ".join(("shimlab node", runtime, node, *options))


def other_store(runtime: Runtime) -> Runtime:
    """Return a runtime with the store that a node on ``runtime`` must hold nothing in."""
    return DOCKERSHIM if runtime is CONTAINERD else CONTAINERD


def rewrite(text: str, runtime: Runtime, kubelet: Version) -> str:
    """Return kubeadm's flags file as a kubelet of this version needs it for a runtime; all else is kept.

    Flags that only other runtimes' kubelets read go, the missing ones come in kubeadm's alphabetical order, so that
    there and back gives kubeadm's own file again. The lab's label is rewritten too: a kubelet that registers anew
    takes it from here.

    Raises:
        LabError: the file has no line of kubeadm's, or that kubelet cannot run on the runtime.
    """
    given = runtime.given(kubelet)
    found = _LINE.search(text)
    if found is None:
        raise LabError(
            f"{KUBEADM_FLAGS} has no line KUBELET_KUBEADM_ARGS=…",
            "write that line again as kubeadm does, or make the lab anew: `shimlab down`, `shimlab up`",
        )
    before = _WORD.findall(found[3])
    after = _reworded(before, runtime, given)
    if after == before:
        return text
    return text[: found.start(3)] + " ".join(after) + text[found.end(3) :]


def _reworded(words: list[str], runtime: Runtime, given: dict[str, str]) -> list[str]:
    gone = {flag for each in RUNTIMES.values() for flag in each.own if flag not in runtime.own}
    if runtime.own == _OF_REMOTE and _RUNTIME_FLAG not in given:
        gone.add(_RUNTIME_FLAG)
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
