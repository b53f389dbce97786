"""The CRI client against a gRPC server of this process, directly and through a bridge."""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import sys
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import grpc
import pytest

from shimlab.clients.cri import CriClient, LocalTransport, protos
from shimlab.clients.cri.messages import Container, Image, Pod
from shimlab.clients.relay import Relay
from shimlab.commands import cri
from shimlab.errors import LabError

# The part of CRI that the tests speak: names and field numbers of cri-api, so a real runtime understands it.
API = """
syntax = "proto3";
package runtime.VERSION;
import "github.com/gogo/protobuf/gogoproto/gogo.proto";
option (gogoproto.marshaler_all) = true;
service RuntimeService {
  rpc Version(VersionRequest) returns (VersionResponse) {}
  rpc ListPodSandbox(ListPodSandboxRequest) returns (ListPodSandboxResponse) {}
}
service ImageService { rpc ListImages(ListImagesRequest) returns (ListImagesResponse) {} }
message VersionRequest { string version = 1; }
message VersionResponse {
  string version = 1; string runtime_name = 2; string runtime_version = 3; string runtime_api_version = 4;
}
message ListPodSandboxRequest {}
message PodSandboxMetadata { string name = 1; string uid = 2; string namespace = 3; uint32 attempt = 4; }
enum PodSandboxState { SANDBOX_READY = 0; SANDBOX_NOTREADY = 1; }
message PodSandbox {
  string id = 1; PodSandboxMetadata metadata = 2; PodSandboxState state = 3; int64 created_at = 4;
  map<string, string> labels = 5;
}
message ListPodSandboxResponse { repeated PodSandbox items = 1; }
message ListImagesRequest {}
message Image {
  string id = 1; repeated string repo_tags = 2; repeated string repo_digests = 3; uint64 size = 4;
}
message ListImagesResponse { repeated Image images = 1; }
"""
GOGO = """
syntax = "proto2";
package gogoproto;
import "google/protobuf/descriptor.proto";
extend google.protobuf.FileOptions { optional bool marshaler_all = 63012; }
"""
RELAY = """
import socket, sys, threading
far = socket.socket(socket.AF_UNIX); far.connect(sys.argv[1]); near = socket.socket(fileno=0)
def pump(source, sink):
    while data := source.recv(65536): sink.sendall(data)
    sink.shutdown(socket.SHUT_WR)
threading.Thread(target=pump, args=(near, far), daemon=True).start(); pump(far, near)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Protos of both versions, as a node image has them."""
    for version in ("v1", "v1alpha2"):
        file = tmp_path / "protos" / version / "api.proto"
        file.parent.mkdir(parents=True)
        file.write_text(API.replace("VERSION", version))
    gogo = tmp_path / "protos/github.com/gogo/protobuf/gogoproto/gogo.proto"
    gogo.parent.mkdir(parents=True)
    gogo.write_text(GOGO)
    return tmp_path / "protos"


def reply(answer, request, context):
    return answer


def fail(request, context):
    context.abort(grpc.StatusCode.INTERNAL, "the store is locked")


@contextlib.contextmanager
def serving(
    folder: Path, path: Path, versions: tuple[str, ...], also: tuple[str, ...] = (), failing: str = ""
) -> Iterator[None]:
    """Serve CRI in the given versions, and under other packages, on a unix socket: two pods and an image.

    One version may be ``failing``: it is served, and its calls end with an error.
    """
    apis = protos.load(LocalTransport(folder, str(path)).protos(), path.parent / "cache")
    server = grpc.server(futures.ThreadPoolExecutor(2))
    for version in versions:
        api = apis[version]
        answers = {
            "Version": {
                "version": "0.1.0",
                "runtime_name": "testd",
                "runtime_version": "9.9",
                "runtime_api_version": version,
            },
            "ListPodSandbox": {
                "items": [
                    {"id": "b" * 64, "metadata": {"name": "web", "namespace": "z", "attempt": 1}, "state": 1},
                    {
                        "id": "a" * 64,
                        "metadata": {"name": "db", "namespace": "a", "uid": "u"},
                        "labels": {"k": "v"},
                    },
                ]
            },
            "ListImages": {"images": [{"id": "sha256:" + "c" * 64, "repo_tags": ["x:1"], "size": 1_500_000}]},
        }
        for service in protos.SERVICES:
            handlers = {
                method: grpc.unary_unary_rpc_method_handler(
                    fail
                    if version == failing
                    else functools.partial(reply, api.response_class(method)(**answers[method])),
                    request_deserializer=api.request_class(method).FromString,
                    response_serializer=api.response_class(method).SerializeToString,
                )
                for method in api.methods()
                if f".{service}/" in api.path(method)
            }
            for package in (f"runtime.{version}", *also):
                generic = grpc.method_handlers_generic_handler(f"{package}.{service}", handlers)
                server.add_generic_rpc_handlers((generic,))
    server.add_insecure_port(f"unix:{path}")
    server.start()
    try:
        yield
    finally:
        server.stop(0).wait()


