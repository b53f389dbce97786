"""What uv is told on this machine: where pip finds packages, to take the Python that is there, where to cache."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def settings(uv: Sequence[str]) -> dict[str, str]:
    """Return the variables for uv; those that the caller's environment has already are left as they are."""
    told = _output([sys.executable, "-m", "pip", "config", "list"])
    found = {**as_pip(told, os.environ), "UV_PYTHON_DOWNLOADS": "never"}
    if not may_write(Path(_output([*uv, "cache", "dir"]).strip())):
        found["UV_CACHE_DIR"] = str(Path(__file__).parent.parent / ".cache" / "uv")
    return found


def as_pip(configuration: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return what `pip config list` printed in uv's words, but for what the environment says in them.

    A folder that does not exist stays out: pip passes over it, and uv does not.
    """
    said: dict[str, dict[str, str]] = {}
    for line in configuration.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        said.setdefault(section, {})[option] = str(ast.literal_eval(value))
    pip = {**said.get("global", {}), **said.get("install", {}), **said.get(":env:", {})}
    links = [word for word in pip.get("find-links", "").split() if "://" in word or Path(word).exists()]
    indexes = pip.get("extra-index-url", "").split()
    found = {
        "UV_DEFAULT_INDEX": pip.get("index-url", ""),
        "UV_INDEX": " ".join(indexes),
        # As pip does. What a wrong index gives under a right name has another hash.
        "UV_INDEX_STRATEGY": "unsafe-best-match" if indexes else "",
        "UV_FIND_LINKS": ",".join(links),
        "UV_NO_INDEX": "1" if pip.get("no-index", "").lower() in ("1", "true", "yes", "on") else "",
        "UV_INSECURE_HOST": " ".join(pip.get("trusted-host", "").split()),
        "UV_HTTP_TIMEOUT": pip.get("timeout", pip.get("default-timeout", "")),
        "SSL_CERT_FILE": pip.get("cert", ""),
        "SSL_CLIENT_CERT": pip.get("client-cert", ""),
        "ALL_PROXY": pip.get("proxy", ""),
    }
    return {name: value for name, value in found.items() if value and name not in environment}


def may_write(folder: Path) -> bool:
    """Tell whether this user may make a folder, or write to it if it is there."""
    while not folder.exists():
        folder = folder.parent
    return os.access(folder, os.W_OK | os.X_OK)


def _output(argv: Sequence[str]) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout
