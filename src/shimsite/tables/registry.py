"""The tables that there are: each module of this package that declares one."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache
from pathlib import Path

from shimsite.tables.table import Table


def kinds(folder: Path | None = None, package: str = __package__ or "") -> tuple[type[Table], ...]:
    """Find every table of a package; the folder of this module is that of the site's tables."""
    return _kinds(folder or Path(__file__).parent, package)


@cache
def _kinds(folder: Path, package: str) -> tuple[type[Table], ...]:
    found: list[type[Table]] = []
    for name in sorted(each.name for each in pkgutil.iter_modules([str(folder)])):
        if f"{package}.{name}" == __name__:
            continue
        module = importlib.import_module(f"{package}.{name}")
        found += [
            each
            for each in vars(module).values()
            if inspect.isclass(each)
            and issubclass(each, Table)
            and each.__module__ == module.__name__
            and hasattr(each, "path")
        ]
    return tuple(found)
