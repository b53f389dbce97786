"""What an export of the lab holds, and what it does not: keys, and more time than it has."""

from __future__ import annotations

import json
import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support import command
from tests.support.stand_in import Lab, listed, pod

from shimlab import paths
from shimlab.cluster.export import export as exporting
from shimlab.cluster.export import inside, kept
from shimlab.cluster.export.export import before_undoing, export
from shimlab.errors import LabError
from shimlab.node import probe, procfs
from shimlab.waiting import bound

CONTROL_PLANE, WORKER, WORKER2 = "shimlab-control-plane", "shimlab-worker", "shimlab-worker2"
BEGAN = datetime(2026, 11, 29, 5, 30, tzinfo=UTC)
KEY = "-----BEGIN RSA PRIVATE KEY-----\nsecret-of-the-key\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.secret-of-the-token"
JOURNAL = f"""\
2026-11-29T05:31:00.000001+0000 n kubelet[40]: E1129 05:31:00.000000  40 server.go:1] no sandbox {JWT}
2026-11-29T05:31:01.000001+0000 n dockerd[30]: time="2026-11-29T05:31:01Z" level=error msg="it hangs"
2026-11-29T05:31:02.000001+0000 n systemd[1]: --token=secret-of-kubeadm Authorization: Bearer secret-of-the-bearer
2026-11-29T05:31:03.000001+0000 n kubelet[40]: client-key-data: secret-of-the-kubeconfig
"""


@pytest.fixture(scope="module")
def told() -> tuple[str, str]:
    """What this machine answers where a node would be asked: its processes, and how its daemons are."""
    return (
        probe.here(["sh", "-s", "--"], input=probe.SECTION + procfs.SCRIPT),
        probe.here(["sh", "-s", "--", "state"], input=probe.SECTION + inside.STATE),
    )


@pytest.fixture
def answering(lab: Lab, told: tuple[str, str]) -> Lab:
    """The stand-in with two nodes that answer as this machine does, and one that cannot be asked."""
    seen, state = told
    for name in (CONTROL_PLANE, WORKER2):
        lab.says(name, "sh", "-s", "--", answer=seen)
        lab.says(name, "sh", "-s", "--", "state", answer=state)
        lab.says(name, "sh", "-s", "--", str(int(BEGAN.timestamp())), answer=JOURNAL)
        lab.says(name, "sh", "-s", "--", "", answer=JOURNAL)
    web = pod("web", ready=None)
    lab.has(WORKER2, {**web, "spec": {**web["spec"], "nodeName": WORKER2}})
    lab.api.says("/api/v1/namespaces", listed())
    lab.api.says("/api/v1/events", listed())
    (paths.log_dir() / "kind.log").write_text(f"creating\n{KEY}\n")
    (paths.log_dir() / "admin.key").write_text(KEY)
    (paths.log_dir() / "up").mkdir()
    (paths.log_dir() / "up" / "digest.txt").write_text("how it was when it did not come up\n")
    return lab


def files(folder: Path) -> dict[str, str]:
    return {
        str(each.relative_to(folder)): each.read_text("utf-8", "replace")
        for each in folder.rglob("*")
        if each.is_file()
    }


def test_it_holds_what_a_report_needs(answering: Lab, tmp_path: Path) -> None:
    found = export(tmp_path / "out", since=BEGAN)
    there = files(tmp_path / "out")
    of_a_node = {"processes.txt", "journal.log", "kubelet.log", "docker.log", "docker-ps.txt", "units.txt"}
    of_a_node |= {
        f"ctr-{space}-{what}.txt" for space in ("moby", "k8s.io") for what in ("containers", "tasks")
    }
    for name in (CONTROL_PLANE, WORKER2):
        assert {f"nodes/{name}/{each}" for each in of_a_node} <= set(there)
    # By the unit that it is of, with what systemd says in the whole journal alone.
    assert "no sandbox" in there[f"nodes/{WORKER2}/kubelet.log"]
    assert "it hangs" not in there[f"nodes/{WORKER2}/kubelet.log"]
    assert "systemd[1]" in there[f"nodes/{WORKER2}/journal.log"]
    assert f" {os.getpid()} " in there[f"nodes/{WORKER2}/processes.txt"]
    assert [each["metadata"]["name"] for each in json.loads(there["objects/pods.json"])["items"]] == ["web"]
    assert {"objects/nodes.json", "objects/events.json", "lab/made-from", "lab/log/kind.log"} <= set(there)
    assert there["lab/log/up/digest.txt"] == "how it was when it did not come up\n"
    assert there["digest.txt"].splitlines() == found.digest
    assert any(line.startswith(f"{WORKER2}: ") and "Ready=True" in line for line in found.digest)
    assert "pod default/web: Pending" in there["digest.txt"]


def test_no_key_and_no_token_is_in_it(answering: Lab, tmp_path: Path) -> None:
    export(tmp_path / "out", since=BEGAN)
    there = files(tmp_path / "out")
    assert "(struck out)" in there[f"nodes/{WORKER2}/journal.log"]
    assert [name for name, text in there.items() if "secret-of" in text] == []
    assert [name for name in there if "kubeconfig" in name or name.endswith(".key")] == []


