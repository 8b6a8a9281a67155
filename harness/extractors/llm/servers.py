"""Model servers that answer questions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.extractors.llm import protocol as models
from harness.extractors.llm.endpoint import Endpoint
from harness.extractors.llm.protocol import constrained
from harness.extractors.llm.source import Ask, Settle


@dataclass(frozen=True, slots=True)
class Servers:
    """OpenAI-compatible servers."""

    endpoints: tuple[Endpoint, ...]
    timeout: float = 120.0
    """Seconds for one answer."""
    patience: float = 300.0
    """Seconds without any answer after which the run is given up; what is committed stays."""

    async def answer(self, protocol: models.Protocol, asks: Iterator[Ask], settle: Settle) -> None:
        """Keep every server as busy as it can be."""
        from harness.extractors.llm.client import Client

        async with Client(self.endpoints, protocol.model.id, self.timeout, self.patience) as client:

            async def work() -> None:
                for ask in asks:
                    told = await client.ask(lambda endpoint, ask=ask: request(protocol, endpoint, ask.asked, ask.report))  # type: ignore[misc]
                    await settle(ask, told.reply, told.server)

            async with asyncio.TaskGroup() as group:
                for _ in range(sum(endpoint.limit for endpoint in self.endpoints)):
                    group.create_task(work())


def request(protocol: models.Protocol, endpoint: Endpoint, asked: str, report: str) -> dict[str, Any]:
    """The request that asks one question of one server."""
    dialect = endpoint.dialect or protocol.model.dialect
    return {**protocol.body(asked, report, endpoint.model), **constrained(protocol, dialect)}
