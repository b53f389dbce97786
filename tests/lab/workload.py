"""Pods for tests that move or upgrade nodes: some that can go elsewhere, and one on each node that cannot."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shimlab.lab import node
from shimlab.lab.stage import IMAGE
from shimlab.waiting import bound, wait

REPLICAS = 4
PORT = 18080


@contextmanager
def deployed(core: Any, apps: Any) -> Iterator[str]:
    """A Deployment spread over both workers, and a DaemonSet with a host port, in a namespace of their own."""
    name = f"test-{uuid.uuid4().hex[:6]}"
    core.create_namespace({"metadata": {"name": name}})
    try:
        wait(lambda: core.list_namespaced_service_account(name).items, "service account", 30)
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
    finally:
        core.delete_namespace(name)
        wait(lambda: name not in [each.metadata.name for each in core.list_namespace().items], "its removal")


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


def started_in_docker(worker: str) -> dict[str, str]:
    """Return when each container of Kubernetes that runs in Docker was started, as Docker has noted it."""
    ids = node.run(worker, ["docker", "ps", "--quiet", "--no-trunc", "--filter", "name=^/k8s_"]).split()
    if not ids:
        return {}
    rows = node.run(worker, ["docker", "inspect", "--format", "{{.Id}} {{.State.StartedAt}}", *ids])
    return dict(row.split() for row in rows.splitlines())
