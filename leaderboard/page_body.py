"""What visitors send: read within bounds of size, of time and of memory, and who sends it."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from harness.errors import InputError, Problem, UnavailableError

GRACE = 5.0
"""Seconds in which `GRACE * RATE` more bytes must come, or the last one."""
RATE = 100_000
"""Bytes a second."""
TOGETHER = 200
"""Visitors who may be sending, waiting or being answered at once."""
HELD = 480_000_000
"""Bytes of uploads that are in memory at once."""
FULL = Problem("this page is taking as many uploads as it can", "Try again in a minute")
TWICE = Problem("an upload from your address is being taken already", "Wait until it is answered, then send this one")
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
HERE = ("127.0.0.1", "::1")


def proxies(settings: Mapping[str, Any], environment: Mapping[str, str]) -> list[str]:
    """The proxies whose word is taken for who a visitor is: those that are configured, else one on this machine, and on a Space its own."""
    if "proxies" in settings:
        return list(settings["proxies"])
    return [*HERE, *(PRIVATE if environment.get("SPACE_ID") else ())]


def client(request: Request) -> str:
    """Who asks: the address, as a proxy that is believed forwarded it; of IPv6 the network, since one visitor has many addresses in it."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host[:100]
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else host


@dataclass(slots=True, eq=False)
class Place:
    """One upload, from its first byte until it is answered."""

    who: str
    size: int = 0
    """Bytes of it in memory."""


class Uploads:
    """Everything that visitors are sending to one door.

    Args:
        own: Uploads of one visitor at once.
    """

    def __init__(self, own: int = 1) -> None:
        self.own = own
        self._places: set[Place] = set()

    @property
    def held(self) -> int:
        """Bytes in memory."""
        return sum(place.size for place in self._places)

    @property
    def places(self) -> int:
        """Uploads that are sent, wait or are answered."""
        return len(self._places)

    def enter(self, who: str) -> Place:
        """Take a place; `leave` gives it back.

        Raises:
            UnavailableError: The visitor has as many as allowed, or there is none.
        """
        if sum(place.who == who for place in self._places) >= self.own:
            raise UnavailableError(TWICE)
        if len(self._places) >= TOGETHER:
            raise UnavailableError(FULL)
        self._places.add(place := Place(who))
        return place

    def leave(self, place: Place) -> None:
        """Give a place back, and its memory."""
        self._places.discard(place)

    async def read(self, request: Request, place: Place, most: int) -> bytes:
        """A whole upload.

        Raises:
            InputError: It is larger than allowed.
            UnavailableError: It is too slow, or there is no memory left.
            ClientDisconnect: The visitor left.
        """
        data, marked = bytearray(), 0
        try:
            async with asyncio.timeout(GRACE) as limit:
                async for chunk in request.stream():
                    data += chunk
                    place.size = len(data)
                    if len(data) > most:
                        raise InputError(Problem(f"it holds more than {most:,} bytes", "Send a smaller one"))
                    if self.held > HELD:
                        raise UnavailableError(FULL)
                    if len(data) >= marked + GRACE * RATE:
                        marked = len(data)
                        limit.reschedule(asyncio.get_running_loop().time() + GRACE)
        except TimeoutError:
            what = f"uploading it is slower than {RATE // 1000} kB a second"
            raise UnavailableError(Problem(what, "Try again where the connection is faster, or send a smaller file")) from None
        return bytes(data)
