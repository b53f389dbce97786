"""Run the command `shimlab` as people do, in a process of its own, or, where nothing of that matters, in this one."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shimlab import cli
from shimlab.waiting import bound

ARGV = (sys.executable, "-m", "shimlab")


def shimlab(
    *arguments: str, env: Mapping[str, str] | None = None, seconds: float = 60, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run it in a process; ``more`` is added to the environment, which is ours unless ``env`` is another."""
    return program(*ARGV, *arguments, env=env, seconds=seconds, **more)


def program(
    *argv: str | Path,
    env: Mapping[str, str] | None = None,
    seconds: float = 60,
    cwd: Path | None = None,
    **more: str,
) -> subprocess.CompletedProcess[str]:
    """Run any program to its end and return what it printed; a slow machine gets as many times longer (bound)."""
    return subprocess.run(
        argv,
        cwd=cwd,
        env={**(os.environ if env is None else env), **more},
        capture_output=True,
        text=True,
        check=False,
        timeout=bound(seconds),
    )


@dataclass(frozen=True)
class Done:
    """How a command ended in this process, by the names that a process has for it."""

    returncode: int
    stdout: str
    stderr: str


def inside(*arguments: str) -> Done:
    """Run it in this process: what it asks can then be another's answers (tests.support.node)."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = cli.main(arguments)
    return Done(status, out.getvalue(), err.getvalue())
