"""RGRG's second half: a region's features in, the ids of a sentence out.

GPT-2 medium with pseudo self-attention (Ziegler et al., arXiv:1908.06938): every layer sees the region as one more key and value
before those of the text, never masked. So here the region is simply what each layer's cache begins with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from generators.blocks.decoding import Decoding, Era, beam_search
from generators.rgrg.layout import HEAD, LANGUAGE, SELECTION, RGRGShape

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
EPSILON = 1e-5
LONGEST = 300
BEAMS = 4
THRESHOLD = -1.0
"""The published threshold on the logit, a probability of 0.27: a sentence too many is cheaper than one too few."""


def decoding(shape: RGRGShape) -> Decoding:
    """As published: 4 beams, at most 300 ids, the search of transformers 4.19."""
    return Decoding(LONGEST, (shape.end,), BEAMS, Era.V4_19, early_stopping=True)


def selected(features: Tensor, tensors: Mapping[str, Tensor]) -> Tensor:
    """Which regions deserve a sentence, whether detected or not.

    Args:
        features: Shape (regions, width).
        tensors: Under their released names.
    """
    for place in (0, 2, 4):
        features = F.relu(features) if place else features
        weight, bias = (tensors[f"{SELECTION}{place}.{part}"].to(features) for part in ("weight", "bias"))
        features = F.linear(features, weight, bias)
    return features[:, 0] > THRESHOLD


class LanguageModel:
    """The weights of the language model on a device."""

    def __init__(self, tensors: Mapping[str, Tensor], shape: RGRGShape, device: str = "cpu", precision: str = "float32") -> None:
        self.shape, self.heads = shape, shape.width // HEAD
        kept = {name.removeprefix(LANGUAGE): tensor for name, tensor in tensors.items() if name.startswith(LANGUAGE)}
        self._tensors = {name: tensor.to(device, PRECISIONS[precision]) for name, tensor in kept.items()}

    def write(self, regions: Tensor) -> list[list[int]]:
        """The ids of each region's sentence, without the end.

        Args:
            regions: Features of the selected regions, shape (regions, width).
        """
        prompt = torch.full((len(regions), 1), self.shape.end, device=regions.device)
        return beam_search(self.begin(regions), prompt, decoding(self.shape))

    def begin(self, regions: Tensor) -> Sentences:
        """A step function for `generators.blocks.decoding` over these regions."""
        return Sentences(self, regions)

    @torch.inference_mode()
    def regions(self, features: Tensor) -> list[tuple[Tensor, Tensor]]:
        """By layer the keys and values that the regions stand for."""
        state = features.to(self._tensors["wte.weight"])
        state = self._linear("feature_space_transformation_nn.2", F.relu(self._linear("feature_space_transformation_nn.0", state)))
        stems = [f"gpt2_blocks.{layer}.1" for layer in range(self.shape.layers)]
        return [(self._split(self._linear(f"{stem}.uk", state)), self._split(self._linear(f"{stem}.uv", state))) for stem in stems]

    @torch.inference_mode()
    def step(self, tokens: Tensor, position: int, cache: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """One more id a row.

        Returns:
            The logits of the next id, and by layer the keys and values with this id's.
        """
        words = self._tensors["wte.weight"]
        # The published model looks positions up among the *words* (position 7 gets the vector of word 7), in training as in use;
        # its table of positions is loaded and never read.
        state = words[tokens] + words[position]
        grown = []
        for layer, (keys, values) in enumerate(cache):
            stem = f"gpt2_blocks.{layer}"
            query, key, value = (self._split(part) for part in self._matrix(f"{stem}.1.c_attn", self._norm(f"{stem}.0", state)).chunk(3, 1))
            keys, values = torch.cat([keys, key], 2), torch.cat([values, value], 2)
            grown.append((keys, values))
            state = state + self._matrix(f"{stem}.1.c_proj", F.scaled_dot_product_attention(query, keys, values).flatten(1))
            inner = F.gelu(self._matrix(f"{stem}.3.c_fc", self._norm(f"{stem}.2", state)), approximate="tanh")
            state = state + self._matrix(f"{stem}.3.c_proj", inner)
        return F.linear(self._norm("final_layernorm", state), words), grown

    def _split(self, state: Tensor) -> Tensor:
        """(rows, width) as (rows, heads, 1, 64)."""
        return state.view(len(state), self.heads, 1, HEAD)

    def _linear(self, name: str, state: Tensor) -> Tensor:
        return F.linear(state, self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"])

    def _matrix(self, name: str, state: Tensor) -> Tensor:
        """GPT-2's linear layers, whose matrices are input first."""
        return torch.addmm(self._tensors[f"{name}.bias"], state, self._tensors[f"{name}.weight"])

    def _norm(self, name: str, state: Tensor) -> Tensor:
        return F.layer_norm(state, (self.shape.width,), self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"], EPSILON)


class Sentences:
    """Sentences being written, one a region and beam: remembers each row's keys and values."""

    def __init__(self, language: LanguageModel, regions: Tensor) -> None:
        self._language, self._cache = language, language.regions(regions)

    def __call__(self, ids: Tensor, origin: Tensor) -> Tensor:
        """Logits of the next id; see `generators.blocks.decoding.Step`."""
        cache = [(keys.index_select(0, origin), values.index_select(0, origin)) for keys, values in self._cache]
        logits, self._cache = self._language.step(ids[:, -1], ids.shape[1] - 1, cache)
        return logits
