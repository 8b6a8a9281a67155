"""Gradio's document as it is sent: it may run the scripts that it came with and no other, and finds its files behind any proxy."""

from __future__ import annotations

import gzip
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors {frames}"
)
"""The page asks nobody but its own server for anything. Gradio makes functions of the templates of its HTML components, hence `unsafe-eval`."""
ROOT = re.compile(r'("root": ?|const root = )"https?://[^"]*"')
HERE = r'location.href.split(/[?#]/)[0].replace(/\/$/,"")'
"""What the document knows of its own address: not what a proxy let the server know, but what the browser does."""


def finished(document: str, frames: str) -> tuple[str, str]:
    """The document, and its security policy.

    Args:
        document: As Gradio wrote it.
        frames: Who may show it inside another page, in the words of the policy.
    """
    document = ROOT.sub(lambda match: match[1] + HERE, document)
    hashes = (b64encode(sha256(inside.encode()).digest()).decode() for inside in scripts(document) if inside)
    return document, POLICY.format(hashes=" ".join(f"'sha256-{digest}'" for digest in hashes), frames=frames)


def scripts(document: str) -> Iterator[str]:
    """The text of each script that is written into a document; searched forwards, so that the time follows the document's length."""
    end = 0
    while (start := document.find("<script", end)) >= 0 and (begin := document.find(">", start)) >= 0:
        if (end := document.find("</script>", begin)) < 0:
            return
        yield document[begin + 1 : end]


async def answer(inner: Any, scope: Any, receive: Any, send: Any, frames: str) -> None:
    """Send the document.

    Args:
        inner: The server that writes it.
        scope: The request.
        receive: As ASGI has it.
        send: As ASGI has it.
        frames: As for `finished`.
    """
    packed = any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])
    headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
    start: dict[str, Any] = {}
    body = bytearray()

    async def collect(message: Any) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            body.extend(message.get("body", b""))

    await inner({**scope, "headers": headers}, receive, collect)
    document, policy = finished(body.decode(), frames)
    content = gzip.compress(document.encode(), 6, mtime=0) if packed else document.encode()
    kept = [(name, value) for name, value in start["headers"] if name.lower() not in (b"content-length", b"content-encoding", b"vary")]
    added = {"content-security-policy": policy, "content-length": str(len(content)), "vary": "accept-encoding", "cache-control": "no-cache"}
    added |= {"content-encoding": "gzip"} if packed else {}
    await send({**start, "headers": [*kept, *((name.encode(), value.encode()) for name, value in added.items())]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})
