"""A node that is not well: every command that tells how a node is tells the same of it, and the same way on."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support import command
from tests.support.stand_in import Lab, node

from shimlab import lock, trace
from shimlab.cluster import config, lifecycle, remedies, status, troubles
from shimlab.doctor import lab as doctor
from shimlab.doctor.finding import Finding
from shimlab.doctor.machine import Machine
from shimlab.errors import LabError
from shimlab.faults import inject
from shimlab.machine.engine import Engine
from shimlab.migrate import upgrade
from shimlab.migrate.kubelets import FOLDER, Kubelet
from shimlab.node.broken import Record
from shimlab.runtimes import MIGRATING

CONTROL_PLANE, WORKER, WORKER2 = "shimlab-control-plane", "shimlab-worker", "shimlab-worker2"
OTHERS = node(CONTROL_PLANE, "containerd"), node(WORKER, "containerd")
IN_LAB = 'eval "$(shimlab env)"; '
WITH_RUNTIME = "kubelet-stopped"


@dataclass(frozen=True)
class Case:
    """How a node came to be so, what is said of it, and who does what then."""

    make: Callable[[Lab], object]
    state: str
    what: str
    remedy: str
    #: Somebody wanted it so: no failure of `up`, and to the doctor no more than a warning.
    wanted: bool = False
    #: `break` says something else of it, which it looks at itself.
    refusal: str = ""


def shown(*args: str, **more: Any) -> Callable[[Lab], object]:
    return lambda lab: lab.shows(*OTHERS, node(WORKER2, *args, **more))


def uses(starts: str, runs: str) -> Callable[[Lab], object]:
    return lambda lab: lab.uses(WORKER2, f"{FOLDER}/{starts}", f"{FOLDER}/{runs}" if runs else "")


def without(lab: Lab) -> None:
    lab.nodes = (CONTROL_PLANE, WORKER)
    lab.write()


CASES = {
    "cordoned": Case(
        shown(cordoned=True),
        *("cordoned", "is cordoned", f"`{IN_LAB}kubectl uncordon {WORKER2}` lets pods in"),
        wanted=True,
    ),
    "half migrated": Case(
        shown(cordoned=True, annotations={MIGRATING: "containerd"}),
        *("migrating", "is half migrated to containerd, and cordoned"),
        f"`shimlab node containerd {WORKER2}` goes on",
    ),
    "half migrated with its pods": Case(
        shown(cordoned=True, ready="Unknown", annotations={MIGRATING: "dockershim-out-of-tree --keep-pods"}),
        *("migrating", "is half migrated to dockershim-out-of-tree, and cordoned"),
        f"`shimlab node dockershim-out-of-tree {WORKER2} --keep-pods` goes on",
    ),
    "half migrated, and let in by hand": Case(
        shown(annotations={MIGRATING: "containerd"}),
        *("migrating", "is half migrated to containerd"),
        f"`shimlab node containerd {WORKER2}` goes on",
    ),
    "another kubelet chosen": Case(
        uses("v1.20.15-dockerless", "v1.20.15"),
        *(
            "between",
            "is between two kubelets: v1.20.15-dockerless is put in use, and v1.20.15 is the last that ran",
        ),
        f"`shimlab node kubelet {WORKER2} v1.20.15-dockerless` goes on; "
        f"`shimlab node kubelet {WORKER2} v1.20.15` goes back",
    ),
    "another kubelet that does not start": Case(
        uses("v1.24.17", ""),
        *("between", "is between two kubelets: v1.24.17 is put in use, and v1.20.15 is the last that ran"),
        f"`shimlab node kubelet {WORKER2} v1.24.17` goes on; "
        f"`shimlab node kubelet {WORKER2} v1.20.15` goes back",
    ),
    "broken on purpose": Case(
        lambda lab: Record("runc-missing", "dockershim", 1).write(WORKER2),
        *("broken", "is broken on purpose: runc-missing", "`shimlab repair` undoes it"),
        wanted=True,
        refusal=f"{WORKER2} is broken already: runc-missing",
    ),
    "stopped": Case(
        lambda lab: lab.halts(WORKER2, "exited"),
        *("stopped", "is stopped", f"`shimlab up` starts it, or `docker start {WORKER2}`"),
    ),
    "paused": Case(
        lambda lab: lab.halts(WORKER2, "paused"),
        *("paused", "is paused", f"`shimlab up` lets it go on, or `docker unpause {WORKER2}`"),
    ),
    "unknown": Case(
        lambda lab: lab.shows(*OTHERS),
        *("unknown", "runs, and the API server does not know it"),
        f"`shimlab node exec {WORKER2} -- systemctl restart kubelet` registers it",
        refusal=f"{WITH_RUNTIME} does not fit {WORKER2}",
    ),
    "gone": Case(
        without,
        *("gone", "has no container any more", "`shimlab down`, then `shimlab up`"),
        refusal=f"the lab has no node {WORKER2}",
    ),
    "not Ready": Case(
        shown(ready="False"),
        *("not ready", "is not Ready: why Ready"),
        f"its kubelet's log: `shimlab node exec {WORKER2} -- journalctl -u kubelet -n 20`",
        refusal=f"{WORKER2} is not well: its Ready is False: why Ready",
    ),
    "Ready and kept off": Case(
        shown(taints=("node.kubernetes.io/not-ready",)),
        *("not ready", "is Ready, and takes no pods yet: it is tainted node.kubernetes.io/not-ready"),
        "that goes within seconds, or the log of its controller says why: "
        f"`{IN_LAB}kubectl logs --namespace kube-system --selector component=kube-controller-manager --tail 5`",
        refusal=f"{WORKER2} is not well: it is tainted node.kubernetes.io/not-ready",
    ),
    "on another runtime": Case(
        shown(runs="containerd://1.0"),
        *("astray", "was to run dockershim, runs containerd://1.0"),
        f"`shimlab node dockershim {WORKER2}` migrates it",
        refusal=f"{WORKER2} is not well: ",
    ),
}


def but(*states: str) -> list[Any]:
    return [pytest.param(each, id=name) for name, each in CASES.items() if each.state not in states]


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request: pytest.FixtureRequest, lab: Lab) -> Case:
    found: Case = request.param
    lab.has(WORKER2)
    found.make(lab)
    return found


@pytest.fixture
def ready(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine is as `up` makes it, the lab is made from what is there now, and nobody may take it away."""
    images = {"1.20": "image"}
    monkeypatch.setattr(lifecycle, "prepare", lambda: None)
    monkeypatch.setattr(lifecycle, "_tags", lambda lab: images)
    monkeypatch.setattr(lifecycle, "_images", lambda lab, **more: images)
    monkeypatch.setattr(lifecycle.build, "exists", lambda tag: True)
    monkeypatch.setattr(lifecycle.kind, "binary", lambda: Path("kind"))
    monkeypatch.setattr(lifecycle, "READY_SECONDS", 0.1)
    monkeypatch.setattr(status, "remove", lambda: pytest.fail("the lab was taken away"))
    made = config.load()
    status.remember(config.recipe(made, made.for_kind(images)))


