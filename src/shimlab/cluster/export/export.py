"""Write down how a lab is and what it logged, in a folder: `shimlab export DIR`.

Everything is asked at once, each thing with what is left of one bound, so that a node or a daemon that hangs costs no
more than that; what could not be asked is noted in the folder. Keys and tokens stay out.
"""

from __future__ import annotations

import contextlib
import functools
import json
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shimlab import paths, process
from shimlab.clients import kube
from shimlab.cluster import status
from shimlab.cluster.export import inside, secrets
from shimlab.cluster.export.digest import digest
from shimlab.errors import LabError
from shimlab.machine import engine, kind, private
from shimlab.progress import say
from shimlab.waiting import bound

#: Seconds: for what was logged since a time, and for all that there is.
BRIEF, WHOLE = 20.0, 90.0
#: Bytes of one file: the last ones are kept.
MOST = {True: 4 << 20, False: 32 << 20}
#: Of an export of everything, the digest tells of the last minutes.
LATELY = timedelta(minutes=10)
DIGEST, PROBLEMS = "digest.txt", "not-read.txt"
WORKERS = 20
_OBJECTS = {
    "nodes": "list_node",
    "namespaces": "list_namespace",
    "pods": "list_pod_for_all_namespaces",
    "events": "list_event_for_all_namespaces",
}


@dataclass
class Exported:
    """What came of it: the digest, and what could not be read, each as lines."""

    digest: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def export(folder: Path, *, since: datetime | None = None) -> Exported:
    """Export the lab into a folder that is not there yet or empty.

    With ``since``, only what was logged from then on, within BRIEF seconds; without, the whole journals of the nodes
    and what `kind export logs` has, within WHOLE seconds. What cannot be read is a problem, and no error.

    Raises:
        LabError: the folder cannot be made, or holds something.
    """
    _make(folder)
    return _Export(folder, since).all()


@contextlib.contextmanager
def before_undoing(folder: Path) -> Iterator[None]:
    """Export the lab where the block fails, before whoever called takes it away; the error says where to."""
    try:
        yield
    except LabError as error:
        say(f"  keeping how it was: {folder}")
        # Whatever goes wrong here, what went wrong before is what the user has to know.
        with contextlib.suppress(Exception):
            shutil.rmtree(folder, ignore_errors=True)
            export(folder, since=datetime.now(UTC) - LATELY)
        raise LabError(error.what, f"{error.remedy}; how it was: {folder}") from error


