"""Labels a corpus with Ray: over the processors and GPUs of one machine or of many.

Ray's own HTTP stage asks one address, one question after the other, and gives the job up over one failed row; so each actor here holds
the whole extractor, with all servers, its retries and its cache. A chunk that dies with its actor is given to another. What is finished
is committed by the process that started it all, so a restart skips it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from harness.corpus import Chunk, labelled
from harness.errors import Problem, RefusedError, UnavailableError
from harness.extractors import extractor
from harness.home import config, home
from harness.types import Access

RETRIES = 3
"""How often a chunk is given to another actor when its own dies."""


@dataclass(frozen=True, slots=True)
class OnRay:
    """A labeller that spreads chunks over actors."""

    name: str
    """The extractor's name."""
    options: Mapping[str, Any]
    """What its factory takes."""
    address: str = "local"
    """`local` for this machine alone, else a cluster's address."""
    actors: int = 2

    def permit(self, access: Access | str) -> None:
        """Refuse a cluster for credentialed text, unless the user's configuration gives a reason.

        Raises:
            RefusedError: The text must not leave this machine.
        """
        reasons = {item.get("address"): item.get("credentialed") for item in config().get("ray", []) if isinstance(item, dict)}
        if self.address != "local" and Access(access) is Access.CREDENTIALED and not reasons.get(self.address):
            what = "the reports are credentialed, and a Ray cluster sends them to other machines"
            remedy = "Leave the address away, say --open if they are public, or write into "
            entry = f'{home() / "config.toml"}: [[ray]] address = "{self.address}" credentialed = "why it is allowed"'
            raise RefusedError(Problem(what, remedy + entry))

    def run(self, chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, bytes]]:
        """Two chunks an actor are under way at any time."""
        ray = _ray()
        started = not ray.is_initialized()
        if started:
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
            where: dict[str, Any] = {} if self.address == "local" else {"address": self.address}
            ray.init(include_dashboard=False if not where else None, log_to_driver=False, logging_level="ERROR", **where)
        try:
            yield from self._spread(ray, chunks)
        finally:
            if started:
                ray.shutdown()

    def _spread(self, ray: Any, chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, bytes]]:
        remote = ray.remote(num_cpus=1, num_gpus=_gpus(self.options), max_restarts=-1, max_task_retries=RETRIES)(_Actor)
        share = {"share": self.actors} if self.name == "llm" else {}
        idle = [remote.remote(self.name, {**self.options, **share}) for _ in range(self.actors)] * 2
        running: dict[Any, tuple[Any, Chunk]] = {}
        while True:
            for piece in islice(chunks, len(idle)):
                actor = idle.pop()
                running[actor.label.remote(piece)] = (actor, piece)
            if not running:
                return
            (done, *_), _ = ray.wait(list(running), num_returns=1)
            actor, piece = running.pop(done)
            idle.append(actor)
            yield piece, _result(ray, done)


class _Actor:
    """Holds an extractor in a process of its own."""

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self._made = extractor(name, **options)

    def label(self, piece: Chunk) -> bytes:
        """Label one chunk."""
        return labelled(self._made, piece)


def _result(ray: Any, done: Any) -> bytes:
    """What an actor returned; its errors are ours, without Ray's words around them."""
    try:
        return bytes(ray.get(done))
    except ray.exceptions.RayTaskError as error:
        raise (error.cause if isinstance(error.cause, Exception) else UnavailableError("an actor failed")) from None
    except ray.exceptions.RayError as error:
        raise UnavailableError(f"Ray lost an actor for good ({type(error).__name__}); run the command again: it continues") from None


def _gpus(options: Mapping[str, Any]) -> float:
    """One GPU an actor, where the model runs in it and there are GPUs."""
    from pathlib import Path

    if options.get("endpoint") or not options.get("model") or not Path(str(options["model"])).is_dir():
        return 0
    import torch

    return 1 if torch.cuda.is_available() else 0


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise UnavailableError("ray is not installed; `pip install ranscore[ray]` brings it") from None
    return ray
