"""A small server that speaks the Hub's protocol for models, on the file server of these tests."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit


@dataclass
class ModelsHub:
    """What it holds."""

    address: str = ""
    models: dict[str, dict[str, dict[str, bytes]]] = field(default_factory=dict)
    """By repository and commit the files; the last commit is `main`."""
    gated: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def commit(self, repository: str, revision: str) -> str:
        """The commit of a revision; empty where there is none."""
        commits = self.models.get(repository, {})
        return list(commits)[-1] if revision == "main" and commits else revision if revision in commits else ""


def _handler(hub: ModelsHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _answer(self) -> None:
            parts = [unquote(part) for part in urlsplit(self.path).path.split("/")[1:]]
            hub.asked.append(f"{self.command} {'/'.join(parts)}")
            if parts[:2] == ["api", "models"]:
                self._about("/".join(parts[2:4]), parts[4:])
            else:
                self._file("/".join(parts[:2]), parts[3], "/".join(parts[4:]))

        def _about(self, repository: str, rest: list[str]) -> None:
            commit = hub.commit(repository, rest[1] if len(rest) > 1 else "main")
            if repository not in hub.models:
                self._send(404, b"", [("X-Error-Code", "RepoNotFound")])
            elif not commit:
                self._send(404, b"", [("X-Error-Code", "RevisionNotFound")])
            else:
                found = hub.models[repository][commit]
                if rest[:1] == ["tree"]:
                    entries: Any = [
                        {"type": "file", "path": path, "size": len(data), "oid": sha256(data).hexdigest()[:40]}
                        for path, data in found.items()
                    ]
                else:
                    siblings = [{"rfilename": path} for path in found]
                    entries = {
                        "id": repository,
                        "sha": commit,
                        "siblings": siblings,
                        "private": False,
                        "gated": False,
                        "tags": [],
                        "downloads": 0,
                    }
                self._send(200, json.dumps(entries).encode(), [("Content-Type", "application/json")])

        def _file(self, repository: str, revision: str, path: str) -> None:
            commit = hub.commit(repository, revision)
            found = hub.models.get(repository, {}).get(commit, {})
            if repository in hub.gated:
                self._send(403, b"", [("X-Error-Code", "GatedRepo")])
            elif not commit:
                self._send(404, b"", [("X-Error-Code", "RevisionNotFound")])
            elif path not in found:
                self._send(404, b"", [("X-Error-Code", "EntryNotFound")])
            else:
                data = found[path]
                headers = [("X-Repo-Commit", commit), ("ETag", f'"{sha256(data).hexdigest()[:40]}"'), ("Accept-Ranges", "bytes")]
                wanted = self.headers.get("Range", "")
                begin = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted else 0
                if begin:
                    headers.append(("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}"))
                self._send(206 if begin else 200, data[begin:], headers)

        def _send(self, status: int, data: bytes, headers: list[tuple[str, str]]) -> None:
            self.send_response(status)
            for name, value in [*headers, ("Content-Length", str(len(data)))]:
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            return

    return Handler


@contextmanager
def serving(hub: ModelsHub) -> Iterator[ModelsHub]:
    """Serve on a free port of 127.0.0.1 while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
