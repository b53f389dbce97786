"""Build both languages into `site/`, as `python -m shimsite.build` does and as serve and tests need it.

Every build, also a bare `mkdocs build`, leaves a stamp of its sources (src/shimsite/plugin.py), so that
tests and serve, which need the site, build it only when something changed. One process builds at a time; who waited for
it finds the site built.

A site is built beside the one that there is and takes its place as a whole when both languages are done: nobody who
reads it meanwhile sees half of it, and a build that fails changes nothing. Who reads for long has a copy (`copied`).
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from shimfacts import ledger

ROOT = Path(__file__).parents[2]
CONFIGS = {"en": "mkdocs.yml", "zh": "mkdocs.zh.yml"}
#: What the site is made of.
SOURCES = (
    *(
        "docs",
        "notebooks",
        "snippets",
        "tests/live",
        "facts",
        "src/shimfacts",
        "src/shimsite",
        "overrides",
        *CONFIGS.values(),
        # The versions of what makes the pages.
        "requirements/site.txt",
    ),
    ledger.SEEN.as_posix(),
)
#: Names in the environment the state that a run of tests is of: what is validated or written meanwhile does not count.
PINNED = "SHIMSITE_SOURCES"
STRICT = "strict"
SITE = Path("site")
#: Where a site is built, on the file system of the one whose place it takes, and where that one goes if need be.
FRESH, FORMER = Path(".cache") / "site.fresh", Path(".cache") / "site.former"
#: How the C library of Linux, and that of macOS, exchanges two names in one step: renameat2(2), renamex_np(2).
EXCHANGE = 2
AT_FDCWD = -100


def source_files(root: Path = ROOT) -> list[Path]:
    """List every file that the site is made of."""
    files = []
    for name in SOURCES:
        path = root / name
        found = sorted(path.rglob("*")) if path.is_dir() else []
        files += [f for f in found if not _is_by_product(f.relative_to(path))] or [path]
    return [f for f in files if f.is_file()]


def _is_by_product(path: Path) -> bool:
    return any(part.startswith((".", "__pycache__")) for part in path.parts) or path.suffix in (
        ".pyc",
        ".swp",
    )


def fingerprint(root: Path = ROOT) -> str:
    """Hash the names and the bytes of all sources."""
    digest = hashlib.sha256()
    for path in source_files(root):
        # A proof that passed once more changes nothing: live tests may run while the site is built and checked.
        is_ledger = path == root / ledger.SEEN
        content = ledger.without_days(path).encode() if is_ledger else path.read_bytes()
        digest.update(f"{path.relative_to(root)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def is_fresh(root: Path = ROOT, *, strict: bool = False) -> bool:
    """Tell whether the site there is was built from the sources there are, and without a warning if ``strict``."""
    now = (os.environ.get(PINNED) if root == ROOT else "") or fingerprint(root)
    wanted = {now, STRICT} if strict else {now}
    return all(
        (root / SITE / lang / "sitemap.xml").is_file() and wanted <= set(_stamped(root, lang))
        for lang in CONFIGS
    )


def built_from(root: Path = ROOT) -> str:
    """Return the fingerprint of the sources that the site was built from; empty if there is none."""
    return next(iter(_stamped(root, next(iter(CONFIGS)))), "")


def stamp(root: Path, lang: str, sources: str, *, strict: bool = False, site: Path = SITE) -> None:
    """Note from which sources the site of a language was built, and whether a warning would have failed.

    ``site`` is the folder of both languages; one that lies elsewhere, as `mkdocs serve` has one, gets no stamp.
    """
    if (root / site).resolve() in ((root / each).resolve() for each in (SITE, FRESH)):
        file = _stamp(root, lang, site)
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{sources}\n{STRICT if strict else ''}", "utf-8")


def _stamped(root: Path, lang: str) -> list[str]:
    file = _stamp(root, lang)
    return file.read_text("utf-8").split() if file.is_file() else []


def _stamp(root: Path, lang: str, site: Path = SITE) -> Path:
    return root / ".cache" / f"{site.name}-{lang}.stamp"


def ensure(root: Path = ROOT, *, strict: bool = True) -> bool:
    """Build both languages unless the site is up to date, and tell whether it went well."""
    with _alone(root):
        return is_fresh(root, strict=strict) or _build(root, strict=strict)


def build(root: Path = ROOT, *, strict: bool = True) -> bool:
    """Build both languages, side by side; print what MkDocs has to say and tell whether it went well."""
    with _alone(root):
        return _build(root, strict=strict)


def copied(into: Path, root: Path = ROOT) -> bool:
    """Copy the site into a folder that is not there yet, for who reads it while it may be built again.

    It is built before, strictly, unless it is up to date; tell whether that went well.
    """
    with _alone(root):
        went_well = is_fresh(root, strict=True) or _build(root, strict=True)
        if went_well:
            shutil.copytree(root / SITE, into)
    return went_well


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Let one process build at a time; who comes second waits."""
    folder = root / ".cache"
    folder.mkdir(exist_ok=True)
    with (folder / "site.lock").open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _build(root: Path, *, strict: bool) -> bool:
    fresh = root / FRESH
    _remove(fresh)
    # Never -q: it hides warnings from --strict, which then finds nothing wrong.
    command = [sys.executable, "-m", "mkdocs", "build", *(["--strict"] if strict else [])]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    builds = {
        lang: subprocess.Popen(
            [*command, "--config-file", config, "--site-dir", str(fresh / lang)],
            cwd=root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for lang, config in CONFIGS.items()
    }
    went_well = True
    try:
        for lang, process in builds.items():
            output, _ = process.communicate(timeout=600)
            print(_worth_reading(output, lang, failed=process.returncode != 0), end="", flush=True)
            went_well = went_well and process.returncode == 0
    finally:
        for process in builds.values():
            if process.poll() is None:
                process.kill()
                process.wait()
    if went_well:
        _put_in_place(root)
    _remove(fresh)
    return went_well


def _put_in_place(root: Path) -> None:
    """Let the site that was built take the place of the one that there is."""
    fresh, site = root / FRESH, root / SITE
    # Without a stamp it counts as old: so nobody takes a site for what it is not, should we be ended in between.
    for lang in CONFIGS:
        _stamp(root, lang).unlink(missing_ok=True)
    if not site.exists():
        fresh.rename(site)
    elif not _exchanged(fresh, site):
        _remove(root / FORMER)
        site.rename(root / FORMER)
        fresh.rename(site)
        _remove(root / FORMER)
    for lang in CONFIGS:
        _stamp(root, lang, FRESH).replace(_stamp(root, lang))


def _exchanged(one: Path, other: Path) -> bool:
    """Let two folders change names in one step; tell whether this system and its file system can."""
    library = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    try:
        if sys.platform == "darwin":
            return bool(library.renamex_np(*names, EXCHANGE) == 0)
        return bool(library.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], EXCHANGE) == 0)
    except AttributeError:
        return False


def _remove(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink()
    shutil.rmtree(folder, ignore_errors=True)


def _worth_reading(output: str, lang: str, *, failed: bool) -> str:
    """Keep the lines that an author can act on; all of them when the build broke down."""
    lines = output.splitlines()
    kept = [
        line for line in lines if line.startswith(("WARNING", "ERROR", "Aborted")) or " is missing: " in line
    ]
    if failed and not kept:
        kept = lines
    summary = [line.removeprefix("INFO    -  ") for line in lines if "Documentation built in" in line]
    return "".join(f"[{lang}] {line}\n" for line in kept + summary)


def main(argv: list[str] | None = None) -> int:
    """Build both languages of the site into site/."""
    parser = argparse.ArgumentParser(prog="python -m shimsite.build", description=main.__doc__)
    parser.add_argument("--no-strict", action="store_true", help="build in spite of warnings")
    parser.add_argument("--if-changed", action="store_true", help="do nothing when the site is up to date")
    options = parser.parse_args(argv)
    strict = not options.no_strict
    if options.if_changed and is_fresh(strict=strict):
        print("The site is up to date.")
        return 0
    return 0 if (ensure if options.if_changed else build)(strict=strict) else 1


if __name__ == "__main__":
    sys.exit(main())
