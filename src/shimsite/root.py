"""The root of the site, above the languages: the way in, the page for what is not there, robots.txt.

Each build writes these files beside its own folder; both write the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from string import Template
from urllib.parse import urlsplit, urlunsplit

_TEMPLATES = Path(__file__).parent / "root_files"


def write(site_dir: Path, site_url: str) -> list[Path]:
    """Write index.html, 404.html and robots.txt into the folder above a language's site.

    Raises:
        ValueError: the address of the site does not end in the language's folder.
    """
    parts = urlsplit(site_url)
    base, _, lang = parts.path.rstrip("/").rpartition("/")
    if lang != site_dir.name:
        raise ValueError(f"site_url ends in '{lang}', but the site is built into '{site_dir.name}'")
    values = {"base": f"{base}/", "url": urlunsplit((parts.scheme, parts.netloc, f"{base}/", "", ""))}
    written = []
    for template in sorted(_TEMPLATES.iterdir()):
        target = site_dir.parent / template.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(Template(template.read_text("utf-8")).substitute(values), "utf-8")
        written.append(target)
    return written
