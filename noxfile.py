"""Every check and every build, one session each; `./run SESSION` makes nox and calls it.

Sessions share two virtual environments instead of having one each: `site` (what serving the pages needs) and `dev`
(everything). Both are installed by uv from lock files with hashes, and again only when a lock file changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nox
from nox.command import CommandFailed

sys.path.append(str(Path(__file__).parent / "requirements"))
from for_uv import settings

nox.needs_version = ">=2026.10"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "unit", "docs"]

ROOT = Path(__file__).parent
#: Names the folder of what a red run keeps (shimlab.cluster.export.kept): set for the lanes of `./run tests`.
EVIDENCE = "EVIDENCE_FOLDER"
LOCKED = {
    "nox": ["nox"],
    "site": ["site"],
    "lab": ["lab", "notebook", "build"],
    "dev": ["site", "lab", "test", "lint", "build"],
}
UV = [sys.executable, "-m", "uv"]
BENCHES = ("rounds", "middlemen")
#: The environment `site` has none of our packages installed: they are found where they lie.
OURS = {"PYTHONPATH": str(ROOT / "src"), "NO_MKDOCS_2_WARNING": "1", "PYTHONUTF8": "1"}


def run(session: nox.Session, *argv: str, **more: Any) -> Any:
    """Run a program, and after Ctrl-C wait until it has put things in order: by itself nox waits half a second.

    It gets every Ctrl-C from the terminal by itself, so a second one is not for us; SIGTERM and SIGHUP are handed on.
    """

    def interrupt(number: int, frame: object) -> None:
        for sign in before:
            signal.signal(sign, signal.SIG_IGN)
        if number != signal.SIGINT:
            for child in _children():
                os.kill(child, number)
        raise KeyboardInterrupt

    signals = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    before = {sign: was for sign in signals if (was := signal.getsignal(sign)) is not signal.SIG_IGN}
    for sign in before:
        signal.signal(sign, interrupt)
    try:
        return session.run(*argv, interrupt_timeout=None, terminate_timeout=None, external=True, **more)
    finally:
        for sign, was in before.items():
            signal.signal(sign, was)


def _children() -> list[int]:
    """Return the processes that we started and that run (proc(5); none where there is no such folder)."""
    return [
        int(pid) for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()
    ]


def environment(session: nox.Session, name: str) -> str:
    """Return the python of a virtual environment with what requirements/NAME.txt locks, made if needed."""
    folder = ROOT / ".nox" / name
    lock = ROOT / "requirements" / f"{name}.txt"
    wanted = hashlib.sha256(lock.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    stamp = folder / "locked"
    python = str(folder / "bin" / "python")
    if stamp.is_file() and stamp.read_text() == wanted and Path(python).exists():
        return python
    session.log(f"making .nox/{name} from {lock.name}: about 20 seconds")
    shutil.rmtree(folder, ignore_errors=True)
    env = settings(UV)
    run(session, *UV, "venv", "--quiet", "--python", sys.executable, str(folder), env=env)
    pip = [*UV, "pip", "install", "--quiet", "--python", python]
    # What a source archive is built with is pinned too: the lock of everything has it.
    hashes = ["--require-hashes", "--build-constraints", str(ROOT / "requirements" / "dev.txt")]
    run(session, *pip, "--compile-bytecode", *hashes, "--requirement", str(lock), env=env)
    if "build" in LOCKED[name]:
        editable = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
        run(session, *pip, *editable, env=env)
    stamp.write_text(wanted)
    return python


def python(
    session: nox.Session,
    *arguments: str,
    env: dict[str, str] | None = None,
    group: str = "dev",
    silent: bool = False,
) -> None:
    """Run python of a virtual environment in the repository."""
    session.chdir(ROOT)
    run(session, environment(session, group), *arguments, env={**OURS, **(env or {})}, silent=silent)


def lab_environment(session: nox.Session) -> dict[str, str]:
    """Return what reaches the running lab: KUBECONFIG, DOCKER_HOST, PATH."""
    session.chdir(ROOT)
    told = run(session, environment(session, "dev"), "-m", "shimlab", "env", "--json", silent=True)
    return dict(json.loads(str(told)))


def pytest(session: nox.Session, *files: str, env: dict[str, str] | None = None) -> None:
    """Run pytest with the session's arguments: tests that they name, by file or id, take the place of all.

    A run that collects nothing fails (its status 5 is not 0).
    """
    keep(session)
    named = any(word.startswith("tests/") for word in session.posargs)
    python(session, "-m", "pytest", *([] if named else files), *session.posargs, env=env)


def keep(session: nox.Session) -> Path:
    """Return the folder of what is kept where the session is red, and name it to all that it runs.

    It is the lane's of `./run tests`, or else the session's own, emptied when it begins.
    """
    if EVIDENCE not in session.env:
        folder = os.environ.get(EVIDENCE)
        if not folder:
            folder = str(ROOT / ".cache" / "failed" / session.name)
            shutil.rmtree(folder, ignore_errors=True)
        session.env[EVIDENCE] = folder
    return Path(str(session.env[EVIDENCE]))


@contextlib.contextmanager
def evidence(session: nox.Session) -> Iterator[None]:
    """Export the lab where what is run on it fails, before anything else is done to it."""
    folder = keep(session)
    try:
        yield
    except CommandFailed:
        # Where a test or a cell was looked at when it failed, that has been shown.
        shown = any(folder.glob("*/digest.txt"))
        with contextlib.suppress(CommandFailed):
            python(session, "-m", "shimlab", "export", str(folder / "lab"), silent=shown)
        session.log(f"evidence: {folder}")
        raise


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types and shell scripts."""
    python(session, "-m", "ruff", "check", ".")
    python(session, "-m", "ruff", "format", "--check", ".")
    python(session, "-m", "mypy")
    # Layers and circles; its own command is the only way in.
    run(session, str(ROOT / ".nox/dev/bin/lint-imports"), "--no-cache", env=OURS)
    scripts = [
        line
        for line in str(run(session, "git", "grep", "-lE", r"^#!/bin/(ba)?sh", silent=True)).split()
        if not line.startswith("tests/")
    ]
    run(session, str(ROOT / ".nox/dev/bin/shellcheck"), "--external-sources", *scripts)


