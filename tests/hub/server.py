"""A small server that speaks the Hub's protocol for data sets, with the troubles of a real one on demand."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse


@dataclass
class Hub:
    """What the server holds."""

    address: str = ""
    commits: dict[str, list[tuple[str, dict[str, bytes]]]] = field(default_factory=dict)
    """By data set, each state with its files."""
    troubles: deque[str] = field(default_factory=deque)
    """What happens to the next commits: `ok`, `503`, `cut before`, `cut after`, or `other first` (somebody else's commit lands)."""
    traffic: dict[str, bytearray] = field(default_factory=dict)
    """By data set every byte that came and went."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def head(self, name: str) -> tuple[str, dict[str, bytes]]:
        return self.commits[name][-1]

    def at(self, name: str, revision: str) -> dict[str, bytes] | None:
        states = self.commits.get(name, [])
        if revision == "main" and states:
            return states[-1][1]
        return next((found for oid, found in states if oid == revision), None)

    def add(self, name: str, files: dict[str, bytes]) -> str:
        oid = sha1(f"{name} {len(self.commits[name])} {time.time()}".encode()).hexdigest()
        self.commits[name].append((oid, files))
        return oid


def missing(code: str) -> Response:
    return Response(status_code=404, headers={"X-Error-Code": code, "X-Error-Message": code})


def application(hub: Hub) -> FastAPI:
    made = FastAPI()

    @made.middleware("http")
    async def record(request: Request, follow: Any) -> Any:
        body = await request.body()
        response = await follow(request)
        content = b"".join([part async for part in response.body_iterator])
        parts = request.url.path.split("/datasets/")[-1].split("/")
        hub.traffic.setdefault("/".join(parts[:2]), bytearray()).extend(str(request.url).encode() + body + content)
        return Response(content, response.status_code, dict(response.headers))

    @made.post("/api/repos/create")
    async def create(request: Request) -> Any:
        asked = await request.json()
        name = f"{asked.get('organization') or 'me'}/{asked['name']}"
        if name in hub.commits:
            return JSONResponse({"url": f"{hub.address}/datasets/{name}"}, 409)
        hub.commits[name] = []
        hub.add(name, {".gitattributes": b""})
        return {"url": f"{hub.address}/datasets/{name}", "name": name}

    @made.post("/api/validate-yaml")
    async def validate() -> Any:
        return {"errors": [], "warnings": []}

    @made.post("/api/datasets/{owner}/{repo}/preupload/{revision}")
    async def preupload(request: Request) -> Any:
        asked = (await request.json())["files"]
        return {"files": [{"path": item["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": None} for item in asked]}

    @made.post("/api/datasets/{owner}/{repo}/commit/{revision}")
    async def commit(owner: str, repo: str, request: Request) -> Any:
        name = f"{owner}/{repo}"
        lines = [json.loads(line) for line in (await request.body()).splitlines()]
        with hub.lock:
            trouble = hub.troubles.popleft() if hub.troubles else "ok"
            if trouble == "503":
                return Response(status_code=503)
            if trouble == "cut before":
                return Response(b"", 200, {"content-length": "100"})
            oid, before = hub.head(name)
            if trouble == "other first":
                oid = hub.add(name, {**before, f"other/{len(hub.commits[name])}": b"x"})
                before = hub.head(name)[1]
            parent = lines[0]["value"].get("parentCommit")
            if parent and parent != oid:
                return JSONResponse({"error": "a commit was made in the meantime"}, 412)
            files = dict(before)
            for line in lines[1:]:
                value = line["value"]
                if line["key"] == "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                elif line["key"] == "deletedFile":
                    files.pop(value["path"], None)
            oid = hub.add(name, files)
        if trouble == "cut after":
            return Response(b"", 200, {"content-length": "100"})
        return {"commitOid": oid, "commitUrl": f"{hub.address}/datasets/{name}/commit/{oid}", "pullRequestUrl": None, "success": True}

    @made.get("/api/datasets/{owner}/{repo}")
    @made.get("/api/datasets/{owner}/{repo}/revision/{revision}")
    async def info(owner: str, repo: str, revision: str = "main") -> Any:
        name = f"{owner}/{repo}"
        if name not in hub.commits:
            return missing("RepoNotFound")
        found = hub.at(name, revision)
        if found is None:
            return missing("RevisionNotFound")
        oid = hub.head(name)[0] if revision == "main" else revision
        siblings = [{"rfilename": path} for path in sorted(found)]
        return {"id": name, "_id": "0", "sha": oid, "siblings": siblings, "private": False, "gated": False, "tags": [], "downloads": 0}

    @made.get("/api/datasets/{owner}/{repo}/tree/{revision}")
    @made.get("/api/datasets/{owner}/{repo}/tree/{revision}/{folder:path}")
    async def tree(owner: str, repo: str, revision: str, folder: str = "", recursive: bool = False) -> Any:
        found = hub.at(f"{owner}/{repo}", revision)
        inside = {path: content for path, content in (found or {}).items() if not folder or path.startswith(f"{folder}/")}
        if not inside:
            return missing("EntryNotFound")
        entries: dict[str, Any] = {}
        for path, content in inside.items():
            rest = path.removeprefix(f"{folder}/") if folder else path
            if recursive or "/" not in rest:
                entries[path] = {"type": "file", "path": path, "size": len(content), "oid": sha1(content).hexdigest()}
            if "/" in rest:
                first = (f"{folder}/" if folder else "") + rest.split("/")[0]
                entries[first] = {"type": "directory", "path": first, "size": 0, "oid": "0" * 40}
        return list(entries.values())

    @made.post("/api/datasets/{owner}/{repo}/paths-info/{revision}")
    async def paths(owner: str, repo: str, revision: str, request: Request) -> Any:
        found = hub.at(f"{owner}/{repo}", revision) or {}
        form = await request.json() if "json" in request.headers.get("content-type", "") else dict(await request.form())
        asked = form["paths"] if isinstance(form["paths"], list) else [form["paths"]]
        return [
            {"type": "file", "path": path, "size": len(found[path]), "oid": sha1(found[path]).hexdigest()}
            for path in asked
            if path in found
        ]

    @made.api_route("/datasets/{owner}/{repo}/resolve/{revision}/{path:path}", methods=["GET", "HEAD"])
    async def resolve(owner: str, repo: str, revision: str, path: str, request: Request) -> Any:
        name = f"{owner}/{repo}"
        found = hub.at(name, revision)
        if found is None:
            return missing("RepoNotFound" if name not in hub.commits else "RevisionNotFound")
        if path not in found:
            return missing("EntryNotFound")
        oid = hub.head(name)[0] if revision == "main" else revision
        headers = {"ETag": f'"{sha1(found[path]).hexdigest()}"', "X-Repo-Commit": oid}
        if request.method == "HEAD":
            return Response(headers={**headers, "Content-Length": str(len(found[path]))})
        return Response(found[path], headers=headers, media_type="application/octet-stream")

    return made


@contextmanager
def running() -> Iterator[Hub]:
    """The server on a free port of this machine."""
    hub = Hub()
    server = uvicorn.Server(uvicorn.Config(application(hub), host="127.0.0.1", port=0, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    hub.address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield hub
    finally:
        server.should_exit = True
        thread.join(10)
