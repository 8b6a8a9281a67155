"""How alike two sentences are, for RGRG's removal of near copies: BERTScore F1 with DistilBERT, neither weighted nor rescaled."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from harness.errors import InputError, Problem
from harness.metrics.bertscore import greedy, token_vectors
from harness.networks import checkpoints
from harness.networks.bert import BertShape, Encoder, read_vocabulary, wordpiece
from harness.signature import digest

LAYER = 5
"""The layer that bert-score takes for distilbert-base-uncased."""
SHAPE = BertShape(layers=6)
NAMES = (
    (r"^distilbert\.", ""),
    (r"^transformer\.layer\.", "encoder.layer."),
    (r"\.attention\.q_lin\.", ".attention.self.query."),
    (r"\.attention\.k_lin\.", ".attention.self.key."),
    (r"\.attention\.v_lin\.", ".attention.self.value."),
    (r"\.attention\.out_lin\.", ".attention.output.dense."),
    (r"\.sa_layer_norm\.", ".attention.output.LayerNorm."),
    (r"\.ffn\.lin1\.", ".intermediate.dense."),
    (r"\.ffn\.lin2\.", ".output.dense."),
    (r"\.output_layer_norm\.", ".output.LayerNorm."),
)
"""DistilBERT's names for the parts of a BERT encoder."""
HEADS = ("vocab_", "embeddings.position_ids")
"""What the released file holds beside the encoder."""


def load(folder: Path, device: str = "cpu", shape: BertShape = SHAPE, layer: int = LAYER) -> tuple[Callable[[str, str], float], str]:
    """The measure from a folder with weights and `vocab.txt`, and its digest.

    Raises:
        InputError: The folder does not hold DistilBERT.
    """
    weights = next((folder / name for name in ("model.safetensors", "pytorch_model.bin") if (folder / name).is_file()), None)
    if weights is None:
        raise InputError(Problem("there are no weights in it", "Give the folder of distilbert-base-uncased", str(folder)))
    tensors = as_bert(checkpoints.read(weights), shape)
    checkpoints.check(tensors, shape.layout(pooler=False), str(weights))
    words = read_vocabulary(folder / "vocab.txt", shape.words)
    encoder, tokenise = Encoder(tensors, shape, device), wordpiece(words, shape.positions)

    def alike(first: str, second: str) -> float:
        if not first.strip() or not second.strip():
            return 0.0
        vectors = token_vectors(encoder, lambda text: tokenise([text])[0], {first, second}, layer)
        return greedy(vectors[second], vectors[first])[0]

    return alike, digest([checkpoints.tensors_digest(tensors), list(words), layer])


def as_bert(found: Mapping[str, Tensor], shape: BertShape) -> dict[str, Tensor]:
    """DistilBERT's tensors under BERT's names; it knows no kinds of sentences, so these are zeros."""
    made = {}
    for name, tensor in found.items():
        for pattern, replacement in NAMES:
            name = re.sub(pattern, replacement, name)
        if not name.startswith(HEADS):
            made[name] = tensor
    return made | {"embeddings.token_type_embeddings.weight": torch.zeros(shape.types, shape.width)}
