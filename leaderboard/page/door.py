"""The routes by which reports are submitted. The file goes from the request into memory and from there to a process of its own.

`POST /ranscore/hand-in`, content type `application/octet-stream`, header `X-Ranscore: 1`: a line of JSON, then the file as it is.

```
{"name": "birch.csv", "cohort": "open-i-590", "card": {"name": "Birch", "version": "", "organisation": "", "link": "",
 "open_weights": "unknown", "trained_on_cohort": "unknown", "sections": null, "anonymous_until": ""},
 "agreed": false, "looked": false, "dry": true, "code": ""}
```

`dry` checks everything and keeps nothing; `agreed` agrees to the data-use sentence; `looked` says that what the privacy screen noticed names
nobody; `code` is that of an earlier receipt of the system, which a new version needs where there is no login. The answer is an object with `problems` (each with `what`, `remedy`, `file`, `line`, `study`), `warnings` (sentences), `private` (as
`problems`), `reports` (how many were read), and once it was submitted `id` and `code`; `head` and `lines` say the same for people. Nothing
was submitted where `problems` is not empty, or where `private` is not and `looked` is false.

`GET /ranscore/door?cohort=NAME` says what there is to know before anything is sent: `cohort`, `digest`, `access` (`open` or `credentialed`),
`section`, `studies` (how many are scored), `ids` (their ids, only where the cohort is open), `ids_sha256` (of the sorted ids, each with a
line feed), `max_bytes`, `per_day`, `in_all`, `data_use` (the sentence; empty where the cohort is open), `login` (whether the page asks for a
login at the Hub or its token), `cohorts` (the names of all), `worker` (whether one is running; null where the page cannot know). Without
`cohort` it holds `cohorts`, `login`, `max_bytes` and `worker` alone.

`GET /ranscore/receipt/ID`: where a submission is, with `lines` for people. `GET /ranscore/example?cohort=NAME`: a file to try it with.
`POST /ranscore/withdraw`, content type `application/json`, header `X-Ranscore: 1`: `{"id": ..., "code": ..., "reason": ...}`.

Every refusal is an object with `problems`, `head` and `lines`, and a status of 4xx or 503: 404 for a cohort or receipt that is not there,
403 where a login, a code or an agreement is missing, 422 where a file or card is wrong, 400 for a request of another shape.
A program proves who submits to a Space with a token of the Hub: `Authorization: Bearer TOKEN`.
"""

from __future__ import annotations

from hashlib import sha256

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from harness.errors import Problem, UsageError
from harness.types import Access, Json, Section, SystemCard
from leaderboard.page import body
from leaderboard.page.answers import as_json, lines, plain
from leaderboard.page.body import JobQueue, Refusal, Uploads
from leaderboard.page.person import People
from leaderboard.page.visitor import client
from submissions import beats, example, intake, receipts
from submissions.board_folder import BoardFolder

HEAD = 20_000
"""Bytes of the line before the file."""
AT_ONCE, WAITING, EACH = 2, 16, 8
"""Files that are checked at the same time; that wait or are checked, of all visitors and of one. Each holds `max_bytes` of memory."""
CARD = ("name", "version", "organisation", "link", "open_weights", "trained_on_cohort", "sections", "anonymous_until", "role")
ASKED = ("name", "cohort", "card", "agreed", "looked", "dry", "code")
LOOK = "Check these warnings first, then tick that the reports contain no personal data:"


def route(app: FastAPI, board_folder: BoardFolder, people: People, uploads: Uploads) -> None:
    """Add the routes to the server."""
    line = JobQueue(AT_ONCE, WAITING, EACH)

    @app.post("/ranscore/hand-in")
    async def hand_in(request: Request) -> Response:
        person = await people.name(request)
        visitor = person if person.startswith("hf:") else client(request)
        data = await uploads.read(request, int(board_folder.policy.max_bytes) + HEAD)
        upload, dry = asked(data, person)
        return as_json(await line.run(visitor, lambda: handed(board_folder, upload, dry)))

    @app.post("/ranscore/withdraw")
    async def withdraw(request: Request) -> Response:
        person = await people.name(request) if people.logged_in(request) or "authorization" in request.headers else ""
        data = body.parsed(await uploads.read(request, HEAD))
        body.known(data, ("id", "code", "reason"), "the request")
        name, code, reason = (body.text(data, key, 1000).strip() for key in ("id", "code", "reason"))
        await run_in_threadpool(intake.withdraw, board_folder, name, reason, person=person, code=code)
        return as_json({"problems": [], "head": "Withdrawn. A tombstone stays.", "lines": []})

    @app.get("/ranscore/receipt/{name}")
    def receipt(name: str) -> Response:
        if not (found := receipts.receipt(board_folder, name)):
            raise UsageError(Problem("there is no such receipt", "Copy the whole id"))
        return as_json({**found, "lines": receipts.lines(found)})

    @app.get("/ranscore/door")
    def door(request: Request) -> Response:
        return as_json(facts(board_folder, request.query_params.get("cohort"), people.space))

    @app.get("/ranscore/example")
    def sample(request: Request) -> Response:
        made = example.of(board_folder, request.query_params.get("cohort", ""))
        return Response(made, media_type="text/csv", headers={"cache-control": "no-store"})

    @app.get("/ranscore/person")
    def who(request: Request) -> Response:
        return as_json({"login": people.space, "name": people.logged_in(request)})