class _Export:
    def __init__(self, folder: Path, since: datetime | None) -> None:
        self._folder, self._since = folder, since
        self._most = MOST[since is not None]
        self._deadline = time.monotonic() + bound(BRIEF if since else WHOLE)
        self._found = Exported()
        self._nodes: list[inside.Node] = []
        self._objects: dict[str, list[dict[str, Any]]] = {}

    def all(self) -> Exported:
        began = datetime.now(UTC)
        self._note("the containers", self._containers)
        jobs: list[tuple[str, Callable[[], None]]] = []
        for node in self._nodes:
            if node.state == "running":
                jobs += [(f"{node.name}: {name}", job) for name, job in self._of_node(node)]
        jobs += [(f"objects: {name}", functools.partial(self._list, name)) for name in _OBJECTS]
        jobs += [("the engine", self._engine), ("the lab's own folder", self._state)]
        if self._since is None:
            jobs.insert(0, ("kind export logs", self._kind))
        with ThreadPoolExecutor(WORKERS) as pool:
            for waited in [pool.submit(self._note, *job) for job in jobs]:
                waited.result()
        for node in self._nodes:
            self._note(node.name, functools.partial(self._files, node))
        self._note("the digest", lambda: self._digest(began))
        problems = "".join(f"{line}\n" for line in self._found.problems)
        self._note(PROBLEMS, lambda: self._write(PROBLEMS, problems))
        return self._found

    def _note(self, what: str, job: Callable[[], None]) -> None:
        """Do one thing; whatever goes wrong is noted, and the others are done."""
        try:
            job()
        except LabError as error:
            self._found.problems.append(f"{what}: {error.what}")
        except Exception as error:
            self._found.problems.append(f"{what}: {type(error).__name__}: {error}")

    def _left(self) -> float:
        """Return how many seconds are left, as they are told to what takes them for those of an ordinary machine.

        Raises:
            LabError: there are none.
        """
        left = (self._deadline - time.monotonic()) / bound(1)
        if left <= 0:
            raise LabError("there was no time left", "")
        return left

    def _containers(self) -> None:
        told = engine.docker(
            *["ps", "--all", "--filter", f"label={status.KIND_LABEL}={paths.name()}"],
            *["--format", "{{.Names}} {{.State}}"],
            timeout=min(self._left(), 10),
        )
        for line in sorted(filter(None, told.splitlines())):
            name, _, state = line.partition(" ")
            self._nodes.append(inside.Node(name, state or "running"))
        if not self._nodes:
            raise LabError("the lab has no nodes", "")

    def _of_node(self, node: inside.Node) -> list[tuple[str, Callable[[], None]]]:
        def processes() -> None:
            node.processes = inside.processes(node.name, self._left())

        def told() -> None:
            node.told = inside.state(node.name, self._left())

        def logged() -> None:
            node.journal = inside.log(node.name, self._since, self._most, self._left())

        return [("processes", processes), ("daemons", told), ("journal", logged)]

    def _files(self, node: inside.Node) -> None:
        for name, text in node.files().items():
            self._write(f"nodes/{node.name}/{name}", text)

    def _list(self, name: str) -> None:
        with kube.answering():
            ask = getattr(kube.core(), _OBJECTS[name])
            # The client asks four times before it gives up.
            answer = ask(_preload_content=False, _request_timeout=max(self._left() / 4, 1))
        found = json.loads(answer.data)
        for each in found["items"]:
            each["metadata"].pop("managedFields", None)
        self._objects[name] = found["items"]
        self._write(f"objects/{name}.json", json.dumps(found, indent=1, ensure_ascii=False))

    def _engine(self) -> None:
        of_kind = ["--filter", f"label={status.KIND_LABEL}"]
        for name, argv in (
            ("version.txt", ["version"]),
            ("containers.txt", ["ps", "--all", "--no-trunc", *of_kind]),
            ("networks.txt", ["network", "ls", "--filter", f"name=^{kind.NETWORK}$"]),
        ):
            self._write(f"engine/{name}", engine.docker(*argv, timeout=self._left()))
        if not engine.current().ours:
            raise LabError("it is not the lab's own, so its log is left alone (journalctl -u docker)", "")
        # Whichever lab started it, and wherever its log is: it has the file open.
        pid = private.pid()
        with Path(f"/proc/{pid}/fd/1").open("rb") as log:
            self._write("engine/dockerd.log", _tail(log.read(), self._most))

    def _state(self) -> None:
        """Copy what the lab keeps of itself: what it was made from, and the logs of long steps."""
        state = paths.state_dir()
        logs = sorted(each for each in paths.log_dir().rglob("*") if each.is_file() and not each.is_symlink())
        for file in (state / "made-from", state / "kind.yaml", *logs):
            name = file.relative_to(state)
            # A lab that did not come up is exported into its own folder of logs.
            is_ours = self._folder in file.parents
            if file.is_file() and not is_ours and not secrets.stays_out(name):
                self._write(f"lab/{name}", _tail(file.read_bytes(), self._most))

    def _kind(self) -> None:
        program = kind.binary()
        if program is None:
            raise LabError("there is no kind", "")
        folder = self._folder / "kind"
        try:
            process.output(
                [str(program), "export", "logs", str(folder), "--name", paths.name()],
                env=kind.environment(),
                timeout=max(self._left() - 5, 1),
            )
        except LabError as error:
            # It goes on after each question that failed, and asks for images with crictl, which our nodes lack.
            if "crictl images" not in error.what:
                raise
        finally:
            self._clean(folder)

    def _clean(self, folder: Path) -> None:
        """Keep of a folder what may be kept: no keys, no journals in systemd's own form, nothing of endless size."""
        for file in sorted(folder.rglob("*"), reverse=True):
            stays_out = ".journal" in file.name or secrets.stays_out(file.relative_to(folder))
            if file.is_symlink() or (file.is_file() and stays_out):
                file.unlink()
            elif file.is_file():
                whole = file.read_bytes()
                if (kept := secrets.struck_out(_tail(whole, self._most))) != whole:
                    file.write_bytes(kept)
            elif not any(file.iterdir()):
                file.rmdir()

    def _digest(self, began: datetime) -> None:
        lines = digest(self._nodes, self._objects, self._since or began - LATELY)
        if self._found.problems:
            shown = "; ".join(self._found.problems[:3])
            lines.append(f"not read: {shown}{' …' if len(self._found.problems) > 3 else ''}"[:300])
        self._found.digest = [secrets.struck_out(line.encode()).decode() for line in lines]
        self._write(DIGEST, "".join(f"{line}\n" for line in self._found.digest))

    def _write(self, name: str, content: str | bytes) -> None:
        file = self._folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(secrets.struck_out(content.encode() if isinstance(content, str) else content))


def _tail(content: bytes, most: int) -> bytes:
    return content if len(content) <= most else b"(cut off before)\n" + content[-most:]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        full = any(folder.iterdir())
    except OSError as error:
        raise LabError(f"{folder} cannot be made: {error.strerror}", "name a folder that can be") from error
    if full:
        raise LabError(f"{folder} is not empty", "name a new folder")
