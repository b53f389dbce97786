"""`shimlab doctor`: what can stop the lab on this machine, each with its fix."""

from __future__ import annotations

import functools
import json
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import asdict

from shimlab.doctor import engine
from shimlab.doctor import host as doctor_host
from shimlab.doctor import kernel as doctor_kernel
from shimlab.doctor import lab as doctor_lab
from shimlab.doctor import machine as doctor_machine
from shimlab.doctor.finding import Finding, State, problem
from shimlab.doctor.machine import Machine
from shimlab.errors import LabError

WIDTH = 100
# SGR of ECMA-48: green, yellow, red.
COLOURS: dict[State, str] = {"ok": "32", "warning": "33", "problem": "31"}

Check = Callable[[], Finding]


def examine(machine: Machine | None = None) -> list[Finding]:
    """Look at everything that can stop the lab; what a check cannot do is its finding."""
    return [_run(name, check) for name, check in checks(machine or doctor_machine.look()).items()]


def checks(machine: Machine) -> dict[str, Check]:
    """Return every check under the lasting name of its finding, in the order in which they are shown."""
    host, kernel, docker, lab = doctor_host, doctor_kernel, engine, doctor_lab
    told = machine.info if machine.elsewhere else {}
    bind = functools.partial
    return {
        "system": bind(host.system, machine.root_debian),
        "python": host.python,
        "architecture": host.architecture,
        "folders": host.folders,
        "capabilities": bind(kernel.capabilities, machine.root_debian),
        "cgroup": bind(kernel.cgroup, told=str(told.get("CgroupVersion", ""))),
        "cgroup controllers": kernel.controllers,
        "overlay": kernel.overlay,
        "iptables": kernel.iptables,
        "inotify": kernel.inotify,
        "open files": bind(kernel.open_files, machine.bounded),
        "memory": bind(host.memory, machine.running, engine=int(told.get("MemTotal", 0))),
        "ports": host.ports,
        "proxy": host.proxy,
        "packages": bind(docker.packages, machine),
        "docker": bind(docker.docker, machine),
        "engine": bind(docker.answers, machine),
        "engine version": bind(docker.engine_version, machine),
        "engine kind": bind(docker.engine_kind, machine),
        "storage": bind(docker.storage, machine),
        "disk": bind(docker.disk, machine),
        "kind": bind(lab.kind_program, machine),
        "busy": bind(lab.busy, machine),
        "foreign cluster": bind(lab.foreign, machine),
        "leftovers": bind(lab.remains, machine),
        "node image": bind(lab.node_image, machine),
        "lab": bind(lab.lab, machine),
    }


def stops(findings: Sequence[Finding]) -> bool:
    """Tell whether something stops the lab."""
    return any(finding.state == "problem" for finding in findings)


def as_json(findings: Sequence[Finding]) -> str:
    """Return the findings for programs: a list of objects with name, state, found and fix."""
    return json.dumps([asdict(finding) for finding in findings], indent=2)


def as_text(findings: Sequence[Finding], *, colour: bool = False) -> str:
    """Return the findings for people: a line each, and below it the fix, at most 100 columns wide."""
    names = max(len(finding.name) for finding in findings)
    states = max(map(len, COLOURS))
    lines = []
    for finding in findings:
        state = finding.state.ljust(states)
        if colour:
            state = f"\x1b[{COLOURS[finding.state]}m{state}\x1b[0m"
        # Wrapped without the colour, which takes no place on the screen.
        found = textwrap.wrap(finding.found, WIDTH - states - names - 4, break_on_hyphens=False)
        lines.append(f"{state}  {finding.name.ljust(names)}  {found[0]}")
        lines += [" " * (states + names + 4) + part for part in found[1:]]
        # Below the name, so that a command has room on one line.
        fix = textwrap.wrap(f"fix: {finding.fix}", WIDTH - states - 2, break_on_hyphens=False)
        lines += [" " * (states + 2) + part for part in fix if finding.fix]
    problems = sum(finding.state == "problem" for finding in findings)
    warnings = sum(finding.state == "warning" for finding in findings)
    verdict = "Nothing stops the lab" if not problems else f"{_count(problems, 'problem')} to mend first"
    also = f"; {_count(warnings, 'warning')}" if warnings else ""
    lines.append(f"{verdict}{also}.")
    return "\n".join(lines)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _run(name: str, check: Check) -> Finding:
    try:
        return check()
    except LabError as error:
        return problem(name, error.what, error.remedy)
