"""A lab that is not there: a program in docker's place and an API server that answer with what a test recorded.

Everything above them is real: the commands that are run in a node, the Kubernetes client with a kubeconfig of its own,
the lab's folders. So what the lab decides by its answers can be tested on any machine.
"""

from __future__ import annotations

import http.server
import json
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shimlab.runtimes import LABEL, RUNTIMES
from shimlab.waiting import bound

Answer = dict[str, Any]

#: In docker's place. What a node says is recorded (`says`) or, below the folder that the lab has in its nodes, done for
#: real in a folder of the node's; `systemctl show` answers from `units`, and a script whose last word is the kubelet's
#: file from `kubelets`. Containers run unless `states` says otherwise. Anything else fails and says so.
DOCKER = r"""#!PYTHON -IS
import json, sys

HERE = "FOLDER"
OURS = "/var/lib/shimlab"
KUBELET = "/usr/bin/kubelet"
with open(f"{HERE}/lab.json", encoding="utf-8") as file:
    lab = json.load(file)


def show(argv, units):
    wanted = next(word for word in argv if word.startswith("--property=")).removeprefix("--property=").split(",")
    value = "--value" in argv
    for name in (word for word in argv[2:] if not word.startswith("--")):
        unit = {"Id": name, **units.get(name, {})}
        yield "\n".join(unit.get(each, "") if value else f"{each}={unit.get(each, '')}" for each in wanted)


def run(node, argv):
    for begin, answer in lab["says"].get(node, []):
        if argv[: len(begin)] == begin:
            return print(answer, end="")
    if argv[:2] == ["systemctl", "show"]:
        return print(*show(argv, lab["units"].get(node, {})), sep="\n\n")
    if argv[0] == "sh" and argv[-1] == KUBELET:
        return print(lab["kubelets"].get(node, ""))
    if argv[0] == "date" or any(word.startswith(OURS) for word in argv):
        import subprocess

        folder = f"{HERE}/nodes/{node}"
        sys.exit(subprocess.run([word.replace(OURS, f"{folder}{OURS}", 1) for word in argv]).returncode)
    sys.exit(f"nothing is recorded for {argv} on {node}")


def refuse_halted(node):
    state = lab["states"].get(node, "running")
    if state == "paused":
        sys.exit(f"Error response from daemon: Container {node} is paused, unpause the container before exec")
    if state != "running":
        sys.exit(f"Error response from daemon: Container {node} is not running")


command, *words = sys.argv[1:]
if command == "version":
    print("20.10.24")
elif command == "ps":
    known = {name: lab["states"].get(name, "running") for name in lab["nodes"]}
    print(*(f"{name}|ours|{state}" if "|" in words[-1] else name for name, state in known.items()), sep="\n")
elif command in ("start", "unpause"):
    if lab["states"].get(words[0]) != {"start": "exited", "unpause": "paused"}[command]:
        sys.exit(f"Error response from daemon: {words[0]} is not of that kind")
    lab["states"][words[0]] = "running"
    with open(f"{HERE}/lab.json", "w", encoding="utf-8") as file:
        json.dump(lab, file)
elif command == "exec":
    words = [word for word in words if word != "--interactive"]
    if words[0] not in lab["nodes"]:
        sys.exit(f"No such container: {words[0]}")
    refuse_halted(words[0])
    run(words[0], words[1:])
else:
    sys.exit(f"nothing is recorded for docker {command}")
"""


