"""What kubelets, dockerd, containerd and shims write down, read as calls."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from shimlab.node import journal
from shimlab.node.journal import LogLine
from shimlab.trace import Trace
from shimlab.trace import calls as said
from shimlab.trace.calls import Call

POD = "e6bda360-46b0-4533-8444-555555555555"
SANDBOX, CONTAINER = "7143c931" + "0" * 56, "4fc31282" + "1" * 56
TIME = datetime(2026, 1, 1, tzinfo=UTC)
CRI = "[RemoteRuntimeService] "


def line(message: str) -> LogLine:
    return LogLine(TIME, 1, "I", "remote_runtime.go:1", message, message)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            f"{CRI}RunPodSandbox (config=&PodSandboxConfig{{Metadata:&PodSandboxMetadata{{Name:web,Uid:{POD},}},}}, "
            "runtimeHandler=, timeout=2m0s)\n",
            ("RunPodSandbox", (POD,)),
        ),
        (f"{CRI}RunPodSandbox Response (PodSandboxId={SANDBOX})", None),
        (f"{CRI}CreateContainer (podSandBoxID={SANDBOX}, timeout=2m0s)", ("CreateContainer", (SANDBOX,))),
        # The answer, in spite of its form.
        (f"{CRI}CreateContainer (podSandBoxID={SANDBOX}, ContainerId={CONTAINER})", None),
        (f"{CRI}StartContainer (containerID={CONTAINER}, timeout=2m0s)", ("StartContainer", (CONTAINER,))),
        (f"{CRI}ListContainers (filter=nil, timeout=2m0s)", ("ListContainers", ())),
        ("Using CNI configuration file /etc/cni/net.d/x", None),
    ],
)
def test_calls_that_the_kubelet_makes(message: str, expected: tuple[str, tuple[str, ...]] | None) -> None:
    found = [(each.call, each.about) for each in said.by_kubelet([line(message)])]
    assert found == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("message", "call", "about", "name"),
    [
        (
            f"Calling POST /v1.40/containers/create?name=k8s_POD_web_nb_{POD}_0",
            "POST /containers/create",
            (POD,),
            f"k8s_POD_web_nb_{POD}_0",
        ),
        (f"Calling POST /v1.40/containers/{SANDBOX}/start", "POST /containers/ID/start", (SANDBOX,), ""),
        (f"Calling DELETE /containers/{SANDBOX}?force=1", "DELETE /containers/ID", (SANDBOX,), ""),
        ("Calling GET /v1.40/containers/json?all=1&limit=0", "GET /containers/json", (), ""),
    ],
)
def test_requests_that_come_to_dockerd(message: str, call: str, about: tuple[str, ...], name: str) -> None:
    (found,) = said.by_dockerd([line(message)])
    assert (found.by, found.call, found.about, found.name) == ("dockerd", call, about, name)


def test_what_dockerd_writes_beside_them_is_left_out() -> None:
    assert list(said.by_dockerd([line("form data: {}"), line("Calling home /x")])) == []


def test_what_containerd_and_its_shims_write() -> None:
    written = [
        f"RunPodSandbox for &PodSandboxMetadata{{Name:web,Uid:{POD},Namespace:nb,Attempt:0,}}",
        f'RunPodSandbox for &PodSandboxMetadata{{Name:web,Uid:{POD},}} returns sandbox id "{SANDBOX}"',
        f'CreateContainer within sandbox "{SANDBOX}" for container &ContainerMetadata{{Name:app,Attempt:0,}}',
        f'CreateContainer within sandbox "{SANDBOX}" for &X{{Name:app,}} returns container id "{CONTAINER}"',
        f'StartContainer for "{CONTAINER}"',
        f'StartContainer for "{CONTAINER}" returns successfully',
        'loading plugin "io.containerd.event.v1.publisher"...',
    ]
    found = list(said.by_containerd(map(line, written)))
    assert [(each.by, each.call, each.about) for each in found] == [
        ("containerd", "RunPodSandbox", (POD,)),
        ("containerd", "CreateContainer", (SANDBOX,)),
        ("containerd", "StartContainer", (CONTAINER,)),
    ]
    message = (
        'time="2026-01-01T00:00:00Z" level=info msg="starting signal loop" namespace=moby '
        f"path=/run/containerd/io.containerd.runtime.v2.task/moby/{SANDBOX} pid=12"
    )
    entry = {"__REALTIME_TIMESTAMP": "1", "_SYSTEMD_UNIT": "containerd.service", "MESSAGE": message}
    (shim,) = said.by_containerd(journal.parse([json.dumps(entry)], "containerd"))
    assert (shim.by, shim.namespace, shim.about) == ("containerd-shim", "moby", (SANDBOX,))


def test_events() -> None:
    envelope = SimpleNamespace(
        timestamp=SimpleNamespace(seconds=1767225600, nanos=1999), namespace="moby", topic="/tasks/start"
    )
    found = said.of_event(envelope, SANDBOX)
    assert found == Call(
        TIME.replace(microsecond=1), "containerd", "/tasks/start", (SANDBOX,), "/tasks/start", "moby"
    )


@pytest.mark.parametrize(
    ("call", "changes"),
    [
        ("RunPodSandbox", True),
        ("RemoveContainer", True),
        ("ListPodSandbox", False),
        ("PodSandboxStatus", False),
        ("ContainerStatus", False),
        ("POST /containers/create", True),
        ("DELETE /containers/ID", True),
        ("GET /containers/json", False),
        ("/tasks/exit", True),
        ("/containers/update", True),
        ("starting signal loop", True),
    ],
)
def test_what_only_asks_is_told_from_what_changes_something(call: str, changes: bool) -> None:
    assert Call(TIME, "x", call, (), "").changes is changes


def test_a_pods_calls_are_those_that_name_it_or_a_container_of_it() -> None:
    other = "00000000-46b0-4533-8444-555555555555"
    calls = [
        Call(TIME, "kubelet", "RunPodSandbox", (POD,), ""),
        Call(TIME, "dockerd", "POST /containers/ID/start", (CONTAINER,), ""),
        Call(TIME, "dockerd", "GET /containers/ID/json", (CONTAINER,), ""),
        Call(TIME, "kubelet", "RunPodSandbox", (other,), ""),
    ]
    tape = Trace("n", calls, {POD: {SANDBOX, CONTAINER}})
    assert tape.of_pod(POD) == calls[:2]


def test_what_several_programs_said_is_in_the_order_in_which_they_said_it() -> None:
    """The log of each is read by itself, and the events come on another way: only the clock puts them in order."""

    def at(second: int, by: str) -> Call:
        return Call(TIME + timedelta(seconds=second), by, "StartContainer", (SANDBOX,), "")

    trace = Trace("n", [at(0, said.WE), at(6, said.WE)], {POD: {SANDBOX}})
    trace.take([at(3, "containerd"), at(5, "containerd")], iter([at(1, "kubelet"), at(4, "kubelet")]))
    trace.take([at(2, "dockerd")])
    assert [(each.time - TIME).seconds for each in trace.calls] == list(range(7))
    assert trace.of_pod(POD) == trace.calls