def up() -> command.Done:
    return command.inside("up")


def examined() -> Finding:
    return doctor.lab(Machine(False, False, Engine("", "20.10.24"), None, {}, "", running=True))


def test_a_lab_that_is_well(lab: Lab, ready: None) -> None:
    assert troubles.look()[1] == []
    done = up()
    assert (done.returncode, done.stderr) == (0, "The lab is up (deprecated).\n")
    assert len(done.stdout.splitlines()) == 4
    assert command.inside("status").stdout == done.stdout
    assert examined().state == "ok"


def test_status_names_it(case: Case) -> None:
    done = command.inside("status")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[-1] == f"{WORKER2} {case.what}; {case.remedy}"


@pytest.mark.parametrize("case", [CASES["half migrated"], CASES["unknown"]], indirect=True)
def test_status_tells_it_to_programs(case: Case) -> None:
    done = command.inside("status", "--json")
    assert done.returncode == 1
    told = {each["name"]: each["troubles"] for each in json.loads(done.stdout)}
    assert list(told) == [CONTROL_PLANE, WORKER, WORKER2]
    assert told[CONTROL_PLANE] == told[WORKER] == []
    (trouble,) = told[WORKER2]
    assert trouble == {
        **{"node": WORKER2, "state": case.state, "what": case.what},
        **{"remedy": case.remedy, "wanted": case.wanted},
    }