class BridgedReach(LocalTransport):
    """The same place, through a relay program for each connection, as into a node."""

    def open(self, path: str) -> Relay:
        """Start a relay instead of connecting."""
        return Relay([sys.executable, "-c", RELAY, path])


@pytest.mark.parametrize("reach", [LocalTransport, BridgedReach])
@pytest.mark.parametrize(
    ("served", "wanted", "spoken"),
    [
        (("v1", "v1alpha2"), None, "v1"),
        (("v1alpha2",), None, "v1alpha2"),
        (("v1", "v1alpha2"), "v1alpha2", "v1alpha2"),
    ],
)
def test_agrees_on_a_version(folder, tmp_path, reach, served, wanted, spoken):
    path = tmp_path / "s"
    place = reach(folder, str(path))
    with serving(folder, path, served), CriClient(place, version=wanted, cache=tmp_path / "cache") as client:
        version = client.version()
    assert (version.api, version.runtime_name, version.runtime_api_version) == (spoken, "testd", spoken)


def test_a_version_that_is_served_and_fails_is_not_passed_over(folder, tmp_path):
    """Only "no such service" says that there is no such version; after any other error another would be a guess."""
    path = tmp_path / "s"
    place = LocalTransport(folder, str(path))
    with (
        serving(folder, path, ("v1", "v1alpha2"), failing="v1"),
        pytest.raises(LabError, match="the store is locked"),
        CriClient(place, cache=tmp_path / "cache"),
    ):
        pass
    with (
        serving(folder, path, ("v1", "v1alpha2"), failing="v1alpha2"),
        CriClient(place, cache=tmp_path / "cache") as client,
    ):
        assert client.api.version == "v1"


def test_asks_for_any_version_known_or_not(folder, tmp_path):
    path = tmp_path / "s"
    place = LocalTransport(folder, str(path))
    asked = ("v1", "v1alpha2", "v1alpha1")
    with serving(folder, path, ("v1",)), CriClient(place, cache=tmp_path / "cache") as client:
        assert [client.answers(each) for each in asked] == ["testd", "", ""]
    with contextlib.ExitStack() as server:
        # The first version's package had no version in its name.
        server.enter_context(serving(folder, path, ("v1",), also=("runtime",)))
        with CriClient(place, cache=tmp_path / "cache") as client:
            assert [client.answers(each) for each in asked] == ["testd", "", "testd"]
            # A runtime that is gone is no runtime that lacks the version.
            server.close()
            with pytest.raises(LabError, match="does not answer"):
                client.answers("v1")


def test_lists_are_sorted_and_named(folder, tmp_path):
    path = tmp_path / "s"
    place = LocalTransport(folder, str(path))
    with serving(folder, path, ("v1",)), CriClient(place, cache=tmp_path / "cache") as client:
        pods, images = client.pods(), client.images()
    assert [(pod.namespace, pod.name, pod.state) for pod in pods] == [
        ("a", "db", "Ready"),
        ("z", "web", "NotReady"),
    ]
    assert pods[0].labels == {"k": "v"}
    assert images == [Image(("x:1",), (), "sha256:" + "c" * 64, 1_500_000)]


@pytest.mark.parametrize("wanted", [None, "v1"])
def test_says_when_the_service_is_unknown(folder, tmp_path, wanted):
    path = tmp_path / "s"
    place = LocalTransport(folder, str(path))
    served = ("v1alpha2",) if wanted else ()
    with (
        serving(folder, path, served),
        pytest.raises(LabError, match="no CRI service") as caught,
        CriClient(place, version=wanted, cache=tmp_path / "cache"),
    ):
        pass
    assert "CRI plugin is switched off" in caught.value.remedy
    assert str(caught.value).count("\n") == 1


def test_says_when_the_socket_is_not_there(folder, tmp_path):
    place = LocalTransport(folder, str(tmp_path / "none"))
    with pytest.raises(LabError, match="no socket"), CriClient(place, cache=tmp_path / "cache"):
        pass


def test_says_why_the_bridge_did_not_reach(folder, tmp_path):
    place = BridgedReach(folder, str(tmp_path / "none"))
    with pytest.raises(LabError, match="no such socket"), CriClient(place, cache=tmp_path / "cache"):
        pass


