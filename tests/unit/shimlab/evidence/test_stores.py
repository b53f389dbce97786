"""The stores, from what the daemons answer."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from shimlab.clients import docker
from shimlab.clients.containerd import Containerd, _messages
from shimlab.clients.cri import NodeTransport
from shimlab.errors import LabError
from shimlab.evidence import stores
from shimlab.node.sockets import Owner

UID = "0aa11111-2222-4333-8444-555555555555"


def of_containerd(id: str, **labels: str) -> Any:
    """Make the message in which containerd tells of a container, and send it over the wire once."""
    kind = _messages()["Container"]
    made = kind(id=id, image="i", runtime={"name": "io.containerd.runc.v2"}, created_at={"seconds": 9})
    made.labels.update({label.replace("_", "."): value for label, value in labels.items()})
    return kind.FromString(made.SerializeToString())


def of_docker(id: str, state: str, **labels: str) -> dict[str, Any]:
    named = {label.replace("_", "."): value for label, value in labels.items()}
    return {"Id": id, "Image": "i", "State": state, "Created": 9, "Labels": named or None}


POD = {
    "io_kubernetes_pod_namespace": "default",
    "io_kubernetes_pod_name": "web",
    "io_kubernetes_pod_uid": UID,
}


def test_the_same_pod_has_the_same_shape_in_both_stores():
    found = stores._of_containerd(
        {
            "k8s.io": (
                [
                    of_containerd("a", **{"io_cri-containerd_kind": "sandbox"}, **POD),
                    of_containerd(
                        "b",
                        **{"io_cri-containerd_kind": "container"},
                        **POD,
                        io_kubernetes_container_name="c",
                    ),
                ],
                {"a": (7, "running"), "b": (8, "running")},
            )
        }
    )
    other = stores._of_docker(
        [
            of_docker(
                "a",
                "running",
                io_kubernetes_docker_type="podsandbox",
                **POD,
                io_kubernetes_container_name="POD",
            ),
            of_docker(
                "b", "running", io_kubernetes_docker_type="container", **POD, io_kubernetes_container_name="c"
            ),
        ],
        [of_containerd("a"), of_containerd("b")],
        {"a": (7, "running"), "b": (8, "running")},
    )

    def shape(each: stores.StoredContainer) -> tuple[object, ...]:
        return (
            each.pod_namespace,
            each.pod,
            each.pod_uid,
            each.kind,
            each.name,
            each.pid,
            each.state,
            each.runtime,
        )

    assert [shape(each) for each in found] == [shape(each) for each in other]
    assert shape(found[0])[3:6] == ("sandbox", "", 7)
    assert ({each.store for each in found}, {each.store for each in other}) == ({"k8s.io"}, {"moby"})
    assert found[0].created == datetime(1970, 1, 1, 0, 0, 9, tzinfo=UTC)


def test_dead_containers_and_those_that_docker_does_not_know():
    found = stores._of_docker(
        [of_docker("dead", "exited")], [of_containerd("lost")], {"lost": (5, "running")}
    )
    assert [(each.id, each.kind, each.pid, each.state) for each in found] == [
        ("dead", "", 0, "exited"),
        ("lost", "", 5, "running"),
    ]
    (created,) = stores._of_containerd({"k8s.io": ([of_containerd("x")], {})})
    assert (created.pid, created.state) == (0, "exited")
    # dockerd's own namespace is not read twice.
    assert stores._of_containerd({"moby": ([of_containerd("x")], {})}) == []


class Content:
    """Stands where Containerd does: an index, the manifest of one platform, and a name by the image's id."""

    def __init__(self) -> None:
        """Hold one image."""
        target = SimpleNamespace(digest="sha256:index")
        self.listed = [SimpleNamespace(name=name, target=target) for name in ("r/x:1", "sha256:id", "r/x:2")]
        self.content = {
            "sha256:index": {"manifests": [{"digest": "sha256:elsewhere"}, {"digest": "sha256:here"}]},
            "sha256:here": {
                "config": {"digest": "sha256:id", "size": 3},
                "layers": [{"size": 40}, {"size": 200}],
            },
        }

    def images(self, store: str) -> list[Any]:
        """List its names."""
        return self.listed

    def document(self, store: str, digest: str) -> Any:
        """Return what is there."""
        return self.content.get(digest)


