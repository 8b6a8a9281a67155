"""SembScore: the cosine between CheXbert's vectors of two reports (Yu et al. 2023, as ReXrank computes it)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import UsageError
from harness.metrics.means import Mean, both_written
from harness.networks import chexbert_files
from harness.types import Array

if TYPE_CHECKING:
    from harness.networks.chexbert import CheXbert


def sembscore(recipe: str) -> Mean:
    """SembScore with the weights that `harness.networks.chexbert_files` finds.

    Raises:
        UsageError: There is no such recipe.
        UnavailableError: PyTorch or CheXbert's weights are not here.
    """
    if recipe:
        raise UsageError(f"sembscore has no recipe {recipe!r}: it has one definition")
    chexbert_files.find_all()
    from harness.networks.chexbert import CheXbert

    return with_network(CheXbert())


def with_network(network: CheXbert) -> Mean:
    """SembScore by a network at hand."""

    def measure(references: Sequence[str], candidates: Sequence[str]) -> Array:
        """0 where a side is blank: the published code crashes there."""
        values = np.zeros((len(references), 1))
        places = both_written(references, candidates)
        if places:
            vectors = network.embed([references[place] for place in places] + [candidates[place] for place in places])
            matrix = np.stack([vector.numpy() for vector in vectors]).astype(np.float64)
            matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
            values[places, 0] = (matrix[: len(places)] * matrix[len(places) :]).sum(axis=1)
        return values

    return Mean("sembscore", "", ("sembscore",), measure, limits=(-1.0, 1.0), fit_digest=network.digest)
