"""The kubelet's log, read from the node's journal.

Sources of the formats: journalctl(1), ``-o json``; klog's header ``Lmmdd hh:mm:ss.uuuuuu pid file:line] msg``
as described in k8s.io/klog/v2, klog.go (formatHeader).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from shimlab.evidence.probe import Run, on

_HEADER = re.compile(r"([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ ([^\s:]+:\d+)\] ?(.*)", re.DOTALL)


@dataclass(frozen=True)
class KubeletLine:
    """A line of the kubelet's log. ``level`` and ``source`` are empty where klog wrote no header."""

    time: datetime
    pid: int
    level: str
    source: str
    message: str


def kubelet_log(
    node: str, *, since: Literal["boot", "start"] = "boot", run: Run | None = None
) -> list[KubeletLine]:
    """Return what the kubelet logged since the node booted, or since it was last started.

    Raises:
        LabError: the node cannot be asked.
    """
    run = run or on(node)
    command = ["journalctl", "--unit=kubelet", "--boot", "--output=json", "--no-pager"]
    # An invocation is one start of the unit; systemd names the current one.
    invocation = ["systemctl", "show", "--property=InvocationID", "--value", "kubelet"]
    if since == "start" and (current := run(invocation).strip()):
        command.append(f"_SYSTEMD_INVOCATION_ID={current}")
    return parse(run(command).splitlines())


def parse(lines: Iterable[str]) -> list[KubeletLine]:
    """Read journal entries; those that systemd wrote about the unit are left out."""
    found: list[KubeletLine] = []
    for line in lines:
        entry: dict[str, Any] = json.loads(line)
        if entry.get("_COMM") != "kubelet" or entry.get("MESSAGE") is None:
            continue
        message = entry["MESSAGE"]
        if isinstance(message, list):  # journald gives bytes that are no UTF-8 as numbers
            message = bytes(message).decode("utf-8", "replace")
        header = _HEADER.fullmatch(message)
        level, source, text = header.groups() if header else ("", "", message)
        time = datetime.fromtimestamp(int(entry["__REALTIME_TIMESTAMP"]) / 1e6, UTC)
        found.append(KubeletLine(time, int(entry["_PID"]), level, source, text))
    return found
