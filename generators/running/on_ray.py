"""Writes reports with Ray: each actor holds the generator, reads the films that are named to it, and writes a chunk of studies at a time.

Only the plan, the inputs' text and the paths of films travel; the films themselves are read by the actors, so on a cluster they must be
at the same path on every machine (a shared file system, as it is usual). Weights are found by each machine as a command there would find
them; machines whose weights, settings or code differ are refused. The reports come back to the process that started it all, which writes
them in order into the same file, with the same plan, as a run without Ray: either may continue what the other began.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice

from generators.catalogue import Options, find, make
from generators.running.batching import LocalGenerator
from harness.cluster import Cluster, Pool
from harness.errors import Problem, UnavailableError
from harness.types import Generated, StudyInput


@dataclass(frozen=True, slots=True)
class Held:
    """What an actor says that it holds: its generator, without the weights."""

    name: str
    digest: str
    needs: frozenset[str]
    chunk: int
    """Studies at a time."""


@dataclass(frozen=True, slots=True)
class StudyChunk:
    """Some studies in the order of the run."""

    number: int
    studies: tuple[StudyInput, ...]


@dataclass(frozen=True, slots=True)
class RayGenerator:
    """A generator in the actors of a pool."""

    pool: Pool

    @property
    def name(self) -> str:
        """What commands call the generator."""
        return self._held.name

    @property
    def digest(self) -> str:
        """Digest of the generator; the same in every actor."""
        return self._held.digest

    @property
    def needs(self) -> frozenset[str]:
        """What the generator asks to see."""
        return self._held.needs

    @property
    def _held(self) -> Held:
        held: Held = self.pool.said
        return held

    def write(self, studies: Iterable[StudyInput]) -> Iterator[Generated]:
        """One answer a study, in order; what is ready before its turn waits here.

        Raises:
            UnavailableError: Actors die again and again, or a film is not on the machine of one.
        """
        ready: dict[int, list[Generated]] = {}
        turn = 0
        for chunk, made in self.pool.run(chunks(studies, self._held.chunk)):
            ready[chunk.number] = made
            while turn in ready:
                yield from ready.pop(turn)
                turn += 1


@contextmanager
def spread(system: str, options: Options, batch: int, cluster: Cluster) -> Iterator[RayGenerator]:
    """A generator in actors, which are there until the block ends.

    Args:
        options: Its device is that of each actor: of `cuda` Ray gives each actor a GPU of its own.
        batch: Studies at a time, where batches are exact.

    Raises:
        RefusedError: The cohort is credentialed, and the configuration gives no reason why the cluster may see it.
    """
    cluster.permit(options.access)
    cuda = options.device.startswith("cuda")
    # An actor may start in another folder.
    weights = {name: path.expanduser().absolute() for name, path in options.weights.items()}
    own = replace(options, weights=weights, device="cuda" if cuda else options.device)
    with cluster.pool(_Writer, system, own, batch, gpus=int(cuda)) as pool:
        yield RayGenerator(pool)


def chunks(studies: Iterable[StudyInput], size: int) -> Iterator[StudyChunk]:
    """Studies in groups of `size`, numbered from 0."""
    waiting, number = iter(studies), 0
    while group := tuple(islice(waiting, size)):
        yield StudyChunk(number, group)
        number += 1


class _Writer:
    """Holds a generator in a process of its own."""

    def __init__(self, system: str, options: Options, batch: int) -> None:
        self._system, self._options, self._batch = system, options, batch

    def hello(self) -> Held:
        """Load the weights and say what they are."""
        self._here = LocalGenerator(make(find(self._system), self._options), self._batch)
        return Held(self._here.name, self._here.digest, self._here.needs, self._here.size)

    def work(self, chunk: StudyChunk) -> list[Generated]:
        """Write one chunk."""
        check(chunk.studies)
        return list(self._here.write(chunk.studies))


def check(studies: Sequence[StudyInput]) -> None:
    """The films are on this machine: one that is not would count as a failure of its study, though the fault is the machine's.

    Raises:
        UnavailableError: They are not; each is named.
    """
    films = {path: study.id for study in studies for path in (study.frontal, study.lateral, study.prior_frontal) if path is not None}
    what, remedy = (
        f"the film is not on {socket.gethostname()}",
        "Let the folder of films have the same path on every machine of the cluster",
    )
    absent = [Problem(what, remedy, str(path), study=study) for path, study in films.items() if not path.exists()]
    if absent:
        raise UnavailableError(absent)
