"""Asks a server a few probes before anything is labelled, and says in words what is wrong with it.

The probes are sentences of our own; no report is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from harness.errors import UnavailableError
from harness.extractors.llm.client import REFUSED, UNREACHABLE, Client, same_model
from harness.extractors.llm.endpoint import Endpoint
from harness.extractors.llm.extractor import LLM
from harness.extractors.llm.framing import framed
from harness.extractors.llm.parser import Decision, ModelReply, decisions, without_trace
from harness.extractors.llm.protocol import Protocol
from harness.extractors.llm.servers import Servers, request
from harness.types import Json, Status

PRESENT = "Large right pneumothorax. Old healed rib fractures on the left. Heart size is normal."
ABSENT = "The lungs are clear. No pneumothorax. No fracture. Heart size is normal."
_PROBES = (("Pneumothorax", PRESENT, 1), ("Fracture", PRESENT, 1), ("Pneumothorax", ABSENT, 0), ("Fracture", ABSENT, 0))


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing that was found out about a server."""

    server: str
    ok: bool
    what: str
    remedy: str = ""


def check(extractor: LLM) -> list[Observation]:
    """Probe every server of an extractor.

    Raises:
        UnavailableError: It runs in this process, so there is no server to check.
    """
    if not isinstance(extractor.source, Servers):
        raise UnavailableError("the model runs in this process: there is no server to check")
    source, protocol = extractor.source, extractor.protocol

    async def probe() -> list[Observation]:
        async with Client(source.endpoints, protocol.model.id, source.timeout, source.patience) as client:
            return [item for endpoint in source.endpoints async for item in _observations(client, endpoint, protocol)]

    return asyncio.run(probe())


async def _observations(client: Client, endpoint: Endpoint, protocol: Protocol) -> AsyncIterator[Observation]:
    place, name = endpoint.place, endpoint.model or protocol.model.id
    listed = _models(await client.get(endpoint, "/models"))
    if listed and not any(same_model(item, name) for item in listed):
        what = f"it does not serve {name} but {len(listed)} other model{'s' if len(listed) > 1 else ''}"
        yield Observation(place, False, what, f"Say --model with one of the names that `curl {endpoint.url}/models` lists")
    first = await client.once(endpoint, _body(protocol, endpoint, PRESENT))
    if isinstance(first, str):
        yield Observation(place, False, f"a question about a short report failed: {first}", _remedy(protocol, first))
        return
    yield Observation(place, True, "it answers" + (f" as {name}" if first.model else ", and does not say as which model"))
    yield _thinking(place, protocol, first)
    if protocol.model.request.get("chat_template_kwargs"):
        yield await _template(client, endpoint, protocol, first)
    yield _readable(place, protocol, first)
    if protocol.constraint != "none":
        yield await _held(client, endpoint, protocol)
    yield await _steady(client, endpoint, protocol, first)
    yield await _sensible(client, endpoint, protocol)


def _models(data: Json | None) -> list[str]:
    items = (data or {}).get("data")
    return [str(item["id"]) for item in items if isinstance(item, dict) and "id" in item] if isinstance(items, list) else []


def _body(protocol: Protocol, endpoint: Endpoint, text: str, finding: str = "Pneumothorax") -> Json:
    asked = finding if protocol.pack.mode == "single" else "*"
    return request(protocol, endpoint, asked, framed(text, protocol.pack.framing))


def _read(protocol: Protocol, answer: ModelReply, finding: str = "Pneumothorax") -> Decision:
    """What an answer decides about one finding."""
    if protocol.pack.mode == "single":
        return decisions(answer, protocol.pack.parser, [protocol.question(finding).title])[0]
    titles = [question.title for question in protocol.pack.questions]
    return decisions(answer, protocol.pack.parser, titles)[titles.index(protocol.question(finding).title)]


def _remedy(protocol: Protocol, failure: str) -> str:
    if failure == UNREACHABLE:
        return "Start the server, or fix --endpoint"
    if protocol.constraint == "none" or failure != REFUSED:
        return "See the server's log"
    return "If it does not know structured output, say --dialect openai: answers are then only checked here, under a digest of their own"


