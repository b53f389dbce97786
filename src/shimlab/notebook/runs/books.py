"""The notebooks of the repository, and what one must look like before it is worth running.

That every cell was executed, in order and without failing, is checked for the site as well: shimfacts.notebooks.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

from shimfacts.notebooks import recording_problems
from shimlab.paths import repository

ROOT = repository()
FOLDER = ROOT / "notebooks"
SANITIZE = Path(__file__).with_name("sanitize.cfg")
#: The tag of the cell that puts everything back; it runs even when a cell before it failed.
CLEANUP = "cleanup"
#: What every recorded notebook says about itself, whoever recorded it.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "pygments_lexer": "ipython3",
    },
}
STRICT_SHELL = "set -euo pipefail"
#: Ways for a child to write past the kernel's own streams, which a recording misses.
_UNSEEN = {"os.system", "subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.Popen"}


def paths(pattern: str = "") -> list[Path]:
    """List the notebooks whose name contains ``pattern``, in reading order."""
    return [path for path in sorted(FOLDER.glob("*.ipynb")) if pattern in path.name]


def read(path: Path) -> Any:  # noqa: ANN401 - nbformat has no types
    """Read a notebook."""
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def faults(path: Path) -> list[str]:
    """Say what nbval would let pass although nothing was proved, and what makes outputs unstable."""
    return [*recording_problems(path), *(f"{path.name}: {fault}" for fault in risks(read(path)))]


def risks(notebook: Any) -> list[str]:  # noqa: ANN401
    """Say which cells of a whole notebook may pass without proving something, or leave something behind."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    found = [
        f"code cell {number} {risk}" for number, cell in enumerate(code, 1) for risk in _cell_risks(cell)
    ]
    if not code or CLEANUP not in code[-1].metadata.get("tags", []):
        found.append(f"the last code cell puts everything back and is tagged {CLEANUP!r}")
    return found


def _cell_risks(cell: Any) -> Iterator[str]:  # noqa: ANN401
    if any(output.get("name") == "stderr" for output in cell.outputs):
        yield "wrote to stderr"
    if cell.source.startswith("%%bash"):
        if cell.source.splitlines()[1:2] != [STRICT_SHELL]:
            yield f"does not begin with `{STRICT_SHELL}`, so only its last command can fail"
    else:
        yield from _python_risks(cell.source)


def _python_risks(source: str) -> Iterator[str]:
    if re.search(r"^\s*[!%]", source, re.MULTILINE):
        yield "uses `!` or a magic, which pass when the command fails: use the library or %%bash"
        return
    for each in ast.walk(ast.parse(source)):
        if isinstance(each, ast.Call) and ast.unparse(each.func) in _UNSEEN:
            yield f"calls {ast.unparse(each.func)}: its output is not seen in every recording"
