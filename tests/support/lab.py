"""The nodes of the lab that tests run on, whatever its name."""

from __future__ import annotations

import contextlib
import io
import signal
import subprocess
import sys
from collections.abc import Mapping

from shimlab import cli, paths
from shimlab.waiting import bound

CONTROL_PLANE, ON_CONTAINERD, ON_DOCKERSHIM = (
    f"{paths.name()}-{role}" for role in ("control-plane", "worker", "worker2")
)


def role(value: object) -> str | None:
    """Name a node in a test's id as every lab has it, without the lab's name; leave what is no node as it is."""
    told = str(value)
    return told.removeprefix(f"{paths.name()}-") if told.startswith(f"{paths.name()}-") else None


def shimlab(
    *arguments: str, seconds: float = 280, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does; it may take so many seconds on an ordinary machine."""
    return subprocess.run(
        [sys.executable, "-m", "shimlab", *arguments],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=bound(seconds),
    )


def in_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command within this process, as its program does; what it costs to start one is not what is tested."""
    out, err = io.StringIO(), io.StringIO()
    before = signal.getsignal(signal.SIGTERM)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = cli.main(arguments)
    finally:
        signal.signal(signal.SIGTERM, before)
    return subprocess.CompletedProcess(list(arguments), status, out.getvalue(), err.getvalue())