def _thinking(place: str, protocol: Protocol, answer: ModelReply) -> Observation:
    """Whether the model thinks although it was asked not to."""
    thinks = answer.thought or without_trace(answer.content) != answer.content.strip()
    if protocol.model.thinking == "always" or protocol.pack.thinking:
        return Observation(
            place, True, "the model thinks first, as it should" if thinks else "the model was expected to think first and did not"
        )
    if thinks:
        return Observation(
            place,
            False,
            "thinking is on: the answer begins with a thought, and the room for answers ends before the thought does",
            "Serve the model with a chat template that honours enable_thinking=false, or choose a preset for a model that thinks",
        )
    return Observation(place, True, "thinking is off")


async def _template(client: Client, endpoint: Endpoint, protocol: Protocol, first: ModelReply) -> Observation:
    """Whether the switch for thoughts reaches the template: it changes the length of the prompt."""
    flipped = {**_body(protocol, endpoint, PRESENT), "chat_template_kwargs": {"enable_thinking": True}}
    second = await client.once(endpoint, flipped)
    if isinstance(second, str) or first.prompt_tokens is None or second.prompt_tokens is None:
        return Observation(endpoint.place, True, "it does not say how long prompts are, so whether it heeds template arguments is unknown")
    if first.prompt_tokens == second.prompt_tokens:
        return Observation(
            endpoint.place,
            False,
            "it ignores chat_template_kwargs: the prompt is as long with thinking switched on as with it switched off",
            "Harmless for a model without thoughts; otherwise serve it with a template in which they are off",
        )
    return Observation(endpoint.place, True, "it heeds chat_template_kwargs")


def _readable(place: str, protocol: Protocol, answer: ModelReply) -> Observation:
    _, status = _read(protocol, answer)
    if status is Status.OK:
        return Observation(place, True, "its answer can be read")
    why = (
        "it was cut off"
        if answer.finish == "length"
        else "it is empty"
        if not answer.content.strip()
        else "it is not one of the allowed ones"
    )
    return Observation(place, False, f"its answer is {status.value}: {why}", "Look at the other lines; they mostly say why")


async def _held(client: Client, endpoint: Endpoint, protocol: Protocol) -> Observation:
    """Whether the server holds an answer to the set when the question asks for something else."""
    body = _body(protocol, endpoint, PRESENT)
    body = {**body, "messages": [{"role": "user", "content": "Say the word banana five times."}]}
    answer = await client.once(endpoint, body)
    status = Status.FAILED if isinstance(answer, str) else _read(protocol, answer)[1]
    if status is Status.OK:
        return Observation(endpoint.place, True, "it holds answers to the allowed ones")
    return Observation(
        endpoint.place,
        False,
        "it ignores the constraint: asked for something else, it gives something else",
        "Say --dialect vllm, sglang or llama.cpp as the server speaks, or --dialect openai to do without, under a digest of its own",
    )


async def _steady(client: Client, endpoint: Endpoint, protocol: Protocol, first: ModelReply) -> Observation:
    second = await client.once(endpoint, _body(protocol, endpoint, PRESENT))
    if isinstance(second, ModelReply) and second.content == first.content:
        return Observation(endpoint.place, True, "asked twice, it answers the same")
    return Observation(
        endpoint.place, False, "asked twice, it answers differently", "Labels will vary from run to run; keep the recorded ones"
    )


async def _sensible(client: Client, endpoint: Endpoint, protocol: Protocol) -> Observation:
    """Whether plain statements are read rightly: a wrong model, or one that is too weak, fails here."""
    wrong = 0
    for finding, text, truth in _PROBES:
        answer = await client.once(endpoint, _body(protocol, endpoint, text, finding))
        wrong += isinstance(answer, str) or _read(protocol, answer, finding)[0] != truth
    if wrong:
        what = f"it decides {wrong} of {len(_PROBES)} plain statements wrongly"
        return Observation(endpoint.place, False, what, "Is this the model that the name says? See that it is served with its own template")
    return Observation(endpoint.place, True, "it decides plain statements rightly")
