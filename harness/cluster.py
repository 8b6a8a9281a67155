"""Spreads work with Ray over the processors and GPUs of one machine or of many: labels for a corpus here, reports in `generators.running.on_ray`.

Each actor holds the whole of what works: an extractor with all its servers, its retries and its cache, or a generator with its weights.
(Ray's own HTTP stage asks one address, one question after the other, and gives the job up over one failed row.) A chunk that dies with
its actor is given to another. What is finished is committed by the process that started it all, so a restart skips it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from harness import config
from harness.config.home import home, pip_install
from harness.errors import Problem, RefusedError, UnavailableError
from harness.types import Access

ATTEMPTS = 5
"""To start Ray on this machine."""
RETRIES = 3
"""How often a chunk is given to another actor when its own dies, and how many actors in a row may die before they are up."""
AHEAD = 2
"""Chunks under way at an actor: it never waits for the next one."""

Piece = TypeVar("Piece")


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where actors live, and how many."""

    address: str = "local"
    """`local` for this machine alone, else a cluster's address."""
    actors: int = 2

    def permit(self, access: Access | str, otherwise: str = "") -> None:
        """Refuse a cluster for credentialed text and films, unless the user's configuration gives a reason.

        Args:
            otherwise: What else the user may do, beside leaving the address away.

        Raises:
            RefusedError: They must not leave this machine.
        """
        reasons = {item["address"]: item.get("credentialed", "").strip() for item in config.tables("ray")}
        if self.address != "local" and Access(access) is Access.CREDENTIALED and not reasons.get(self.address):
            what = "the reports are credentialed, and a Ray cluster sends them to other machines"
            remedy = f"Leave the address away, {otherwise}or write into "
            entry = f'{home() / "config.toml"}: [[ray]] address = "{self.address}" credentialed = "why it is allowed"'
            raise RefusedError(Problem(what, remedy + entry))

    @contextmanager
    def pool(self, worker: type, *arguments: Any, gpus: int = 0) -> Iterator[Pool]:
        """Actors that are there until the block ends.

        Args:
            worker: A class with `hello()`, which loads what works and says what it is, and `work(chunk)`. Made from `arguments`.
            gpus: How many GPUs each actor gets.

        Raises:
            UnavailableError: Ray is not installed, or has no GPU where one is asked for.
        """
        ray = _ray()
        started = not ray.is_initialized()
        if started:
            start(ray, {} if self.address == "local" else {"address": self.address})
        try:
            if gpus > ray.cluster_resources().get("GPU", 0):
                raise UnavailableError(Problem("no machine of this Ray has a GPU", "Give --device cpu"))
            remote = ray.remote(num_cpus=1, num_gpus=gpus)(worker)
            yield Pool(ray, lambda: remote.remote(*arguments), self.actors)
        finally:
            if started:
                ray.shutdown()


def start(ray: Any, where: Mapping[str, Any]) -> None:
    """Connect to a cluster, or start one on this machine; Ray itself waits 30 seconds for its start, which a busy machine exceeds.

    Args:
        where: Arguments of `ray.init`; a local cluster is started where they name no address.

    Raises:
        UnavailableError: Ray does not start, after several attempts.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    dashboard = None if "address" in where else False
    for attempt in range(ATTEMPTS):
        try:
            ray.init(include_dashboard=dashboard, log_to_driver=False, logging_level="ERROR", **where)
            return
        except Exception as error:
            ray.shutdown()
            if "timed out" not in str(error).lower():
                raise
            if attempt + 1 < ATTEMPTS:
                print("ranscore: note: this machine is busy, and Ray did not start in time; trying again", file=sys.stderr)
    raise UnavailableError(
        Problem(f"Ray did not start in {ATTEMPTS} attempts: this machine is too busy", "Try again later, or leave --ray away")
    )


class Pool:
    """Actors that each hold the same. One that dies is replaced; one for which there is no room yet is not waited for."""

    def __init__(self, ray: Any, make: Callable[[], Any], count: int) -> None:
        self._ray, self._make = ray, make
        self._coming: dict[Any, Any] = {}
        """By what it was asked an actor that has not said hello."""
        self._idle: list[Any] = []
        """Actors that can take a chunk; once for each that they can take."""
        self._dead: set[Any] = set()
        self._said: list[Any] = []
        self._stillborn = 0
        for _ in range(max(1, count)):
            self._start()

    @property
    def said(self) -> Any:
        """What every actor says that it holds; waits until the first is up.

        Raises:
            RanscoreError: What an actor raised while it loaded.
            UnavailableError: Actors die before they are up.
        """
        while not self._said:
            (done, *_), _ = self._ray.wait(list(self._coming), num_returns=1)
            self._greet(done)
        return self._said[0]

    def run(self, pieces: Iterator[Piece]) -> Iterator[tuple[Piece, Any]]:
        """Every chunk with what the actors made of it, in the order in which they are ready.

        Raises:
            RanscoreError: What an actor raised.
            UnavailableError: A chunk's actors die again and again.
        """
        running: dict[Any, tuple[Any, Piece, int]] = {}
        orphans: list[tuple[Piece, int]] = []
        while True:
            while self._idle:
                piece, deaths = orphans.pop(0) if orphans else (next(pieces, None), 0)
                if piece is None:
                    break
                actor = self._idle.pop()
                running[actor.work.remote(piece)] = (actor, piece, deaths)
            if not running and not orphans and self._idle:
                return
            (done, *_), _ = self._ray.wait([*running, *self._coming], num_returns=1)
            if done in self._coming:
                self._greet(done)
                continue
            actor, piece, deaths = running.pop(done)
            alive, made = self._answer(done)
            if alive:
                self._idle.append(actor)
                yield piece, made
            elif deaths == RETRIES:
                what = f"the actors of one chunk died {deaths + 1} times"
                raise UnavailableError(Problem(what, "Is there enough memory? Run the command again: it continues, and needs no Ray"))
            else:
                orphans.append((piece, deaths + 1))
                self._bury(actor)

    def _start(self) -> None:
        actor = self._make()
        self._coming[actor.hello.remote()] = actor

    def _greet(self, done: Any) -> None:
        actor = self._coming.pop(done)
        alive, said = self._answer(done)
        self._stillborn = 0 if alive else self._stillborn + 1
        if self._stillborn > RETRIES:
            raise UnavailableError(Problem("actors die before they are up", "Is there enough memory? Try fewer --actors"))
        if not alive:
            self._start()
            return
        if self._said and said != self._said[0]:
            what = "the machines of this Ray do not hold the same weights, settings or version of this program"
            raise UnavailableError(Problem(what, "Make them equal, or leave the odd one out"))
        self._said.append(said)
        self._idle += [actor] * AHEAD

    def _bury(self, actor: Any) -> None:
        """Replace a dead actor, once; what else it was doing comes back too, and finds it replaced."""
        if actor not in self._dead:
            self._dead.add(actor)
            self._idle = [other for other in self._idle if other != actor]
            self._ray.kill(actor)
            self._start()

    def _answer(self, done: Any) -> tuple[bool, Any]:
        """Whether an actor lives, and what it answered; its errors are ours, without Ray's words around them."""
        try:
            return True, self._ray.get(done)
        except self._ray.exceptions.RayTaskError as error:
            raise (error.cause if isinstance(error.cause, Exception) else UnavailableError("an actor failed")) from None
        except self._ray.exceptions.RayError:
            return False, None


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise UnavailableError(f"ray is not installed. Run `{pip_install('ray')}`") from None
    return ray