# What does not run is mended by `up`.
@pytest.mark.parametrize("case", but("stopped", "paused"), indirect=True)
def test_up_tells_it_and_ends_so(ready: None, case: Case) -> None:
    done = up()
    assert done.returncode == (0 if case.wanted else 1)
    assert done.stderr.splitlines()[-1] == "The lab is up (deprecated), and not all of it is well."
    assert done.stdout.splitlines()[-1] == f"{WORKER2} {case.what}; {case.remedy}"


@pytest.mark.parametrize(
    ("name", "state"), [(WORKER2, "exited"), (WORKER2, "paused"), (CONTROL_PLANE, "exited")]
)
def test_up_lets_every_node_run(lab: Lab, ready: None, name: str, state: str) -> None:
    lab.halts(name, state)
    # A node that is started is back when its kubelet has reported since, whatever was known of it before.
    before = node(WORKER2)
    since = node(WORKER2, heard="2100-01-01T00:00:00Z", ready="True")
    control_plane = node(CONTROL_PLANE, "containerd", heard="2100-01-01T00:00:00Z")
    answers = [
        {"kind": "NodeList", "apiVersion": "v1", "items": [control_plane, OTHERS[1], each]}
        for each in (*[before] * 12, since)
    ]
    lab.api.says("/api/v1/nodes", *answers)
    done = up()
    assert (done.returncode, lab.state_of(name)) == (0, "running"), done.stderr
    assert f"Starting {name}" in done.stderr
    assert done.stderr.splitlines()[-1] == "The lab is up (deprecated)."
    if (name, state) == (WORKER2, "exited"):
        assert lab.api.answers["GET", "/api/v1/nodes"] == answers[-1:]


def test_up_gives_a_node_time_to_be_ready(lab: Lab, ready: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "READY_SECONDS", 60)
    lists = [
        {"kind": "NodeList", "apiVersion": "v1", "items": [*OTHERS, each]}
        for each in (*[node(WORKER2, ready="Unknown")] * 6, node(WORKER2))
    ]
    lab.api.says("/api/v1/nodes", *lists)
    done = up()
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 4)
    assert done.stderr.splitlines()[0] == f"• Waiting for {WORKER2} to be Ready"
    assert done.stderr.splitlines()[-1] == "The lab is up (deprecated)."


