"""The extractor that asks a language model: a frozen protocol, a cache in front of it, a server or an engine behind it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from harness.errors import RanscoreError, UsageError
from harness.extractors.answers import Answer, KnownAnswer
from harness.extractors.cache import Cache, opened
from harness.extractors.llm import pack as packs
from harness.extractors.llm import protocol as models
from harness.extractors.llm.endpoint import Endpoint, endpoints, permit
from harness.extractors.llm.framing import framed
from harness.extractors.llm.pack import ASKED
from harness.extractors.llm.parser import FAILED, Decision, ModelReply, decisions
from harness.extractors.llm.reading import labels, report_status
from harness.extractors.llm.servers import Servers
from harness.extractors.llm.source import AnswerSource, Ask
from harness.storage.progress import progress
from harness.types import Access, Labels, ReportStatus, Status

Result = TypeVar("Result")
LONGEST_RAW = 2000
"""Characters of a raw answer that the cache keeps."""
UNNAMED = ", model not named"
"""Behind the server's place in the cache where its answer did not say which model gave it."""


class LLM:
    """Labels texts by asking a model what the pack asks; never asks what the cache knows."""

    name = "llm"
    vocabulary = "ran-21"

    def __init__(self, protocol: models.Protocol, source: AnswerSource, access: Access = Access.CREDENTIALED, retry: bool = False) -> None:
        """Put the extractor together.

        Args:
            protocol: Pack and model.
            source: Who answers.
            access: The access of the texts that will be labelled.
            retry: Ask again what was unparseable or refused before.

        Raises:
            RefusedError: Texts of that access must not be sent to one of the source's servers.
        """
        if isinstance(source, Servers):
            permit(source.endpoints, access)
        self.protocol, self.source, self.access, self.retry = protocol, source, access, retry
        self.digest = protocol.digest
        self.chunk = 256 if protocol.pack.mode == "single" else 2048
        self.official, self.by = protocol.official, protocol.by
        self.unnamed = 0
        self.questions_asked = 0
        """How many questions went to the model, so far."""
        self._questions = {asked: own for asked in protocol.asked if (own := protocol.question_digest(asked))}

    def extract(self, texts: Sequence[str]) -> Sequence[Labels]:
        """Label texts, in order; identical ones are asked about once.

        Raises:
            UnavailableError: No server answers. What was answered until then is kept, and is not asked again.
        """
        statuses = [report_status(text) for text in texts]
        wanted = [text for text, status in zip(texts, statuses, strict=True) if status is ReportStatus.OK]
        with opened() as cache:
            known = cache.known(self.digest, self._questions, wanted)
            asks = list(self._asks(cache, known))
            if asks:
                completed(self._answer(cache, asks, known))
        self.unnamed += sum(answer.server.endswith(UNNAMED) for answers in known.values() for answer in answers.values())
        return [
            labels(self._decided(known[text]) if status is ReportStatus.OK else None, text, status)
            for text, status in zip(texts, statuses, strict=True)
        ]

    def _asks(self, cache: Cache, known: dict[str, dict[str, KnownAnswer]]) -> Iterator[Ask]:
        """What must be asked. An imported full answer stands for every question."""
        for text, answers in known.items():
            wanted = [asked for asked in self.protocol.asked if self._open(answers.get("*") or answers.get(asked))]
            if wanted:
                report, key = framed(text, self.protocol.pack.framing), cache.key(text)
                for asked in wanted:
                    yield Ask(asked, key, report)

    def _open(self, answer: KnownAnswer | None) -> bool:
        """Whether a question with this answer must be asked."""
        return answer is None or (self.retry and any(status is not Status.OK for _, status in answer.decisions))

    async def _answer(self, cache: Cache, asks: list[Ask], known: dict[str, dict[str, KnownAnswer]]) -> None:
        """Ask finding by finding in random order, so that two processes at the same work meet rarely; look into the cache before each.

        One finding after the other: servers and engines keep what they computed of a prompt's beginning, and only the report differs.
        """
        random.shuffle(asks)
        place = {asked: at for at, asked in enumerate(random.sample(self.protocol.asked, len(self.protocol.asked)))}
        asks.sort(key=lambda ask: place[ask.asked])
        found: dict[tuple[bytes, str], Answer] = {}
        journal = GroupedCommits(cache, self.digest, self._questions)

        def open_asks() -> Iterator[Ask]:
            for ask in progress(asks, "asking the model", unit="question"):
                answer = None if self.retry else self._here(cache, ask)
                if answer is None:
                    self.questions_asked += 1
                    yield ask
                else:
                    found[ask.key, ask.asked] = answer

        async def settle(ask: Ask, told: ModelReply | None, server: str) -> None:
            answer = self._judged(ask, told, server)
            found[ask.key, ask.asked] = answer
            if told is not None:
                await journal.commit(answer)

        await self.source.answer(self.protocol, open_asks(), settle)
        for text, answers in known.items():
            key = cache.key(text)
            new = {asked: found[key, asked] for asked in self.protocol.asked if (key, asked) in found}
            answers.update({asked: KnownAnswer(answer.decisions, answer.server) for asked, answer in new.items()})

    def _here(self, cache: Cache, ask: Ask) -> Answer | None:
        """What another process has got to the same question in the meantime."""
        own = cache.has(self.digest, ask.key, ask.asked)
        return own or (cache.has(self._questions[ask.asked], ask.key, ask.asked) if ask.asked in self._questions else None)

    def _judged(self, ask: Ask, told: ModelReply | None, server: str) -> Answer:
        """Read what the model said; keep its words only where they cannot repeat a credentialed report."""
        questions = [self.protocol.question(ask.asked)] if ask.asked != "*" else list(self.protocol.pack.questions)
        titles = [question.title for question in questions]
        read = decisions(told, self.protocol.pack.parser, titles) if told else [FAILED] * len(titles)
        if ask.asked == "*":
            by_finding = {question.finding: decision for question, decision in zip(questions, read, strict=True)}
            read = [by_finding[name] for name in ASKED]
        raw = "" if told is None or self.access is Access.CREDENTIALED else told.content[:LONGEST_RAW]
        return Answer(ask.asked, ask.key, tuple(read), raw, server if told is None or told.model else server + UNNAMED)

    def _decided(self, answers: dict[str, KnownAnswer]) -> list[Decision]:
        """The 20 decisions, each from its own answer, else from one about everything."""
        whole = answers["*"].decisions if "*" in answers else (FAILED,) * len(ASKED)
        return [answers[name].decisions[0] if name in answers else whole[place] for place, name in enumerate(ASKED)]


