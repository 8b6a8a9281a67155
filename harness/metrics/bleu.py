"""BLEU-1 to BLEU-4 (Papineni et al. 2002): clipped n-gram matches, over the corpus or as a mean of single reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.metrics.text.ngrams import ORDERS, orders, sums
from harness.metrics.text.on_words import OnWords
from harness.metrics.text.tokens import Preparation, read_recipe
from harness.types import Array, Input

DEFAULT = "coco|ptb"
WAYS: Mapping[str, Mapping[str, str]] = {
    "bleu": {
        "coco": "over the corpus with pycocoevalcap's constants (1e-15 on matches, 1e-9 on totals)",
        "corpus": "over the corpus without smoothing, as sacrebleu (smooth none) and Hugging Face evaluate",
        "sentence": "the mean of each report's BLEU with NLTK's smoothing method 1, as ReXrank; the headline is BLEU-2",
    }
}
_TINY, _SMALL = 1e-15, 1e-9
_EPSILON = 0.1
"""What smoothing method 1 (Chen and Cherry 2014) counts for no match."""

_COUNTS = (*(f"match-{n}" for n in range(1, 5)), *(f"total-{n}" for n in range(1, 5)), "candidate-length", "reference-length")
_MEANS = (*(f"sum-bleu-{n}" for n in range(1, 5)), "studies")


@dataclass(frozen=True, slots=True)
class Bleu(OnWords):
    """BLEU by one recipe; a report is scored against its one reference."""

    name: str = "bleu"

    @property
    def headline(self) -> str:
        """BLEU-2 where it is ReXrank's mean, else BLEU-4."""
        return "bleu-2" if self.way == "sentence" else "bleu-4"

    @property
    def columns(self) -> tuple[str, ...]:
        """Clipped matches and totals per order and both lengths; or sums of single scores and their number."""
        return _MEANS if self.way == "sentence" else _COUNTS

    def rows(self, references: Sequence[Input], candidates: Sequence[Input]) -> Array:
        """Counts per study; an empty report has no matches and no length, its reference's length counts."""
        counts = _counts(self.preparation, tuple(item.text for item in references), tuple(item.text for item in candidates))
        if self.way != "sentence":
            return counts
        return np.concatenate([_sentence(counts), np.ones((len(counts), 1))], axis=1)

    def score(self, total: Array) -> Mapping[str, Array]:
        """BLEU-1 to BLEU-4, cumulative (BLEU-4 is the geometric mean of the precisions 1 to 4)."""
        total = np.asarray(total, dtype=np.float64)
        if self.way == "sentence":
            studies = total[..., -1]
            values = np.divide(total[..., :-1], studies[..., None], out=np.zeros_like(total[..., :-1]), where=studies[..., None] > 0)
        else:
            values = _coco(total) if self.way == "coco" else _plain(total)
        return {f"bleu-{order + 1}": values[..., order] for order in range(ORDERS)}


def _counts(preparation: Preparation, references: tuple[str, ...], candidates: tuple[str, ...]) -> Array:
    size = len(references)
    tables = orders(preparation, references, candidates)
    matches = [
        sums(order.references.text[first], np.minimum(order.references.times[first], order.candidates.times[second]), size)
        for order in tables
        for first, second in [order.common]
    ]
    totals = [sums(order.candidates.text, order.candidates.times, size) for order in tables]
    length = sums(tables[0].references.text, tables[0].references.times, size)
    return np.stack([*matches, *totals, totals[0], length], axis=1)


def _split(total: Array) -> tuple[Array, Array, Array, Array]:
    return total[..., :ORDERS], total[..., ORDERS : 2 * ORDERS], total[..., -2], total[..., -1]


_ROOTS = 1.0 / np.arange(1, ORDERS + 1)


def _coco(total: Array) -> Array:
    matches, totals, candidate, reference = _split(total)
    means = np.cumprod((matches + _TINY) / (totals + _SMALL), axis=-1) ** _ROOTS
    ratio = (candidate + _TINY) / (reference + _SMALL)
    return means * np.exp(np.minimum(0.0, 1 - 1 / ratio))[..., None]


def _plain(total: Array) -> Array:
    matches, totals, candidate, reference = _split(total)
    precisions = np.divide(matches, totals, out=np.zeros_like(matches), where=totals > 0)
    return np.cumprod(precisions, axis=-1) ** _ROOTS * _brevity(candidate, reference)[..., None]


def _brevity(candidate: Array, reference: Array) -> Array:
    ratio = np.divide(reference, candidate, out=np.full(np.shape(candidate), np.inf), where=candidate > 0)
    penalty: Array = np.exp(np.minimum(0.0, 1 - ratio))
    return penalty


def _sentence(counts: Array) -> Array:
    """BLEU of each report with smoothing method 1: an order without a match counts 0.1; no word in common is 0."""
    matches, totals, candidate, reference = _split(counts)
    smoothed = np.where(matches > 0, matches, _EPSILON) / np.maximum(totals, 1)
    means = np.cumprod(smoothed, axis=-1) ** _ROOTS * _brevity(candidate, reference)[..., None]
    return np.where(matches[..., :1] > 0, means, 0.0)


def bleu(recipe: str) -> Bleu:
    """BLEU by a recipe; `coco|ptb` where none is named."""
    return Bleu(*read_recipe("bleu", recipe, WAYS["bleu"], DEFAULT))
