"""`readers serve`: every reader at a secret address; an answer is on disk before it is acknowledged."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from harness.formats.complaints import Complaints
from harness.storage import files
from validation.readers import page, sheets
from validation.readers.folder import Folder, dumps, read_json
from validation.readers.journal import Journal, alone, read
from validation.readers.sheets import Sheet
from validation.readers.study import ReadingStudy
from validation.readers.texts import Texts
from validation.readers.web import Handler, ListenAddress, app, asked, run
from validation.readers.web import page as answer_page


@dataclass(frozen=True, slots=True)
class Session:
    """One reader, as the server knows her."""

    reader: str
    journal: Journal
    lock: asyncio.Lock


@dataclass(frozen=True, slots=True)
class ServedStudy:
    """One study that is served."""

    folder: Folder
    study: ReadingStudy
    texts: Texts = field(repr=False)
    sessions: Mapping[str, Session] = field(repr=False)
    """By secret."""

    def routes(self) -> dict[tuple[str, str], Handler]:
        """What is answered."""
        return {
            ("GET", "/{secret}/"): self.sheet,
            ("POST", "/{secret}/answers"): self.answers,
            ("POST", "/{secret}/submission"): self.submit,
        }

    def _session(self, request: web.Request) -> Session:
        """Whose secret it is; 404 for anything else."""
        found = self.sessions.get(request.match_info["secret"])
        if found is None:
            raise web.HTTPNotFound
        return found

    async def sheet(self, request: web.Request) -> web.StreamResponse:
        """The reader's page, with the answers that are on disk."""
        session = self._session(request)
        async with session.lock:
            replies = dict(session.journal.replies)
        view = page.of_reader(self.folder.name, self.study, session.reader, self.texts, "served", replies)
        return answer_page(page.document(view), page.policy(view))

    async def answers(self, request: web.Request) -> web.StreamResponse:
        """Keep answers; 200 only when they are on disk."""
        session, data = self._session(request), await asked(request)
        complaints = Complaints("")
        replies = sheets.parse_replies(data.get("answers"), self.study, session.reader, complaints)
        if complaints.problems or data.get("study") != self.study.digest:
            raise web.HTTPBadRequest
        async with session.lock:
            await asyncio.to_thread(session.journal.append, replies)
        return web.json_response({"kept": len(replies)})

    async def submit(self, request: web.Request) -> web.StreamResponse:
        """Make a submission of what is on disk; 409 while a report is open."""
        session, data = self._session(request), await asked(request)
        if data.get("study") != self.study.digest or data.get("attested") != self.study.form.attestation:
            raise web.HTTPBadRequest
        async with session.lock:
            made = Sheet(
                study=self.study.digest, reader=session.reader, replies=dict(session.journal.replies), attested=True, source="served"
            )
            if not made.closed(self.study):
                raise web.HTTPConflict
            kept, _ = await asyncio.to_thread(self.folder.take, made)
        return web.json_response({"number": kept.number, "digest": kept.digest})


def serve(folder: Folder, study: ReadingStudy, texts: Texts, place: ListenAddress, tell: Callable[[Mapping[str, str]], None]) -> None:
    """Serve a study until interrupted.

    Args:
        folder: The study's.
        study: The frozen study.
        texts: The texts of all items.
        place: Where to listen.
        tell: Is given each reader's address.
    """
    with alone(folder.path / "served"):
        codes = addresses(folder.path / "served" / "addresses.json", study)
        sessions = {
            code: Session(reader, Journal(folder.path / "served" / f"{reader}.jsonl", study, reader), asyncio.Lock())
            for reader, code in codes.items()
        }
        served = ServedStudy(folder, study, texts, sessions)
        try:
            run(place, app(place, served.routes()), lambda base: tell({reader: f"{base}/{code}/" for reader, code in codes.items()}))
        finally:
            for session in sessions.values():
                session.journal.close()


def addresses(path: Path, study: ReadingStudy) -> dict[str, str]:
    """By reader the secret of her address; made once, so that an address that was sent stays right."""
    if not path.is_file():
        files.create(path, dumps({reader: secrets.token_urlsafe(24) for reader in study.readers}))
        path.chmod(0o600)
    return {str(reader): str(code) for reader, code in read_json(path).items()}


def progress(folder: Folder, study: ReadingStudy) -> dict[str, int]:
    """By reader how many reports are complete on the server, submitted or not; only reads."""
    found = {}
    for reader in study.readers:
        path = folder.path / "served" / f"{reader}.jsonl"
        if path.is_file():
            found[reader] = sum(sheets.complete(study, reply) for reply in read(path, study, reader).values())
    return found
