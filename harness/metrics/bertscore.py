"""BERTScore (Zhang et al. 2020) as RadCliQ and ReXrank take it: distilroberta-base, layer 5, rescaled, without idf."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness import config
from harness.config.home import pip_install
from harness.errors import InputError, Problem, UnavailableError, UsageError
from harness.metrics.means import Mean, both_written
from harness.types import Array

if TYPE_CHECKING:
    from torch import Tensor

    from harness.networks.bert import BertShape, Encoder

LAYER = 5
BASELINE = (0.84732, 0.84759504, 0.8473319)
"""Precision, recall and F1 of unrelated English sentences at that layer: measured by bert-score 0.3.13's authors, MIT."""
REPOSITORIES = ("distilbert/distilroberta-base", "distilroberta-base")
CHUNK = 256
"""Pairs at a time: their token vectors take some 70 MB."""
RECIPES = {"rescaled": True, "raw": False}
Tokenise = Callable[[str], list[int]]


def bertscore(recipe: str) -> Mean:
    """BERTScore's F1, `rescaled` (default) or `raw`, with weights from `[weights.bertscore] folder` or the Hub's local cache.

    Raises:
        UsageError: There is no such recipe.
        UnavailableError: PyTorch or the weights are not here.
        InputError: They are not what was released.
    """
    if (recipe or "rescaled") not in RECIPES:
        raise UsageError(f"bertscore has no recipe {recipe!r}; there are {', '.join(RECIPES)}")
    weights, words, merges = find_files()
    try:
        from harness.networks import bert
    except ImportError as error:
        raise UnavailableError(f"BERTScore needs PyTorch. Run `{pip_install('torch')}`") from error
    return load(weights, words, merges, bert.BertShape(6, 768, 12, 3072, 50265, 514, 1, 1e-5, 2), recipe or "rescaled")


def find_files() -> tuple[Path, Path, Path]:
    """Weights, vocabulary and merges.

    Raises:
        UnavailableError: They are neither in the folder that the configuration names nor in the Hub's local cache.
    """
    from harness.networks.checkpoints import cached

    named = config.weights("bertscore").get("folder")

    def find(*files: str) -> Path | None:
        places = [Path(named).expanduser() / file for file in files] if named else [cached(REPOSITORIES, file) for file in files]
        return next((place for place in places if place and place.is_file()), None)

    found = find("model.safetensors", "pytorch_model.bin"), find("vocab.json"), find("merges.txt")
    if not all(found):
        what = "BERTScore's weights are not on this machine: distilroberta-base (weights, vocab.json, merges.txt), 0.33 GB, Apache-2.0"
        raise UnavailableError(Problem(what, "Download them and set `folder` under `[weights.bertscore]` in config.toml", str(named or "")))
    return tuple(found)  # type: ignore[return-value]


def load(
    weights: Path, words: Path, merges: Path, shape: BertShape, recipe: str = "rescaled", layer: int = LAYER, device: str = ""
) -> Mean:
    """BERTScore by the encoder in these files."""
    from harness.networks import bert, checkpoints
    from harness.signature import digest

    tensors = checkpoints.read(weights)
    if any(name.startswith("roberta.") for name in tensors):
        tensors = {name.removeprefix("roberta."): tensor for name, tensor in tensors.items() if name.startswith("roberta.")}
    layout = shape.layout(pooler=False)
    tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith("pooler.") and name != "embeddings.position_ids"}
    checkpoints.check(tensors, layout, str(weights))
    tokenise = byte_pairs(words, merges, shape.positions - shape.first_position)
    measure = measure_by(bert.Encoder(tensors, shape, device), tokenise, layer, rescale=RECIPES[recipe])
    marks = [checkpoints.tensors_digest(tensors), words.read_text(encoding="utf-8"), merges.read_text(encoding="utf-8"), layer]
    # A cosine is at most 1. From below, rescaling takes -1 to -12 and F1's quotient has no end.
    return Mean("bertscore", recipe, ("f1", "precision", "recall"), measure, limits=(-math.inf, 1.0), fit_digest=digest(marks))


def byte_pairs(words: Path, merges: Path, longest: int) -> Tokenise:
    """RoBERTa's tokeniser: a space before the first word, `<s>` and `</s>` around, cut to `longest` ids."""
    from tokenizers import ByteLevelBPETokenizer

    try:
        tokenizer = ByteLevelBPETokenizer(str(words), str(merges), add_prefix_space=True)
    except Exception:  # the library raises Exception itself
        what = "it and merges.txt are not the vocabulary of one tokeniser"
        raise InputError(Problem(what, "Download both again", str(words))) from None
    start, end = tokenizer.token_to_id("<s>"), tokenizer.token_to_id("</s>")

    def tokenise(text: str) -> list[int]:
        ids: list[int] = tokenizer.encode(text.strip().encode("utf-8", "replace").decode()).ids
        return [start, *ids[: longest - 2], end]

    return tokenise


def measure_by(encoder: Encoder, tokenise: Tokenise, layer: int, rescale: bool) -> Callable[[Sequence[str], Sequence[str]], Array]:
    """F1, precision and recall of each pair."""

    def measure(references: Sequence[str], candidates: Sequence[str]) -> Array:
        """0 where a side is blank: rescaled, that is what unrelated text gets (bert-score would give -5.55)."""
        values = np.zeros((len(references), 3))
        places = both_written(references, candidates)
        for start in range(0, len(places), CHUNK):
            part = places[start : start + CHUNK]
            vectors = token_vectors(encoder, tokenise, {text for place in part for text in (references[place], candidates[place])}, layer)
            values[part] = [greedy(vectors[references[place]], vectors[candidates[place]]) for place in part]
        if rescale:
            precision, recall, f1 = BASELINE
            base = np.array([f1, precision, recall])
            values[places] = (values[places] - base) / (1 - base)
        return values

    return measure


def token_vectors(encoder: Encoder, tokenise: Tokenise, texts: set[str], layer: int) -> Mapping[str, Tensor]:
    """The normalised vector of every token of every text, specials included, on the CPU."""
    from torch.nn.functional import normalize

    from harness.networks.bert import batches

    ordered = sorted(texts)
    ids = [tokenise(text) for text in ordered]
    vectors: dict[str, Tensor] = {}
    for places, padded, real in batches(ids):
        states = encoder(padded, real, depth=layer).float().cpu()
        vectors.update({ordered[place]: normalize(state[: len(ids[place])], dim=-1) for place, state in zip(places, states, strict=True)})
    return vectors


def greedy(reference: Tensor, candidate: Tensor) -> tuple[float, float, float]:
    """F1, precision and recall: each inner token takes its best match of the other side, where `<s>` and `</s>` may be matched."""
    alike = candidate @ reference.T
    precision = float(alike[1:-1].max(dim=1).values.mean())
    recall = float(alike[:, 1:-1].max(dim=0).values.mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0, precision, recall
