"""Pages that are not translated yet: the English page under a notice, instead of a dead link.

The parity check makes a missing translation an error; this keeps the site whole for authors
who build it in between.
"""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

NOTICE = (
    '<div class="admonition note untranslated"><p class="admonition-title">本页尚未翻译</p>'
    "<p>下面是英文原文。</p></div>\n"
)


def add_missing(files: Files, config: MkDocsConfig, english: Path) -> list[str]:
    """Add the English page for each page that this language lacks; tell which ones."""
    missing = []
    for path in sorted(english.rglob("*.md")):
        uri = path.relative_to(english).as_posix()
        if files.get_file_from_path(uri) is None:
            files.append(File.generated(config, uri, abs_src_path=str(path)))
            missing.append(uri)
    return missing


def under_notice(html: str) -> str:
    """Put the notice above an English page and say that what follows is English."""
    return f'{NOTICE}<div lang="en">\n{html}\n</div>'
