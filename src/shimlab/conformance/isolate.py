"""What the tests need around them: one node that takes their pods, and nothing of theirs left behind.

Source: Kubernetes v1.20.15, test/e2e/framework/util.go (CreateTestingNS: the label of a test's namespace) and
test/e2e/framework/node/wait.go (cordoned nodes are left out of account).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shimlab.clients.kube import answering, core
from shimlab.errors import LabError
from shimlab.migrate.node_api import REQUEST_SECONDS
from shimlab.progress import step
from shimlab.waiting import until

# Says which cordons are ours: a run that was killed leaves them, and the next one lifts them.
CORDONED = "shimlab/cordoned-for-conformance"
OF_TESTS = "e2e-framework"
NAMESPACES_SECONDS = 180


@contextmanager
def only(node: str) -> Iterator[None]:
    """Let one node alone take new pods, and the others again afterwards; what runs on them runs on.

    Raises:
        LabError: the node itself takes none, or the API server does not answer.
    """
    api = _api()
    with answering():
        found = list(api.list_node(_request_timeout=REQUEST_SECONDS).items)
    ours = [each.metadata.name for each in found if CORDONED in (each.metadata.annotations or {})]
    for name in ours:
        _cordon(api, name, on=False)
    free = [each for each in found if not each.spec.unschedulable or each.metadata.name in ours]
    if node not in [each.metadata.name for each in free]:
        raise LabError(f"{node} is cordoned, so the tests could start no pod", f"`kubectl uncordon {node}`")
    others = [each.metadata.name for each in free if each.metadata.name != node]
    try:
        for name in others:
            _cordon(api, name, on=True)
        yield
    finally:
        for name in others:
            _cordon(api, name, on=False)


@contextmanager
def cleared() -> Iterator[None]:
    """Remove the tests' namespaces, before and after, whatever became of the tests.

    Raises:
        LabError: one is still there after NAMESPACES_SECONDS.
    """
    api = _api()
    _clear(api)
    try:
        yield
    finally:
        _clear(api)


def _clear(api: Any) -> None:  # noqa: ANN401 - the client has no types
    if not _namespaces(api):
        return
    with step("Removing the tests' namespaces") as current:
        until(current, NAMESPACES_SECONDS, lambda: _ended(api))


def _namespaces(api: Any) -> list[Any]:  # noqa: ANN401
    with answering():
        return list(api.list_namespace(label_selector=OF_TESTS, _request_timeout=REQUEST_SECONDS).items)


def _ended(api: Any) -> list[str]:  # noqa: ANN401
    """Delete what nobody has deleted yet; return what is still there."""
    from kubernetes import client

    left = _namespaces(api)
    for each in left:
        if each.metadata.deletion_timestamp:
            continue
        try:
            with answering(passing=(404, 409)):
                api.delete_namespace(each.metadata.name, _request_timeout=REQUEST_SECONDS)
        except client.ApiException:
            # It is gone, or going.
            continue
    return [each.metadata.name for each in left]


def _cordon(api: Any, name: str, *, on: bool) -> None:  # noqa: ANN401
    body = {
        "metadata": {"annotations": {CORDONED: "true" if on else None}},
        "spec": {"unschedulable": True if on else None},
    }
    with answering():
        api.patch_node(name, body, _request_timeout=REQUEST_SECONDS)


def _api() -> Any:  # noqa: ANN401
    with answering():
        return core()
