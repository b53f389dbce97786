"""The commands that mend a lab or a node of it, as a reader can type them."""

from __future__ import annotations

import os

from shimlab.clients.kube import kubeconfig
from shimlab.machine import engine

ANEW = "`shimlab down`, then `shimlab up`"
REPAIR = "`shimlab repair` undoes it"


def restart(node: str, state: str) -> str:
    """Say what makes a container run that is in this state (docker ps, State).

    Raises:
        LabError: no engine answers.
    """
    verb, does = ("unpause", "lets it go on") if state == "paused" else ("start", "starts it")
    return f"`shimlab up` {does}, or {_in_shell(f'docker {verb} {node}', engine.current().environment)}"


def again(node: str) -> str:
    """Say what starts a container anew.

    Raises:
        LabError: no engine answers.
    """
    return _in_shell(f"docker restart {node}", engine.current().environment)


def uncordon(node: str) -> str:
    """Say what lets new pods in."""
    return _in_shell(f"kubectl uncordon {node}", {"KUBECONFIG": str(kubeconfig())})


def controllers() -> str:
    """Say what shows why a controller of the control plane does not do its work."""
    of_it = "--namespace kube-system --selector component=kube-controller-manager"
    return _in_shell(f"kubectl logs {of_it} --tail 5", {"KUBECONFIG": str(kubeconfig())})


def _in_shell(command: str, needed: dict[str, str]) -> str:
    """Write down a command; where our own environment, like the reader's, does not reach the lab, with what does."""
    reaches = all(os.environ.get(name) == value for name, value in needed.items())
    return f"`{command}`" if reaches else f'`eval "$(shimlab env)"; {command}`'
