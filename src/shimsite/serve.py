"""Serve both languages on this machine, and build them again when an author saves a file.

`python -m shimsite.serve --port 8000`. Warnings are shown and do not stop it: --strict is for CI. It answers for this
machine's own names alone: a page of somebody else's whose name leads here (DNS rebinding) gets nothing.
"""

from __future__ import annotations

import argparse
import errno
import functools
import http.server
import io
import re
import sys
import threading
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from shimsite import build

HOST = "127.0.0.1"
#: What a browser on this machine calls it, with any port: one may have been forwarded.
LOCAL = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?", re.IGNORECASE | re.ASCII)
#: Seconds between two looks at the sources, and the most to wait until they have settled.
EVERY, AT_MOST = 0.4, 2.0

Look = tuple[tuple[str, int, int], ...]


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serve the site, with its own page for what is not there, and keep the log to failures."""

    # What a request that cannot be read leaves unset.
    path = command = ""
    allowed = ""

    def parse_request(self) -> bool:
        """Read the request, and refuse one that is not for this machine."""
        if not super().parse_request():
            return False
        hosts = self.headers.get_all("Host") or []
        if not hosts and self.request_version == "HTTP/1.1":
            self.send_error(HTTPStatus.BAD_REQUEST, "No Host is named")
            return False
        if not all(LOCAL.fullmatch(host.strip()) for host in hosts):
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "This site is for this machine alone")
            return False
        return True

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """Begin to answer; an address that no file can have is not there."""
        try:
            return super().send_head()
        except ValueError:
            self.send_error(HTTPStatus.NOT_FOUND)
            return None

    def list_directory(self, path: object) -> None:
        """List no folder: what has no page is not there."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def end_headers(self) -> None:
        """Forbid caching: an author wants to see what was just built."""
        self.send_header("Cache-Control", "no-store")
        if self.allowed:
            self.send_header("Allow", self.allowed)
        super().end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with the site's page, in the language of the address, where the file is missing."""
        if code == HTTPStatus.NOT_IMPLEMENTED:
            code, message, self.allowed = HTTPStatus.METHOD_NOT_ALLOWED, None, "GET, HEAD"
        page = self._not_found_page() if code == HTTPStatus.NOT_FOUND else None
        if page is None:
            super().send_error(code, message, explain)
            return
        body = page.read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _not_found_page(self) -> Path | None:
        first = self.path.lstrip("/").partition("/")[0]
        site = Path(self.directory)
        pages = [site / lang / "404.html" for lang in build.CONFIGS if lang == first] + [site / "404.html"]
        return next((page for page in pages if page.is_file()), None)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing about requests that went well."""

    def log_error(self, format: str, *args: object) -> None:
        """Say what could not be served."""
        print(": ".join(ascii(each)[1:-1][:200] for each in (self.path, format % args)), file=sys.stderr)


class Server(http.server.ThreadingHTTPServer):
    """A server that refuses a port someone else listens on, instead of sharing it."""

    # On Linux, address reuse lets a restart follow at once, and never takes a live listener's port.
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Leave a browser that hung up in mid-answer alone; tell about anything else."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def make_server(directory: Path, port: int) -> Server:
    """Open the port.

    Raises:
        OSError: the port is taken, or not ours to open.
    """
    return Server((HOST, port), functools.partial(Handler, directory=str(directory)))


def look(root: Path) -> Look:
    """Note name, time and size of every source. Looking works on every file system, mounted ones too."""
    seen = []
    for path in build.source_files(root):
        try:
            status = path.stat()
        except FileNotFoundError:  # gone since it was listed
            continue
        seen.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(seen)


def rebuild_on_change(root: Path, seen: Look, stop: threading.Event) -> None:
    """Build again after each change of a source, until told to stop; `seen` is what the site was built from."""
    while not stop.wait(EVERY):
        now = look(root)
        if now == seen:
            continue
        # An editor or a checkout writes several files: build when they have settled.
        for _ in range(round(AT_MOST / EVERY)):
            stop.wait(EVERY)
            before, now = now, look(root)
            if before == now:
                break
        seen = now
        print("Changed; building again.", flush=True)
        build.build(root, strict=False)


def main(argv: list[str] | None = None) -> int:
    """Build both languages, serve them on this machine, and build again on change. Ctrl-C ends it."""
    parser = argparse.ArgumentParser(prog="python -m shimsite.serve", description=main.__doc__)
    parser.add_argument("--port", type=int, default=8000, help="the port to listen on (8000)")
    options = parser.parse_args(argv)
    try:
        server = make_server(build.ROOT / build.SITE, options.port)
    except (OSError, OverflowError) as error:
        print(_port_answer(options.port, error), file=sys.stderr)
        return 1
    stop = threading.Event()
    try:
        seen = look(build.ROOT)
        if not build.is_fresh():
            build.build(strict=False)
        if not (build.ROOT / build.SITE / "en" / "index.html").is_file():
            print(
                "The site was not built.\nRead the errors above, mend them, and start again.", file=sys.stderr
            )
            return 1
        threading.Thread(target=rebuild_on_change, args=(build.ROOT, seen, stop), daemon=True).start()
        address = f"http://{HOST}:{server.server_port}"
        print(f"{address}/en/  {address}/zh/  (Ctrl-C ends it)", flush=True)
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    finally:
        stop.set()
        server.server_close()
    return 0


def _port_answer(port: int, error: Exception) -> str:
    """Say in two lines why a port cannot be used, and what to do."""
    other = f"Choose another one: ./run serve -- --port {port + 1 if 1024 <= port < 65535 else 8001}"
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken by another program.\n{other}, or end that program."
    if isinstance(error, OSError) and error.errno == errno.EACCES:
        return f"Port {port} is not open to your user.\n{other}."
    return f"Port {port} cannot be used: {error}.\n{other}."


if __name__ == "__main__":
    sys.exit(main())