def test_what_cannot_be_read_is_noted_and_hides_nothing(answering: Lab, tmp_path: Path) -> None:
    answering.api.says("/api/v1/events", None)
    found = export(tmp_path / "out", since=BEGAN)
    noted = (tmp_path / "out" / "not-read.txt").read_text().splitlines()
    assert noted == found.problems
    assert {line.partition(" ")[0] for line in noted} >= {f"{WORKER}:", "objects:", "the"}
    assert any("refuses: Not Found" in line for line in noted)
    assert found.digest[-1].startswith("not read: ")
    assert f"{WORKER}: Ready=True" in found.digest


def slow(lab: Lab, word: str) -> None:
    """Let docker take a minute for one of its commands."""
    program = lab.folder / "bin" / "docker"
    program.rename(program.with_name("docker-at-once"))
    program.write_text(f'#!/bin/sh\ncase $1 in {word}) exec sleep 60 ;; esac\nexec "$0-at-once" "$@"\n')
    program.chmod(0o755)


def test_a_node_that_hangs_costs_no_more_than_the_bound(
    answering: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "BRIEF", 5.0)
    slow(answering, "exec")
    began = time.monotonic()
    found = export(tmp_path / "out", since=BEGAN)
    assert time.monotonic() - began < bound(15)
    of_nodes = [line for line in found.problems if "`docker exec " in line]
    assert len(of_nodes) == 9
    assert all("did not end within" in line for line in of_nodes)
    assert (tmp_path / "out/lab/log/kind.log").is_file()


def test_a_lab_that_does_not_answer_at_all_leaves_its_logs(lab: Lab, tmp_path: Path) -> None:
    (paths.log_dir() / "kind.log").write_text("creating\n")
    lab.nodes = ()
    lab.write()
    lab.api.close()
    found = export(tmp_path / "out", since=BEGAN)
    assert "the containers: the lab has no nodes" in found.problems
    assert (tmp_path / "out/lab/log/kind.log").read_text() == "creating\n"


KIND = """#!/bin/sh
case $1 in version) echo 'kind v0.30.0 go1.22' ;; *)
  mkdir -p "$3/n/journal" "$3/n/pods" && cd "$3/n"
  echo "$* {JWT}" >kubelet.log; echo x >journal/system.journal; echo x >apiserver.key; ln -s kubelet.log pods/0.log
esac
"""


def test_without_a_time_it_holds_all_that_kind_exports(answering: Lab, tmp_path: Path) -> None:
    program = answering.folder / "bin" / "kind"
    program.write_text(KIND.replace("{JWT}", JWT))
    program.chmod(0o755)
    done = command.inside("export", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"All of it: {tmp_path / 'out'}"
    assert f"{WORKER2}: " in done.stdout
    there = files(tmp_path / "out")
    assert [name for name in there if name.startswith("kind/")] == ["kind/n/kubelet.log"]
    told = there["kind/n/kubelet.log"]
    assert told == f"export logs {tmp_path / 'out' / 'kind'} --name shimlab (struck out)\n"


def test_a_folder_that_holds_something_is_left_alone(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    done = command.inside("export", str(tmp_path / "out"))
    assert (done.returncode, done.stderr) == (
        1,
        f"shimlab: {tmp_path / 'out'} is not empty\n  → name a new folder\n",
    )
    done = command.inside("export", str(tmp_path / "out/mine/in-it"))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 2)
    done = command.inside("export", str(tmp_path / "other"), "--since", "yesterday")
    assert (done.returncode, "'yesterday' is no time" in done.stderr) == (1, True)
    assert not (tmp_path / "other").exists()


def test_a_lab_that_does_not_come_up_is_exported_before_it_is_undone(lab: Lab) -> None:
    folder = paths.log_dir() / "up"
    folder.mkdir()
    (folder / "of-an-earlier-one").touch()
    with pytest.raises(LabError) as caught, before_undoing(folder):
        raise LabError("not ready within 180 s: coredns", "try again")
    assert (caught.value.what, caught.value.remedy) == (
        "not ready within 180 s: coredns",
        f"try again; how it was: {folder}",
    )
    assert (folder / "digest.txt").is_file()
    assert not (folder / "of-an-earlier-one").exists()
    shutil.rmtree(folder)
    # Somebody who is in a hurry does not wait for it.
    with pytest.raises(KeyboardInterrupt), before_undoing(folder):
        raise KeyboardInterrupt
    assert not folder.exists()


def test_evidence_has_a_bound_of_its_own(
    answering: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "BRIEF", 1.0)
    monkeypatch.setattr(kept, "SPARE", 1.0)
    slow(answering, "version")
    began = time.monotonic()
    found = kept.keep(tmp_path / "failed", "tests/live/nodes/test_x.py::test_y[a b]", BEGAN)
    assert time.monotonic() - began < bound(10)
    assert found is not None
    assert found.folder == tmp_path / "failed" / "test_x-test_y-a-b"
    assert "not exported: " in found.digest[-1]
    assert "timed out" in found.digest[-1]


def test_what_failed_is_known_by_its_name_once(tmp_path: Path) -> None:
    where = tmp_path / "failed"
    assert kept.which(where) == []
    for name in ("tests/a.py::b[x\ny]", "notebooks/01-x.ipynb", "notebooks/01-x.ipynb"):
        kept.failed(where, name)
    assert kept.which(where) == ["tests/a.py::b[x\\ny]", "notebooks/01-x.ipynb"]
