"""A metric of one's own beside Ran Score, without a package: `python examples/my_metric.py`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.cohorts.table import from_table
from harness.metrics.means import Mean
from harness.types import Access, Array
from ranscore import score

HERE = Path(__file__).parent


def measures(references: Sequence[str], candidates: Sequence[str]) -> Array:
    """One row a study: 1 where the report mentions a side exactly if the reference does."""
    sides = ("left", "right", "bilateral")
    return np.array(
        [
            [float({side for side in sides if side in one.lower()} == {side for side in sides if side in other.lower()})]
            for one, other in zip(references, candidates, strict=True)
        ]
    )


sides = Mean("same-sides", "words", ("same-sides",), measures)
references = from_table(HERE / "references.csv", access=Access.OPEN)
evaluation = score(predictions=HERE / "predictions.csv", references=references, metrics=["ran-score", sides])
for result in evaluation.record.metrics:
    low, high = result.interval
    print(f"{result.name}: {result.value:.3f} [{low:.3f}, {high:.3f}]")
