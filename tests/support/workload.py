"""Pods for tests that move or upgrade nodes: some that can go elsewhere, and one on each node that cannot."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from shimlab.cluster.environment import environment
from shimlab.cluster.namespace import IMAGE
from shimlab.node import exec as node_exec
from shimlab.waiting import bound, wait

REPLICAS = 4
PORT = 18080


@contextmanager
def own_namespace(core: Any) -> Iterator[str]:
    """A namespace in which pods can be made; afterwards it is gone with all that was in it."""
    name = f"test-{uuid.uuid4().hex[:6]}"
    core.create_namespace({"metadata": {"name": name}})
    try:
        # A pod needs its namespace's default service account, which a controller makes a moment later.
        wait(lambda: core.list_namespaced_service_account(name).items, f"the service account of {name}", 30)
        yield name
    finally:
        core.delete_namespace(name, grace_period_seconds=0)
        # Its pods may not be there any more when the next tests count what runs on a node.
        wait(
            lambda: name not in [each.metadata.name for each in core.list_namespace().items],
            f"the end of {name}",
        )


@contextmanager
def deployed(core: Any, apps: Any) -> Iterator[str]:
    """A Deployment spread over both workers, and a DaemonSet with a host port, in a namespace of their own."""
    with own_namespace(core) as name:
        apart = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}
        affinity = {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": apart}]
            }
        }
        apps.create_namespaced_deployment(
            name, _workload("web", {"affinity": affinity}, replicas=REPLICAS), _request_timeout=bound(30)
        )
        ports = [{"containerPort": 8080, "hostPort": PORT}]
        apps.create_namespaced_daemon_set(
            name, _workload("each", {}, ports=ports), _request_timeout=bound(30)
        )
        wait(lambda: ready(apps, name), "the test's pods")
        yield name


@dataclass(frozen=True)
class Probed:
    """A pod of one container with a readiness probe."""

    core: Any
    namespace: str
    name: str

    def container(self) -> tuple[bool, str]:
        """Tell whether its container is ready, and which one it is."""
        found = self.core.read_namespaced_pod(self.name, self.namespace).status.container_statuses
        return (found[0].ready, found[0].container_id) if found else (False, "")


@contextmanager
def probed(core: Any, namespace: str, worker: str) -> Iterator[Probed]:
    """A pod on a node with a readiness probe that takes its time.

    A kubelet that starts takes it out of service until its own first probe, up to the probe's period later.
    """
    probe = {"exec": {"command": ["true"]}, "periodSeconds": 15}
    container = {
        "name": "c",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": ["sleep", "3600"],
        "readinessProbe": probe,
    }
    spec = {"nodeName": worker, "terminationGracePeriodSeconds": 0, "containers": [container]}
    name = f"probed-{uuid.uuid4().hex[:6]}"
    pod = Probed(core, namespace, name)
    core.create_namespaced_pod(namespace, {"metadata": {"name": name, "labels": {"app": name}}, "spec": spec})
    try:
        wait(lambda: pod.container()[0], "the probed pod")
        yield pod
    finally:
        core.delete_namespaced_pod(name, namespace)
        wait(lambda: name not in str(core.list_namespaced_pod(namespace).items), "the pod's end")


def _workload(app: str, spec: dict[str, Any], *, ports: Any = (), **fields: object) -> dict[str, Any]:
    container = {
        "name": "web",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", "echo started; exec httpd -f -p 8080"],
        "ports": list(ports),
    }
    pod = {"terminationGracePeriodSeconds": 1, "containers": [container], **spec}
    labels = {"app": app}
    template = {"metadata": {"labels": labels}, "spec": pod}
    return {
        "metadata": {"name": app},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **fields},
    }


def ready(apps: Any, namespace: str) -> bool:
    """Tell whether all pods of `deployed` run and answer."""
    web = apps.read_namespaced_deployment_status("web", namespace).status
    each = apps.read_namespaced_daemon_set_status("each", namespace).status
    return web.ready_replicas == REPLICAS and 0 < each.desired_number_scheduled == (each.number_ready or 0)


def kubectl(*words: str) -> str:
    """Run the lab's own kubectl on the lab, whatever kubeconfig the tests were started with, and return its output."""
    done = subprocess.run(
        ["kubectl", *words],
        env={**os.environ, **environment()},
        capture_output=True,
        text=True,
        check=False,
        timeout=bound(30),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def started_in_docker(worker: str) -> dict[str, str]:
    """Return when each container of Kubernetes that runs in Docker was started, as Docker has noted it."""
    ids = node_exec.run(worker, ["docker", "ps", "--quiet", "--no-trunc", "--filter", "name=^/k8s_"]).split()
    if not ids:
        return {}
    rows = node_exec.run(worker, ["docker", "inspect", "--format", "{{.Id}} {{.State.StartedAt}}", *ids])
    return dict(row.split() for row in rows.splitlines())
