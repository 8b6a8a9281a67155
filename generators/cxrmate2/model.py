"""The parts that CXRMate-2 has round Llama: what reads a film's patches, what says how long ago something was, and the steps of writing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from harness.quiet import Quiet

EPSILON = 1e-12
HEADS = 12
"""Sizes of the reading layers, as `RoFormerConfig` has them; the release says only how many layers there are."""


def _pair(first: str, inner: int, outer: int, width: int) -> nn.ModuleDict:
    return nn.ModuleDict({first: nn.Linear(inner, outer), "LayerNorm": nn.LayerNorm(width, EPSILON)})


class RoFormerLayer(nn.Module):
    """One layer: `RoFormerLayer` without positions, which are never given to it."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        own = nn.ModuleDict({name: nn.Linear(width, width) for name in ("query", "key", "value")})
        self.attention = nn.ModuleDict({"self": own, "output": _pair("dense", width, width, width)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, inner)})
        self.output = _pair("dense", inner, width, width)

    def forward(self, rows: Tensor) -> Tensor:
        """Rows after the layer, shape (films, rows, width)."""
        shape = (rows.shape[0], rows.shape[1], HEADS, -1)
        query, key, value = (self.attention["self"][name](rows).view(shape).transpose(1, 2) for name in ("query", "key", "value"))  # type: ignore[index]
        mixed = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        rows = _joined(self.attention["output"], mixed, rows)
        return _joined(self.output, F.gelu(self.intermediate["dense"](rows)), rows)


def _joined(parts: Any, new: Tensor, rows: Tensor) -> Tensor:
    made: Tensor = parts["LayerNorm"](parts["dense"](new) + rows)
    return made


class PatchReader(nn.Module):
    """Learned queries that read a film's patches beside them, and their way into the language model."""

    def __init__(self, queries: int, layers: int, width: int, inner: int, wide: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.empty(queries, width))
        self.layers = nn.ModuleList([RoFormerLayer(width, inner) for _ in range(layers)])
        self.projection = nn.Linear(width, wide)

    def forward(self, patches: Tensor) -> Tensor:
        """What the language model sees, shape (films, queries, wide)."""
        rows = torch.cat([self.queries[None].expand(len(patches), -1, -1), patches], 1)
        for layer in self.layers:
            rows = layer(rows)
        made: Tensor = self.projection(rows[:, : len(self.queries)])
        return made


class Ages(nn.Module):
    """How recent something is, as a vector."""

    def __init__(self, inner: int, wide: int) -> None:
        super().__init__()
        self.up_proj = nn.Linear(1, inner, bias=False)
        self.down_proj = nn.Linear(inner, wide, bias=False)

    def forward(self, recent: Tensor) -> Tensor:
        """Vectors of shape (ids, wide) for numbers of shape (ids,)."""
        made: Tensor = self.down_proj(F.gelu(self.up_proj(recent[:, None])))
        return made


@dataclass(slots=True, repr=False)
class Writing(Quiet):
    """The step of `generators.blocks.decoding` for one study: the prompt's rows see each other in both directions, the report's only back."""

    model: Any = field(repr=False)
    prompt: Tensor = field(repr=False)
    """Shape (1, rows, wide); the last row begins the report."""
    places: Tensor = field(repr=False)
    """The position of each row, shape (rows,)."""
    sections: tuple[int, int]
    """Ids whose embeddings are added to the words of findings and impression."""
    parting: int
    """The id between the two."""
    kept: Any = field(default=None, repr=False)

    def __call__(self, ids: Tensor, origin: Tensor) -> Tensor:
        """The next token's logits."""
        if self.kept is None:
            made = self.model(
                inputs_embeds=self.prompt, attention_mask=self._mask(), position_ids=self.places[None], use_cache=True, logits_to_keep=1
            )
        else:
            place = torch.tensor([[len(self.places) + ids.shape[1] - 1]], device=ids.device)
            made = self.model(inputs_embeds=self._last(ids), position_ids=place, past_key_values=self.kept, use_cache=True)
        self.kept = made.past_key_values
        logits: Tensor = made.logits[:, -1]
        return logits

    def _mask(self) -> Tensor:
        """Nothing of the prompt sees the row that begins the report."""
        count = len(self.places)
        mask = torch.zeros(1, 1, count, count, dtype=self.prompt.dtype, device=self.prompt.device)
        mask[:, :, :-1, -1] = torch.finfo(mask.dtype).min
        return mask

    def _last(self, ids: Tensor) -> Tensor:
        """The last word with its section: the one that parts them still belongs to the findings."""
        section = self.sections[int(self.parting in ids[0, :-1].tolist())]
        words = self.model.get_input_embeddings()
        made: Tensor = words(ids[:, -1:]) + words(torch.tensor([[section]], device=ids.device))
        return made
