"""Libra's temporal aligner: two films' layers become one row of vectors for the language model (arXiv 2411.19378, section 3).

The names of the parts are those of the released tensors.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

SHARPNESS = 8
"""Power of the films' similarity, which weighs the prior film's bias."""


class Squeeze(nn.Module):
    """Weigh channels by what their means say (squeeze and excitation, arXiv 1709.01507)."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(channels, squeezed, 1), nn.Conv2d(squeezed, channels, 1)

    def forward(self, state: Tensor) -> Tensor:
        """Shape in and out (films, channels, patches, width)."""
        means = state.mean((2, 3), keepdim=True)
        scaled: Tensor = state * torch.sigmoid(self.fc2(F.gelu(self.fc1(means))))
        return scaled


class Aligner(nn.Module):
    """The whole of `model.mm_projector`.

    Args:
        layers: Number of layers of the encoder; they are halved twice, then made one.
        width: Width of the encoder.
        wide: Width of the language model.
        heads: Number of heads, that of the language model: the release takes this number, not the encoder's.
    """

    def __init__(self, layers: int, width: int, wide: int, heads: int) -> None:
        super().__init__()
        half, quarter = layers // 2, layers // 4
        self.LFE = nn.Sequential(
            Squeeze(layers, half),
            nn.Conv2d(layers, half, 1, bias=False),
            Squeeze(half, quarter),
            nn.Conv2d(half, quarter, 1, bias=False),
            Squeeze(quarter, 1),
            nn.Conv2d(quarter, 1, 1, bias=False),
        )
        self.LFE_prior_bias = nn.Parameter(torch.tensor(0.0))
        self.cur_self_attention = nn.MultiheadAttention(width, heads, batch_first=True, add_bias_kv=True)
        self.prior_self_attention = nn.MultiheadAttention(width, heads, batch_first=True, add_bias_kv=True)
        self.cros_attention = nn.MultiheadAttention(width, heads, batch_first=True, add_bias_kv=True)
        self.norm1, self.norm2, self.norm3, self.norm4 = (nn.LayerNorm(width) for _ in range(4))
        # Dropout keeps the numbering of the released tensors; it does nothing here.
        self.mlp_attn = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Dropout(), nn.Linear(width, width))
        sizes = (width, wide, wide, wide, wide)
        steps = [part for number in range(4) for part in (nn.Linear(sizes[number], sizes[number + 1]), nn.GELU())]
        self.mlp_final = nn.Sequential(*steps[:-1])

    def forward(self, current: Tensor, prior: Tensor) -> Tensor:
        """Align.

        Args:
            current: The encoder's layers of the film, shape (1, layers, patches, width).
            prior: The features of the earlier film; of the same film if there is none.

        Returns:
            Shape (1, patches, wide).
        """
        now, before = self.LFE(current).squeeze(1), self.LFE(prior).squeeze(1)
        alike = F.cosine_similarity(F.normalize(now.flatten(1)), F.normalize(before.flatten(1)), eps=1e-6)
        before = before + ((alike + 1) / 2).pow(SHARPNESS)[:, None, None] * self.LFE_prior_bias
        seen = self.norm1(now + _attended(self.cur_self_attention, now, now))
        known = self.norm2(before + _attended(self.prior_self_attention, before, before))
        both = self.norm3(seen + _attended(self.cros_attention, seen, known))
        made: Tensor = self.mlp_final(self.norm4(now + self.mlp_attn(both)))
        return made


def _attended(attention: nn.Module, asking: Tensor, answering: Tensor) -> Tensor:
    made: Tensor = attention(asking, answering, answering, need_weights=False)[0]
    return made
