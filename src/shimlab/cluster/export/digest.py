"""An export in some forty lines, for a log of which nothing else is kept: what is odd about each node, what it logged.

Pure: told from what was seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shimlab.cluster.export.inside import Node
from shimlab.node.journal import LogLine
from shimlab.node.procfs import Process, is_shim

LINES, WIDTH = 45, 220
#: How many of each a node may show.
SHIMS, SAID, PODS, EVENTS = 6, 7, 3, 4
DOCKERS = "moby"
#: What counts as an error: a kubelet says I and W all the time, the daemons say W rarely.
_LEVELS = {"kubelet": "EF"}
_LEVELS_OF_OTHERS = "WEF"
_VARIES = re.compile(r"[0-9a-f]{8,}|\d+|\\?\"[^\"]*\"")
_ID = re.compile(r"([0-9a-f]{12})[0-9a-f]{52}")

Objects = Mapping[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Shim:
    """A shim of a node, with what the programs say that should know it."""

    process: Process
    namespace: str
    id: str
    #: The processes right below it.
    below: tuple[Process, ...]
    #: In the words of docker and of containerd; empty where they do not know it.
    docker: str
    container: bool
    task: str

    @property
    def is_known(self) -> bool:
        """Tell whether whoever had it started says that it runs."""
        runs = self.container and self.task == "RUNNING" and bool(self.below)
        return runs and (self.namespace != DOCKERS or self.docker.startswith("running"))

    def __str__(self) -> str:
        """Say all of it in one line."""
        below = ", ".join(each.comm for each in self.below) or "no process"
        said = [
            f"shim {self.namespace} {self.id[:12]}: pid {self.process.pid} {self.process.state} "
            f"since {self.process.started:%H:%M:%S}, below it {below}",
            f"containerd: {'container' if self.container else 'no container'}, task {self.task or 'none'}",
        ]
        if self.namespace == DOCKERS:
            said.append(f"docker: {self.docker or 'does not know it'}")
        return "; ".join(said)


def digest(nodes: Sequence[Node], objects: Objects, since: datetime) -> list[str]:
    """Say what is odd about each node, and the errors that it logged since a time; at most LINES lines."""
    lines = [line for node in nodes for line in _of_node(node, objects, since)]
    events = _events(objects, since)
    room = LINES - len(events)
    if len(lines) > room:
        lines = [*lines[: room - 1], f"… {len(lines) - room + 1} more lines"]
    return [_short(line) for line in [*lines, *events]]


def shims(node: Node) -> list[Shim]:
    """Return a node's shims, each with what docker and containerd say of it."""
    docker = {row[0]: " ".join(row[1:3]) for row in node.rows("docker-ps") if len(row) > 2}
    if not docker and node.told.get("docker-ps", "").startswith("("):
        docker_says = node.told["docker-ps"].strip()
    else:
        docker_says = ""
    found = []
    for each in node.processes:
        if not is_shim(each):
            continue
        namespace, id = each.option("-namespace") or "?", each.option("-id") or "?"
        tasks = {row[0]: row[2] for row in node.rows(f"ctr-{namespace}-tasks") if len(row) > 2}
        found.append(
            Shim(
                each,
                namespace,
                id,
                tuple(one for one in node.processes if one.ppid == each.pid and not is_shim(one)),
                docker.get(id, docker_says),
                any(row[:1] == [id] for row in node.rows(f"ctr-{namespace}-containers")),
                tasks.get(id, ""),
            )
        )
    return found


def _of_node(node: Node, objects: Objects, since: datetime) -> Iterator[str]:
    there = shims(node)
    spaces = {
        name: [each for each in there if each.namespace == name]
        for name in sorted({s.namespace for s in there})
    }
    yield f"{node.name}: {'; '.join(_head(node, objects, spaces)) or 'nothing of it could be read'}"
    odd = _odd(there, spaces)
    logged = [(unit, each) for unit, each in node.logged() if each.time >= since]
    for shim in odd[:SHIMS]:
        yield f"  {shim}"
        about = [(unit, each) for unit, each in logged if shim.id[:12] in each.message]
        yield from (f"    {_line(unit, each)}" for unit, each in about[-2:])
    if len(odd) > SHIMS:
        yield f"  … {len(odd) - SHIMS} more such shims"
    yield from (f"  {line}" for line in _without_process(node, there))
    yield from (f"  {line}" for line in _pods(node.name, objects)[:PODS])
    yield from (f"  {line}" for line in _errors(logged))


def _head(node: Node, objects: Objects, spaces: Mapping[str, list[Shim]]) -> Iterator[str]:
    if node.state != "running":
        yield f"its container is {node.state}"
    for block in node.told.get("units", "").split("\n\n"):
        unit = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        name, state = unit.get("Id", "").removesuffix(".service"), unit.get("ActiveState", "")
        # One that is not wanted here is not there.
        if state and not (name == "dockershim-out-of-tree" and state == "inactive"):
            result = "" if unit.get("Result", "success") == "success" else f" ({unit['Result']})"
            yield f"{name} {state}{result}"
    for each in objects.get("nodes", ()):
        if each["metadata"]["name"] == node.name:
            ready: dict[str, str] = next(
                (c for c in each.get("status", {}).get("conditions", ()) if c["type"] == "Ready"), {}
            )
            yield f"Ready={ready.get('status', '?')}"
            if each.get("spec", {}).get("unschedulable"):
                yield "cordoned"
    if node.processes:
        yield "shims: " + (", ".join(f"{len(found)} in {name}" for name, found in spaces.items()) or "none")


