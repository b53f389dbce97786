"""Checks of what authors write: snippets and notebooks, as they lie in the repository.

Each check is a function of the repository's root that tells what is wrong, a line each, with
file and line; tests/docs runs them on this repository and on small broken ones. Facts have a
module of their own: facts.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from shimfacts import proofs, snippets
from shimfacts.model import LANGUAGES
from shimfacts.notebooks import cells, notebook_files, recording_problems
from shimsite.languages import markdown_text

SHELL_FENCES = ("shell", "bash", "sh", "console", "zsh", "shell-session")
#: Folders whose every file is there to be shown; beside a script may lie what it prints.
SNIPPET_FOLDERS = ("shell", "manifests", "config", "python")
OUTPUT_SUFFIXES = (".out", ".err")
#: Folders of which a shell fence shows a script, or a section of one.
SCRIPT_FOLDERS = ("shell/", "scenarios/")


def pages(root: Path) -> list[Path]:
    """List the Markdown pages of both languages."""
    return [path for lang in LANGUAGES for path in sorted((root / "docs" / lang).rglob("*.md"))]


# ---- Snippets -------------------------------------------------------------------------------------


def snippet_problems(root: Path) -> Iterator[str]:
    """Tell which shell fences are no includes, which snippets no page includes, and what is wrong with scenarios."""
    included: dict[Path, list[snippets.Include]] = {}
    for page in pages(root):
        name, fence, is_include = page.relative_to(root), None, False
        for line in markdown_text.lines(page.read_text("utf-8")):
            found = snippets.include(line.text, line.number)
            if found:
                included.setdefault(page, []).append(found)
            if line.opens:
                fence, is_include = line, True
            elif line.closes and fence is not None:
                if _language(fence.fence) in SHELL_FENCES and not is_include:
                    yield (
                        f"{name}:{fence.number}: a shell fence holds nothing but an include of a file in "
                        f'snippets/shell, --8<-- "shell/NAME.sh", or of a section of a scenario, '
                        f'--8<-- "scenarios/NAME.sh:SECTION"'
                    )
                fence = None
            elif fence is not None and line.text.strip():
                is_include = is_include and found is not None and found.path.startswith(SCRIPT_FOLDERS)
    there = {each.path for found in included.values() for each in found}
    for folder in SNIPPET_FOLDERS:
        for path in sorted((root / "snippets" / folder).rglob("*")):
            uri = path.relative_to(root / "snippets").as_posix()
            is_output = path.suffix in OUTPUT_SUFFIXES and path.with_suffix(".sh").is_file()
            if path.is_file() and not is_output and uri not in there:
                yield f"snippets/{uri}: no page includes it"
    yield from _section_problems(root, included)
    for path in sorted((root / snippets.SCENARIOS).rglob("*")):
        if path.is_file():
            yield from _scenario_problems(root, path, included)


def _section_problems(root: Path, included: Mapping[Path, list[snippets.Include]]) -> Iterator[str]:
    """Tell which includes name a section that their file lacks, and which sections of a snippet no page includes."""
    shown: dict[str, set[str]] = {}
    for page, found in included.items():
        for each in found:
            shown.setdefault(each.path, set()).add(each.section)
            path = root / "snippets" / each.path
            if not path.is_file():
                yield f"{page.relative_to(root)}:{each.line}: there is no snippets/{each.path}"
            elif each.section and each.section not in _names(path):
                yield f"{page.relative_to(root)}:{each.line}: snippets/{each.path} has no section {each.section}"
    for uri, names in sorted(shown.items()):
        path = root / "snippets" / uri
        # A whole file shows its sections too; a scenario has rules of its own.
        if path.is_file() and "" not in names and not uri.startswith("scenarios/"):
            for name in _names(path):
                if name not in names:
                    yield f"snippets/{uri}: no page includes its section {name}"


def _names(path: Path) -> list[str]:
    try:
        return [each.name for each in snippets.sections(path)]
    except ValueError:
        return []


def _scenario_problems(
    root: Path, path: Path, included: Mapping[Path, list[snippets.Include]]
) -> Iterator[str]:
    """Tell what is wrong with a file among the scenarios, and with how pages show it."""
    uri, name = path.relative_to(root / "snippets").as_posix(), path.relative_to(root)
    if path.suffix == ".out" and path.with_suffix(".sh").is_file():
        return
    if path.suffix != ".sh":
        yield f"{name}: is neither a scenario, NAME.sh, nor the output of one, NAME.out"
        return
    try:
        scenario = snippets.scenario(path)
    except ValueError as error:
        yield str(error)
        return
    if not path.stat().st_mode & stat.S_IXUSR:
        yield f"{name}: cannot be executed; chmod +x"
    order = [each.name for each in scenario.sections]
    yield from _output_problems(name, scenario.expected, order)
    output = scenario.expected.relative_to(root / "snippets").as_posix()
    for lang in LANGUAGES:
        shown: set[str] = set()
        for page, found in included.items():
            if not page.is_relative_to(root / "docs" / lang):
                continue
            shown.update(each.section for each in found if each.path == uri)
            for file in (uri, output):
                yield from _order_problems(
                    page.relative_to(root),
                    [each for each in found if each.path == file and each.section],
                    order,
                )
            for each in found:
                if each.path in (uri, output) and each.section in set(order) - set(scenario.to_show):
                    yield (
                        f"{page.relative_to(root)}:{each.line}: shows the {each.section} of {name}; "
                        f"say `# shown: {each.section}` in its head if readers need it"
                    )
        for section in scenario.to_show:
            if section not in shown:
                yield f"{name}: no page in docs/{lang} includes its section {section}"


def _output_problems(name: Path, expected: Path, order: list[str]) -> Iterator[str]:
    """Tell for which sections of a scenario no output is recorded, and which are recorded for none."""
    recorded: list[str] = []
    if expected.is_file():
        try:
            recorded = [each.name for each in snippets.sections(expected)]
        except ValueError as error:
            yield str(error)
            return
    if recorded != order:
        yield (
            f"{name}: {expected.name} has the output of {', '.join(recorded) or 'no section'}, and not of "
            f"{', '.join(order)}; `./run snippets -- --update` records it"
        )


def _order_problems(page: Path, found: list[snippets.Include], order: list[str]) -> Iterator[str]:
    """Tell where a page shows sections in another order than that in which they run, or one twice."""
    known = [each for each in found if each.section in order]
    for before, after in pairwise(known):
        if order.index(after.section) <= order.index(before.section):
            yield (
                f"{page}:{after.line}: {after.path} shows {after.section} after {before.section}, but runs "
                f"{', '.join(order)}"
            )


def _language(info: str | None) -> str:
    """Read the language from a fence's info string, ``shell title="x"`` or `{.shell}`."""
    words = re.split(r"[\s{}]+", (info or "").strip("{} "))
    return words[0].lstrip(".").lower() if words else ""


# ---- Notebooks ------------------------------------------------------------------------------------


def notebook_problems(root: Path) -> Iterator[str]:
    """Tell which cells were never recorded, or not as they are now, or are kept from being checked."""
    for path in notebook_files(root):
        yield from recording_problems(path)
        for problem in proofs.recording_problems(path):
            yield f"notebooks/{path.name}: {problem}"


def unchecked_cells(root: Path) -> dict[str, str]:
    """List the cells whose output nbval does not compare, with the reason for each."""
    found = {}
    for path in notebook_files(root):
        for number, cell in enumerate(cells(path), 1):
            if {"nbval-ignore-output", "nbval-skip"} & set(cell.metadata.get("tags", [])):
                found[f"{path.name}, cell {number}"] = str(cell.metadata.get("reason", ""))
    return found