class GroupedCommits:
    """Commits answers in groups: all that arrive in one turn of the event loop make one transaction."""

    def __init__(self, cache: Cache, protocol: str, questions: Mapping[str, str]) -> None:
        self._cache, self._protocol, self._questions = cache, protocol, questions
        self._group: list[Answer] = []
        self._committed: asyncio.Future[None] | None = None

    async def commit(self, answer: Answer) -> None:
        """Return when the answer is in the cache: until then its question counts as in flight."""
        loop = asyncio.get_running_loop()
        self._group.append(answer)
        if self._committed is None:
            self._committed = loop.create_future()
            loop.call_soon(self._flush)
        await self._committed

    def _flush(self) -> None:
        group, committed = self._group, self._committed
        self._group, self._committed = [], None
        assert committed is not None
        try:
            self._cache.add_both(self._protocol, self._questions, group)
            committed.set_result(None)
        except Exception as error:
            committed.set_exception(error)


def completed(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end, also where an event loop is running already (in a notebook, say).

    Raises:
        RanscoreError: The first that any part of the work raised, instead of a group of them.
    """
    try:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(work)
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, work).result()
    except BaseExceptionGroup as group:
        raise _first(group) from None


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that matters most: one that a user can act on, else whichever came first."""
    flat: list[BaseException] = []
    for error in group.exceptions:
        flat.append(_first(error) if isinstance(error, BaseExceptionGroup) else error)
    return next((error for error in flat if isinstance(error, RanscoreError)), flat[0])


def protocol_of(
    pack_name: str | packs.Pack = "", mode: str = "", model: str = "", revision: str = "", dialect: str = "", **others: object
) -> models.Protocol:
    """The protocol that the extractor's options mean; options that do not change a decision are passed over."""
    given = others.get("pack") or pack_name or packs.BUILT_IN
    chosen = given if isinstance(given, packs.Pack) else packs.load(str(given), mode or "")
    return models.protocol(chosen, models.find(model or chosen.model, revision or ""), dialect or "")


def make(
    *,
    pack: str | packs.Pack = "",
    mode: str = "",
    model: str = "",
    endpoint: str | Sequence[str] = (),
    access: Access | str = Access.CREDENTIALED,
    revision: str = "",
    dialect: str = "",
    engine: str = "",
    retry: bool = False,
    timeout: float = 0.0,
    patience: float = 300.0,
    limit: int = 0,
    share: int = 1,
) -> LLM:
    """Make the extractor.

    Args:
        pack: Name of the pack, or the pack itself; `ranscore-1` by default.
        mode: `single` or `joint`; the pack's first by default.
        model: What the server calls the model, a preset's name, or (without an endpoint) a folder with weights or a GGUF file to run
            in this process.
        endpoint: Addresses of servers; those of the configuration, or one on this machine, by default.
        access: The access of the texts that will be labelled; credentialed by default.
        revision: Which weights, where the server does not say.
        dialect: `vllm`, `sglang`, `llama.cpp` or `openai`: how the server is asked to restrict an answer to a set.
        engine: In process only: `vllm` or `transformers`; by default the first that is installed.
        retry: Ask again what was unparseable or refused before.
        timeout: Seconds for one answer; by default 120, and 600 for a model that thinks.
        patience: Seconds without any answer after which the run is given up.
        limit: Most questions in flight at one server; 0 for the configuration's.
        share: How many extractors share the servers, each with its part of the limits.

    Raises:
        UsageError: A pack, mode, dialect or engine does not exist.
        UnavailableError: The folder's weights or the engine are not here.
        RefusedError: Credentialed text must not be sent to one of the servers.
    """
    if model and not endpoint and (Path(model).is_dir() or (model.endswith(".gguf") and Path(model).is_file())):
        from harness.extractors.llm.inprocess import in_process

        protocol, source = in_process(Path(model), protocol_of(pack, mode, ""), engine)
        return LLM(protocol, source, Access(access), retry)
    urls = (endpoint,) if isinstance(endpoint, str) else tuple(endpoint or ())
    chosen = tuple(
        replace(item, limit=max(1, (limit or item.limit) // share), dialect=item.dialect or dialect)
        for item in endpoints(urls, Access(access))
    )
    protocol = protocol_of(pack, mode, model, revision, _shared_dialect(chosen))
    seconds = timeout or (600.0 if protocol.model.reasoning_tokens else 120.0)
    return LLM(protocol, Servers(chosen, seconds, patience), Access(access), retry)


def _shared_dialect(chosen: Sequence[Endpoint]) -> str:
    """The servers' dialect where they say one: what they can hold an answer to must be the same for all."""
    said = {item.dialect for item in chosen if item.dialect}
    if "openai" in said and len(said) > 1:
        raise UsageError("the servers speak different dialects, and one of them cannot hold an answer to a set: use them one by one")
    return sorted(said)[0] if said else ""
