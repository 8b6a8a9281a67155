"""Random weights of XrayGPT in the released layout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from generators.blocks.random_weights import LLAMA, llama, seeded

if TYPE_CHECKING:
    pass


EYES = {"width": 176, "inner": 96, "queries": 32, "query_width": 128, "query_inner": 96, "query_layers": 2}


def write(folder: Path, seed: int = 0, end: float = 1.0) -> None:
    """XrayGPT with 8 million parameters: all 40 blocks of EVA, narrow; its checkpoint with the buffers that were saved beside it."""
    import torch

    from generators.xraygpt.vision import released_layouts

    llama(folder / "vicuna", seed, end)
    eva, query, own = (seeded(layout, seed) for layout in released_layouts(EYES, int(str(LLAMA["hidden_size"]))))
    torch.save({name: tensor.half() for name, tensor in eva.items()}, folder / "eva")
    torch.save({"model": query}, folder / "qformer")
    half = torch.arange(0, 16, 2) / 16
    own |= {f"llama_model.model.layers.{layer}.self_attn.rotary_emb.inv_freq": 10000.0**-half for layer in range(2)}
    own["Qformer.bert.embeddings.position_ids"] = torch.arange(512)[None]
    torch.save({"model": own, "config": {"model": {"arch": "mini_gpt4"}}, "epoch": 1}, folder / "checkpoint")