def test_names_of_one_image_are_one_image():
    content = Content()
    image = stores.StoredImage("k8s.io", ("r/x:1", "r/x:2"), "sha256:id", "sha256:index", 243)
    assert stores._images(content, "k8s.io") == [image]
    content.content.clear()
    (unknown,) = stores._images(content, "k8s.io")
    assert (unknown.id, unknown.bytes, unknown.digest) == ("", 0, "sha256:index")


def test_an_image_of_docker():
    told = {"Id": "sha256:id", "RepoTags": ["<none>:<none>"], "RepoDigests": ["r/x@sha256:m"], "Size": 5}
    assert stores._docker_image(told) == stores.StoredImage("docker", (), "sha256:id", "sha256:m", 5)
    assert stores._docker_image({"Id": "i", "RepoTags": None, "RepoDigests": None, "Size": 5}).digest == ""


class Way:
    """An open way to a socket of this machine, where otherwise one leads into a node."""

    def __init__(self, path: Path) -> None:
        """Name the near end, once as a path and once as gRPC wants it."""
        self.path, self.target = path, f"unix:{path}"

    def __enter__(self) -> Way:
        """Open it."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""

    def complaint(self) -> str:
        """Have nothing to add."""
        return ""


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A server on a unix socket that answers as dockerd does; the way of a node leads to it."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(f"{self.path} {id(self.connection)}")
            body = json.dumps([self.path]).encode()
            self.send_response(404 if self.path == "/none" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

        def address_string(self) -> str:
            return ""

    monkeypatch.setattr(NodeTransport, "open", lambda self, path: Way(tmp_path / "s"))
    with socketserver.UnixStreamServer(str(tmp_path / "s"), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield asked
        server.shutdown()


def test_dockerd_is_asked_over_one_connection(daemon):
    assert docker.get("n", "/a", "/b") == [["/a"], ["/b"]]
    assert len({each.split()[1] for each in daemon}) == 1
    with pytest.raises(LabError, match="n: dockerd refuses /none: 404"):
        docker.get("n", "/none")


def test_nobody_answers_in_dockerds_place(daemon, tmp_path):
    (tmp_path / "s").unlink()
    with pytest.raises(LabError, match="n: dockerd does not answer"):
        docker.get("n", "/a")


@pytest.mark.parametrize(
    ("listeners", "runs"), [(("systemd",), False), (("systemd", "dockerd"), True), ((), False)]
)
def test_a_dockerd_that_systemd_would_start_is_not_asked(monkeypatch, listeners, runs):
    there = SimpleNamespace(listeners=tuple(Owner(pid, comm) for pid, comm in enumerate(listeners)))
    monkeypatch.setattr(docker.sockets, "at", lambda node, paths, run: [there])
    assert docker.runs("n") is runs
    if not runs:
        assert stores._asked("n", "/images/json", None) == []


def test_who_is_not_containerd_is_said(tmp_path, monkeypatch):
    """A gRPC server without containerd's services, as dockershim is on the socket that it took over."""
    from concurrent.futures import ThreadPoolExecutor

    import grpc

    server = grpc.server(ThreadPoolExecutor())
    server.add_insecure_port(f"unix:{tmp_path}/s")
    server.start()

    monkeypatch.setattr(NodeTransport, "open", lambda self, path: Way(tmp_path / "s"))
    with Containerd("n") as asked, pytest.raises(LabError, match="who listens there is not containerd"):
        asked.namespaces()
    server.stop(None).wait()
    with Containerd("n") as asked, pytest.raises(LabError, match=r"containerd\.sock does not answer"):
        asked.namespaces()
