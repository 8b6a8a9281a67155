"""The pool of actors: who dies, who is replaced, what is refused. On a real Ray of this machine."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import cluster
from harness.cluster import AHEAD, Cluster, start
from harness.errors import InputError, Problem, UnavailableError, UsageError

pytest.importorskip("ray")


DEADLY, DEADLY_ONCE, NO_NUMBER = -1, 7, 99


class Worker:
    """Doubles numbers; dies, differs or fails on demand."""

    def __init__(self, folder: Path, hello: str = "") -> None:
        self.folder, self.said = folder, hello

    def hello(self) -> Any:
        """As the test wants it."""
        if self.said == "die":
            os._exit(1)
        if self.said == "fail":
            raise InputError([Problem("the weights lack a tensor", "Get them again"), Problem("and another")])
        return os.getpid() if self.said == "differ" else "the same"

    def work(self, piece: int) -> int:
        """Twice the number, after a moment."""
        if piece == DEADLY or (piece == DEADLY_ONCE and not list(self.folder.iterdir())):
            (self.folder / f"{os.getpid()}").touch()
            os._exit(1)
        if piece == NO_NUMBER:
            raise UsageError("99 is not a number")
        time.sleep(0.02)
        return 2 * piece


@pytest.fixture(scope="module", autouse=True)
def _ray() -> Iterator[None]:
    """One Ray for all tests; the pools find it running and leave it so."""
    import ray

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    start(ray, {"num_cpus": 2})
    yield
    ray.shutdown()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """To start a process takes seconds, so that few deaths must do."""
    monkeypatch.setattr(cluster, "RETRIES", 1)


def test_every_chunk_is_answered_once_with_more_actors_than_there_is_room_for(tmp_path: Path) -> None:
    taken: list[int] = []

    def pieces() -> Iterator[int]:
        for number in range(30):
            taken.append(number)
            yield number

    with Cluster(actors=5).pool(Worker, tmp_path) as pool:
        found = []
        for piece, made in pool.run(pieces()):
            assert made == 2 * piece
            found.append(piece)
            assert len(taken) - len(found) < 5 * AHEAD
        assert sorted(found) == list(range(30)) == taken
        with pytest.raises(UsageError, match=r"^99 is not a number$"):
            list(pool.run(iter([NO_NUMBER])))


def test_a_chunk_that_dies_with_its_actor_is_given_to_another_and_one_that_kills_every_actor_ends_the_run(tmp_path: Path) -> None:
    with Cluster().pool(Worker, tmp_path) as pool:
        assert pool.said == "the same"
        assert dict(pool.run(iter(range(30)))) == {number: 2 * number for number in range(30)}
        assert len(list(tmp_path.iterdir())) == 1
        with pytest.raises(UnavailableError, match="died 2 times"):
            list(pool.run(iter([DEADLY])))
    assert len(list(tmp_path.iterdir())) == 3


def test_actors_that_die_fail_or_differ_before_they_are_up_end_the_run(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="die before they are up"), Cluster(actors=1).pool(Worker, tmp_path, "die") as pool:
        list(pool.run(iter([1])))
    with (
        pytest.raises(InputError, match=r"the weights lack a tensor\. Get them again\nand another"),
        Cluster(actors=1).pool(Worker, tmp_path, "fail") as pool,
    ):
        list(pool.run(iter([1])))
    with pytest.raises(UnavailableError, match="do not hold the same"), Cluster().pool(Worker, tmp_path, "differ") as pool:
        for _ in pool.run(iter(range(2000))):
            pass


def test_no_gpu_is_waited_for_that_nobody_has(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="--device cpu"), Cluster().pool(Worker, tmp_path, gpus=1):
        pass