def test_says_when_nobody_listens(folder, tmp_path):
    import socket

    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead"))
    place = BridgedReach(folder, str(tmp_path / "dead"))
    with pytest.raises(LabError, match="nobody listens"), CriClient(place, cache=tmp_path / "cache"):
        pass


def test_a_version_that_the_release_lacks(folder, tmp_path):
    (folder / "v1" / "api.proto").unlink()
    place = LocalTransport(folder, str(tmp_path / "s"))
    with pytest.raises(LabError, match="no CRI v1"), CriClient(place, version="v1", cache=tmp_path / "cache"):
        pass


def interrupted(bridge: Relay) -> None:
    """Have a connection open when Ctrl-C comes."""
    with bridge, grpc.insecure_channel(bridge.target) as channel:
        grpc.channel_ready_future(channel).result(10)
        assert bridge.path.is_socket()
        raise KeyboardInterrupt


def test_bridge_leaves_nothing_behind(folder, tmp_path):
    path = tmp_path / "s"
    with serving(folder, path, ("v1",)):
        bridge = Relay([sys.executable, "-c", RELAY, str(path)])
        with pytest.raises(KeyboardInterrupt):
            interrupted(bridge)
    assert not bridge.path.parent.exists()
    assert all(relay.poll() is not None for relay in bridge._relays)
    assert len(bridge._relays) == 1


def test_a_relay_that_does_not_start_is_named(folder, tmp_path):
    class Nowhere(LocalTransport):
        def open(self, path: str) -> Relay:
            return Relay([str(tmp_path / "no-docker")])

    with (
        pytest.raises(LabError, match="cannot start"),
        CriClient(Nowhere(folder, "s"), cache=tmp_path / "cache"),
    ):
        pass


def test_bridge_ends_a_relay_that_will_not_go(monkeypatch):
    monkeypatch.setattr("shimlab.clients.relay.PATIENCE", 0.2)
    with Relay([sys.executable, "-c", "import time; time.sleep(600)"]) as bridge:
        import socket

        with socket.socket(socket.AF_UNIX) as near:
            near.connect(str(bridge.path))
            while not bridge._relays:
                os.sched_yield()
    assert bridge._relays[0].returncode is not None


def test_protos_are_compiled_once_for_each_text(folder, tmp_path, monkeypatch):
    sources = LocalTransport(folder, "").protos()
    cache = tmp_path / "cache"
    protos.load(sources, cache)
    (kept,) = cache.iterdir()
    monkeypatch.setattr(protos, "_protoc", lambda *_: pytest.fail("compiled again"))
    assert set(protos.load(sources, cache)) == {"v1", "v1alpha2"}
    monkeypatch.undo()
    protos.load({**sources, "v1/api.proto": sources["v1/api.proto"] + "\nmessage More {}\n"}, cache)
    assert kept in (files := list(cache.iterdir()))
    assert len(files) == 2


@pytest.mark.parametrize(
    ("sources", "what"), [({}, "no CRI proto"), ({"v1/api.proto": "syntax = "}, "protoc refuses")]
)
def test_bad_protos(tmp_path, sources, what):
    with pytest.raises(LabError, match=what):
        protos.load(sources, tmp_path)
    assert not list(tmp_path.glob("*.pb"))


def test_command_line(lab, folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(
        cri, "CriClient", lambda node, socket, api: CriClient(place, socket, api, cache=tmp_path)
    )
    path = tmp_path / "s"
    place = LocalTransport(folder, str(path))
    parser = argparse.ArgumentParser()
    cri.add_parser(parser.add_subparsers())
    with serving(folder, path, ("v1",)):
        args = parser.parse_args(["cri", lab.nodes[0], "version", "--json"])
        assert args.run(args) == 0
        assert json.loads(capsys.readouterr().out)["runtime_name"] == "testd"
        args = parser.parse_args(["cri", lab.nodes[0], "pods", "--socket", str(path)])
        assert args.run(args) == 0
    assert capsys.readouterr().out.splitlines() == [
        "NAMESPACE   POD   STATE      ATTEMPT   ID              CREATED",
        "a           db    Ready      0         aaaaaaaaaaaaa   1970-01-01T00:00:00Z",
        "z           web   NotReady   1         bbbbbbbbbbbbb   1970-01-01T00:00:00Z",
    ]


def test_containers_show_the_tag_of_their_image():
    image = Image(("x:1",), (), "sha256:" + "c" * 64, 1)
    made = Container("ns", "pod", "app", 0, "d" * 64, "a" * 64, "Running", image.id, image.id, 0)
    assert cri.containers_table([made], [image]).splitlines()[1].endswith("x:1")
    assert Pod("a", "b", 0, "i", "u", "Ready", 0) < Pod("a", "c", 0, "h", "u", "Ready", 0)