@nox.session
def unit(session: nox.Session) -> None:
    """Test the packages and the checks themselves, without a cluster."""
    # One test starts the Jupyter of `./run lab`.
    environment(session, "lab")
    pytest(session, "tests/unit")


@nox.session
def site(session: nox.Session) -> None:
    """Build both languages; a warning is an error."""
    python(session, "-m", "shimsite.build", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site if it changed and check it: languages, facts, links, sizes, recorded outputs."""
    python(session, "-m", "shimsite.build", "--if-changed")
    pytest(session, "tests/docs")


@nox.session
def browser(session: nox.Session) -> None:
    """Look at the built site as a reader does, in headless Chromium."""
    python(session, "-m", "shimlab.machine.host", "packages-browser")
    python(session, "-m", "shimsite.build", "--if-changed")
    pytest(session, "tests/browser")


@nox.session
def live(session: nox.Session) -> None:
    """Test the running lab itself; brings it up."""
    # The node's files once more: their runc wrapper wants jq, which a machine has when it was made ready.
    on_lab(session, "tests/live/nodes", "tests/unit/shimlab/images/test_node_files.py")


@nox.session
def snippets(session: nox.Session) -> None:
    """Run every snippet and scenario that a page shows, on the running lab; `-- --update` records outputs again."""
    on_lab(session, "tests/live/snippets")


@nox.session
def notebooks(session: nox.Session) -> None:
    """Validate the notebooks on the running lab; `-- --update` records them again, `-- -k 01` picks one."""
    with evidence(session):
        up(session)
        found = lab_environment(session)
        if not recorded(session, found):
            python(session, "-m", "shimlab.notebook.runs.validate", *session.posargs, env=found)


def recorded(session: nox.Session, found: dict[str, str]) -> bool:
    """Record the notebooks of the lab that is up if `-- --update` asks for that, and tell whether it did."""
    posargs = [word for word in session.posargs if word != "--update"]
    if posargs == session.posargs:
        return False
    python(session, "-m", "shimlab.notebook.runs.record", *posargs, env=found)
    return True


@nox.session
def red(session: nox.Session) -> None:
    """See notebooks turn red on a lab that is not as they say; brings it up, and leaves it as it was."""
    on_lab(session, "tests/live/red")


@nox.session
def faults(session: nox.Session) -> None:
    """Break the running lab in every way that it knows, see how it shows, and repair it; brings it up."""
    on_lab(session, "tests/live/faults")


@nox.session
def abuse(session: nox.Session) -> None:
    """Interrupt commands in a row, each at another moment, and see that the next one goes on; `-- --rounds 20`."""
    on_lab(session, "tests/live/abuse")


@nox.session
def conformance(session: nox.Session) -> None:
    """Run Kubernetes' own tests of nodes and pods on the workers of the running lab."""
    on_lab(session, "tests/live/conformance")


@nox.session
def removed(session: nox.Session) -> None:
    """Test the lab in which a kubelet goes past dockershim; `-- --update` records its notebooks again.

    It brings that lab up: one of another kind may be up under another name only (SHIMLAB_NAME). With arguments,
    only its tests are run, or the notebooks that they name (`-- notebooks/NN-name.ipynb`).
    """
    with evidence(session):
        up(session, "--lab", "removed")
        found = lab_environment(session)
        if recorded(session, found):
            return
        validate = ["-m", "shimlab.notebook.runs.validate"]
        if books := [Path(word).stem for word in session.posargs if word.startswith("notebooks/")]:
            for book in books:
                python(session, *validate, "-k", book, env=found)
            return
        # Those scenarios that are for this lab; the others run in `snippets`.
        pytest(session, "tests/live/removed", "tests/live/snippets/test_scenarios.py", env=found)
        if session.posargs:
            return
        python(session, *validate, env=found)
        # One fault can be had on this lab alone; every other one is broken and repaired on the default lab.
        pytest(session, "tests/live/faults", "-k", "kubelet-upgraded", env=found)


@nox.session
def vm(session: nox.Session) -> None:
    """See kubelets of the deprecation run pods on cgroup v2, in a virtual machine; needs root on Debian."""
    python(session, "-m", "shimlab.vm.machine", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure: `-- rounds` of up and down, each with what it leaves, or `-- middlemen` between kubelet and runc."""
    which, *arguments = session.posargs or ["rounds"]
    if which not in BENCHES:
        session.error(f"unknown: {which}; there are {', '.join(BENCHES)}, and their options after them")
    python(session, "-m", f"bench.{which}", *arguments)


def on_lab(session: nox.Session, *files: str) -> None:
    """Bring the lab up, and run tests on it."""
    with evidence(session):
        up(session)
        pytest(session, *files, env=lab_environment(session))


def up(session: nox.Session, *arguments: str) -> None:
    """Bring the lab up, whatever the machine has of it."""
    python(session, "-m", "shimlab", "up", *arguments)


@nox.session
def tests(session: nox.Session) -> None:
    """Run everything but conformance, abuse, vm, bench and lock, in lanes side by side (tests/support/lanes/plan.py).

    `-- --offline` leaves out what needs a cluster, `-- --conformance` adds Kubernetes' own tests, `-- --keep` leaves
    the first lab up, and labs in which something failed.
    """
    session.chdir(ROOT)
    lanes = ["-m", "tests.support.lanes.run", sys.executable, *session.posargs]
    run(session, environment(session, "dev"), *lanes, env=OURS)


@nox.session
def lab(session: nox.Session) -> None:
    """Bring up the lab and open Jupyter on the notebooks; `-- down` removes the lab."""
    command = environment(session, "lab")
    session.chdir(ROOT)
    if session.posargs:
        run(session, command, "-m", "shimlab", *session.posargs)
        return
    run(session, command, "-m", "shimlab", "up")
    python(session, "-m", "shimsite.notebooks.copies", ".cache/lab", group="site")
    told = run(session, command, "-m", "shimlab", "env", "--json", silent=True)
    run(session, command, "-m", "shimlab.notebook.jupyter", env=json.loads(str(told)))


@nox.session
def shimlab(session: nox.Session) -> None:
    """Run the command shimlab: `./run shimlab -- status`."""
    session.chdir(ROOT)
    argv = [environment(session, "dev"), "-m", "shimlab", *session.posargs]
    if os.environ.get(EVIDENCE):
        # As a lane of `./run tests`, it is to leave evidence too.
        with evidence(session):
            run(session, *argv)
        return
    session.log(" ".join(argv))
    # In the place of nox: every signal is for the command, and its status is the one that counts.
    os.execv(argv[0], argv)  # noqa: S606 - it is no shell that is wanted


@nox.session
def serve(session: nox.Session) -> None:
    """Build both languages and serve them on 127.0.0.1:8000 (`-- --port N`), building again on changes."""
    python(session, "-m", "shimsite.serve", *session.posargs, group="site")


@nox.session
def lock(session: nox.Session) -> None:
    """Write requirements/*.txt again from the groups in pyproject.toml (`-- --upgrade` moves versions)."""
    session.chdir(ROOT)
    uv = [*UV, "pip", "compile", "--quiet", "--universal"]
    uv += ["--python-version", "3.11.2", "--generate-hashes", "--no-annotate", "--no-header"]
    uv += ["--no-emit-index-url", "--no-emit-find-links"]
    for name, groups in LOCKED.items():
        chosen = [word for group in groups for word in ("--group", group)]
        wanted = ["--output-file", f"requirements/{name}.txt"]
        run(session, *uv, *session.posargs, *chosen, *wanted, env=settings(UV))
