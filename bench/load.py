"""What is measured of a node on one runtime: starts of containers and pods, and its programs, idle and under pods."""

from __future__ import annotations

import time
from typing import Any

from shimlab import evidence
from shimlab.clients import kube
from shimlab.clients.cri import CriClient
from shimlab.cluster.namespace import Namespace
from shimlab.evidence import Process
from shimlab.node.procfs import is_shim
from shimlab.notebook import kubelet_requests
from shimlab.progress import step
from shimlab.waiting import wait

NAMESPACE = "bench-middlemen"
#: The programs between the API server and runc. What else the node runs is not counted.
PROGRAMS = ("kubelet", "dockershim-out-of-tree", "dockerd", "containerd")
SHIMS = "shims"
# After a start or an end things are still being tidied up.
SETTLE_SECONDS, WINDOW_SECONDS = 10, 30
READY_SECONDS = 300


def measure(worker: str, *, pods: int, times: int) -> dict[str, Any]:
    """Measure a node on the runtime that it is on: seconds, bytes and CPU seconds per minute.

    Raises:
        LabError: the node or the API server does not answer, or pods are not ready in time.
    """
    with Namespace(NAMESPACE) as stage:
        with step("Idle"):
            idle = _programs(worker)
        with step(f"{times} containers by CRI"):
            by_cri = _by_cri(stage, worker, times)
        with step(f"{times} pods, one after the other"):
            to_ready = [_to_ready(stage, worker, f"single-{number}") for number in range(times)]
        with step(f"{pods} pods at once"):
            names = [f"many-{number}" for number in range(pods)]
            began = time.monotonic()
            stage.start(dict.fromkeys(names, worker))
            _all_ready(stage, pods)
            together = time.monotonic() - began
            busy = _programs(worker)
        return {"cri_s": by_cri, "ready_s": to_ready, "idle": idle, "many_s": together, "many": busy}


def _by_cri(stage: Namespace, worker: str, times: int) -> list[float]:
    """Time the three calls that make a container run, as the kubelet makes them, from the first to the last answer."""
    pods = kubelet_requests.waiting(stage, {f"by-cri-{number}": worker for number in range(times)})
    took: list[float] = []
    with CriClient(worker) as client:
        for pod in pods.values():
            sandbox = kubelet_requests.sandbox_config(pod, worker)
            container = kubelet_requests.container_config(sandbox)
            kubelet_requests.log_folder(worker, sandbox)
            began = time.monotonic()
            made = client.call("RunPodSandbox", config=sandbox).pod_sandbox_id
            fields = {"pod_sandbox_id": made, "config": container, "sandbox_config": sandbox}
            started = client.call("CreateContainer", **fields).container_id
            client.call("StartContainer", container_id=started)
            took.append(time.monotonic() - began)
    stage.remove(*pods)
    return took


def _to_ready(stage: Namespace, worker: str, name: str) -> float:
    """Time a pod from its creation until the API says that it is Ready; it is removed afterwards."""
    from kubernetes import watch

    began = time.monotonic()
    stage.start({name: worker})
    with kube.answering():
        seen = watch.Watch()  # type: ignore[no-untyped-call]
        for event in seen.stream(  # type: ignore[no-untyped-call]
            kube.core().list_namespaced_pod,
            stage.name,
            field_selector=f"metadata.name={name}",
            timeout_seconds=READY_SECONDS,
        ):
            conditions = event["object"].status.conditions or []
            if any(each.type == "Ready" and each.status == "True" for each in conditions):
                seen.stop()  # type: ignore[no-untyped-call]
    took = time.monotonic() - began
    stage.remove(name)
    return took


def _all_ready(stage: Namespace, count: int) -> None:
    def ready() -> bool:
        with kube.answering():
            found = kube.core().list_namespaced_pod(stage.name).items
        statuses = [each.status.container_statuses or [] for each in found]
        return len([each for each in statuses if each and all(one.ready for one in each)]) == count

    wait(ready, f"{count} pods", READY_SECONDS)


def _programs(worker: str) -> dict[str, dict[str, float]]:
    """Return memory in bytes, CPU seconds per minute and number of processes of each program, and of all shims.

    Memory is the proportional share (PSS): pages that shims have in common are counted once.
    """
    time.sleep(SETTLE_SECONDS)
    before, began = _ours(worker), time.monotonic()
    time.sleep(WINDOW_SECONDS)
    after, seconds = _ours(worker), time.monotonic() - began
    known = {(each.pid, each.started): each.cpu_seconds for each in before}
    found: dict[str, dict[str, float]] = {
        name: {"bytes": 0, "cpu_per_minute": 0.0, "processes": 0} for name in (*PROGRAMS, SHIMS)
    }
    for each in after:
        of = found[_called(each)]
        of["bytes"] += each.pss_bytes
        of["processes"] += 1
        used = each.cpu_seconds - known.get((each.pid, each.started), each.cpu_seconds)
        of["cpu_per_minute"] += used * 60 / seconds
    return {name: values for name, values in found.items() if values["processes"]}


def _ours(worker: str) -> list[Process]:
    return [each for each in evidence.processes(worker) if _called(each)]


def _called(process: Process) -> str:
    if is_shim(process):
        return SHIMS
    return process.name if process.name in PROGRAMS and "mnt" not in process.apart else ""
