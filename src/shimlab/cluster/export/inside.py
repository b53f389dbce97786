"""What is asked in a node for an export: how its daemons are, what runs there, what they hold, what they logged.

Nothing of it changes the node: a dockerd that does not run is not asked, since systemd would start it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shimlab.node import exec as node_exec
from shimlab.node import journal, procfs
from shimlab.node.journal import LogLine
from shimlab.node.probe import Run, sections
from shimlab.node.procfs import Process

#: Units, and what their own processes are called in the journal.
UNITS = {
    "kubelet": "kubelet",
    "containerd": "containerd",
    "docker": "dockerd",
    "dockershim-out-of-tree": "dockershim-out-of-tree",
}
# What hangs is given up by itself: the other answers are wanted all the same.
STATE = r"""
asked() { timeout 3 "$@" 2>&1 || echo "(no answer from $1: status $?)"; }
docker_ps() {
  pgrep -x dockerd >/dev/null || { echo '(dockerd does not run)'; return; }
  asked docker ps --all --no-trunc --format '{{.ID}}\t{{.State}}\t{{.Names}}\t{{.Status}}\t{{.Image}}'
}
settings() {
  readlink -f /usr/bin/kubelet
  cat /var/lib/kubelet/kubeadm-flags.env
  [ ! -e /var/lib/shimlab/fault/record.json ] || cat /var/lib/shimlab/fault/record.json
}
section units asked systemctl show --property=Id,ActiveState,SubState,Result,NRestarts \
  kubelet.service containerd.service docker.service docker.socket dockershim-out-of-tree.service
section docker-ps docker_ps
of_containerd() {
  [ "$answers" = 0 ] || { echo '(containerd does not answer)'; return; }
  asked ctr --namespace "$@"
}
timeout 3 ctr version >/dev/null 2>&1
answers=$?
for namespace in moby k8s.io; do
  section "ctr-$namespace-containers" of_containerd "$namespace" containers ls
  section "ctr-$namespace-tasks" of_containerd "$namespace" tasks ls
done
section sockets asked ss -xpl
section settings settings
section disks asked df -h / /run /var
"""
JOURNAL = r"""
since=$1 bytes=$2
set -- --boot --no-pager --output=short-iso-precise
[ -z "$since" ] || set -- "$@" --since="@$since"
journalctl --sync
journalctl "$@" | tail -c "$bytes"
"""
_LINE = re.compile(r"(\S+) \S+ ([^\[\s:]+)(?:\[(\d+)\])?: (.*)")


@dataclass
class Node:
    """What was seen of a node; a part that could not be asked stays empty."""

    name: str
    #: Its container's, in the words of the engine: running, exited, paused, …
    state: str = "running"
    processes: list[Process] = field(default_factory=list)
    #: Name → what was printed, of STATE.
    told: Mapping[str, str] = field(default_factory=dict)
    journal: str = ""

    def rows(self, name: str) -> list[list[str]]:
        """Return the lines of an answer in words, without its head; none where there was no answer."""
        lines = self.told.get(name, "").splitlines()
        if lines[:1] and lines[0].startswith("("):
            return []
        return [line.split() for line in lines if line and not line.startswith(("CONTAINER ", "TASK "))]

    def logged(self) -> list[tuple[str, LogLine]]:
        """Return what the daemons logged, each line with the unit that it is of."""
        units = {called: unit for unit, called in UNITS.items()}
        found = []
        for each in self.journal.splitlines():
            if (parts := _LINE.match(each)) and (unit := units.get(parts[2])):
                time = datetime.fromisoformat(parts[1])
                found.append((unit, journal.line(time, int(parts[3] or 0), parts[4])))
        return found

    def files(self) -> dict[str, str]:
        """Return what is written down of it, by the names of files."""
        found = {f"{name}.txt": text for name, text in self.told.items()}
        if self.processes:
            found["processes.txt"] = tree(self.processes)
        if self.journal:
            found["journal.log"] = self.journal
            lines = self.journal.splitlines(keepends=True)
            for unit, called in UNITS.items():
                of_it = re.compile(rf"\S+ \S+ {re.escape(called)}(?:\[\d+\])?: ")
                found[f"{unit}.log"] = "".join(line for line in lines if of_it.match(line))
        return {name: text for name, text in found.items() if text}


def state(node: str, seconds: float) -> dict[str, str]:
    """Ask how a node's daemons are, and what they hold.

    Raises:
        LabError: the node cannot be asked.
    """
    found = sections(_within(node, seconds), STATE, "state")
    return {name: text.decode("utf-8", "replace") for name, text in found.items()}


def processes(node: str, seconds: float) -> list[Process]:
    """List a node's processes.

    Raises:
        LabError: the node cannot be asked.
    """
    return procfs.processes(node, run=_within(node, seconds))


def log(node: str, since: datetime | None, most: int, seconds: float) -> str:
    """Return what a node's journal has since a time, or since the node booted: at most so many bytes, the last ones.

    Raises:
        LabError: the node cannot be asked.
    """
    asked = ["sh", "-s", "--", str(int(since.timestamp())) if since else "", str(most)]
    found = node_exec.data(node, asked, input=JOURNAL.encode(), timeout=seconds)
    return found.decode("utf-8", "replace")


def tree(everyone: Sequence[Process]) -> str:
    """Draw all processes under their parents, each with what tells how it is."""
    children: dict[int, list[Process]] = {}
    there = {each.pid for each in everyone}
    for each in everyone:
        children.setdefault(each.ppid if each.ppid in there else 0, []).append(each)
    lines = [f"{'PID':>7} {'PPID':>7} S {'STARTED':<19} {'CPU':>8} {'RSS MB':>7}  COMMAND"]

    def draw(parent: int, depth: int) -> None:
        for each in children.get(parent, ()):
            command = " ".join(each.argv) if each.argv else f"[{each.comm}]"
            lines.append(
                f"{each.pid:>7} {each.ppid:>7} {each.state} {each.started:%Y-%m-%d %H:%M:%S} "
                f"{each.cpu_seconds:>8.1f} {each.rss_bytes / 1e6:>7.0f}  {'  ' * depth}{command}"
            )
            draw(each.pid, depth + 1)

    draw(0, 0)
    return "\n".join(lines) + "\n"


def _within(node: str, seconds: float) -> Run:
    def run(argv: Sequence[str], *, input: str | None = None) -> str:
        return node_exec.run(node, argv, input=input, timeout=seconds)

    return run
