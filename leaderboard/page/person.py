"""Who asks: on a Space the person who logged in at the Hub, elsewhere a visitor of this machine."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import anyio
from fastapi import FastAPI, Request

from harness.errors import Problem, RefusedError, UnavailableError
from submissions.events import VISITOR

KNOWN_FOR = 300.0
"""Seconds for which the Hub is not asked again whose token it is."""
KNOWN = 500
TOKEN = re.compile(r"Bearer (hf_[\w.~-]{8,4000})", re.ASCII)
LOG_IN = Problem(
    "this board asks who submits, and you are not logged in",
    "Log in with your Hub account on the Submit tab, or set HF_TOKEN for `ranscore submit`",
)


@dataclass(slots=True)
class People:
    """Finds out who asks.

    Args:
        space: Whether the page runs as a Space; elsewhere everybody is the one visitor.
    """

    space: bool
    _known: OrderedDict[str, tuple[str, float]] = field(default_factory=OrderedDict, repr=False)
    _asking: anyio.CapacityLimiter | None = None

    async def name(self, request: Request) -> str:
        """`hf:NAME` on a Space, else `local:visitor`.

        Raises:
            RefusedError: On a Space without a login or a token that the Hub knows.
            UnavailableError: The Hub does not say whose token it is.
        """
        if not self.space:
            return VISITOR
        found = self.logged_in(request) or await self._of_token(request.headers.get("authorization", ""))
        if not found:
            raise RefusedError(LOG_IN)
        return f"hf:{found}"

    def logged_in(self, request: Request) -> str:
        """Whose session the browser's cookie names; empty where there is none or it is over."""
        info = (request.scope.get("session") or {}).get("oauth_info") or {}
        over = info.get("expires_at")
        if not self.space or (over is not None and over < time.time()):
            return ""
        return str((info.get("userinfo") or {}).get("preferred_username") or "")

    async def _of_token(self, header: str) -> str:
        """Whose token of the Hub a request carries; empty where it carries none that counts."""
        if not (match := TOKEN.fullmatch(header)):
            return ""
        key = sha256(match[1].encode()).hexdigest()
        known = self._known.get(key)
        if known and known[1] > time.monotonic():
            return known[0]
        self._asking = self._asking or anyio.CapacityLimiter(4)
        name = await anyio.to_thread.run_sync(lambda: _ask_the_hub(match[1]), limiter=self._asking)
        self._known[key] = (name, time.monotonic() + KNOWN_FOR)
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)
        return name


def _ask_the_hub(token: str) -> str:
    """The person to whom a token belongs; empty for a token that the Hub does not know or that is no person's.

    Raises:
        UnavailableError: The Hub does not answer.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    try:
        found: dict[str, Any] = HfApi().whoami(token=token)
    except HfHubHTTPError as error:
        if error.response is not None and error.response.status_code in (401, 403):
            return ""
        raise UnavailableError(Problem("the Hub does not say whose token this is", "Try again in a minute")) from None
    except Exception:
        # Whatever it is, its message may quote the token.
        raise UnavailableError(Problem("the Hub does not answer", "Try again in a minute")) from None
    return str(found.get("name") or "") if found.get("type") == "user" else ""


def add_login(app: FastAPI) -> None:
    """Add the Hub's login and its cookie to the server of a Space.

    Raises:
        UnavailableError: The packages for it are not installed.
    """
    from gradio.oauth import attach_oauth

    try:
        attach_oauth(app)
    except ImportError:
        raise UnavailableError(Problem("the packages for the Hub's login are missing", "pip install 'gradio[oauth]'")) from None
    except ValueError as error:
        raise UnavailableError(Problem(f"the Hub's login is not set up: {error}", "Write hf_oauth: true into the Space's README")) from None
