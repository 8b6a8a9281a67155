"""Who asks: the address of a visitor, as a proxy that is believed forwarded it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

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
