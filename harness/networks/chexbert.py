"""CheXbert's released weights: their layout, where they are, and what they compute from a text.

Smit et al. 2020. The published labeler reads the last layer's first token (not the pooler) with 14 linear heads: four classes
each (blank, positive, negative, uncertain), two for No Finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from harness.networks import checkpoints
from harness.networks.bert import BATCH, BertShape, Encoder, encode_first, once, read_vocabulary, wordpiece
from harness.networks.chexbert_files import find_vocabulary, find_weights
from harness.signature import digest

HEADS = (4,) * 13 + (2,)
"""Classes of each head, in the order of `CHEXPERT_14`."""
PREPARATION = "strip, white space runs to one space; uncased WordPiece; [CLS] and 510 pieces at most and [SEP]"


def layout(shape: BertShape) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the 227 tensors (for the released shape)."""
    table = shape.layout("bert.")
    for number, classes in enumerate(HEADS):
        table |= {f"linear_heads.{number}.weight": (classes, shape.width), f"linear_heads.{number}.bias": (classes,)}
    return table


def read(path: Path, shape: BertShape | None = None) -> dict[str, Tensor]:
    """Read the tensors of a released or converted file; `position_ids`, a constant that some copies carry, is dropped.

    Raises:
        InputError: It is not a checkpoint, or names every tensor that is missing, unexpected or misshapen.
        UnavailableError: There is no such file.
    """
    tensors = checkpoints.read(path)
    tensors.pop("bert.embeddings.position_ids", None)
    checkpoints.check(tensors, layout(shape or BertShape()), str(path))
    return tensors


class CheXbert:
    """The labeler's network on a device."""

    def __init__(
        self,
        weights: str | Path = "",
        vocabulary: str | Path = "",
        device: str = "",
        precision: str = "fp32",
        batch: int = BATCH,
        shape: BertShape | None = None,
    ) -> None:
        """Load the weights.

        Args:
            weights: The released `chexbert.pth` or a conversion of it; see `find_weights` for what an empty name means.
            vocabulary: `vocab.txt` of bert-base-uncased; see `find_vocabulary`.
            device: `cpu`, `cuda` or `mps`; empty for the best there is.
            precision: `fp32`, as published; `bf16` and `fp16` are faster and change about one label in a hundred.
            batch: Texts a batch.
            shape: Another size of network, for tests.

        Raises:
            UnavailableError: Weights or vocabulary are not here.
            InputError: They are not what was released.
        """
        shape = shape or BertShape()
        path = find_weights(weights)
        tensors = read(path, shape)
        pieces = read_vocabulary(find_vocabulary(vocabulary, path), shape.words)
        self._encoder = Encoder(tensors, shape, device, precision, "bert.")
        self._heads = [(tensors[f"linear_heads.{n}.weight"].float(), tensors[f"linear_heads.{n}.bias"].float()) for n in range(len(HEADS))]
        self._tokenise = wordpiece(pieces, shape.positions)
        self._batch = batch
        parts = {"weights": checkpoints.tensors_digest(tensors), "vocabulary": list(pieces), "precision": precision, "text": PREPARATION}
        self.digest = digest(parts)
        """SHA-256 over weights, vocabulary, precision and preparation; the same for either file format and any device."""

    def embed(self, texts: Sequence[str]) -> list[Tensor]:
        """The vector of each text, shape (width,), on the CPU in float32: what the heads and SembScore read."""
        return once([prepared(text) for text in texts], self._states)

    def classes(self, texts: Sequence[str]) -> list[list[int | None]]:
        """The class of each head for each text; None where the network's answer is not a number."""
        if not texts:
            return []
        states = torch.stack(self.embed(texts))
        logits = [F.linear(states, weight, bias) for weight, bias in self._heads]
        best = torch.stack([answer.argmax(dim=1) for answer in logits], dim=1).tolist()
        finite = torch.stack([answer.isfinite().all(dim=1) for answer in logits], dim=1).tolist()
        return [[value if fine else None for value, fine in zip(*row, strict=True)] for row in zip(best, finite, strict=True)]

    def _states(self, texts: Sequence[str]) -> list[Tensor]:
        return encode_first(self._encoder, self._tokenise(texts), "CheXbert", self._batch)


def prepared(text: str) -> str:
    """White space as the published labeler has it; half a surrogate pair, which no tokeniser takes, becomes `?`."""
    return " ".join(text.encode("utf-8", "replace").decode().split())