def _odd(there: Sequence[Shim], spaces: Mapping[str, list[Shim]]) -> list[Shim]:
    """Return the shims that nobody knows, then, where there are two stores in use, those of the one used less."""
    unknown = [each for each in there if not each.is_known]
    fewest = min(spaces.values(), key=len) if len(spaces) > 1 else []
    return unknown + [each for each in fewest if each.is_known]


def _without_process(node: Node, there: Sequence[Shim]) -> list[str]:
    """Say which containers are said to run and do not."""
    if not node.processes:
        return []
    pids = {each.pid for each in node.processes}
    lines = [
        f"{space} {row[0][:12]}: containerd says RUNNING as pid {row[1]}, and there is no such process"
        for space in (DOCKERS, "k8s.io")
        for row in node.rows(f"ctr-{space}-tasks")
        if row[2:3] == ["RUNNING"] and int(row[1]) not in pids
    ]
    with_shim = {each.id for each in there}
    lines += [
        f"{DOCKERS} {row[0][:12]}: docker says running ({row[2]}), and it has no shim"
        for row in node.rows("docker-ps")
        if row[1:2] == ["running"] and row[0] not in with_shim
    ]
    return lines[:PODS]


def _pods(node: str, objects: Objects) -> list[str]:
    lines = []
    for pod in objects.get("pods", ()):
        status, about = pod.get("status", {}), pod["metadata"]
        containers = status.get("containerStatuses") or []
        is_well = status.get("phase") == "Succeeded" or (
            containers and all(each["ready"] for each in containers)
        )
        if pod.get("spec", {}).get("nodeName") != node or (is_well and not about.get("deletionTimestamp")):
            continue
        how = [str(status.get("phase"))] + ["being deleted"] * bool(about.get("deletionTimestamp"))
        for each in containers:
            for kind, state in (each.get("state") or {}).items():
                why = (state or {}).get("reason", "") or ("" if each["ready"] else "not ready")
                how.append(f"{each['name']} {kind}{f' ({why})' if why else ''}")
        lines.append(f"pod {about.get('namespace')}/{about['name']}: {', '.join(how)}")
    return lines


def _errors(logged: Sequence[tuple[str, LogLine]]) -> list[str]:
    """Return the errors, each kind once with how often it came: the kinds that came last."""
    kinds: dict[str, list[tuple[str, LogLine]]] = {}
    for unit, each in logged:
        if each.level and each.level in _LEVELS.get(unit, _LEVELS_OF_OTHERS):
            kind = f"{unit} {each.source} {_VARIES.sub('#', each.said)}"
            kinds.setdefault(kind, []).append((unit, each))
    last = sorted(kinds.values(), key=lambda same: same[-1][1].time)
    lines = [_line(*same[-1], times=len(same)) for same in last[-SAID:]]
    return [*([f"… {len(last) - SAID} more kinds of errors before"] if len(last) > SAID else []), *lines]


def _line(unit: str, each: LogLine, times: int = 1) -> str:
    # What logrus wrote has its own time and level in it.
    pairs = (
        " ".join(f"{key}={value}" for key, value in each.values.items())
        if each.message.startswith("time=")
        else ""
    )
    said = f"{each.said} {pairs}".strip() if each.message.startswith("time=") else each.message
    source = f"{each.source}] " if each.source else ""
    often = f" (×{times})" if times > 1 else ""
    return f"{each.time:%H:%M:%S} {unit} {each.level or 'I'} {source}{_short(said, WIDTH - 60)}{often}"


def _events(objects: Objects, since: datetime) -> list[str]:
    found = []
    for each in objects.get("events", ()):
        time = each.get("lastTimestamp") or each.get("eventTime") or each["metadata"].get("creationTimestamp")
        if (
            each.get("type") == "Warning"
            and time
            and datetime.fromisoformat(time) >= since.replace(microsecond=0)
        ):
            about = each.get("involvedObject", {})
            what = f"{about.get('kind', '?').lower()} {about.get('namespace', '')}/{about.get('name', '?')}"
            often = f" (×{each['count']})" if (each.get("count") or 1) > 1 else ""
            found.append(
                (time, f"event {time[11:19]} {what}: {each.get('reason')}: {each.get('message', '')}{often}")
            )
    return [line for _, line in sorted(found)[-EVENTS:]]


def _short(text: str, width: int = WIDTH) -> str:
    # Ids are cut to as much as docker shows of them.
    text = _ID.sub(r"\1", " ".join(text.split()) if not text.startswith(" ") else text.rstrip())
    return text if len(text) <= width else f"{text[: width - 1]}…"
