"""The kubelets that lie on a node, which one is in use, and how another one fares in its place.

A node image holds each at FOLDER, named by its version, and LINK is a link to the one in use (lab/node). Putting
another one there and starting it is what a package's upgrade does: flags and configuration stay as they are.
Sources for a kubelet's last words: k8s.io/component-base v0.24.17, cli/run.go, and klog's own Fatal before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import total_ordering

from shimlab.errors import LabError
from shimlab.kubelet_flags import FIRST_WITHOUT_DOCKERSHIM
from shimlab.node import exec as nodes
from shimlab.node import journal
from shimlab.node.kubelet import FOLDER as FOLDER
from shimlab.node.kubelet import LINK as LINK
from shimlab.progress import Step
from shimlab.waiting import POLL_SECONDS_OF_NODES, soon, until

DOCKERLESS = "-dockerless"
# Starts that end badly, one after the other, before a kubelet is said not to start.
DEATHS = 3
START_SECONDS = 90

_NAME = re.compile(r"v(\d+)\.(\d+)\.(\d+)(-[a-z]+)?")
_FAILED = re.compile(r'"command failed" err="((?:[^"\\]|\\.)*)"')
_HEALTHZ = (
    "printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' | socat -T 5 STDIO TCP:127.0.0.1:10248 2>/dev/null || true"
)


@total_ordering
@dataclass(frozen=True)
class Kubelet:
    """A kubelet by the name of its file: v1.23.17, or v1.20.15-dockerless for one with that build tag."""

    name: str

    @property
    def version(self) -> tuple[int, ...]:
        """Return its release as numbers.

        Raises:
            LabError: the name is not a version.
        """
        found = _NAME.fullmatch(self.name)
        if found is None:
            raise LabError(f"{self.name!r} is not the version of a kubelet", "write it as in v1.24.17")
        return int(found[1]), int(found[2]), int(found[3])

    @property
    def dockerless(self) -> bool:
        """Tell whether dockershim was left out when it was built, though its release has one."""
        return self.name.endswith(DOCKERLESS)

    @property
    def has_dockershim(self) -> bool:
        """Tell whether it can be its own runtime's shim."""
        return not self.dockerless and self.version < FIRST_WITHOUT_DOCKERSHIM

    def __lt__(self, other: Kubelet) -> bool:
        """Order by release; the one without dockershim after the full one."""
        return (self.version, self.dockerless) < (other.version, other.dockerless)


def there(node: str) -> list[Kubelet]:
    """Return the kubelets that lie on a node, the oldest first; none on a node image of somebody else's.

    Raises:
        LabError: the node cannot be asked.
    """
    found = nodes.run(node, ["sh", "-c", f"ls {FOLDER} 2>/dev/null || true"]).split()
    return sorted(Kubelet(name) for name in found if _NAME.fullmatch(name))


def in_use(node: str) -> Kubelet:
    """Return the kubelet that the node's unit starts.

    Raises:
        LabError: there is none, or it does not tell its version.
    """
    name = nodes.run(node, ["readlink", "--canonicalize", LINK]).strip()
    if name.startswith(f"{FOLDER}/"):
        return Kubelet(name.removeprefix(f"{FOLDER}/"))
    return Kubelet(nodes.run(node, [LINK, "--version"]).split()[-1])


def chosen(node: str, name: str) -> Kubelet:
    """Return the kubelet of this name that lies on a node; the v may be left out.

    Raises:
        LabError: none of that name lies there.
    """
    known = there(node)
    for each in known:
        if each.name in {name, f"v{name}"}:
            return each
    names = ", ".join(each.name for each in known) or "none"
    raise LabError(f"{node} has no kubelet {name}", f"it has: {names}")


def next_to(now: Kubelet, known: Iterable[Kubelet], *, newer: bool) -> Kubelet | None:
    """Return the nearest newer or older release to the one in use, with dockershim left in as it was delivered."""
    full = sorted(each for each in known if not each.dockerless)
    if newer:
        return next((each for each in full if each.version > now.version), None)
    return next((each for each in reversed(full) if each.version < now.version), None)


def put(node: str, wanted: Kubelet) -> None:
    """Put a kubelet in use, without touching the one that runs.

    Raises:
        LabError: the link cannot be written.
    """
    # In place of the link at once: there is no moment without a kubelet.
    script = 'ln -sf "$1" "$2.new" && mv -T "$2.new" "$2"'
    nodes.run(node, ["sh", "-c", script, "sh", f"{FOLDER}/{wanted.name}", LINK])


def restart(node: str, current: Step) -> str:
    """Start a node's kubelet again and return why it does not start; empty if it runs.

    Raises:
        LabError: the node cannot be asked, or the kubelet neither runs nor ends within START_SECONDS.
    """
    began = float(nodes.run(node, ["date", "+%s.%N"]))
    nodes.run(node, ["systemctl", "restart", "kubelet"])
    deaths = _deaths(node)
    why = ""

    def undecided() -> list[str]:
        nonlocal why
        if healthy(node):
            return []
        if _deaths(node) < deaths + DEATHS:
            return ["the kubelet starts"]
        why = last_words(node, began)
        return [] if why else ["the kubelet ends again and again, and does not say why"]

    until(current, START_SECONDS, undecided)
    return why


def healthy(node: str) -> bool:
    """Tell whether a node's kubelet answers its own health check, at the port that it has by default.

    Raises:
        LabError: the node cannot be asked.
    """
    return nodes.run(node, ["sh", "-c", _HEALTHZ]).startswith("HTTP/1.0 200")


def works(node: str, seconds: float = 15) -> bool:
    """Tell whether a node's kubelet runs and answers; one that was just started gets some time.

    systemd calls a kubelet that ends at each start active every time that it lives for a moment.

    Raises:
        LabError: the node cannot be asked.
    """
    deaths = _deaths(node)

    def outcome() -> str:
        if healthy(node):
            return "works"
        state = nodes.run(node, ["systemctl", "show", "--property=ActiveState", "--value", "kubelet"])
        has_ended = state.strip() in {"inactive", "failed"} or _deaths(node) >= deaths + DEATHS
        return "ended" if has_ended else ""

    return soon(outcome, seconds, POLL_SECONDS_OF_NODES) == "works"


def last_words(node: str, began: float) -> str:
    """Return why a kubelet ended, by what it logged since ``began`` (seconds, the node's clock); empty if it did not.

    Raises:
        LabError: the node cannot be asked.
    """
    # A kubelet that does not know a flag prints all that it knows, some hundred lines, at each start.
    asked = ["journalctl", "--unit=kubelet", f"--since=@{int(began)}", "--output=json", "--no-pager"]
    lines = journal.parse(nodes.run(node, asked).splitlines())
    return complaint(line for line in lines if line.time.timestamp() >= began)


def complaint(lines: Iterable[journal.LogLine]) -> str:
    """Return the last words of a kubelet that ended by itself, without the log's own prefix; empty if it said none."""
    said = ""
    for line in lines:
        if line.level == "F":
            said = line.message
        elif line.level == "E" and (found := _FAILED.match(line.message)):
            said = re.sub(r"\\(.)", r"\1", found[1])
        elif not line.level and line.message.startswith("Error: "):
            said = line.message.removeprefix("Error: ")
    return said


def _deaths(node: str) -> int:
    return int(nodes.run(node, ["systemctl", "show", "--property=NRestarts", "--value", "kubelet"]))
