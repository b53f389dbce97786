"""The node that a fault is made on: what is done to it, and what is looked at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from shimlab.migrate import restarts
from shimlab.migrate.node_api import NodeApi
from shimlab.node import exec as node_exec
from shimlab.node import journal
from shimlab.node.broken import FOLDER, Record
from shimlab.runtimes import Runtime, named

FILES = f"{FOLDER}/files"


class Target:
    """A node of the lab with a record of what is broken there."""

    def __init__(self, name: str, record: Record) -> None:
        """Keep both; nothing is asked yet."""
        self.name = name
        self.record = record

    @property
    def runtime(self) -> Runtime:
        """Return the runtime that the node's label asked for when it was broken."""
        return named(self.record.runtime)

    @property
    def api(self) -> NodeApi:
        """Return the node as the API server knows it.

        Raises:
            LabError: the lab is not up.
        """
        return NodeApi(self.name)

    def run(self, argv: Sequence[str], *, input: str | None = None, timeout: float = 60) -> str:
        """Run a command in the node.

        Raises:
            LabError: it fails.
        """
        return node_exec.run(self.name, argv, input=input, timeout=timeout)

    def sh(self, script: str, *words: str) -> str:
        """Run a shell script in the node; it ends at the first command that fails.

        Raises:
            LabError: it fails.
        """
        return self.run(["sh", "-s", "--", *words], input=f"set -eu\n{script}")

    def systemctl(self, *words: str) -> None:
        """Run systemctl in the node; stopping Docker may take as long as its containers do.

        Raises:
            LabError: it fails.
        """
        self.run(["systemctl", *words], timeout=120)

    def start(self, *units: str) -> None:
        """Start units, however often they were started in the last minute.

        Raises:
            LabError: one does not start.
        """
        self.systemctl("reset-failed", *units)
        self.systemctl("start", *units)

    def restart(self, *units: str) -> None:
        """Start units again, however often they were started in the last minute.

        Raises:
            LabError: one does not start.
        """
        self.systemctl("reset-failed", *units)
        self.systemctl("restart", *units)

    def unit(self, name: str, *properties: str) -> dict[str, str]:
        """Return properties of a unit, as systemd names them.

        Raises:
            LabError: the node cannot be asked.
        """
        told = self.run(["systemctl", "show", f"--property={','.join(properties)}", name])
        return dict(line.split("=", 1) for line in told.splitlines() if "=" in line)

    def read(self, path: str) -> str:
        """Return the text of a file.

        Raises:
            LabError: it cannot be read.
        """
        return self.run(["cat", path])

    def put_aside(self, path: str) -> None:
        """Keep a copy of a file, with its owner and mode; the first copy stays, whatever comes later.

        Raises:
            LabError: the node cannot be written.
        """
        script = '[ -e "$1$2" ] || { mkdir -p "$1${2%/*}"; cp -p "$2" "$1$2.new"; mv "$1$2.new" "$1$2"; }'
        self.sh(script, FILES, path)

    def write(self, path: str, text: str) -> None:
        """Put a file aside, then write another text into it, whole or not at all.

        Raises:
            LabError: the node cannot be written.
        """
        self.put_aside(path)
        # A name with a dot in front: the kubelet takes every other file beside a static pod's for one more.
        script = 'new="${1%/*}/.${1##*/}.new"; cp -p "$1" "$new"; cat >"$new"; mv "$new" "$1"'
        self.run(["sh", "-euc", script, "sh", path], input=text)

    def put_back(self) -> None:
        """Put back every file that was put aside.

        Raises:
            LabError: the node cannot be written.
        """
        script = """
        [ -d "$1" ] || exit 0
        find "$1" -type f ! -name '*.new' -printf '/%P\\n' | while read -r path; do
          new="${path%/*}/.${path##*/}.new"
          cp -p "$1$path" "$new"
          mv "$new" "$path"
        done"""
        self.sh(script, FILES)

    def remember(self, **notes: str) -> None:
        """Note in the node how something was before it was broken.

        Raises:
            LabError: the node cannot be written.
        """
        self.record = self.record.noting(**notes)
        self.record.write(self.name)

    def kubelet_said(self, *parts: str) -> str:
        """Return the first line in which the kubelet said all of the ``parts`` since the break, or nothing.

        Raises:
            LabError: the node cannot be asked.
        """
        lines = journal.parse(self._journal("kubelet"))
        return next((each.message for each in lines if all(part in each.message for part in parts)), "")

    def unit_said(self, unit: str, *parts: str) -> str:
        """Return the first line with all of the ``parts`` in a unit's log since the break, systemd's own too.

        Raises:
            LabError: the node cannot be asked.
        """
        messages = (json.loads(line).get("MESSAGE") for line in self._journal(unit))
        return next(
            (each for each in messages if isinstance(each, str) and all(part in each for part in parts)), ""
        )

    def _journal(self, unit: str) -> list[str]:
        since = f"--since=@{self.record.since}"
        return self.run(["journalctl", f"--unit={unit}", since, "--output=json", "--no-pager"]).splitlines()

    def containers(self) -> set[str]:
        """Return every container of a pod that runs, sandboxes too, by its id and its first process.

        Raises:
            LabError: the node cannot be asked.
        """
        return {f"{container} {first.pid}" for container, first in restarts.running(self.name).items()}

    def condition(self, name: str) -> Any:  # noqa: ANN401 - the client has no types
        """Return a condition of the node.

        Raises:
            LabError: the API server does not answer.
        """
        return next(each for each in self.api.read().status.conditions if each.type == name)
