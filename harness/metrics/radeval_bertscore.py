"""RadEval-BERTScore: BERTScore by RadEval's ModernBERT, last layer, neither rescaled nor weighted by rarity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness import config
from harness.errors import Problem, UnavailableError, UsageError
from harness.metrics.bertscore import greedy
from harness.metrics.means import Mean, both_written
from harness.types import Array

LONGEST = 8192
CHUNK = 256
"""Pairs at a time, whose token vectors are kept."""
DROPPED = ("head.", "decoder.", "pooler.")
"""Beginnings of released tensors that only training needs."""


def radeval_bertscore(recipe: str) -> Mean:
    """F1, precision and recall by the folder that `[weights.radeval-bertscore]` names.

    Raises:
        UsageError: A recipe is named; there is none.
        UnavailableError: The folder, PyTorch or transformers are not here.
        InputError: The folder is not what was released.
    """
    if recipe:
        raise UsageError(f"radeval-bertscore has no recipe {recipe!r}: it has one definition")
    folder = config.weights("radeval-bertscore").get("folder")
    if not folder:
        what = "RadEval-BERTScore needs the folder of IAMJB/RadEvalModernBERT (0.6 GB)"
        raise UnavailableError(Problem(what, "Download it and set `folder` under `[weights.radeval-bertscore]` in config.toml"))
    return load(Path(folder).expanduser())


def load(folder: Path, device: str = "") -> Mean:
    """RadEval-BERTScore by the encoder in this folder."""
    from torch.nn.functional import normalize

    from harness.networks.stock import batches, load_stock

    model, tokenizer, digest = load_stock(folder, "modernbert", "ModernBertModel", device, drop=DROPPED, prefix="model.")

    def measure(references: Sequence[str], candidates: Sequence[str]) -> Array:
        """0 where a side is blank."""
        values, places = np.zeros((len(references), 3)), both_written(references, candidates)
        for start in range(0, len(places), CHUNK):
            chosen = places[start : start + CHUNK]
            texts = [side[place].strip() for place in chosen for side in (references, candidates)]
            vectors = {}
            for part, ids, output in batches(model, tokenizer, texts, LONGEST):
                states = normalize(output.last_hidden_state.float().cpu(), dim=-1)
                vectors.update({text: state[: len(own)] for text, own, state in zip(part, ids, states, strict=True)})
            values[chosen] = [greedy(vectors[references[place].strip()], vectors[candidates[place].strip()]) for place in chosen]
        return values

    return Mean("radeval-bertscore", "", ("f1", "precision", "recall"), measure, limits=(-math.inf, 1.0), fit_digest=digest)
