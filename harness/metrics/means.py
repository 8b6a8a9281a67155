"""Metrics that are the mean over studies of one value a study, whatever computes the value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.types import Array, Input

Measure = Callable[[Sequence[str], Sequence[str]], Array]
"""From reference and candidate texts to values of shape (studies, parts)."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over studies; every study counts, an empty report too."""

    name: str
    recipe: str
    parts: tuple[str, ...]
    """Names of the measured values; the first is the headline."""
    measure: Measure = field(repr=False)
    version: int = 1
    higher_is_better: bool = True
    limits: tuple[float, float] = (0.0, 1.0)
    """The ends of the scale of every part."""
    reads: frozenset[str] = frozenset({"text"})
    fit_digest: str = ""
    """Digest of the weights that measure, so that it enters the signature."""

    @property
    def headline(self) -> str:
        """The first part."""
        return self.parts[0]

    @property
    def columns(self) -> tuple[str, ...]:
        """The value of each part, and 1."""
        return (*self.parts, "studies")

    def fit(self, references: Sequence[Input]) -> Mean:
        """Nothing is frozen."""
        return self

    def rows(self, references: Sequence[Input], candidates: Sequence[Input]) -> Array:
        """The values of each study."""
        texts = ([item.text for item in references], [item.text for item in candidates])
        values = self.measure(*texts) if references else np.zeros((0, len(self.parts)))
        return np.concatenate([values.reshape(len(references), len(self.parts)), np.ones((len(references), 1))], axis=1)

    def score(self, total: Array) -> Mapping[str, Array]:
        """The mean of each part; 0 where there is no study."""
        total = np.asarray(total, dtype=np.float64)
        studies = total[..., -1]
        return {
            part: np.divide(total[..., place], studies, out=np.zeros(studies.shape), where=studies > 0)
            for place, part in enumerate(self.parts)
        }


def both_written(references: Sequence[str], candidates: Sequence[str]) -> list[int]:
    """The places where neither side is blank: only they are shown to a model, so a blank report cannot shift the others."""
    return [place for place, pair in enumerate(zip(references, candidates, strict=True)) if all(text.strip() for text in pair)]