def test_up_waits_no_longer_than_it_takes(lab: Lab, ready: None, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.shows(*OTHERS, node(WORKER2, ready="False"))
    lab.halts(WORKER2, "exited")
    monkeypatch.setattr(lifecycle, "BACK_SECONDS", 0.1)
    done = up()
    assert (done.returncode, lab.state_of(WORKER2)) == (1, "running")
    assert done.stderr.splitlines()[-1] == "The lab is up (deprecated), and not all of it is well."
    assert f"{WORKER2} is not Ready: why Ready; " in done.stdout


@pytest.mark.parametrize("case", [CASES["broken on purpose"], CASES["half migrated"]], indirect=True)
def test_up_does_not_wait_for_what_takes_another_command(lab: Lab, ready: None, case: Case) -> None:
    lab.halts(WORKER2, "exited")
    done = up()
    assert lab.state_of(WORKER2) == "running"
    assert done.stdout.splitlines()[-1] == f"{WORKER2} {case.what}; {case.remedy}"


def test_the_doctor_finds_it(case: Case) -> None:
    found = examined()
    assert (found.state, found.found, found.fix) == (
        "warning" if case.wanted else "problem",
        f"{WORKER2} {case.what}",
        case.remedy,
    )


def test_break_refuses_it(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inject.health.evidence, "runtime_of", lambda name: [])
    done = command.inside("break", WITH_RUNTIME, WORKER2)
    assert done.returncode == 1
    what, way_on = done.stderr.splitlines()
    assert what.startswith(f"shimlab: {case.refusal or f'{WORKER2} {case.what}'}")
    if not case.refusal:
        assert way_on == f"  → {case.remedy}"


@pytest.mark.parametrize(
    "case",
    [CASES[name] for name in ("cordoned", "half migrated", "stopped", "paused", "unknown")],
    indirect=True,
)
def test_break_chooses_no_such_node(case: Case) -> None:
    # It fits dockershim alone, and that is the runtime of this one node.
    done = command.inside("break", "cri-socket-swapped")
    assert (done.returncode, done.stderr) == (
        1,
        "shimlab: cri-socket-swapped fits a worker on dockershim, and no such node is whole\n"
        "  → `shimlab status` tells how they are\n",
    )


def test_break_refuses_a_lab_of_somebody_elses_image(lab: Lab) -> None:
    status.remember(f"{config.FOR_GIVEN} 0\n")
    done = command.inside("break", "kubelet-stopped", WORKER)
    assert done.stderr.splitlines() == [
        "shimlab: faults are made for the lab's own node image",
        "  → `shimlab down`, then `shimlab up`",
    ]


@pytest.mark.parametrize("case", but("broken"), indirect=True)
def test_repair_says_what_is_left(case: Case) -> None:
    done = command.inside("repair")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == ["nothing is broken", f"{WORKER2} {case.what}; {case.remedy}"]


@pytest.mark.parametrize("case", [CASES["half migrated"]], indirect=True)
def test_repair_of_one_fault_or_node_tells_of_that_alone(case: Case) -> None:
    # Whoever asks for one fault gets an answer about that one.
    done = command.inside("repair", "runc-missing")
    assert (done.returncode, done.stdout) == (0, "nothing is broken by runc-missing\n")
    done = command.inside("repair", "--node", WORKER)
    assert (done.returncode, done.stdout) == (0, f"nothing is broken on {WORKER}\n")
    done = command.inside("repair", "--node", WORKER2)
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 2)


def test_a_node_that_was_repaired_and_is_cordoned_is_not_called_well(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    CASES["half migrated"].make(lab)
    Record("runc-missing", "dockershim", 1).write(WORKER2)
    monkeypatch.setattr(inject, "_mend", lambda fault, target: inject.record.forget(target.name))
    done = command.inside("repair")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"{WORKER2}: runc-missing is undone",
        f"{WORKER2} is half migrated to containerd, and cordoned; "
        f"`shimlab node containerd {WORKER2}` goes on",
    ]


@pytest.mark.parametrize("state", ["exited", "paused"])
def test_a_control_plane_that_does_not_run_is_named_and_not_the_connection(lab: Lab, state: str) -> None:
    lab.api.close()
    lab.halts(CONTROL_PLANE, state)
    called, verb = {"exited": ("stopped", "start"), "paused": ("paused", "unpause")}[state]
    for words in (["status"], ["status", "--json"], ["break", WITH_RUNTIME], ["repair"]):
        done = command.inside(*words)
        what, way_on = done.stderr.splitlines()
        assert (done.returncode, done.stdout.replace("nothing is broken\n", "")) == (1, "")
        assert what.startswith(f"shimlab: {CONTROL_PLANE} is {called}")
        assert "`shimlab up`" in way_on
        assert f"`docker {verb} {CONTROL_PLANE}`" in way_on
    with pytest.raises(LabError, match=f"{CONTROL_PLANE} is {called}"):
        examined()


