"""One file over HTTP: continued where an earlier attempt stopped, never larger than it may be, and every trouble in plain words."""

from __future__ import annotations

import errno
import http.client
import json
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.errors import InputError, Problem, UnavailableError
from harness.storage import files
from ranscore.fetching.entries import RemoteFile

LARGEST = 200_000_000_000
"""Bytes of a file whose size nobody has said."""
PIECE = 1 << 18
TRIES = 5
"""How often in a row nothing may come before it is given up."""
WAIT = 30.0
"""Seconds without a byte after which a connection is cut."""
BEYOND = 416
"""The server's answer where a range begins at or after the end of the file."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """How files are fetched; nothing in it is about one file."""

    mirrors: Mapping[str, str]
    """By the beginning of an address what takes its place."""
    tell: Callable[[int, int | None], None] = lambda done, total: None
    """Receives the bytes that are here and, where it is known, their final number."""
    pause: Callable[[float], None] = time.sleep

    def address(self, address: str) -> str:
        """Where a file is really asked for."""
        fitting = [begin for begin in self.mirrors if address.startswith(begin)]
        if not fitting:
            return address
        longest = max(fitting, key=len)
        return self.mirrors[longest] + address.removeprefix(longest)

    def fetch(self, wanted: RemoteFile, part: Path) -> None:
        """Bring all bytes of a file into `part`; what is there of an earlier attempt is continued.

        Raises:
            UnavailableError: The server cannot be reached, has no such file, or refuses it.
            InputError: It sends more than the file may have, or the disk is full; what came stays for the next attempt.
        """
        address = self.address(wanted.address)
        failures = 0
        while True:
            before = _size(part)
            try:
                if self._attempt(address, wanted, part):
                    return
                trouble = "the connection was cut"
            except urllib.error.HTTPError as error:
                trouble = _refusal(error, address)
                if error.code == BEYOND:  # a kill came after the last byte, or the file has become shorter
                    part.unlink(missing_ok=True)
            except (OSError, http.client.HTTPException) as error:
                trouble = _trouble(error, address, part)
            failures = 0 if _size(part) > before else failures + 1
            if failures >= TRIES:
                what = f"it could not be fetched to its end: {trouble}"
                raise UnavailableError(Problem(what, "Run the command again: it continues where it stopped", address))
            self.pause(min(2.0**failures, WAIT) * 0.5)

    def _attempt(self, address: str, wanted: RemoteFile, part: Path) -> bool:
        """One request; whether the file is whole afterwards."""
        note = part.with_name(part.name + ".from")
        known = _note(note, address)
        begun = _size(part) if known is not None and (known or wanted.sha256) else 0
        if wanted.size is not None and begun == wanted.size:
            return True
        headers = {"Accept-Encoding": "identity", "User-Agent": "ranscore"}
        if begun:
            headers |= {"Range": f"bytes={begun}-"} | ({"If-Range": known} if known else {})
        with _opener().open(_request(address, headers), timeout=WAIT) as answer:
            if begun and not _continues(answer, begun):
                begun = 0
            total = _total(answer, begun)
            if total is not None and (total > LARGEST or (wanted.size is not None and total != wanted.size)):
                what = f"the server's file has {total:,} bytes, not {wanted.size or LARGEST:,}: it is another file"
                raise InputError(Problem(what, "Ask for the right file where it is published", address))
            files.write(note, json.dumps({"address": address, "validator": _validator(answer)}))
            return self._receive(answer, part, begun, total, wanted, address)

    def _receive(self, answer: Any, part: Path, begun: int, total: int | None, wanted: RemoteFile, address: str) -> bool:
        """Write what comes behind what is there."""
        most, done = wanted.size or LARGEST, begun
        with part.open("r+b" if part.exists() else "wb") as stream:
            stream.truncate(begun)
            stream.seek(begun)
            while piece := answer.read(PIECE):
                done += len(piece)
                if done > most:
                    raise InputError(Problem(f"the server sends more than {most:,} bytes: it is another file", "Report it", address))
                stream.write(piece)
                self.tell(done, total or wanted.size)
            stream.flush()
            os.fsync(stream.fileno())
        expected = total if total is not None else wanted.size
        return expected is None or done == expected


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect, but never from a protected connection to an open one."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        """The next request.

        Raises:
            URLError: It would leave https.
        """
        if urlsplit(req.full_url).scheme == "https" and urlsplit(newurl).scheme != "https":
            raise urllib.error.URLError("it leads from https to an address that is not protected")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """HTTP and HTTPS alone; `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` are followed."""
    made = urllib.request.OpenerDirector()
    kinds = (urllib.request.ProxyHandler, urllib.request.HTTPHandler, urllib.request.HTTPSHandler, _Redirects)
    for kind in (*kinds, urllib.request.HTTPDefaultErrorHandler, urllib.request.HTTPErrorProcessor):
        made.add_handler(kind())
    return made


def _request(address: str, headers: Mapping[str, str]) -> urllib.request.Request:
    if urlsplit(address).scheme not in ("http", "https"):
        raise InputError(Problem("it is not a web address", "Correct `mirrors` under [fetch] in config.toml", address))
    return urllib.request.Request(address, headers=dict(headers))  # noqa: S310 - the scheme was checked


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _note(path: Path, address: str) -> str | None:
    """What the server called the state of the file that was begun; None where it was begun elsewhere, or not at all."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return str(found["validator"]) if found["address"] == address else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _validator(answer: Any) -> str:
    """A strong ETag, else the date of the last change; empty where the server gives neither."""
    tag = answer.headers.get("ETag", "")
    return str(tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", ""))


def _continues(answer: Any, begun: int) -> bool:
    """Whether the server sends the rest, not the whole."""
    return bool(answer.status == 206 and re.match(rf"bytes {begun}-", answer.headers.get("Content-Range", "")))


def _total(answer: Any, begun: int) -> int | None:
    """How many bytes the whole file has, where the server says."""
    length = answer.headers.get("Content-Length", "")
    return begun + int(length) if length.isascii() and length.isdecimal() else None


def _refusal(error: urllib.error.HTTPError, address: str) -> str:
    """What a server's answer means, where another attempt may help.

    Raises:
        UnavailableError: None will.
    """
    if error.code in (404, 410):
        what = f"nothing is at its address any more ({error.code}): it was moved or removed"
        raise UnavailableError(Problem(what, "Look on its page, get the file there, and give it with --from FILE", address))
    if error.code in (401, 403, 407):
        what = f"the server does not give it to us ({error.code})"
        raise UnavailableError(Problem(what, "Check the proxy, or get the file with a browser and give it with --from FILE", address))
    if error.code == BEYOND:
        return "the server has fewer bytes than were fetched before"
    if error.code < 500 and error.code != 429:
        raise UnavailableError(Problem(f"the server refuses the request ({error.code})", "Try later", address))
    return f"the server answers {error.code}"


def _trouble(error: Exception, address: str, part: Path) -> str:
    """What went wrong on the way, where another attempt may help.

    Raises:
        InputError: The disk is full.
        UnavailableError: There is no way to the server.
    """
    if isinstance(error, OSError) and error.errno in FULL:
        what = f"the disk is full after {_size(part):,} bytes"
        raise InputError(Problem(what, "Make room and run the command again: it continues where it stopped", str(part)))
    reason = getattr(error, "reason", error)
    if isinstance(reason, OSError) and not isinstance(reason, TimeoutError | ConnectionResetError | BrokenPipeError):
        what = f"there is no connection to {urlsplit(address).hostname} ({reason.strerror or type(reason).__name__})"
        remedy = "Check the network, HTTPS_PROXY, or `mirrors` under [fetch] in config.toml; or get the file elsewhere and give it with --from FILE"
        raise UnavailableError(Problem(what, remedy, address))
    if isinstance(reason, str):
        raise UnavailableError(Problem(f"it cannot be fetched: {reason}", "Report it", address))
    return f"the connection broke ({type(reason).__name__})"
