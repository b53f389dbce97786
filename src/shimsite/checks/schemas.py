"""JSON Schemas for editors, made of the models that read the files: `python -m shimsite.checks.schemas --update`.

Each file below facts/ names its own in its first lines, `# yaml-language-server: $schema=schemas/facts.json`.
"""

from __future__ import annotations

import argparse
import json
import posixpath
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from shimfacts import model, relations
from shimsite import build
from shimsite.tables import registry

FOLDER = "schemas"
_NAMED = re.compile(r"^# yaml-language-server: \$schema=(\S+)$", re.MULTILINE)


def made() -> dict[str, str]:
    """Make the schema of each kind of file, under its file name."""
    kinds: dict[str, Any] = {"facts": model.Facts, "relations": relations.Relations}
    kinds |= {Path(each.path).stem: each.schema for each in registry.kinds() if "*" not in each.path}
    found = {}
    for name, kind in kinds.items():
        schema = TypeAdapter(kind).json_schema(by_alias=True)
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
        found[f"{name}.json"] = json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
    return found


def of(path: str) -> str:
    """Name the schema of a file, both below the folder of facts."""
    folder, name = posixpath.split(path)
    own = folder or name in model.NOT_FACTS
    return f"{FOLDER}/{name.removesuffix('.yaml') if own else 'facts'}.json"


def problems(root: Path) -> Iterator[str]:
    """Tell which schemas are stale, and which files do not name theirs."""
    folder = root / "facts"
    for name, text in made().items():
        path = folder / FOLDER / name
        if not path.is_file() or path.read_text("utf-8") != text:
            yield f"facts/{FOLDER}/{name} is stale: python -m shimsite.checks.schemas --update"
    for path in sorted(folder.rglob("*.yaml")):
        uri = path.relative_to(folder).as_posix()
        wanted = posixpath.relpath(of(uri), posixpath.dirname(uri) or ".")
        if _NAMED.findall(path.read_text("utf-8")[:500]) != [wanted]:
            yield f"facts/{uri}:1: its first line is # yaml-language-server: $schema={wanted}"


def main(argv: list[str] | None = None) -> int:
    """Write the schemas, or tell which are stale."""
    parser = argparse.ArgumentParser(prog="python -m shimsite.checks.schemas", description=main.__doc__)
    parser.add_argument("--update", action="store_true", help=f"write facts/{FOLDER}")
    if parser.parse_args(argv).update:
        folder = build.ROOT / "facts" / FOLDER
        folder.mkdir(exist_ok=True)
        for name, text in made().items():
            (folder / name).write_text(text, "utf-8")
    found = list(problems(build.ROOT))
    for what in found:
        print(what, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
