"""What is written to a node's entry in the API server: the cordon, what it remembers, and what a release takes back."""

from __future__ import annotations

import pytest
from tests.support.stand_in import Lab, node

from shimlab.errors import LabError
from shimlab.migrate import migrate
from shimlab.migrate.node_api import NodeApi
from shimlab.runtimes import ANNOTATION, DOCKERSHIM, KEEP_CORDON, LABEL, MIGRATING, OUT_OF_TREE, command_of

NAME = "shimlab-worker2"


@pytest.fixture
def api(lab: Lab) -> NodeApi:
    lab.api.says(f"/api/v1/nodes/{NAME}", node(NAME), method="PATCH")
    lab.api.says("/version/", {**dict.fromkeys(VERSION, "x"), "major": "1", "minor": "20+"})
    return NodeApi(NAME)


VERSION = ("buildDate", "compiler", "gitCommit", "gitTreeState", "gitVersion", "goVersion", "platform")


def test_a_node_that_the_lab_has_not(lab: Lab) -> None:
    with pytest.raises(LabError) as caught:
        NodeApi("shimlab-worker9")
    assert caught.value.what == "the lab has no node shimlab-worker9"
    assert caught.value.remedy == f"choose one of: {', '.join(lab.nodes)}"


@pytest.mark.parametrize(
    ("cordoned", "annotations", "remembered"),
    [
        (False, {}, False),
        (True, {}, True),
        # Ours, of a migration that broke off.
        (True, {MIGRATING: "containerd"}, False),
    ],
)
def test_a_cordon_that_was_there_before_is_remembered(
    lab: Lab, api: NodeApi, cordoned: bool, annotations: dict[str, str], remembered: bool
) -> None:
    lab.shows(node(NAME, cordoned=cordoned, annotations=annotations))
    api.cordon("containerd")
    (body,) = lab.api.bodies("PATCH")
    assert body["spec"] == {"unschedulable": True}
    assert body["metadata"]["annotations"] == {
        MIGRATING: "containerd",
        **({KEEP_CORDON: "true"} if remembered else {}),
    }


@pytest.mark.parametrize("kept", [False, True])
def test_a_release_lifts_our_cordon_and_nobody_elses(lab: Lab, api: NodeApi, kept: bool) -> None:
    annotations = {MIGRATING: "dockershim", **({KEEP_CORDON: "true"} if kept else {})}
    lab.shows(node(NAME, cordoned=True, annotations=annotations))
    assert api.release(DOCKERSHIM) is not kept
    (body,) = lab.api.bodies("PATCH")
    assert body["spec"] == {"unschedulable": True if kept else None}
    assert body["metadata"]["labels"] == {LABEL: "dockershim"}
    assert body["metadata"]["annotations"] == {
        ANNOTATION: "/var/run/dockershim.sock",
        MIGRATING: None,
        KEEP_CORDON: None,
    }


def test_what_a_migration_aims_at_is_noted_before_anything_else_is_done(lab: Lab, api: NodeApi) -> None:
    """With its options: whoever finds the node half migrated is told the command that goes on."""
    lab.api.says(f"/api/v1/nodes/{NAME}", None, method="PATCH")
    with pytest.raises(LabError) as caught:
        migrate._carry_out(migrate.Migration(api, OUT_OF_TREE, keep_pods=True), arrived=False)
    (body,) = lab.api.bodies("PATCH")
    aim = body["metadata"]["annotations"][MIGRATING]
    again = f"shimlab node dockershim-out-of-tree {NAME} --keep-pods"
    assert command_of(aim, NAME) == again
    assert caught.value.remedy == f"mend that, then `{again}` goes on from there"


def test_an_api_server_that_refuses_or_is_gone(lab: Lab, api: NodeApi) -> None:
    lab.api.says(f"/api/v1/nodes/{NAME}", None)
    with pytest.raises(LabError, match=r"the API server refuses: Not Found \(404\)"):
        api.read()
    lab.api.close()
    with pytest.raises(LabError, match="the API server does not answer"):
        api.read()