def asked(data: bytes, person: str) -> tuple[intake.Upload, bool]:
    """What somebody submits, and whether it is to be checked only.

    Raises:
        Refusal: The request has another shape.
    """
    end = data.find(b"\n")
    if not 0 <= end <= HEAD:
        raise Refusal(400, Problem("the upload does not begin with a line of JSON", "Use the page's form or `ranscore submit`"))
    head = body.parsed(data[:end])
    body.known(head, ASKED, "the first line")
    file, cohort = (body.text(head, key, 1000) for key in ("name", "cohort"))
    agreed, looked, dry = (body.flag(head, key) for key in ("agreed", "looked", "dry"))
    code = body.text(head, "code", 100)
    return intake.Upload(data[end + 1 :], file, cohort, card(head.get("card")), person, agreed, looked, code), dry


def card(data: object) -> SystemCard:
    """A system's card from JSON of a stranger; what its texts say is checked with the file.

    Raises:
        Refusal: It is no object, or a field is of another kind.
    """
    if not isinstance(data, dict):
        raise Refusal(400, Problem("the card is not an object", "Send the system's name and what else is known of it"))
    body.known(data, CARD, "the card")
    fields = {key: body.text(data, key, HEAD) for key in CARD if data.get(key) is not None}
    section, role = fields.pop("sections", ""), fields.pop("role", "system")
    if section not in ("", *Section) or role != "system":
        words = f"sections is not one of {', '.join(Section)}" if role == "system" else "only systems are submitted"
        raise Refusal(400, Problem(f"the card is not a system's: {words}", "Leave it out"))
    return SystemCard(fields.pop("name", ""), sections=Section(section) if section else None, **fields)  # type: ignore[arg-type]


def handed(board_folder: BoardFolder, upload: intake.Upload, dry: bool) -> Json:
    """Look, then submit.

    Raises:
        RanscoreError: It is not taken for another reason than what is wrong with it.
    """
    found = intake.look(board_folder, upload)
    answer: Json = {
        "problems": [plain(problem) for problem in found.problems],
        "warnings": [str(problem) for problem in found.warnings],
        "private": [plain(problem) for problem in found.private],
        "reports": len(found.reports),
    }
    notes = [*answer["warnings"], *map(str, found.private)]
    wait = bool(found.private) and not upload.looked
    if dry and found.problems:
        return answer | {"head": "It cannot be submitted", "lines": lines(found.problems)}
    if dry or (wait and not found.problems):
        return answer | {"head": LOOK if wait else "It can be submitted; nothing was kept.", "lines": notes}
    receipt = intake.submit(board_folder, upload, found)
    return {**answer, "problems": [], "id": receipt.id, "code": receipt.code, "head": "Submitted.", "lines": notes}


def facts(board_folder: BoardFolder, name: str | None, login: bool) -> Json:
    """What is to be known before a file is sent to a cohort; of all of them without a name.

    Raises:
        UsageError: There is no such cohort.
    """
    known = {
        "cohorts": list(board_folder.manifests()),
        "login": login,
        "max_bytes": int(board_folder.policy.max_bytes),
        "worker": beats.working(board_folder),
    }
    if name is None:
        return known
    manifest = board_folder.manifest(name)
    ids = sorted(study.id for study in manifest.studies if study.part == "test")
    is_open = manifest.access is Access.OPEN
    return {
        **known,
        "cohort": manifest.name,
        "digest": manifest.digest,
        "access": manifest.access.value,
        "section": manifest.section.value,
        "studies": len(ids),
        "ids_sha256": sha256("".join(f"{study}\n" for study in ids).encode()).hexdigest(),
        **({"ids": ids} if is_open else {}),
        "per_day": board_folder.policy.per_day,
        "in_all": board_folder.policy.in_all,
        "data_use": "" if is_open else intake.DATA_USE,
    }
