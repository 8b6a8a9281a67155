"""Rows to resampled totals: patients as clusters, draws that depend on the cohort and the seed alone.

Studies of one patient are not independent, so a patient is drawn, left out or swapped as a whole (cluster bootstrap; Davison and
Hinkley, *Bootstrap Methods and their Application*, 1997, 3.8). Everything is sorted by id first: the order of a file changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.types import Array, Metric, Rows

BLOCK = 1000
"""Draws made at once: 12 MB of weights at 3,000 patients."""
EXACT = 2**24
"""Below this a float32 holds every integer, so that sums of counts are exact at twice the speed."""


@dataclass(frozen=True, slots=True)
class RandomSource:
    """Where randomness comes from. Equal sources give equal draws on every machine and with every list of systems."""

    cohort: str
    """The cohort's digest."""
    seed: int = 0

    def bits(self, purpose: str, block: int, size: int) -> NDArray[np.uint64]:
        """Random 64-bit words. Raw words of PCG64 are the part of numpy's generators that is promised to stay the same."""
        key = sha256(f"{self.cohort}|{self.seed}|{purpose}|{block}".encode()).digest()
        raw = np.random.PCG64(int.from_bytes(key, "big")).random_raw(size)
        return np.asarray(raw, dtype=np.uint64)


def patient_totals(rows: Rows, patients: Mapping[str, str]) -> Array:
    """Sum the rows of each patient.

    Args:
        patients: By study id the patient's id; a study that is not named is its own patient.

    Returns:
        Shape (patients, columns), sorted by patient; within a patient the sum runs by study id.
    """
    owners = [patients.get(study, study) for study in rows.studies]
    order = sorted(range(len(owners)), key=lambda index: (owners[index], rows.studies[index]))
    number = {owner: index for index, owner in enumerate(sorted(set(owners)))}
    table = np.zeros((len(number), rows.values.shape[1]))
    np.add.at(table, [number[owners[index]] for index in order], rows.values[order])
    return table


def weights(patients: int, draws: int, source: RandomSource) -> Iterator[NDArray[np.float32]]:
    """Draw patients with replacement, as many as there are: how often each was drawn.

    Yields:
        Blocks of shape (at most BLOCK, patients); each row sums to the number of patients.
    """
    for block, size in _blocks(draws):
        words = source.bits("bootstrap", block, size * patients)
        # The upper half of a word times the count, halved again, is an index; its bias is below patients / 2**32.
        drawn = (((words >> np.uint64(32)) * np.uint64(patients)) >> np.uint64(32)).astype(np.int64).reshape(size, patients)
        flat = (drawn + np.arange(size)[:, None] * patients).ravel()
        yield np.bincount(flat, minlength=size * patients).reshape(size, patients).astype(np.float32)


def swaps(patients: int, draws: int, source: RandomSource) -> Iterator[NDArray[np.float32]]:
    """Toss a coin for every patient: 1 where the two systems change places.

    Yields:
        Blocks of shape (at most BLOCK, patients).
    """
    for block, size in _blocks(draws):
        words = source.bits("swap", block, size * -(-patients // 64))
        coins = np.unpackbits(words.astype("<u8").view(np.uint8).reshape(size, -1), axis=1, bitorder="little")
        yield coins[:, :patients].astype(np.float32)


def _blocks(draws: int) -> Iterator[tuple[int, int]]:
    return ((index, min(BLOCK, draws - start)) for index, start in enumerate(range(0, draws, BLOCK)))


def weighted(factors: NDArray[np.float32], table: Array) -> Array:
    """Totals of each draw: one matrix product, exact for counts.

    Args:
        factors: Shape (draws, patients).
        table: Shape (patients, columns).
    """
    reach = float(np.abs(table).sum(axis=0).max(initial=0.0))
    heaviest = float(factors.max(initial=0.0))
    if reach * heaviest < EXACT and np.array_equal(table, np.rint(table)):
        return np.asarray(factors @ table.astype(np.float32), dtype=np.float64)
    return np.asarray(factors.astype(np.float64) @ table)


def parts(metric: Metric, total: Array) -> dict[str, Array]:
    """The scores of a total, without the counts that are beside them (`positives:<finding>`)."""
    scored: Mapping[str, Any] = metric.score(total)
    return {name: np.asarray(value, dtype=np.float64) for name, value in scored.items() if not name.startswith("positives:")}


def bootstrap(metric: Metric, tables: Sequence[Array], draws: int, source: RandomSource) -> list[dict[str, Array]]:
    """Every part's value in every draw; the draws are made once and shared by all systems.

    Args:
        tables: Each system's totals by patient, from `patient_totals`.

    Returns:
        For each system by part an array of shape (draws,).
    """
    blocks = [[parts(metric, weighted(block, table)) for table in tables] for block in weights(len(tables[0]), draws, source)]
    return [{name: np.concatenate([block[index][name] for block in blocks]) for name in first} for index, first in enumerate(blocks[0])]
