"""Any vision model behind an OpenAI-compatible server. A credentialed film goes to no other machine unless the configuration says why."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from generators.adapters import prompting
from generators.adapters.prompting import Prompt
from generators.blocks.answering import Failure, answer
from generators.catalogue import Options, System
from harness.errors import UsageError
from harness.extractors.llm.client import Client
from harness.extractors.llm.endpoint import Endpoint, endpoints
from harness.films import read_rgb, resized
from harness.formats.report_text import MAX_CHARACTERS
from harness.quiet import Quiet
from harness.signature import digest
from harness.types import Generated, Json, Section, StudyInput

SIDE = 1024
"""Longest side in pixels of a film as it is sent; larger ones are shrunk."""


@dataclass(frozen=True, slots=True, repr=False)
class ChatRequest(Quiet):
    """What is sent for one study."""

    text: str = field(repr=False)
    films: tuple[str, ...] = field(repr=False)
    """As data addresses."""


@dataclass(frozen=True, slots=True)
class OpenAIServer:
    """The system."""

    servers: tuple[Endpoint, ...] = field(repr=False)
    model: str
    prompt: Prompt
    side: int
    seed: int
    timeout: float
    digest: str
    name: str = "openai"
    exact_batches: bool = True

    @property
    def needs(self) -> frozenset[str]:
        """By the prompt."""
        return self.prompt.needs

    @property
    def writes(self) -> Section:
        """As the user says."""
        return self.prompt.writes

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        """Ask for all at once; a refusal, an empty answer or an answer cut short is a failure."""
        return answer(studies, self._prepare, lambda batch: asyncio.run(self._ask(batch)))

    def _prepare(self, study: StudyInput) -> tuple[ChatRequest, tuple[str, ...]]:
        text, substituted = self.prompt.filled(study)
        return ChatRequest(text, tuple(sent(film, self.side) for film in self.prompt.films(study))), substituted

    async def _ask(self, batch: Sequence[ChatRequest]) -> list[str | Failure]:
        async with Client(self.servers, self.model, timeout=self.timeout) as client:
            return await asyncio.gather(*(self._one(client, asked) for asked in batch))

    async def _one(self, client: Client, asked: ChatRequest) -> str | Failure:
        told = await client.ask(lambda endpoint: self.body(endpoint, asked))
        if told.reply is None:
            return Failure("the server failed")
        if told.reply.declined:
            return Failure("the model refused")
        if told.reply.finish == "length" or len(told.reply.content) > MAX_CHARACTERS:
            return Failure("the report was cut short at the longest length")
        if not told.reply.complete:
            return Failure("the server broke the answer off, or gave two")
        return told.reply.content.strip()

    def body(self, endpoint: Endpoint, asked: ChatRequest) -> Json:
        """The request for a server."""
        films = [{"type": "image_url", "image_url": {"url": film}} for film in asked.films]
        return {
            "model": endpoint.model or self.model,
            "messages": [{"role": "user", "content": [*films, {"type": "text", "text": asked.text}]}],
            "temperature": 0,
            "seed": self.seed,
            "max_tokens": self.prompt.longest,
        }


def sent(film: Path, side: int) -> str:
    """A film as a PNG data address; what the file holds beside its pixels (names, dates) stays here."""
    from PIL.Image import Resampling

    picture = read_rgb(film)
    longest = max(picture.size)
    if longest > side:
        picture = resized(picture, (max(1, picture.width * side // longest), max(1, picture.height * side // longest)), Resampling.BICUBIC)
    stream = io.BytesIO()
    picture.convert("L").save(stream, "PNG")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


def make(options: Options) -> OpenAIServer:
    """Find the servers and ask leave.

    Raises:
        UsageError: No model is named, or a setting has no such value.
        RefusedError: The films are credentialed and a server is not on this machine.
    """
    settings = options.settings
    model, side, timeout = settings.get("model", ""), settings.get("side", str(SIDE)), settings.get("timeout", "300")
    if not model:
        raise UsageError("openai needs --set model=NAME, as the server calls it")
    if not (side.isdigit() and timeout.isdigit() and int(side) and int(timeout)):
        raise UsageError("side is a number of pixels, and timeout a number of seconds")
    servers = endpoints(list(filter(None, settings.get("endpoint", "").split(","))), options.access)
    prompt = prompting.prompt(settings)
    made_of = digest(["openai", 2, model, *prompt.identity, side, options.seed])
    return OpenAIServer(servers, model, prompt, int(side), options.seed, float(timeout), made_of)


SYSTEM = System(
    name="openai",
    make="generators.adapters.openai_server:make",
    summary="any vision model behind an OpenAI-compatible server (vLLM, SGLang, a provider)",
    writes=Section.FINDINGS,
    settings={
        "model": "the model, as the server calls it",
        "endpoint": "its address up to /v1; several with commas (default: those of config.toml, or this machine's port 8000)",
        **prompting.SETTINGS,
        "side": f"longest side of a film in pixels as it is sent (default: {SIDE})",
        "timeout": "seconds for one report (default: 300)",
    },
)
