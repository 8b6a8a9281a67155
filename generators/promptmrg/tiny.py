"""Random weights of PromptMRG in the released layout."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from generators.blocks.random_weights import seeded, vocabulary

if TYPE_CHECKING:
    from torch import Tensor


def tensors(layout: Mapping[str, tuple[int, ...]], seed: int = 0, end: float = 0.0) -> dict[str, Tensor]:
    """PromptMRG's tensors; words in and words out are one tensor, as in the release.

    Args:
        end: Added to the bias of the end token.
    """
    made = seeded(layout, seed)
    head, words = "text_decoder.cls.predictions", "text_decoder.bert.embeddings.word_embeddings.weight"
    made[f"{head}.bias"][102] += end
    return made | {f"{head}.decoder.weight": made[words], f"{head}.decoder.bias": made[f"{head}.bias"]}


def write(folder: Path, seed: int = 0) -> None:
    """PromptMRG with 0.3 million parameters, and features of 40 reports that do not exist."""
    import torch

    from generators.promptmrg.system import layouts

    shape, layout, _, clip = layouts("tiny")
    torch.save(tensors(layout, seed), folder / "checkpoint")
    torch.save(seeded(clip, seed), folder / "clip")
    features = np.random.RandomState(seed).standard_normal((40, shape.memory)).astype(np.float32)
    with (folder / "features").open("wb") as stream:
        np.save(stream, features / np.linalg.norm(features, axis=1, keepdims=True))
    (folder / "vocabulary").write_text("\n".join(vocabulary(shape.words)) + "\n", encoding="utf-8")
