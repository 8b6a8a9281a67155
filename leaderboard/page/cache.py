"""What the page renders is rendered once for everybody, a few at once, and kept within a bound of memory.

A page's key names what will be shown, never what was asked for, so a visitor can make no more keys than there are pages.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

from anyio import CapacityLimiter, to_thread

from leaderboard.page.body import BUSY, Refusal

WAITING = 24
"""Requests of one lane that wait for a page which is not rendered yet; one more is asked to come again."""
OWN = 4
"""How many of these requests may come from one visitor."""
PATIENCE = 10.0
"""Seconds that a request waits."""
KEPT = 16_000_000
"""Bytes of rendered pages that a lane keeps; the biggest, a board of a thousand systems, takes 0.1 MB compressed."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was rendered."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes that it takes, roughly."""
        return len(self.body) + 500


class Lane:
    """Pages of one kind: one is rendered at a time, and those that nobody asked for lately go first."""

    def __init__(self) -> None:
        self.rendered = 0
        """How many were rendered since the start."""
        self.held = 0
        """Bytes that are kept."""
        self._kept: OrderedDict[Hashable, Made] = OrderedDict()
        self._coming: dict[Hashable, asyncio.Task[Made]] = {}
        self._waiting: Counter[str] = Counter()
        self._one = CapacityLimiter(1)

    async def get(self, key: Hashable, client: str, make: Callable[[], Made]) -> Made:
        """A page; rendered in a thread where it is not kept, once for all who wait for it.

        Args:
            key: Says all that decides what is shown.
            client: Who asks.
            make: Renders it.

        Raises:
            Refusal: Too many wait already, or it took too long.
        """
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        if self._waiting.total() >= WAITING or self._waiting[client] >= OWN:
            raise Refusal(503, BUSY)
        self._waiting[client] += 1
        try:
            task = self._coming.get(key) or self._begin(key, make)
            return await asyncio.wait_for(asyncio.shield(task), PATIENCE)
        except TimeoutError:
            raise Refusal(503, BUSY) from None
        finally:
            self._waiting[client] -= 1
            self._waiting += Counter()  # forgets who no longer waits

    def _begin(self, key: Hashable, make: Callable[[], Made]) -> asyncio.Task[Made]:
        self._coming[key] = task = asyncio.ensure_future(to_thread.run_sync(make, limiter=self._one))
        task.add_done_callback(lambda done: self._done(key, done))
        return task

    def _done(self, key: Hashable, task: asyncio.Task[Made]) -> None:
        del self._coming[key]
        if task.cancelled() or task.exception():
            return
        self.rendered += 1
        self._kept[key] = made = task.result()
        self.held += made.size
        while self.held > KEPT and len(self._kept) > 1:
            self.held -= self._kept.popitem(last=False)[1].size
