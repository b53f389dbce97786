"""A namespace of one's own: it waits for what it promises, and no longer than a bound."""

from __future__ import annotations

import pytest
from tests.support.stand_in import Answer, Lab, listed, pod

from shimlab.cluster.namespace import Namespace, container_id
from shimlab.errors import LabError

PODS = "/api/v1/namespaces/nb/pods"


def named(name: str) -> Answer:
    return {"metadata": {"name": name}}


def test_pods_are_waited_for_until_all_are_ready(lab: Lab) -> None:
    lab.api.says(f"{PODS}/a", pod("a", "nb"))
    lab.api.says(f"{PODS}/b", pod("b", "nb", ready=None), pod("b", "nb", ready=False), pod("b", "nb"))
    found = Namespace("nb").ready("a", "b", seconds=20)
    assert [(name, each.status.container_statuses[0].ready) for name, each in found.items()] == [
        ("a", True),
        ("b", True),
    ]
    assert sum(path.endswith("/b") for _, path, _ in lab.api.asked) == 3
    assert container_id(found["b"]) == "c" * 64


@pytest.mark.parametrize("state", [None, False])
def test_a_pod_that_does_not_become_ready_is_named(lab: Lab, state: bool | None) -> None:
    lab.api.says(f"{PODS}/a", pod("a", "nb", ready=state))
    with pytest.raises(LabError, match="not within 0 s: pods a in nb"):
        Namespace("nb").ready("a", seconds=0.1)


def test_pods_are_asked_for_on_their_node_and_run(lab: Lab) -> None:
    lab.api.says(PODS, pod("a", "nb", ready=None), method="POST")
    lab.api.says(f"{PODS}/a", pod("a", "nb", ready=False), pod("a", "nb"))
    found = Namespace("nb").run({"a": "shimlab-worker"}, command=["true"], container={"image": "y"})
    assert found["a"].status.phase == "Running"
    (body,) = lab.api.bodies("POST")
    assert (body["metadata"]["name"], body["spec"]["nodeName"]) == ("a", "shimlab-worker")
    assert (body["spec"]["containers"][0]["command"], body["spec"]["containers"][0]["image"]) == (
        ["true"],
        "y",
    )


def test_it_opens_with_an_account_and_is_closed_when_it_is_gone(lab: Lab) -> None:
    here, gone = listed(named("nb")), listed()
    lab.api.says("/api/v1/namespaces/nb", named("nb"), method="DELETE")
    lab.api.says("/api/v1/namespaces", here, here, gone, here, gone)
    lab.api.says("/api/v1/namespaces", named("nb"), method="POST")
    lab.api.says("/api/v1/namespaces/nb/serviceaccounts", listed(), listed(named("default")))
    with Namespace("nb"):
        asked = [(method, path) for method, path, _ in lab.api.asked]
        # One that an interrupted run left goes first.
        assert asked == [
            ("DELETE", "/api/v1/namespaces/nb"),
            *[("GET", "/api/v1/namespaces")] * 3,
            ("POST", "/api/v1/namespaces"),
            *[("GET", "/api/v1/namespaces/nb/serviceaccounts")] * 2,
        ]
    assert [method for method, _, _ in lab.api.asked[len(asked) :]] == ["DELETE", "GET", "GET"]


def test_pods_are_removed_when_the_api_server_knows_them_no_more(lab: Lab) -> None:
    lab.api.says(f"{PODS}/a", pod("a", "nb"), method="DELETE")
    lab.api.says(PODS, listed(pod("a", "nb"), pod("b", "nb")), listed(pod("b", "nb")))
    Namespace("nb").remove("a")
    assert [method for method, _, _ in lab.api.asked] == ["DELETE", "GET", "GET"]
