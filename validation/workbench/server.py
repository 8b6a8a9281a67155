"""The workbench as a page on this machine: findings, wrong reports, edits, tries. No text of it is kept, cached or written down."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Any

from aiohttp import web

from harness.errors import RanscoreError, RefusedError
from harness.extractors import extractor
from harness.extractors.llm.extractor import LLM
from harness.extractors.llm.pack import Pack
from harness.findings import RAN_21
from harness.types import Json
from validation.extractors.reference import Reference
from validation.extractors.results import FindingResult, SourcePart
from validation.extractors.thresholds import rules
from validation.readers.web import LOOPBACK, Handler, ListenAddress, app, asked, page, run
from validation.workbench import drafts, drawing, rounds, trying
from validation.workbench.drafts import Guide
from validation.workbench.rounds import Round, RoundLog, Tag
from validation.workbench.trying import Maker


@dataclass(slots=True)
class Running:
    """The try that is in progress, or the last one."""

    task: asyncio.Task[None] | None = None
    extractor: LLM | None = None
    total: int = 0
    """How many questions it will ask at most."""
    failure: str = ""
    """Why the last try failed, in words that hold no text of a report."""

    @property
    def busy(self) -> bool:
        """Whether it goes on."""
        return self.task is not None and not self.task.done()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """One draft on one standard."""

    name: str
    part: Reference
    """The part tune."""
    reports: Mapping[str, str] = field(repr=False)
    """By item the text."""
    log: RoundLog
    make: Maker = field(repr=False)
    now: Callable[[], str] = field(repr=False)
    secret: str = field(repr=False, default_factory=lambda: secrets.token_urlsafe(24))
    running: Running = field(default_factory=Running)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    def routes(self) -> dict[tuple[str, str], Handler]:
        """What is answered, below a secret address: other people on this machine cannot guess it."""
        base = f"/{self.secret}"
        return {
            ("GET", f"{base}/"): self.document,
            ("GET", f"{base}/state"): self.state,
            ("GET", f"{base}/errors/{{finding}}"): self.errors,
            ("GET", f"{base}/rounds.svg"): self.drawn,
            ("POST", f"{base}/edit"): self.edit,
            ("POST", f"{base}/tag"): self.tag,
            ("POST", f"{base}/try"): self.start,
        }

    async def document(self, _: web.Request) -> web.StreamResponse:
        """The page; what it shows it asks for."""
        return page(document(), policy())

    async def state(self, _: web.Request) -> web.StreamResponse:
        """Findings of the last round, and how far a try is."""
        return web.json_response(await asyncio.to_thread(self.described))

    def described(self) -> Json:
        """All but the reports."""
        draft, last = drafts.load(self.name), self.log.last()
        questions = {} if last is None else dict(last.questions)
        own = trying.questions(self.make(draft.pack()))
        changed = [name for name, digest in own.items() if questions.get(name) not in ("", digest)] if last else []
        return {
            "name": self.name,
            "standard": self.part.name,
            "items": len(self.part.items),
            "round": last.number if last else 0,
            "looks": len(self.log.looks()),
            "running": self.running.busy,
            "asked": self.running.extractor.questions_asked if self.running.extractor else 0,
            "total": self.running.total,
            "failure": self.running.failure,
            "changed": changed,
            "says": {**drafts.SAYS, "guidance": "the whole guidance"},
            "rules": [f"{rule.name} rule" for rule in self._rules()],
            "rows": [self._row(last, item, draft) for item in _by_state(last.now.parts[0], self._rules()[0])] if last else [],
        }

    def _rules(self) -> Any:
        return rules(self.part.study.threshold if self.part.study else "")

    def _row(self, last: Round, item: FindingResult, draft: drafts.PackDraft) -> Json:
        pair = last.result.pairs[0] if last.result.pairs else None
        test = pair.accuracy[item.finding] if pair else None
        first = last.result.extractors[0].parts[0].findings
        before = next(own for own in first if own.finding == item.finding) if pair else None
        return {
            "finding": item.finding,
            "positives": item.positives,
            "was": f"{before.accuracy.value:z.3f}" if before else "",
            "is": str(item.accuracy),
            "f1_was": f"{before.f1.value:z.3f}" if before else "",
            "f1": f"{item.f1.value:z.3f}",
            "fixed": test.only_second if test else "",
            "broken": test.only_first if test else "",
            "p": f"{test.p:.3g}" if test else "",
            "smallest": f"{test.smallest:.3g}" if test else "",
            "judged": [rule.judge(item) for rule in self._rules()],
            "guide": _fields(draft.guide(item.finding)),
        }

    async def drawn(self, _: web.Request) -> web.StreamResponse:
        """All rounds as a picture; it holds counts and names of findings alone."""
        history = await asyncio.to_thread(self.log.history)
        headers = {"Content-Security-Policy": f"default-src 'none'; style-src {_hashed(drawing.STYLE)}"}
        return web.Response(text=drawing.svg(self.name, history), content_type="image/svg+xml", headers=headers)

    async def errors(self, request: web.Request) -> web.StreamResponse:
        """The wrong reports of one finding, with the words at which the embedded extractor looks."""
        last, finding = self.log.last(), _finding(request.match_info["finding"])
        listed = [] if last is None else await asyncio.to_thread(self._errors, last, finding)
        return web.json_response(listed)

    def _errors(self, last: Round, finding: str) -> list[Json]:
        tags = {tag.item: tag.tag for tag in self.log.tags() if tag.finding == finding}
        wrong = trying.wrong(self.part, last.decisions, finding)
        labels = extractor("lexical").extract([self.reports[item] for item, _, _ in wrong])
        words = {"1": "present", "0": "absent"}
        place = RAN_21.index(finding)
        return [
            {
                "item": item,
                "text": self.reports[item],
                "right": words[str(right)],
                "said": words.get(said, "no answer"),
                "tag": tags.get(item, ""),
                "spans": sorted(own.evidence[place]) if own.evidence else [],
            }
            for (item, right, said), own in zip(wrong, labels, strict=True)
        ]

    async def edit(self, request: web.Request) -> web.StreamResponse:
        """Save what somebody wrote about one finding."""
        data = await asked(request)
        finding, guide = _finding(str(data.get("finding"))), _guide(data.get("guide"))
        async with self.lock:
            draft = drafts.load(self.name)
            own = Guide(finding, **guide)
            if bool(own.guidance) != bool(draft.guide(finding).guidance) or not (own.means or own.guidance):
                raise web.HTTPBadRequest(reason="The finding needs words about what it means.")
            drafts.save(drafts.change(draft, finding, lambda _: own))
        return web.json_response({"changed": (await asyncio.to_thread(self.described))["changed"]})

    async def tag(self, request: web.Request) -> web.StreamResponse:
        """Keep why an answer is wrong."""
        data, last = await asked(request), self.log.last()
        finding, word, item = _finding(str(data.get("finding"))), data.get("tag"), data.get("item")
        if last is None or word not in rounds.TAGS or item not in last.decisions:
            raise web.HTTPBadRequest
        await asyncio.to_thread(self.log.add_tag, Tag(last.number, str(item), finding, str(word)))
        return web.json_response({})

    async def start(self, request: web.Request) -> web.StreamResponse:
        """Begin a try; 409 while one goes on."""
        await asked(request)
        if self.running.busy:
            raise web.HTTPConflict(reason="A try is going on.")
        self.running.failure, self.running.extractor, self.running.total = "", None, 0
        self.running.task = asyncio.create_task(asyncio.to_thread(self._try))
        return web.json_response({})

    def _try(self) -> None:
        draft, last = drafts.load(self.name), self.log.last()

        def make(pack: Pack) -> LLM:
            made = self.make(pack)
            known = dict(last.questions) if last else {}
            own = trying.questions(made) or {"*": made.digest}
            self.running.extractor = made
            self.running.total = len(self.part.items) * sum(known.get(name) != digest for name, digest in own.items())
            return made

        try:
            trying.run(draft, self.part, self.reports, self.log, make, self.now())
        except RanscoreError as error:
            self.running.failure = str(error)
        except Exception as error:
            # Its words may hold a report.
            self.running.failure = f"the try failed ({type(error).__name__})"


def _by_state(part: SourcePart, rule: Any) -> list[FindingResult]:
    """What is not met first, then what nobody can say, then what is met; the most wrong ones first."""
    order = {"not met": 0, "cannot say": 1, "met": 2}
    asked_for = [item for item in part.findings if item.finding != "No Finding"]
    return sorted(asked_for, key=lambda item: (order[rule.judge(item)], -(item.fp + item.fn), item.finding))


def _finding(name: str) -> str:
    if name not in RAN_21 or name == "No Finding":
        raise web.HTTPNotFound
    return name


def _fields(guide: Guide) -> Json:
    """What can be edited: the six fields, or the whole text."""
    return {"guidance": guide.guidance} if guide.guidance else {name: getattr(guide, name) for name in drafts.SAYS}


def _guide(data: object) -> dict[str, Any]:
    """The fields of a guide from a request; 400 for anything else."""
    if not isinstance(data, dict) or not set(data) <= {*drafts.SAYS, "guidance"}:
        raise web.HTTPBadRequest
    made: dict[str, Any] = {}
    for name, value in data.items():
        listed = name in drafts.LISTS
        good = isinstance(value, list) and all(isinstance(one, str) for one in value) if listed else isinstance(value, str)
        if not good or len(str(value)) > drafts.LONGEST:
            raise web.HTTPBadRequest
        made[name] = tuple(value) if listed else value
    return made


@cache
def asset(name: str) -> str:
    """A file of `assets`."""
    return resources.files("validation.workbench").joinpath("assets").joinpath(name).read_text(encoding="utf-8")


def policy() -> str:
    """The page's content security policy: its own script and style by their hashes, and no other host."""
    script, style = (_hashed(asset(name)) for name in ("workbench.js", "workbench.css"))
    return (
        f"default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; img-src data: 'self'; "
        "form-action 'none'; base-uri 'none'"
    )


def _hashed(text: str) -> str:
    """An inline script or style as a content security policy names it."""
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


def document() -> str:
    """The page."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">\n'
        f'<link rel="icon" href="data:,">\n<title>Workbench</title>\n<style>{asset("workbench.css")}</style>\n</head>\n<body>\n'
        '<p id="said" role="status" class="fine"></p>\n<main id="view"><p>Loading</p></main>\n'
        f"<script>{asset('workbench.js')}</script>\n</body>\n</html>\n"
    )


def check(place: ListenAddress) -> None:
    """Keep the page on this machine.

    Raises:
        RefusedError: Other machines could reach it.
    """
    if place.host not in LOOPBACK:
        raise RefusedError("the workbench shows reports, and listens on this machine alone: leave --host away")


def serve(made: Workbench, place: ListenAddress, tell: Callable[[str], None]) -> None:
    """Serve until interrupted."""
    check(place)
    run(place, app(place, made.routes()), lambda base: tell(f"{base}/{made.secret}/"))
