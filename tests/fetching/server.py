"""A file server on this machine with range requests, and with the troubles of a real one on demand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep
from typing import Any


@dataclass
class Files:
    """What the server holds, and how it misbehaves."""

    address: str = ""
    content: dict[str, bytes] = field(default_factory=dict)
    """By path."""
    status: dict[str, int] = field(default_factory=dict)
    """By path an answer in place of the file."""
    troubles: list[str] = field(default_factory=list)
    """For the next requests: `cut` (the connection ends half-way), `503`, `whole` (ranges are not honoured), or `` (none)."""
    redirects: dict[str, str] = field(default_factory=dict)
    pause: float = 0.0
    """Seconds between two pieces of 64 kB."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Path and `Range` of every request."""
    sent: int = 0


def _handler(files: Files) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            files.asked.append((self.path, wanted))
            trouble = files.troubles.pop(0) if files.troubles else ""
            status = 503 if trouble == "503" else files.status.get(self.path, 200 if self.path in files.content else 404)
            if self.path in files.redirects:
                self._plain(302, [("Location", files.redirects[self.path])])
            elif status != 200:
                self._plain(status, [])
            else:
                self._file(files.content[self.path], "" if trouble == "whole" else wanted, trouble == "cut")

        def _plain(self, status: int, headers: list[tuple[str, str]]) -> None:
            self.send_response(status)
            for name, value in [*headers, ("Content-Length", "0")]:
                self.send_header(name, value)
            self.end_headers()

        def _file(self, data: bytes, wanted: str, cut: bool) -> None:
            tag = f'"{sha256(data).hexdigest()[:16]}"'
            begin = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            if begin and self.headers.get("If-Range", tag) != tag:
                begin = 0
            if begin >= len(data) > 0:
                self._plain(416, [])
                return
            self.send_response(206 if begin else 200)
            self.send_header("ETag", tag)
            self.send_header("Content-Length", str(len(data) - begin))
            if begin:
                self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
            self.end_headers()
            rest = data[begin:]
            for place in range(0, len(rest) // 2 if cut else len(rest), 1 << 16):
                piece = rest[place : place + (1 << 16)]
                self.wfile.write(piece)
                files.sent += len(piece)
                sleep(files.pause)
            if cut:
                self.close_connection = True

        def handle(self) -> None:
            try:
                super().handle()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            return

    return Handler


@contextmanager
def serving(files: Files | None = None) -> Iterator[Files]:
    """Serve on a free port of 127.0.0.1 while the block runs."""
    held = files or Files()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(held))
    server.daemon_threads = True
    held.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
