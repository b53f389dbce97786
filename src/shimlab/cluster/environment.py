"""What a shell, a notebook or a test needs in its environment to reach the lab."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from shimlab.clients import kube
from shimlab.cluster import status
from shimlab.machine import engine


def environment() -> dict[str, str]:
    """Return KUBECONFIG, DOCKER_HOST and a PATH with the release's own kubectl and this shimlab in front.

    Raises:
        LabError: if the lab is not up.
    """
    status.nodes()
    folders = [str(Path(sys.executable).parent)]
    # The node image holds programs for Linux; elsewhere the user's own kubectl stays in place.
    if sys.platform == "linux":
        folders.insert(0, str(status.kubectl().parent))
    path = os.pathsep.join([*folders, os.environ.get("PATH", os.defpath)])
    return {"KUBECONFIG": str(kube.kubeconfig()), "PATH": path, **engine.current().environment}
