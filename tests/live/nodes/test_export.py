"""An export of a lab that is well: complete, in time, without keys, and with nothing odd in its digest."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.lab import ON_CONTAINERD, ON_DOCKERSHIM

from shimlab.clients import kube
from shimlab.cluster import status
from shimlab.cluster.export import export, inside
from shimlab.cluster.export.digest import shims
from shimlab.cluster.kubeconfig import FOLDER
from shimlab.machine import engine
from shimlab.node import exec as node_exec
from shimlab.waiting import bound, wait


def _seen(name: str) -> inside.Node:
    return inside.Node(name, processes=inside.processes(name, 20), told=inside.state(name, 20))


def test_each_shim_is_known_to_who_had_it_started() -> None:
    for name, namespace in ((ON_CONTAINERD, "k8s.io"), (ON_DOCKERSHIM, "moby")):
        # Those of pods that have just gone end a moment later.
        wait(lambda name=name: all(each.is_known for each in shims(_seen(name))), f"the shims of {name}", 30)
        assert {each.namespace for each in shims(_seen(name))} == {namespace}


def test_it_has_all_that_was_asked_for_and_no_key(tmp_path: Path) -> None:
    began = time.monotonic()
    found = export.export(tmp_path / "out", since=datetime.now(UTC) - timedelta(minutes=2))
    assert time.monotonic() - began < bound(export.BRIEF)
    allowed = [] if engine.current().ours else ["the engine"]
    assert [line for line in found.problems if line.partition(":")[0] not in allowed] == []
    for name in status.nodes():
        (line,) = (line for line in found.digest if line.startswith(f"{name}: "))
        assert "kubelet active; containerd active; " in line
        assert "Ready=True" in line
        assert " in " in line.partition("; shims: ")[2]
        there = tmp_path / "out" / "nodes" / name
        assert "/sbin/init" in (there / "processes.txt").read_text()
        assert (there / "journal.log").stat().st_size > 0
    docker = node_exec.run(ON_DOCKERSHIM, ["docker", "ps", "--all", "--quiet", "--no-trunc"]).split()
    held = (tmp_path / "out" / "nodes" / ON_DOCKERSHIM / "docker-ps.txt").read_text()
    assert docker
    assert {line.split()[0] for line in held.splitlines()} & set(docker)
    objects = tmp_path / "out" / "objects"
    names = {each["metadata"]["name"] for each in json.loads((objects / "nodes.json").read_text())["items"]}
    assert names == set(status.nodes())
    assert {each.stem for each in objects.iterdir()} == {"nodes", "namespaces", "pods", "events"}

    credentials = kube.kubeconfig().parent / FOLDER
    (key,) = credentials.glob("*client-key.pem")
    line = key.read_text().splitlines()[1]
    whole = b"\n".join(each.read_bytes() for each in (tmp_path / "out").rglob("*") if each.is_file())
    assert line.encode() not in whole
    assert b"PRIVATE KEY" not in whole
