"""LLM-RG4's trained part beside the language model: film, lateral film and prior report become 128 vectors (arXiv 2412.12001).

The names of the parts are those of the released tensors, whose numbers are the released widths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

HEADS = 12
SOURCES = ("APPA", "lateral", "text")
"""Frontal film, lateral film, prior report; in this order they are put side by side."""
LORA = "llama_model.base_model.model.{layer}.self_attn.{part}_proj.lora_{side}.default.weight"
SCALE = 64 / 32
"""Alpha by rank of the low-rank parts, as in the repository's scripts/test.sh; the file does not hold it."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of the trained part; the defaults are the released ones."""

    queries: int = 128
    width: int = 768
    middle: int = 2048
    wide: int = 4096


def measured(found: Mapping[str, Tensor]) -> Sizes:
    """Read the sizes off the tensors; what is not there is taken as released, so that a check names it."""
    released = Sizes()
    shapes = {name: tuple(tensor.shape) for name, tensor in found.items()}
    _, queries, width = (*shapes.get("APPA_visual_query_tokens", ()), 0, 0, 0)[:3]
    middle, wide = shapes.get("APPA_llama_proj_2.weight", (0,))[0], shapes.get("iit_layernorm.weight", (0,))[0]
    return Sizes(queries or released.queries, width or released.width, middle or released.middle, wide or released.wide)


class Fusion(nn.Module):
    """Three branches of one form, and what joins them."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.APPA_visual_query_tokens = nn.Parameter(torch.zeros(1, sizes.queries, sizes.width))
        for name in SOURCES:
            parts = {
                "crossattention_block": nn.MultiheadAttention(sizes.width, HEADS, add_bias_kv=True, add_zero_attn=True, batch_first=True),
                "layernorm_768_1": nn.LayerNorm(sizes.width),
                "llama_proj_1": nn.Linear(sizes.width, sizes.width),
                "layernorm_768_2": nn.LayerNorm(sizes.width),
                "llama_proj_2": nn.Linear(sizes.width, sizes.middle),
                "llama_proj_3": nn.Linear(sizes.middle, sizes.wide),
                "layernorm_4096_1": nn.LayerNorm(sizes.wide),
            }
            for part, module in parts.items():
                self.add_module(f"{name}_{part}", module)
        self.iit_proj = nn.Linear(sizes.wide * len(SOURCES), sizes.wide)
        self.iit_layernorm = nn.LayerNorm(sizes.wide)

    def forward(self, frontal: Tensor, lateral: Tensor | None, report: Tensor | None) -> Tensor:
        """Join what there is; zeros stand for what there is not.

        Args:
            frontal: The encoder's patches, shape (1, patches, width).
            lateral: The same of the lateral film.
            report: The states of the prior report's tokens, shape (1, 100, width); padding takes part.

        Returns:
            Shape (1, queries, wide).
        """
        first, asking = self._branch("APPA", self.APPA_visual_query_tokens, frontal)
        rest = [
            torch.zeros_like(first) if states is None else self._branch(name, asking, states)[0]
            for name, states in (("lateral", lateral), ("text", report))
        ]
        made: Tensor = self.iit_layernorm(self.iit_proj(torch.cat([first, *rest], 2)))
        return made

    def _branch(self, name: str, asking: Tensor, states: Tensor) -> tuple[Tensor, Tensor]:
        """The vectors of one source, and the narrow ones with which the frontal film asks the others."""

        def part(which: str) -> Any:
            return getattr(self, f"{name}_{which}")

        found = part("layernorm_768_1")(part("crossattention_block")(asking, states, states, need_weights=False)[0])
        narrow: Tensor = part("layernorm_768_2")(part("llama_proj_1")(found)) + found
        made: Tensor = part("layernorm_4096_1")(part("llama_proj_3")(F.gelu(part("llama_proj_2")(narrow))))
        return made, narrow


def low_rank(layers: int, wide: int, rank: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors that change the language model."""
    shapes = {"A": (rank, wide), "B": (wide, rank)}
    return {
        LORA.format(layer=f"model.layers.{number}", part=part, side=side): shape
        for number in range(layers)
        for part in ("q", "v")
        for side, shape in shapes.items()
    }


def merged(language: Mapping[str, Tensor], found: Mapping[str, Tensor], layers: int, dtype: torch.dtype) -> dict[str, Tensor]:
    """The language model's tensors with the low-rank parts added to them, in float32 and then rounded."""
    made = dict(language)
    for number in range(layers):
        for part in ("q", "v"):
            layer = f"model.layers.{number}"
            name = f"{layer}.self_attn.{part}_proj.weight"
            down, up = (found[LORA.format(layer=layer, part=part, side=side)].float() for side in "AB")
            if name in made:
                made[name] = (made[name].float() + SCALE * (up @ down)).to(dtype)
    return made
