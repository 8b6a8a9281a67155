"""Asks a model what a judge's pack asks: client, cache, statuses and data rule are those of the `llm` extractor.

An answer that was read is kept as codes and counts, never as words, and is found by a keyed hash of both reports. A pair is asked pass by
pass; each answer is committed before the next question, so a killed run asks again only what was in flight.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.extractors.answers import Answer
from harness.extractors.cache import Cache, opened
from harness.extractors.llm.client import Client
from harness.extractors.llm.endpoint import Endpoint
from harness.extractors.llm.extractor import GroupedCommits, completed
from harness.extractors.llm.framing import framed
from harness.extractors.llm.parser import ModelReply, without_trace
from harness.extractors.llm.protocol import Model
from harness.metrics.judges.pack import JudgePack, Pass, UnreadableError
from harness.quiet import Quiet
from harness.signature import digest
from harness.storage.progress import progress
from harness.types import Json, Status

Pair = tuple[str, str]
BETWEEN = "\0"
"""Between the two reports in what is hashed: no report holds it."""


@dataclass(frozen=True, slots=True, repr=False)
class Judged(Quiet):
    """What became of one pair."""

    status: Status
    read: tuple[Any, ...] = ()
    """What was read in each pass that was asked; empty where the status is not ok."""


@dataclass(slots=True)
class Judge:
    """A pack, a model and the servers that may be asked about text of that access."""

    pack: JudgePack
    model: Model
    endpoints: tuple[Endpoint, ...] = field(repr=False)
    retry: bool = False
    """Ask again what was unreadable or refused before."""
    timeout: float = 600.0
    patience: float = 300.0
    asked: int = 0
    """How many questions went to a server."""

    @property
    def digest(self) -> str:
        """SHA-256 over pack and model: whatever can change an answer."""
        model = {key: value for key, value in asdict(self.model).items() if key not in ("name", "dialect")}
        return "judge:" + digest([self.pack.digest, model])

    def judge(self, pairs: Sequence[Pair]) -> list[Judged]:
        """Judge pairs in order; equal pairs are asked once.

        Raises:
            UnavailableError: No server answers. What was answered until then is kept, and is not asked again.
        """
        different = list(dict.fromkeys(pairs))
        with opened() as cache:
            found = completed(self._all(cache, different)) if different else {}
        return [found[pair] for pair in pairs]

    async def _all(self, cache: Cache, pairs: Sequence[Pair]) -> dict[Pair, Judged]:
        found: dict[Pair, Judged] = {}
        protocol = self.digest
        journal = GroupedCommits(cache, protocol, {})
        async with Client(self.endpoints, self.model.id, self.timeout, self.patience) as client:
            waiting = iter(progress(pairs, f"asking {self.pack.name}", unit="pair"))

            async def work(mine: Iterator[Pair]) -> None:
                for pair in mine:
                    found[pair] = await self._one(cache, journal, protocol, client, pair)

            async with asyncio.TaskGroup() as group:
                for _ in range(sum(item.limit for item in self.endpoints)):
                    group.create_task(work(waiting))
        return found

    async def _one(self, cache: Cache, journal: GroupedCommits, protocol: str, client: Client, pair: Pair) -> Judged:
        """All passes about one pair; the first that gives no answer ends it."""
        key, read = cache.key(BETWEEN.join(pair)), list[Any]()
        for step in self.pack.passes:
            if not step.needed(read):
                break
            name = step.name if not read else f"{step.name}:{digest(read)}"
            kept = cache.has(protocol, key, name)
            if kept is None or (self.retry and kept.decisions[0][1] is not Status.OK):
                kept = await self._ask(client, step, pair, read, key, name)
                if kept.decisions[0][1] is not Status.FAILED:
                    await journal.commit(kept)
            status = kept.decisions[0][1]
            if status is not Status.OK:
                return Judged(status)
            read.append(json.loads(kept.raw))
        return Judged(Status.OK, tuple(read))

    async def _ask(self, client: Client, step: Pass, pair: Pair, read: list[Any], key: bytes, name: str) -> Answer:
        reference, candidate = (framed(text, self.pack.framing).replace(BETWEEN, " ") for text in pair)
        messages = step.messages(reference, candidate, read)
        self.asked += 1
        told = await client.ask(lambda endpoint: self._body(endpoint, messages, step))
        status, value = settled(told.reply, step, read)
        return Answer(name, key, ((1 if status is Status.OK else None, status),), value, told.server)

    def _body(self, endpoint: Endpoint, messages: list[dict[str, str]], step: Pass) -> Json:
        body: Json = {"model": endpoint.model or self.model.id, "messages": messages, "temperature": 0.0, "seed": 42}
        body["max_tokens"] = self.pack.max_tokens + self.model.reasoning_tokens
        if step.schema:
            wanted = {"name": step.name, "strict": True, "schema": step.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": wanted}
        return body | self.model.request


def settled(reply: ModelReply | None, step: Pass, before: Sequence[Any]) -> tuple[Status, str]:
    """The status of an answer and, where it is ok, what was read, as JSON without a word of a report."""
    if reply is None:
        return Status.FAILED, ""
    if reply.declined:
        return Status.REFUSED, ""
    text = without_trace(reply.content) if reply.complete else None
    try:
        return (Status.OK, json.dumps(step.read(text, before))) if text else (Status.UNPARSEABLE, "")
    except (UnreadableError, RecursionError):
        return Status.UNPARSEABLE, ""
