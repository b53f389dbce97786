"""What the kubelet and the daemons logged, read from the node's journal.

Sources of the formats: journalctl(1), ``-o json``, and systemd.journal-fields(7); klog's header ``Lmmdd
hh:mm:ss.uuuuuu pid file:line] msg`` in k8s.io/klog/v2, klog.go (formatHeader), and the structured form of what
follows it, ``"msg" key="value"``, in its printS; logfmt, ``time=… level=… msg="…"``, in sirupsen/logrus,
text_formatter.go, which dockerd and containerd write.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal

from shimlab.node.probe import Run, on

KUBELET = "kubelet"
# klog's letter for each of logrus' levels.
LEVELS = {"trace": "I", "debug": "I", "info": "I", "warning": "W", "error": "E", "fatal": "F", "panic": "F"}
# An invocation is one start of a unit; systemd names the current one. What was said a moment ago may still be on its
# way into the journal.
SCRIPT = r"""
unit=$1 since=$2
set -- --unit="$unit" --boot --output=json --no-pager
case $since in
boot) ;;
start) set -- "$@" _SYSTEMD_INVOCATION_ID="$(systemctl show --property=InvocationID --value "$unit")" ;;
*) set -- "$@" --since="@$since" ;;
esac
journalctl --sync
exec journalctl "$@" --output-fields=MESSAGE,_COMM,_PID,_SYSTEMD_UNIT,UNIT
"""

_HEADER = re.compile(
    r"([IWEF])(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d+) +\d+ ([^\s:]+:\d+)\] ?(.*)", re.DOTALL
)
_WORD = r'"(?:[^"\\]|\\.)*"|[^\s"]*'
_PAIR = re.compile(rf"([A-Za-z_][\w.-]*)=({_WORD})(?: |$)")
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)")
_STRUCTURED = re.compile(r'("(?:[^"\\]|\\.)*")(?= [A-Za-z_][\w.-]*=|$)')


@dataclass(frozen=True)
class LogLine:
    """A line of a log. ``level`` (I, W, E, F) and ``source`` (file:line) are empty where the program named none.

    ``time`` is the program's own, to the microsecond, and the journal's where the program tells none: lines of several
    programs come into the journal in another order than they were written in.
    ``message`` is what follows the header, as it was written; ``values`` are the pairs of a structured line, and
    ``said`` is the sentence alone.
    """

    columns: ClassVar = ("time", "level", "source", "said")

    time: datetime
    pid: int
    level: str
    source: str
    message: str
    said: str = ""
    values: Mapping[str, str] = field(default_factory=dict, hash=False)


Since = Literal["boot", "start"] | datetime


def kubelet_log(node: str, *, since: Since = "boot", run: Run | None = None) -> list[LogLine]:
    """Return what the kubelet logged since the node booted, it was last started, or a time; in one round trip.

    Raises:
        LabError: the node cannot be asked.
    """
    return log(node, KUBELET, since=since, run=run)


def log(node: str, unit: str, *, since: Since = "boot", run: Run | None = None) -> list[LogLine]:
    """Return what the processes of a unit (kubelet, containerd, docker) logged, in one round trip.

    Raises:
        LabError: the node cannot be asked.
    """
    # Of a time, the journal takes whole seconds, and its own; the lines' times are compared below.
    moment = since if isinstance(since, datetime) else None
    asked = ["sh", "-s", "--", unit, str(int(moment.timestamp())) if moment else str(since)]
    found = parse((run or on(node))(asked, input=SCRIPT).splitlines(), unit)
    return [each for each in found if moment is None or each.time >= moment]


def parse(lines: Iterable[str], unit: str = KUBELET) -> list[LogLine]:
    """Read journal entries; those that systemd wrote about the unit are left out, and a kubelet's helpers too."""
    found: list[LogLine] = []
    for each in lines:
        entry: dict[str, Any] = json.loads(each)
        # Which unit wrote it, journald knows even of a process that ended at once; its name, it may not.
        if entry.get("_SYSTEMD_UNIT") != f"{unit}.service" or entry.get("MESSAGE") is None:
            continue
        if unit == KUBELET and entry.get("_COMM", KUBELET) != KUBELET:
            continue
        message = entry["MESSAGE"]
        if isinstance(message, list):  # journald gives bytes that are no UTF-8 as numbers
            message = bytes(message).decode("utf-8", "replace")
        time = datetime.fromtimestamp(int(entry["__REALTIME_TIMESTAMP"]) / 1e6, UTC)
        found.append(line(time, int(entry.get("_PID", 0)), message))
    return found


def line(time: datetime, pid: int, message: str) -> LogLine:
    """Read what a process logged at a time, by the header that the program itself wrote."""
    if header := _HEADER.fullmatch(message):
        level, *stamp, fraction, source, rest = header.groups()
        said, values = _structured(rest)
        return LogLine(_klog_time(time, stamp, fraction), pid, level, source, rest, said, values)
    if message.startswith("time="):
        values = {key: _unquoted(word) for key, word in _PAIR.findall(message)}
        if "msg" in values:
            level = LEVELS.get(values.pop("level", ""), "")
            own = _logfmt_time(values.pop("time", ""))
            return LogLine(own or time, pid, level, "", message, values.pop("msg"), values)
    return LogLine(time, pid, "", "", message, message)


def _klog_time(received: datetime, stamp: list[str], fraction: str) -> datetime:
    """Return the time in a line of klog's, which has no year; nodes of the lab keep UTC."""
    month, day, hour, minute, second = map(int, stamp)
    written = datetime(received.year, month, day, hour, minute, second, tzinfo=UTC)
    if written.month == 12 and received.month == 1:
        written = written.replace(year=received.year - 1)
    return written + timedelta(microseconds=int(fraction[:6].ljust(6, "0")))


def _logfmt_time(stamp: str) -> datetime | None:
    """Return the time in a line of logrus', to the microsecond; it writes RFC 3339, with up to nine digits."""
    found = _RFC3339.fullmatch(stamp)
    if found is None:
        return None
    whole, fraction, zone = found.groups()
    written = datetime.fromisoformat(f"{whole}{zone}")
    return written + timedelta(microseconds=int(fraction[:6].ljust(6, "0") if fraction else 0))


def _structured(message: str) -> tuple[str, dict[str, str]]:
    """Split klog's structured form, the rule since 1.21, into its sentence and its pairs."""
    found = _STRUCTURED.match(message.rstrip("\n"))
    if found is None:
        return message, {}
    pairs = _PAIR.findall(message.rstrip("\n"), found.end())
    return _unquoted(found[1]), {key: _unquoted(word) for key, word in pairs}


def _unquoted(word: str) -> str:
    if not word.startswith('"'):
        return word
    try:
        # Go's strconv.Quote is JSON but for \x and \U, which then stand as they are.
        return str(json.loads(word))
    except json.JSONDecodeError:
        return word[1:-1]
