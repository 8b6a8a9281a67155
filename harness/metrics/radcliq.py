"""RadCliQ (Yu et al. 2023): a regression of the errors that radiologists counted on four other metrics. A distance: 0 errors is low.

The coefficients are those of the released models, read without executing them. Nothing is inverted: 1/mean, which some tables
print, has a pole at 0 and can rank the better system last.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.errors import UnavailableError, UsageError
from harness.metrics.means import Mean
from harness.signature import digest
from harness.types import Array, Input, Metric

COMPONENTS: tuple[tuple[str, str], ...] = (
    ("radgraph-f1:rexrank|radgraph", "f1"),
    ("bertscore:rescaled", "f1"),
    ("sembscore", "sembscore"),
    ("bleu:sentence|rexrank", "bleu-2"),
)
"""By metric the part that enters, in the order of the coefficients."""


@dataclass(frozen=True, slots=True)
class Regression:
    """A standardisation and a linear model."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float

    def __call__(self, values: Array) -> Array:
        """The distance of each study from its components, shape (..., 4)."""
        standard = (np.asarray(values, dtype=np.float64) - self.mean) / self.scale
        return np.asarray(standard @ np.array(self.coefficients) + self.intercept)


VERSIONS = {
    "v0": Regression(
        (0.539838, 0.631255, 0.771680, 0.460737),
        (0.301834, 0.224670, 0.247503, 0.303367),
        (-0.479625, -0.676217, -0.463666, 0.216587),
        1.641667,
    ),
    "v1": Regression(
        (0.537923, 0.617573, 0.764794, 0.447383),
        (0.302826, 0.224309, 0.253944, 0.298927),
        (-0.377084, -0.370300, -0.252616, 4.3e-12),
        2.5e-10,
    ),
}
"""v0 counts BLEU against a report; v1 gives it no weight."""


def radcliq(recipe: str) -> Mean:
    """RadCliQ, `v1` (default) or `v0`, from the components of this machine.

    Raises:
        UsageError: There is no such version.
        UnavailableError: A component is not here; all that are not are named.
    """
    from harness.metrics import metric

    if (recipe or "v1") not in VERSIONS:
        raise UsageError(f"radcliq has no recipe {recipe!r}; there are {', '.join(VERSIONS)}")
    made, absent = [], []
    for spec, part in COMPONENTS:
        try:
            made.append((metric(spec), part))
        except UnavailableError as error:
            absent.append(str(error))
    if absent:
        raise UnavailableError("RadCliQ lacks components: " + "; ".join(absent))
    return from_components(recipe or "v1", made)


def from_components(version: str, components: Sequence[tuple[Metric, str]]) -> Mean:
    """RadCliQ from metrics at hand, in the order of `COMPONENTS`."""

    def measure(references: Sequence[str], candidates: Sequence[str]) -> Array:
        left, right = ([Input(str(place), text) for place, text in enumerate(side)] for side in (references, candidates))
        values = [one.score(one.rows(left, right))[part] for one, part in components]
        return VERSIONS[version](np.stack(values, axis=-1))[:, None]

    marks = digest([[one.name, one.version, one.recipe, one.fit_digest] for one, _ in components])
    return Mean("radcliq", version, ("distance",), measure, higher_is_better=False, limits=(-math.inf, math.inf), fit_digest=marks)
