"""Counting n-grams of many pairs of texts at once: words become numbers, n-grams become numbers, counting becomes sorting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from harness.metrics.text.tokens import Preparation, words_of

Ints = NDArray[np.int64]
ORDERS = 4


@dataclass(frozen=True, slots=True)
class Texts:
    """A list of texts as numbers of one vocabulary."""

    words: Ints
    """The words of all texts, one text after the other."""
    lengths: Ints
    """Words per text."""

    def each(self) -> list[list[int]]:
        """The words of each text."""
        numbers = self.words.tolist()
        ends = np.cumsum(self.lengths).tolist()
        return [numbers[end - length : end] for end, length in zip(ends, self.lengths.tolist(), strict=True)]


@dataclass(frozen=True, slots=True)
class NgramCounts:
    """How often each n-gram occurs in each text: one entry per different n-gram of a text."""

    text: Ints
    gram: Ints
    times: Ints


@dataclass(frozen=True, slots=True)
class Order:
    """The n-grams of one order on all sides, numbered alike."""

    references: NgramCounts
    candidates: NgramCounts
    others: NgramCounts
    """Counts of the further texts (those that idf was taken from); empty where there are none."""
    common: tuple[Ints, Ints]
    """Where candidate and reference of one pair hold the same n-gram: indices into references and into candidates."""
    size: int
    """How many different n-grams there are."""


@lru_cache(maxsize=4)
def numbered(
    prepared: Preparation, references: tuple[str, ...], candidates: tuple[str, ...], others: tuple[str, ...] = ()
) -> tuple[Texts, Texts, Texts]:
    """Words as numbers, in one vocabulary for all sides."""
    sides = [words_of(prepared, references, True), words_of(prepared, candidates, False), words_of(prepared, others, True)]
    vocabulary = {word: number for number, word in enumerate(dict.fromkeys(chain.from_iterable(chain.from_iterable(sides))))}
    first, second, third = (_texts(side, vocabulary) for side in sides)
    return first, second, third


def _texts(side: Sequence[Sequence[str]], vocabulary: dict[str, int]) -> Texts:
    lengths = np.fromiter(map(len, side), dtype=np.int64, count=len(side))
    words = np.fromiter(map(vocabulary.__getitem__, chain.from_iterable(side)), dtype=np.int64, count=int(lengths.sum()))
    return Texts(words, lengths)


@lru_cache(maxsize=4)
def orders(
    prepared: Preparation, references: tuple[str, ...], candidates: tuple[str, ...], others: tuple[str, ...] = ()
) -> tuple[Order, ...]:
    """The n-grams of orders 1 to 4 of pairs of texts; kept for the next metric with the same preparation."""
    sides = numbered(prepared, references, candidates, others)
    words = np.concatenate([side.words for side in sides])
    lengths = np.concatenate([side.lengths for side in sides])
    text = np.repeat(np.arange(len(lengths)), lengths)
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(words))
    place, gram, size = np.arange(len(words)), words, int(words.max(initial=-1)) + 1
    vocabulary, firsts, made = size, np.cumsum([0] + [len(side.lengths) for side in sides]), []
    for order in range(1, ORDERS + 1):
        if order > 1:
            keep = left[place] >= order
            place = place[keep]
            distinct, gram = np.unique(gram[keep] * vocabulary + words[place + order - 1], return_inverse=True)
            size = len(distinct)
        made.append(_order(text[place], gram, size, firsts))
    return tuple(made)


def _order(text: Ints, gram: Ints, size: int, firsts: Ints) -> Order:
    """Count the n-grams of one order.

    Args:
        text: The text of each occurrence, ascending over all sides.
        gram: The n-gram of each occurrence.
        size: How many different n-grams there are.
        firsts: Number of the first text of each side, and of the one after the last.
    """
    bounds = np.searchsorted(text, firsts)
    keys, counts = [], []
    for side in range(len(firsts) - 1):
        part = slice(bounds[side], bounds[side + 1])
        key, times = np.unique((text[part] - firsts[side]) * max(size, 1) + gram[part], return_counts=True)
        keys.append(key)
        counts.append(NgramCounts(key // max(size, 1), key % max(size, 1), times))
    _, first, second = np.intersect1d(keys[0], keys[1], assume_unique=True, return_indices=True)
    return Order(counts[0], counts[1], counts[2], (first, second), size)


def sums(text: Ints, values: NDArray[np.generic], size: int) -> NDArray[np.float64]:
    """Sum of values per text; 0 for texts without any."""
    return np.bincount(text, weights=values, minlength=size).astype(np.float64)
