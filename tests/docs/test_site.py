"""The built site, file by file: nothing dead, nothing twice, nothing from another host, nothing big."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shimsite import build
from shimsite import root as site_root
from shimsite.checks import content
from shimsite.checks.built import Site, css_addresses
from shimsite.notebooks import split

#: Bytes of HTML that a notebook's page may have.
NOTEBOOK_PAGE = 60_000


def test_nothing_is_wrong_with_the_site(site: Path) -> None:
    checked = Site(site)
    assert len(checked.pages) > 8
    problems = checked.problems()
    assert not problems, "\n".join(problems)


def test_each_language_has_every_page(site: Path, root: Path) -> None:
    expected = {path.stem for path in content.notebook_files(root)}
    for lang in build.CONFIGS:
        pages = {p.relative_to(site / lang).as_posix() for p in (site / lang).rglob("index.html")}
        assert {f"{split.SECTION}/{name}/index.html" for name in expected} <= pages
        for path in (root / "docs" / "en").rglob("*.md"):
            uri = path.relative_to(root / "docs" / "en")
            folder = uri.parent if uri.stem == "index" else uri.with_suffix("")
            assert (folder / "index.html").as_posix() in pages
    assert _tree(site / "en") == _tree(site / "zh")


def _tree(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.html")}


def test_no_page_is_a_fallback(site: Path) -> None:
    untranslated = [
        p for p in (site / "zh").rglob("*.html") if 'class="admonition note untranslated"' in p.read_text()
    ]
    assert untranslated == []


def test_notebook_pages_are_small_and_rendered(site: Path) -> None:
    pages = [p for lang in build.CONFIGS for p in (site / lang / split.SECTION).rglob("index.html")]
    assert pages
    for path in pages:
        html = path.read_text("utf-8")
        size = len(html.encode())
        assert size <= NOTEBOOK_PAGE, f"{path.relative_to(site)}: {size} bytes"
        assert re.search(r'<div class="nb-cell" id="cell-[\w-]+"><div class="highlight">', html)
        assert "jp-Cell" not in html
        assert '"cell_type"' not in html
        assert "data-cell=" not in html
        assert list(path.parent.glob("*.ipynb"))


def test_each_page_names_its_language_address_and_content(site: Path) -> None:
    for lang in build.CONFIGS:
        addresses = re.findall(r"<loc>([^<]+)</loc>", (site / lang / "sitemap.xml").read_text("utf-8"))
        seen = set()
        for path in (site / lang).rglob("index.html"):
            html = path.read_text("utf-8")
            assert f'<html lang="{lang}"' in html
            canonical = re.findall(r'<link rel="canonical" href="([^"]+)"', html)
            assert canonical == [f"https://dockershim.example/{path.parent.relative_to(site)}/"]
            assert canonical[0] in addresses
            description = re.findall(r'<meta name="description" content="([^"]+)"', html)
            assert len(description) == 1
            assert "{{" not in description[0]
            seen.add(description[0])
        assert len(seen) == len(addresses), "two pages have the same description"


def test_sitemaps_name_the_other_language_of_each_page(site: Path) -> None:
    for lang in build.CONFIGS:
        sitemap = (site / lang / "sitemap.xml").read_text("utf-8")
        for _, address in re.findall(r'hreflang="(en|zh)" href="([^"]+)"', sitemap):
            assert (site / urlsplit(address).path.lstrip("/") / "index.html").is_file()


# ---- The checker itself, on small bad pages ---------------------------------------------------------


def check(folder: Path, html: str, **files: str) -> list[str]:
    (folder / "index.html").write_text(html, "utf-8")
    (folder / "other").mkdir()
    (folder / "other" / "index.html").write_text('<h1 id="there">x</h1><a name="old">y</a>', "utf-8")
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, "utf-8")
    return Site(folder).problems()


@pytest.mark.parametrize(
    "html",
    [
        '<a href="other/#there">x</a><a href="other/index.html#old">x</a><a href="/other/">x</a>',
        '<a href="https://example.org/">elsewhere, but only if clicked</a><a href="mailto:a@example.org">x</a>',
        '<p id="a"></p><a href="#a">x</a><a href="?q=1#a">x</a>',
        '<link rel="canonical" href="https://example.org/"><link rel="alternate" href="https://example.org/">',
        '<img src="data:image/png;base64,AAAA" alt=""><script>const ns = "http://www.w3.org/2000/svg"</script>',
        '<style>a{background:url("data:image/svg+xml,<svg/>")}</style>',
    ],
)
def test_the_checker_accepts(tmp_path: Path, html: str) -> None:
    assert check(tmp_path, html) == []


@pytest.mark.parametrize(
    ("html", "complaint"),
    [
        ('<a href="missing/">x</a>', "'missing/' leads nowhere"),
        ('<a href="../../etc/passwd">x</a>', "leads nowhere"),
        ('<a href="">x</a>', "an empty address"),
        ('<a href="other/#gone">x</a>', "other/index.html has no '#gone'"),
        ('<a href="#gone">x</a>', "index.html has no '#gone'"),
        ('<a href="other/#%E5%BC%83">x</a>', "has no '#弃'"),
        ('<p id="a"></p><p id="a"></p>', "the id 'a' stands 2 times"),
        ('<script src="https://example.org/x.js"></script>', "loads 'https://example.org/x.js'"),
        ('<script src="//example.org/x.js"></script>', "loads '//example.org/x.js'"),
        ('<script src=""></script>', "an empty address"),
        ('<script src="gone.js"></script>', "'gone.js' leads nowhere"),
        ('<img srcset="https://example.org/x.png 2x" alt="">', "loads 'https://example.org/x.png'"),
        ('<link rel="stylesheet" href="https://example.org/x.css">', "loads 'https://example.org/x.css'"),
        ('<link rel="preconnect" href="https://example.org">', "loads 'https://example.org'"),
        ('<iframe src="https://example.org"></iframe>', "loads 'https://example.org'"),
        ('<style>@import "https://example.org/x.css";</style>', "loads 'https://example.org/x.css'"),
        ('<p style="background: url(https://example.org/x.png)">', "loads 'https://example.org/x.png'"),
        (
            '<script type="module">import x from "https://example.org/x.js"</script>',
            "loads from 'https://example.org'",
        ),
        ('<script>import("//example.org/x.js")</script>', "loads from '//example.org'"),
        ("<script>fetch('https://example.org/')</script>", "loads from 'https://example.org'"),
    ],
)
def test_the_checker_finds(tmp_path: Path, html: str, complaint: str) -> None:
    found = check(tmp_path, html)
    assert any(complaint in problem for problem in found), found


def test_the_checker_reads_style_sheets_and_scripts(tmp_path: Path) -> None:
    found = check(
        tmp_path,
        "",
        a_css="@media print { a { src: url('https://example.org/f.woff2') } }",
        b_js='importScripts("https://example.org/w.js")',
    )
    assert found == [
        "a.css: loads 'https://example.org/f.woff2'",
        "b.js: its script loads from 'https://example.org'",
    ]


def test_addresses_in_style_sheets() -> None:
    css = "@import url(a.css);@import 'b.css' print;x{y:image-set(url(\"c.png\") 1x);z:'no'}/* url(no) */"
    assert list(css_addresses(css)) == ["a.css", "b.css", "c.png"]


def test_the_root_refuses_an_address_of_another_language(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="site_url ends in 'zh', but the site is built into 'en'"):
        site_root.write(tmp_path / "en", "https://example.org/zh/")
    written = site_root.write(tmp_path / "en", "https://example.org/deep/en/")
    assert {path.name for path in written} == {"index.html", "404.html", "robots.txt"}
    assert 'href="/deep/zh/"' in (tmp_path / "404.html").read_text("utf-8")
