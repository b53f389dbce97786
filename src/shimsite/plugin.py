"""What MkDocs calls, in the order in which it calls it. The work is done in the other modules."""

from __future__ import annotations

import logging
import sys
from html import escape
from pathlib import Path
from typing import Any

# MkDocs loads this file by its path: put the folder of the packages on the path.
if (_src := str(Path(__file__).parents[1])) not in sys.path:
    sys.path.insert(0, _src)

import nbformat
from bs4 import BeautifulSoup
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from shimfacts import model
from shimsite import build, references, root
from shimsite.compact import compact
from shimsite.languages import fallback
from shimsite.notebooks import html as notebook_html
from shimsite.notebooks import rendered, split
from shimsite.search import index, rows
from shimsite.tables import data
from shimsite.tables.search import Search

log = logging.getLogger("mkdocs.hooks.shimlab")

_data: list[data.Data] = []
_split: dict[str, split.SplitNotebook] = {}
_untranslated: set[str] = set()
_sources: list[str] = []
_rows: dict[str, list[rows.Row]] = {}


def _repository(config: MkDocsConfig) -> Path:
    return Path(config.config_file_path).parent


def _language(config: MkDocsConfig) -> str:
    return str(config.theme["language"])


def _warn(where: str) -> Any:  # noqa: ANN401
    return lambda what: log.warning("%s: %s", where, what)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Read the data before any page; what is wrong with it stops the build."""
    # Taken before anything is read: what changes while the build runs makes it stale.
    _sources[:] = [build.fingerprint(_repository(config))]
    complaints: list[str] = []
    _data[:] = [data.load(_repository(config), complaints.append)]
    # What could not be read is missing elsewhere, and would be told of there once more.
    for complaint in complaints or _data[0].problems():
        log.error("%s", complaint)
    rendered.keep(_repository(config), _language(config), config.plugins["mkdocs-jupyter"].config)
    return config


@event_priority(100)  # before mkdocs-jupyter, which wraps the notebooks that it finds
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the notebooks of this language, and English pages where a translation is missing."""
    repository, lang = _repository(config), _language(config)
    cache = repository / ".cache" / "notebooks" / lang
    _split.clear()
    _rows.clear()
    for source in sorted((repository / "notebooks").glob("*.ipynb")):
        notebook = split.split(source, lang)
        warn = _warn(f"notebooks/{source.name}")
        node = split.portable(
            notebook,
            lang,
            str(config.site_url),
            lambda text: references.render(text, _data[0].facts, lang, lambda _: None, plain=True),
            lambda _: None,
        )
        _write_if_changed(cache / notebook.uri, nbformat.writes(node))  # type: ignore[no-untyped-call]
        _split[notebook.uri] = notebook
        if files.get_file_from_path(notebook.uri) is None:
            files.append(
                File(
                    notebook.uri,
                    src_dir=str(cache),
                    dest_dir=config.site_dir,
                    use_directory_urls=config.use_directory_urls,
                )
            )
        else:
            warn("a file of this name is among the pages already")
    _untranslated.clear()
    if lang != model.LANGUAGES[0]:
        _untranslated.update(fallback.add_missing(files, config, repository / "docs" / model.LANGUAGES[0]))
        for uri in sorted(_untranslated):
            log.info("docs/%s/%s is missing: its English page takes its place", lang, uri)
    return files


def _write_if_changed(path: Path, text: str) -> None:
    """Write a file only when that changes it, so that watching builds do not chase themselves."""
    if not path.exists() or path.read_text("utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


@event_priority(50)
def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Write notebooks as Markdown, and put the facts into every page and its description."""
    uri, lang = page.file.src_uri, _language(config)
    if uri in _untranslated:
        lang = model.LANGUAGES[0]
    warn = _warn(uri)
    if uri in _split:
        notebook = _split[uri]
        markdown = split.compose(notebook, lang, warn)
        page.meta["notebook"] = notebook.source.name
    markdown = _data[0].fill(markdown, lang, uri, _title, warn)
    if page.meta.get("description"):
        page.meta["description"] = references.render_bare(
            str(page.meta["description"]), _data[0].facts, lang, warn
        )
    return markdown


def _title(name: str) -> str:
    """Give the title of a notebook in the language of this site, or its name where there is no such notebook."""
    notebook = _split.get(f"{split.SECTION}/{name}")
    return split.title(notebook) if notebook else name


@event_priority(50)
def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Render a notebook's prose as MkDocs renders pages, and put its cleaned code cells into it."""
    uri = page.file.src_uri
    if uri in _split:
        # mkdocs-jupyter replaced render() of this page; the class still has MkDocs' own, which
        # also finds the title, the outline and the links and anchors that --strict checks.
        Page.render(page, config, files)
        html = notebook_html.fill(page.content or "", notebook_html.code_cells(html))
        page.edit_url = None
    if uri in _untranslated:
        html = fallback.under_notice(html)
    # The template puts it into an attribute as it is.
    page.meta["description"] = escape(page.meta.get("description") or _first_words(html))
    html, _rows[page.url] = rows.split(html)
    return html


def _first_words(html: str, most: int = 160) -> str:
    """Take a page's description from its first paragraph, cut at a word."""
    soup = BeautifulSoup(html, "html.parser")
    for paragraph in soup.find_all("p"):
        text = " ".join(paragraph.get_text().split())
        if text and not paragraph.find_parent(class_="admonition"):
            return text if len(text) <= most else text[:most].rsplit(" ", 1)[0].rstrip(",;:，；：、") + "…"
    return ""


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Leave out white space that nobody sees."""
    return compact(output)


@event_priority(-100)  # after the theme's plugin has written the index
def on_post_build(config: MkDocsConfig) -> None:
    """Finish the index of the search, write what stands above both languages, and note what this was built from."""
    leads = _data[0].table(Search).rows
    index.finish(Path(config.site_dir), _language(config), _rows, leads, log.warning)
    try:
        root.write(Path(config.site_dir), str(config.site_url))
    except ValueError as error:
        log.warning("%s", error)
    build.stamp(
        _repository(config),
        _language(config),
        _sources[0],
        strict=bool(config.strict),
        site=Path(config.site_dir).parent,
    )
