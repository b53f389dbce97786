"""Lay out the notebooks for Jupyter: a copy for each language, as the site offers it, and the source beside them.

`python -m shimsite.notebooks.copies FOLDER`. The source holds both languages and references to facts; a reader
wants one language and the facts themselves. A copy that the reader has changed stays as it is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

from shimsite import build

LEDGER = ".copied.json"
SOURCE = "source"


def lay_out(folder: Path, root: Path = build.ROOT) -> list[Path]:
    """Copy the built site's notebooks into FOLDER/en and FOLDER/zh; return the copies left alone as changed.

    Raises:
        FileNotFoundError: the site has no notebooks, so it was not built.
    """
    built = {
        Path(lang, notebook.name): notebook
        for lang in build.CONFIGS
        for notebook in sorted((root / "site" / lang / "labs").glob("*/*.ipynb"))
    }
    if not built:
        raise FileNotFoundError(f"{root / 'site'} has no notebooks; build the site first")
    folder.mkdir(parents=True, exist_ok=True)
    ledger = folder / LEDGER
    ours: dict[str, str] = json.loads(ledger.read_text("utf-8")) if ledger.is_file() else {}
    changed = []
    for name, notebook in built.items():
        copy = folder / name
        if copy.is_file() and _hash(copy.read_bytes()) != ours.get(str(name)):
            changed.append(copy)
            continue
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(notebook.read_bytes())
        ours[str(name)] = _hash(copy.read_bytes())
    ledger.write_text(json.dumps(ours, indent=1), "utf-8")
    source = folder / SOURCE
    if not source.is_symlink():
        source.symlink_to(root / "notebooks")
    return changed


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main(argv: list[str] | None = None) -> int:
    """Build the site if it changed, and lay out its notebooks."""
    parser = argparse.ArgumentParser(prog="python -m shimsite.notebooks.copies", description=main.__doc__)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(argv)
    if not build.is_fresh() and not build.build(strict=False):
        return 1
    for copy in lay_out(options.folder):
        print(f"{copy} was changed here and stays as it is; remove it to get the recorded one")
    return 0


if __name__ == "__main__":
    sys.exit(main())
