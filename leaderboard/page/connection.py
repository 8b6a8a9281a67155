"""A visitor's connection: who begins a request must send all of it, or the connection is closed."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE = 20.0
"""Seconds in which `PATIENCE * RATE` more bytes of a request must come, or its end."""
RATE = 20_000
"""Bytes a second."""
LOOK = 2.0
"""Seconds between two looks at a connection."""
FILES = 65_536
"""Connections and files that this process may have open, where the system allows as many."""
_OWES = (h11.IDLE, h11.SEND_BODY)


class Connection(H11Protocol):
    """Uvicorn's connection with a bound on the time that a request takes to arrive; an answer may take as long as it likes."""

    _begun = 0.0
    _received = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._begun = self.loop.time()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        if self._timer:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; the time of the next request begins where nothing is owed any more."""
        self._received += len(data)
        super().data_received(data)
        if self.conn.their_state not in _OWES:
            self._begun, self._received = 0.0, 0
        elif not self._begun:
            self._begun = self.loop.time()

    def _look(self) -> None:
        transport: Any = self.transport
        if transport.is_closing() or transport.get_protocol() is not self:
            return
        now = self.loop.time()
        if self._begun and now > self._begun + PATIENCE:
            if self._received < PATIENCE * RATE:
                transport.abort()
                return
            self._begun, self._received = now, 0
        self._timer = self.loop.call_later(LOOK, self._look)


def allow_many() -> None:
    """Let this process have as many connections open as the system allows, up to `FILES`."""
    if os.name == "nt":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