class Api:
    """An API server that gives recorded answers, and keeps what it was asked."""

    def __init__(self) -> None:
        """Open a port."""
        #: Method and path without a query → the answers in their order; the last one stays. None is "not found".
        self.answers: dict[tuple[str, str], list[Answer | None]] = {}
        #: Method, path with its query, body.
        self.asked: list[tuple[str, str, Any]] = []
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                api.asked.append((self.command, self.path, json.loads(body) if body else None))
                found = api.answer(self.command, urlsplit(self.path).path)
                status = 200 if found is not None else 404
                text = json.dumps(found or {"kind": "Status", "code": 404}).encode()
                self.send_response(status, "OK" if found is not None else "Not Found")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - the names that http.server calls

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """Say where it is."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def says(self, path: str, *answers: Answer | None, method: str = "GET") -> None:
        """Record the answers to a request, in their order."""
        self.answers[method, path] = list(answers)

    def answer(self, method: str, path: str) -> Answer | None:
        """Give the next answer to a request."""
        answers = self.answers.get((method, path), [None])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def bodies(self, method: str) -> list[Any]:
        """List what was sent with a method."""
        return [body for each, _, body in self.asked if each == method]

    def close(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(bound(5))


@dataclass
class Lab:
    """The stand-in as a whole: nodes by name, control plane first."""

    folder: Path
    api: Api
    nodes: tuple[str, ...]
    #: Node → the beginning of a command, and what it prints.
    said: dict[str, list[tuple[list[str], str]]] = field(default_factory=dict)
    units: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    #: Node → the state of its container, as docker calls it, unless it runs.
    states: dict[str, str] = field(default_factory=dict)
    #: Node → the kubelet that its unit starts and the one that runs, a line each.
    kubelets: dict[str, str] = field(default_factory=dict)

    def says(self, node: str, *argv: str, answer: str) -> None:
        """Record what a command prints in a node; it is the one that begins with these words."""
        self.said.setdefault(node, []).insert(0, (list(argv), answer))
        self.write()

    def unit(self, node: str, name: str, active: str = "active", enabled: str = "enabled") -> None:
        """Record how a unit of a node is."""
        state = {"ActiveState": active, "UnitFileState": enabled}
        self.units.setdefault(node, {})[name] = state
        self.write()

    def halts(self, node: str, state: str) -> None:
        """Let a node's container be in a state in which it does not run."""
        self.states[node] = state
        self.write()

    def uses(self, node: str, starts: str, runs: str) -> None:
        """Record which kubelet a node's unit starts, and which one runs."""
        self.kubelets[node] = f"{starts}\n{runs}"
        self.write()

    def state_of(self, node: str) -> str:
        """Return the state of a node's container by now."""
        return str(json.loads((self.folder / "lab.json").read_text("utf-8"))["states"].get(node, "running"))

    def write(self) -> None:
        """Hand on what is recorded to the program in docker's place."""
        lab = {
            "nodes": self.nodes,
            "says": self.said,
            "units": self.units,
            "states": self.states,
            "kubelets": self.kubelets,
        }
        (self.folder / "lab.json").write_text(json.dumps(lab), "utf-8")

    def shows(self, *nodes: Answer) -> None:
        """Let the API server list these nodes, and give each by its name."""
        self.api.says("/api/v1/nodes", {"kind": "NodeList", "apiVersion": "v1", "items": list(nodes)})
        for each in nodes:
            self.api.says(f"/api/v1/nodes/{each['metadata']['name']}", each)

    def has(self, node: str, *pods: Answer) -> None:
        """Let the API server list these pods, whatever node is asked for."""
        self.api.says("/api/v1/pods", listed(*pods))


def make(folder: Path, api: Api, state: Path, nodes: tuple[str, ...], lab: str = "deprecated") -> Lab:
    """Lay everything down: the program below ``folder``, the kubeconfig and the recipe in the lab's ``state``."""
    program = folder / "bin" / "docker"
    program.parent.mkdir(parents=True)
    program.write_text(DOCKER.replace("PYTHON", sys.executable).replace("FOLDER", str(folder)), "utf-8")
    program.chmod(0o755)
    for node in nodes:
        (folder / "nodes" / node / "var/lib/shimlab").mkdir(parents=True)
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "lab",
        "clusters": [{"name": "lab", "cluster": {"server": api.address}}],
        "users": [{"name": "lab", "user": {}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
    }
    (state / "kubeconfig").write_text(json.dumps(kubeconfig), "utf-8")
    (state / "made-from").write_text(f"{lab} 0\n", "ascii")
    made = Lab(folder, api, nodes)
    made.write()
    return made


# ---- What an API server says ------------------------------------------------------------------------


def listed(*items: Answer) -> Answer:
    return {"kind": "List", "apiVersion": "v1", "items": list(items)}


def node(
    name: str,
    asked: str = "dockershim",
    *,
    runs: str = "",
    ready: str = "True",
    conditions: Mapping[str, str] = {},
    taints: tuple[str, ...] = (),
    cordoned: bool = False,
    annotations: Mapping[str, str] = {},
    heard: str = "2026-01-01T00:00:00Z",
) -> Answer:
    """A node with the label of a runtime; it ``runs`` that one unless another is named. ``heard``: of its kubelet."""
    version = runs or f"{RUNTIMES[asked].scheme}://1.0"
    names = ("architecture", "bootID", "kernelVersion", "kubeProxyVersion", "machineID", "operatingSystem")
    info = dict.fromkeys((*names, "osImage", "systemUUID"), "x")
    states = {"MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False", "Ready": ready}
    return {
        "metadata": {"name": name, "labels": {LABEL: asked}, "annotations": dict(annotations)},
        "spec": {
            "unschedulable": cordoned or None,
            "taints": [{"key": each, "effect": "NoSchedule"} for each in taints],
        },
        "status": {
            "nodeInfo": {**info, "containerRuntimeVersion": version, "kubeletVersion": "v1.20.15"},
            "conditions": [
                {
                    "type": kind,
                    "status": status,
                    "message": f"why {kind}",
                    "lastHeartbeatTime": heard,
                }
                for kind, status in {**states, **conditions}.items()
            ],
        },
    }


def pod(
    name: str, namespace: str = "default", *, ready: bool | None = True, scheme: str = "docker"
) -> Answer:
    """A pod with one container, which is ready, not ready, or, where ``ready`` is None, not made yet."""
    status = {
        "name": "app",
        "ready": ready,
        "restartCount": 0,
        "image": "x",
        "imageID": "x",
        "containerID": f"{scheme}://{'c' * 64}",
    }
    return {
        "metadata": {"name": name, "namespace": namespace, "uid": f"uid-of-{name}"},
        "spec": {"containers": [{"name": "app", "image": "x"}]},
        "status": {
            "phase": "Running" if ready else "Pending",
            "containerStatuses": [] if ready is None else [status],
        },
    }
