"""CIDEr and CIDEr-D (Vedantam et al. 2015): cosine of n-gram counts weighted by how rare an n-gram is among the references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from harness.errors import UsageError
from harness.metrics.text.ngrams import NgramCounts, Order, orders, sums
from harness.metrics.text.on_words import OnWords, mean_of
from harness.metrics.text.tokens import read_recipe, words_of
from harness.signature import digest
from harness.types import Array, Input

DEFAULT = "coco|ptb"
_CLIPPED = "counts clipped to the reference's, penalty on a difference in length: what pycocoevalcap and every table call CIDEr"
WAYS: Mapping[str, Mapping[str, str]] = {
    "cider": {"coco": _CLIPPED, "plain": "as the paper first defines it: neither clipped nor penalised"},
    "cider-d": {"coco": "the same number as cider:coco, by the name that it has in the paper"},
}
_SIGMA = 6.0
_SCALE = 10.0


@dataclass(frozen=True, slots=True)
class Cider(OnWords):
    """CIDEr by one recipe, with the rarity of n-grams frozen from the references that `fit` saw."""

    name: str = "cider"
    columns: tuple[str, ...] = ("sum", "studies")
    limits: tuple[float, float] = (0.0, 10.0)
    documents: tuple[str, ...] | None = field(default=None, repr=False)
    """The texts that rarity is counted in; None before `fit`. Never shown: they may be credentialed."""

    @property
    def headline(self) -> str:
        """Its own name."""
        return self.name

    def fit(self, references: Sequence[Input]) -> Cider:
        """Freeze in how many references each n-gram occurs, and how many references there are."""
        texts = tuple(item.text for item in references)
        prepared = sorted(" ".join(words) for words in words_of(self.preparation, texts, True))
        return replace(self, documents=texts, fit_digest=digest(prepared))

    def rows(self, references: Sequence[Input], candidates: Sequence[Input]) -> Array:
        """(CIDEr of the study, 1).

        Raises:
            UsageError: `fit` was not called first.
        """
        if self.documents is None:
            raise UsageError(f"{self.name} counts how rare an n-gram is: call fit(references) and use what it returns")
        texts = tuple(item.text for item in references), tuple(item.text for item in candidates)
        others = () if self.documents == texts[0] else self.documents
        tables = orders(self.preparation, *texts, others)
        size = len(references)
        clipped = self.way == "coco"
        cosines = [_cosine(order, order.others if others else order.references, len(self.documents), size, clipped) for order in tables]
        value = _SCALE * np.mean(cosines, axis=0)
        if clipped:
            value = value * _length_penalty(tables[1], size)
        return np.stack([value, np.ones(size)], axis=1)

    def score(self, total: Array) -> Mapping[str, Array]:
        """The mean over the studies, from 0 to 10."""
        return {self.headline: mean_of(total)}


def _cosine(order: Order, documents: NgramCounts, number: int, size: int, clipped: bool) -> Array:
    """Similarity of candidate and reference in the n-grams of one order, per study; 0 where either has none that weighs."""
    frequency = np.bincount(documents.gram, minlength=order.size)
    rarity = np.log(max(number, 1)) - np.log(np.maximum(frequency, 1))
    reference = order.references.times * rarity[order.references.gram]
    candidate = order.candidates.times * rarity[order.candidates.gram]
    first, second = order.common
    met = np.minimum(candidate[second], reference[first]) if clipped else candidate[second]
    product = sums(order.references.text[first], met * reference[first], size)
    norms = sums(order.references.text, reference**2, size) * sums(order.candidates.text, candidate**2, size)
    return np.divide(product, np.sqrt(norms), out=np.zeros(size), where=norms > 0)


def _length_penalty(bigrams: Order, size: int) -> Array:
    """Gaussian of the difference in length. The published code means words and counts bigrams, one less on either side."""
    candidate = sums(bigrams.candidates.text, bigrams.candidates.times, size)
    reference = sums(bigrams.references.text, bigrams.references.times, size)
    penalty: Array = np.exp(-((candidate - reference) ** 2) / (2 * _SIGMA**2))
    return penalty


def cider(recipe: str) -> Cider:
    """CIDEr by a recipe; `coco|ptb` where none is named."""
    return Cider(*read_recipe("cider", recipe, WAYS["cider"], DEFAULT))


def cider_d(recipe: str) -> Cider:
    """CIDEr-D by a recipe: what the coco family computes under the name CIDEr."""
    return Cider(*read_recipe("cider-d", recipe, WAYS["cider-d"], DEFAULT), name="cider-d")
