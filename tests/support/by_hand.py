"""A kubelet of some release, started by hand on a machine without a cluster: what it knows, and what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support import facts

from shimlab.migrate import kubelets
from shimlab.migrate.kubelets import Kubelet
from shimlab.node import exec as node_exec
from shimlab.notebook import standalone
from shimlab.waiting import wait
from shimsite.tables import flag_matrix

UNIT = "kubelet-by-hand"
#: Each flag once, with a value that its type takes: a number, or a duration. With `--version` the kubelet reads its
#: flags, the hidden ones too, tells of those that are deprecated, and ends.
_KNOWS = r"""
program=$1; shift
for flag; do
  for value in 1 1s; do
    said=$("$program" "$flag=$value" --version 2>&1 || true)
    case $said in *"invalid argument"*) ;; *) break;; esac
  done
  printf '%s\t%s\n' "$flag" "$(printf %s "$said" | tr '\n' ' ')"
done
"""


def use(machine: str, name: str) -> None:
    """Put the kubelet of this name in use on a machine."""
    kubelets.put(machine, Kubelet(name))


def states_of_flags(machine: str, name: str) -> tuple[dict[str, str], dict[str, str]]:
    """Tell of each flag of the kubelet's what it is on the page of flags, and what this kubelet makes of it."""
    flags = {}
    for fact_id in facts.of_kind("flag"):
        flag = facts.whole(fact_id)
        if flag.component and flag.component["en"] == "kubelet":
            flags[fact_id] = flag
    program = f"{kubelets.FOLDER}/{name}"
    words = sorted({flag.values["en"].partition("=")[0] for flag in flags.values()})
    told = dict(
        line.split("\t", 1)
        for line in node_exec.run(
            machine, ["sh", "-s", program, *words], input=_KNOWS, timeout=240
        ).splitlines()
    )
    release = name.removeprefix("v").rpartition(".")[0]
    said, found = {}, {}
    for fact_id, flag in flags.items():
        answer = told[flag.values["en"].partition("=")[0]]
        state = flag_matrix.state(flag, release)
        said[fact_id] = "unknown" if state in ("gone", "not-yet") else state
        found[fact_id] = _state(answer)
    return said, found


def _state(answer: str) -> str:
    if "unknown flag: " in answer:
        return "unknown"
    assert re.search(r"Kubernetes v\d", answer), answer
    return "deprecated" if re.search(r"Flag \S+ has been deprecated", answer) else "there"


def log_of_a_start(machine: str, *flags: str) -> str:
    """Start the kubelet that is in use, wait until it is well, end it, and return what it logged."""
    command = standalone.command(machine, *flags, cgroup_v1=False)
    since = node_exec.run(machine, ["date", "+%s.%N"]).strip()
    node_exec.run(machine, ["systemd-run", "--quiet", f"--unit={UNIT}", *command])
    try:
        wait(lambda: kubelets.healthy(machine) or not _runs(machine), "the kubelet's health", 180)
        is_well = _runs(machine)
    finally:
        node_exec.run(
            machine,
            ["sh", "-c", 'systemctl stop "$1" || true; systemctl reset-failed "$1" || true', "sh", UNIT],
        )
    log = ["journalctl", f"--unit={UNIT}", f"--since=@{since}", "--output=cat", "--no-pager"]
    said = node_exec.run(machine, log).replace("\\", "")
    assert is_well, said[-2000:]
    return said


def _runs(machine: str) -> bool:
    state = ["sh", "-c", 'systemctl show --property=ActiveState --value "$1"', "sh", UNIT]
    return node_exec.run(machine, state).strip() in ("active", "activating")


def kubeadm(machine: str, form: str, version: str, socket: str = "") -> str:
    """Return what `kubeadm init` of the machine says, up to where it would change something."""
    registration = f"nodeRegistration: {{criSocket: {socket}}}\n" if socket else ""
    configuration = (
        f"apiVersion: kubeadm.k8s.io/{form}\nkind: InitConfiguration\n{registration}---\n"
        f"apiVersion: kubeadm.k8s.io/{form}\nkind: ClusterConfiguration\nkubernetesVersion: {version}\n"
    )
    words = "timeout 60 kubeadm init --dry-run --ignore-preflight-errors=all --config=/root/kubeadm.yaml"
    script = f"cat >/root/kubeadm.yaml; {words} 2>&1 || true"
    return node_exec.run(machine, ["sh", "-c", script], input=configuration, timeout=90)


@contextmanager
def also_at(machine: str, socket: str, path: str) -> Iterator[None]:
    """Have a socket at a second path as well while the block runs."""
    node_exec.run(machine, ["sh", "-c", f"mkdir -p $(dirname {path}) && ln -s {socket} {path}"])
    try:
        yield
    finally:
        node_exec.run(machine, ["rm", path])
