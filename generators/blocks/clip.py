"""The image tower of OpenAI's CLIP (ViT-B/32 and its like), its tensors named as in the released state dict (`visual.*`)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class ClipShape:
    """The defaults are ViT-B/32's."""

    layers: int = 12
    width: int = 768
    heads: int = 12
    patch: int = 32
    size: int = 224
    out: int = 512


class Block(nn.Module):
    """One residual block, normalised before each step; the activation is CLIP's fast GELU."""

    def __init__(self, shape: ClipShape) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(shape.width, shape.heads, batch_first=True)
        self.ln_1, self.ln_2 = nn.LayerNorm(shape.width), nn.LayerNorm(shape.width)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(shape.width, 4 * shape.width), "c_proj": nn.Linear(4 * shape.width, shape.width)})

    def forward(self, state: Tensor) -> Tensor:
        """Shape (films, tokens, width) in and out."""
        known = self.ln_1(state)
        state = state + self.attn(known, known, known, need_weights=False)[0]
        inner = self.mlp["c_fc"](self.ln_2(state))
        result: Tensor = state + self.mlp["c_proj"](inner * torch.sigmoid(1.702 * inner))
        return result


class ClipTower(nn.Module):
    """Films to vectors in the space that images and texts share."""

    def __init__(self, shape: ClipShape) -> None:
        super().__init__()
        tokens = (shape.size // shape.patch) ** 2 + 1
        self.conv1 = nn.Conv2d(3, shape.width, shape.patch, shape.patch, bias=False)
        self.class_embedding = nn.Parameter(torch.zeros(shape.width))
        self.positional_embedding = nn.Parameter(torch.zeros(tokens, shape.width))
        self.ln_pre, self.ln_post = nn.LayerNorm(shape.width), nn.LayerNorm(shape.width)
        self.transformer = nn.ModuleDict({"resblocks": nn.ModuleList([Block(shape) for _ in range(shape.layers)])})
        self.proj = nn.Parameter(torch.zeros(shape.width, shape.out))

    def forward(self, films: Tensor) -> Tensor:
        """Unit vectors, shape (films, out)."""
        patches = self.conv1(films).flatten(2).transpose(1, 2)
        first = self.class_embedding.expand(len(films), 1, -1)
        state = self.ln_pre(torch.cat((first, patches), 1) + self.positional_embedding)
        for block in self.transformer["resblocks"]:  # type: ignore[attr-defined]
            state = block(state)
        return F.normalize(self.ln_post(state[:, 0]) @ self.proj, dim=-1)