def test_an_api_server_that_was_broken_on_purpose_is_repaired_and_not_made_anew(
    lab: Lab, ready: None
) -> None:
    Record("api-server-gone", "containerd", 1).write(CONTROL_PLANE)
    lab.api.close()
    for done in (command.inside("status"), up()):
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.splitlines()[-2:] == [
            f"shimlab: {CONTROL_PLANE} is broken on purpose, and no API server answers: api-server-gone",
            "  → `shimlab repair` undoes it",
        ]


def test_what_another_command_does_right_now_is_told_as_that(lab: Lab, ready: None) -> None:
    CASES["half migrated"].make(lab)
    with lock.node_file(WORKER2).open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        done = up()
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == (
        f"{WORKER2} is half migrated to containerd, and cordoned, and another command that changes {WORKER2} "
        "is at work; wait for it to end"
    )


def test_a_kubelet_that_was_put_in_use_and_not_started_is_started(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.has(WORKER2)
    lab.says(WORKER2, "sh", "-s", "--", answer="")
    lab.says(WORKER2, "readlink", "--canonicalize", answer=f"{FOLDER}/v1.20.15\n")
    lab.uses(WORKER2, f"{FOLDER}/v1.20.15", f"{FOLDER}/v1.20.15-dockerless")
    begun: list[object] = []

    def put(name: str, wanted: Kubelet) -> None:
        begun.append(wanted)
        raise LabError("not here", "")

    monkeypatch.setattr(upgrade.kubelets, "put", put)
    monkeypatch.setattr(upgrade.restarts, "running", lambda name: {})
    with pytest.raises(LabError, match="not here"):
        upgrade._replace(WORKER2, Kubelet("v1.20.15"))
    assert begun == [Kubelet("v1.20.15")]


def test_the_words_suit_the_shell_that_they_are_read_in(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    CASES["cordoned"].make(lab)
    monkeypatch.setenv("KUBECONFIG", str(status.kubeconfig()))
    assert f"; `kubectl uncordon {WORKER2}` lets pods in\n" in command.inside("status").stdout
    CASES["stopped"].make(lab)
    own = Engine("unix:///own.sock", "20.10.24", {"DOCKER_HOST": "unix:///own.sock"})
    with monkeypatch.context() as patch:
        patch.setattr(remedies.engine, "current", lambda: own)
        assert f"`{IN_LAB}docker start {WORKER2}`" in remedies.restart(WORKER2, "exited")
        patch.setenv("DOCKER_HOST", "unix:///own.sock")
        assert f"`docker start {WORKER2}`" in remedies.restart(WORKER2, "exited")


NODE_WORDS = [
    ["cri", "{}", "version"],
    ["node", "exec", "{}", "--", "true"],
    ["node", "containerd", "{}"],
    ["node", "kubelet", "{}"],
    ["node", "kubelet", "{}", "v1.20.15"],
    ["node", "upgrade", "{}"],
    ["break", WITH_RUNTIME, "{}"],
    ["repair", "--node", "{}"],
]


@pytest.mark.parametrize("words", NODE_WORDS, ids=" ".join)
def test_a_container_that_is_no_node_of_this_lab(lab: Lab, words: list[str]) -> None:
    for name in ("web", "another-worker"):
        done = command.inside(*[word.format(name) for word in words])
        assert done.stderr == (
            f"shimlab: the lab has no node {name}\n  → choose one of: {', '.join(lab.nodes)}\n"
        )
        assert done.returncode == 1


@pytest.mark.parametrize("words", NODE_WORDS, ids=" ".join)
@pytest.mark.parametrize("case", [CASES["stopped"], CASES["paused"]], indirect=True)
def test_a_node_that_does_not_run(case: Case, words: list[str]) -> None:
    done = command.inside(*[word.format(WORKER2) for word in words])
    assert (done.returncode, done.stderr) == (
        1,
        f"shimlab: {WORKER2} {case.what}\n  → {case.remedy}\n",
    )


def test_a_trace_of_what_is_no_node_of_this_lab(lab: Lab) -> None:
    with pytest.raises(LabError, match="the lab has no node web"), trace.of("web"):
        pass
