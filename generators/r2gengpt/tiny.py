"""Random weights of R2GenGPT in the released layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators.blocks.random_weights import LLAMA, llama, seeded

if TYPE_CHECKING:
    from torch import Tensor


SWIN = {"model_type": "swin", "image_size": 224, "patch_size": 4, "embed_dim": 8, "depths": [2, 1, 1, 1], "num_heads": [1, 2, 4, 8]}


RANK = 4


VARIANTS = ("shallow", "delta", "deep")


def swin(folder: Path, seed: int = 0) -> dict[str, tuple[int, ...]]:
    """A Swin as its classifier's folder holds it: a prefix, the head, and the tables that older libraries saved.

    Returns:
        Names and shapes of the tensors that are read, without prefix.
    """
    import torch

    from generators.r2gengpt.system import base_layout, network

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(SWIN), encoding="utf-8")
    empty = network(folder)
    base = base_layout(empty)
    tensors: dict[str, Tensor] = {f"swin.{name}": tensor for name, tensor in seeded(base, seed).items()}
    index = next(buffer for name, buffer in empty.named_buffers() if name.endswith("relative_position_index")).view(49, 49)
    names = [name for name in base if name.endswith("relative_position_bias_table")]
    tensors |= {f"swin.{name.replace('bias_table', 'index')}": index.clone() for name in names}
    tensors |= seeded({"classifier.weight": (10, base["layernorm.weight"][0]), "classifier.bias": (10,)}, seed)
    torch.save(tensors, folder / "pytorch_model.bin")
    return base


def write(folder: Path, seed: int = 0, variant: str = "delta", end: float = 1.0) -> None:
    """R2GenGPT with 0.3 million parameters, its checkpoint as `save_checkpoint` of the release writes it."""
    import torch

    from generators.r2gengpt.system import OWN, lora_layout

    base = swin(folder / "swin", seed)
    llama(folder / "llama", seed, end)
    width, vision = int(str(LLAMA["hidden_size"])), base["layernorm.weight"][0]
    layout = dict(zip(OWN, ((width, vision), (width,), (width,), (width,)), strict=True))
    layout |= lora_layout(base, RANK) if variant == "delta" else {}
    layout |= {f"visual_encoder.{name}": shape for name, shape in base.items()} if variant == "deep" else {}
    saved: dict[str, Any] = {"model": seeded(layout, seed + 1), "config": {"vis_r": RANK}, "epoch": 1, "step": 10}
    torch.save(saved, folder / "checkpoint")
