"""LLaMA as R2GenGPT and XrayGPT use it: the same text round the film features of each study, and decoding from one start id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from generators.blocks import hub_folder, language
from generators.blocks.language import DTYPES, Continuation, Pieces, embedded

START, END = 1, 2
"""Ids of <s> and </s> in every LLaMA."""


@dataclass(frozen=True, slots=True)
class Llama:
    """A loaded language model."""

    model: Any = field(repr=False)
    pieces: Pieces = field(repr=False)
    digest: str

    @property
    def width(self) -> int:
        """The width of a token's embedding."""
        return int(self.model.config.hidden_size)

    def prompts(self, before: Sequence[int], films: Tensor, after: Sequence[int]) -> Tensor:
        """Text, film features, text: the same text round the features of each study.

        Args:
            films: Shape (studies, tokens, width).
        """
        left, right = (embedded(self.model, ids).expand(len(films), -1, -1) for ids in (before, after))
        return torch.cat((left, films.to(left), right), 1)

    def step(self, prompts: Tensor) -> Continuation:
        """One step of `generators.blocks.decoding` after the prompts."""
        return Continuation(self.model, prompts)

    def starts(self, prompts: Tensor) -> Tensor:
        """What decoding begins with where the prompt is embeddings: one start id a study, as in transformers 4.27 to 4.30."""
        return torch.full((len(prompts), 1), START, device=prompts.device)


def load(folder: Path, device: str, precision: str) -> Llama:
    """Load a language model from a folder of `transformers`.

    Raises:
        InputError: The folder lacks files; or tensors are missing, unknown or of another shape; all are named.
    """
    config, dtype = hub_folder.settings(folder, "config.json"), DTYPES[precision]
    pieces = Pieces(folder / "tokenizer.model")
    tensors, digest = hub_folder.hashed(folder, lambda tensor: tensor.to(dtype))
    return Llama(language.llama(config, tensors, str(folder), dtype, device), pieces, digest)
