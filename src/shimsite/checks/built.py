"""Check a built site by its files: every link and anchor, every id, everything a page loads.

Only the standard library and the CSS tokenizer that the lock file has anyway; about a second
for the whole site. `python -m shimsite.checks.built site` prints what it finds.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import tinycss2  # type: ignore[import-untyped]

#: Attributes whose address a browser fetches without being asked.
_LOADED = ("src", "srcset", "poster", "data", "background")
#: `link` elements that a browser follows; canonical and alternate ones are only statements.
_LOADED_LINKS = {
    "stylesheet",
    "icon",
    "shortcut",
    "preload",
    "prefetch",
    "preconnect",
    "manifest",
    "modulepreload",
}
_CSS_IMPORT = "import"
_JS_IMPORT = re.compile(
    r"""(?:\bimport\s*\(?|\bfrom|\bimportScripts\s*\(|\bfetch\s*\()\s*["'](https?:)?//([^"'/]+)"""
)


@dataclass
class Html(HTMLParser):
    """The ids, links and loaded addresses of one page."""

    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start the parser."""
        super().__init__()
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag names, links to and loads."""
        values = {name: value or "" for name, value in attrs}
        if values.get("id"):
            self.ids.append(values["id"])
        if tag == "a" and values.get("name") and not values.get("id"):
            self.ids.append(values["name"])
        if tag in ("a", "area") and "href" in values:
            self.links.append(values["href"])
        if tag == "link" and _LOADED_LINKS & set(values.get("rel", "").split()):
            self.loads.append(values.get("href", ""))
        if tag in ("use", "image") and (address := values.get("href") or values.get("xlink:href")):
            self.loads.append(address)
        for name in _LOADED:
            if name in values:
                self.loads += _addresses(name, values[name])
        if "style" in values:
            self.styles.append(f"x{{{values['style']}}}")
        self._inside = tag if tag in ("style", "script") else ""

    def handle_endtag(self, tag: str) -> None:
        """Leave a style or script."""
        self._inside = ""

    def handle_data(self, data: str) -> None:
        """Keep the text of styles and scripts."""
        if self._inside == "style":
            self.styles.append(data)
        elif self._inside == "script":
            self.scripts.append(data)


def _addresses(name: str, value: str) -> list[str]:
    """Read the addresses of an attribute; srcset holds several."""
    if name != "srcset":
        return [value]
    return [part.split()[0] for part in value.split(",") if part.strip()]


def css_addresses(css: str) -> Iterator[str]:
    """Find every address a style sheet loads, by url() or @import."""
    # Material's style sheets inline their icons, half a megabyte of data: addresses. They load
    # nothing, and the tokenizer is slow: it sees them only when there is anything else.
    slim = re.sub(r"""url\(\s*(["']?)data:[^)]*?\1\)""", "none", css)
    if "url(" not in slim.lower() and "@import" not in slim.lower():
        return
    todo = tinycss2.parse_component_value_list(slim)
    after_import = False
    while todo:
        token = todo.pop(0)
        if token.type == "url" or (token.type == "string" and after_import):
            yield token.value
        if token.type == "function" and token.lower_name == "url":
            yield from (argument.value for argument in token.arguments if argument.type == "string")
        elif token.type == "function":
            todo = [*token.arguments, *todo]
        elif token.type in ("{} block", "() block", "[] block"):
            todo = [*token.content, *todo]
        if token.type != "whitespace":
            after_import = token.type == "at-keyword" and token.lower_value == _CSS_IMPORT


def is_elsewhere(address: str) -> bool:
    """Tell whether an address is on another host."""
    parts = urlsplit(address.strip())
    return bool(parts.netloc) or parts.scheme in ("http", "https", "ws", "wss", "ftp")


class Site:
    """A folder of built pages, as a web server would serve it."""

    def __init__(self, folder: Path, base: str = "/") -> None:
        """Read every page below `folder`, which the server serves at `base`."""
        self.folder = folder.resolve()
        self.base = base
        self.pages: dict[Path, Html] = {}
        for path in sorted(self.folder.rglob("*.html")):
            page = Html()
            page.feed(path.read_text("utf-8"))
            page.close()
            self.pages[path] = page

    def problems(self) -> list[str]:
        """Tell all that is wrong, a line each."""
        return [*self.dead_links(), *self.duplicate_ids(), *self.foreign_loads()]

    def dead_links(self) -> Iterator[str]:
        """Tell which links, and which loaded files, lead nowhere."""
        for path, page in self.pages.items():
            for address in [*page.links, *page.loads]:
                parts = urlsplit(address.strip())
                if not address.strip():
                    yield f"{self._name(path)}: an empty address"
                elif not parts.scheme and not parts.netloc:
                    yield from self._dead(path, address, parts.path, unquote(parts.fragment))

    def _dead(self, path: Path, address: str, target_path: str, fragment: str) -> Iterator[str]:
        target = self._target(path, unquote(target_path))
        if target is None or not target.is_file():
            yield f"{self._name(path)}: '{address}' leads nowhere"
        elif fragment and target in self.pages and fragment not in self.pages[target].ids:
            yield f"{self._name(path)}: '{address}': {self._name(target)} has no '#{fragment}'"

    def _target(self, page: Path, address: str) -> Path | None:
        """Find the file that a server would answer with, or None for one outside the site."""
        if not address:
            return page
        if address.startswith("/"):
            if not address.startswith(self.base):
                return None
            target = self.folder / address.removeprefix(self.base)
        else:
            target = page.parent / address
        target = target.resolve()
        if target != self.folder and self.folder not in target.parents:
            return None
        return target / "index.html" if target.is_dir() else target

    def duplicate_ids(self) -> Iterator[str]:
        """Tell which ids a page uses more than once."""
        for path, page in self.pages.items():
            for name, count in Counter(page.ids).items():
                if count > 1:
                    yield f"{self._name(path)}: the id '{name}' stands {count} times"

    def foreign_loads(self) -> Iterator[str]:
        """Tell what a page, style sheet or script would fetch from another host."""
        for path, page in self.pages.items():
            addresses = [*page.loads, *(a for css in page.styles for a in css_addresses(css))]
            yield from (f"{self._name(path)}: loads '{a}'" for a in addresses if is_elsewhere(a))
            for script in page.scripts:
                yield from self._foreign_script(path, script)
        for path in sorted(self.folder.rglob("*.css")):
            for address in css_addresses(path.read_text("utf-8")):
                if is_elsewhere(address):
                    yield f"{self._name(path)}: loads '{address}'"
        for path in sorted(self.folder.rglob("*.js")):
            yield from self._foreign_script(path, path.read_text("utf-8"))

    def _foreign_script(self, path: Path, script: str) -> Iterator[str]:
        for scheme, host in _JS_IMPORT.findall(script):
            yield f"{self._name(path)}: its script loads from '{scheme}//{host}'"

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()


def main(argv: list[str] | None = None) -> int:
    """Check the site in a folder and print what is wrong with it."""
    arguments = sys.argv[1:] if argv is None else argv
    site = Site(Path(arguments[0] if arguments else "site"))
    problems = site.problems() if site.pages else [f"{site.folder}: holds no page; build the site first"]
    print("\n".join(problems) or f"{len(site.pages)} pages, nothing wrong")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
