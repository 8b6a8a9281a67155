"""The tensors of RGRG's released file: 1,662 names and their shapes, and which of them are read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Layout = dict[str, tuple[int, ...]]
REGIONS = 29
POOL = 8
"""Each region is pooled to 8 by 8 places."""
HEAD = 64
"""Width of an attention head, whatever the width of the model."""
DETECTOR, LANGUAGE, SELECTION = "object_detector.", "language_model.", "binary_classifier_region_selection.classifier."
OLDER = {
    "object_detector.rpn.head.conv.weight": "object_detector.rpn.head.conv.0.0.weight",
    "object_detector.rpn.head.conv.bias": "object_detector.rpn.head.conv.0.0.bias",
}
"""Names that torchvision had before 0.13; the authors' script mentions both."""


@dataclass(frozen=True, slots=True)
class RGRGShape:
    """The sizes of the model; the defaults are those released."""

    stem: int = 64
    """Channels after the first convolution; a film's features have 32 times as many."""
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    """Bottleneck blocks a stage: ResNet-50."""
    anchors: int = 160
    width: int = 1024
    """The width of a region's features and of the language model."""
    layers: int = 24
    words: int = 50257
    positions: int = 1024

    @property
    def channels(self) -> int:
        """How many channels a film's features have."""
        return 32 * self.stem

    @property
    def end(self) -> int:
        """The id that begins and ends a text: the last of the vocabulary, 50256 as released."""
        return self.words - 1

    def layout(self) -> Layout:
        """Names and shapes of all tensors in the released file, in no special order."""
        table = {f"{DETECTOR}{name}": shape for name, shape in self._detector()}
        for kind in ("selection", "abnormal"):
            stem = f"binary_classifier_region_{kind}"
            sizes = (self.width, self.width // 2, self.width // 8, 1)
            for place, (before, after) in enumerate(pairwise(sizes)):
                table |= {f"{stem}.classifier.{2 * place}.{part}": shape for part, shape in _linear(before, after)}
            table[f"{stem}.loss_fn.pos_weight"] = (1,)
        return table | {f"{LANGUAGE}{name}": shape for name, shape in self._language()}

    def _detector(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        yield "backbone.0.weight", (self.stem, 1, 7, 7)
        yield from _norm("backbone.1", self.stem)
        before = self.stem
        for stage, count in enumerate(self.blocks):
            inner = self.stem * 2**stage
            for block in range(count):
                stem = f"backbone.{stage + 4}.{block}"
                for number, shape in enumerate([(inner, before, 1, 1), (inner, inner, 3, 3), (4 * inner, inner, 1, 1)], 1):
                    yield f"{stem}.conv{number}.weight", shape
                    yield from _norm(f"{stem}.bn{number}", shape[0])
                if block == 0:
                    yield f"{stem}.downsample.0.weight", (4 * inner, before, 1, 1)
                    yield from _norm(f"{stem}.downsample.1", 4 * inner)
                before = 4 * inner
        kernels = {"rpn.head.conv.0.0": (self.channels, 3), "rpn.head.cls_logits": (self.anchors, 1)}
        for name, (wide, kernel) in (kernels | {"rpn.head.bbox_pred": (4 * self.anchors, 1)}).items():
            yield f"{name}.weight", (wide, self.channels, kernel, kernel)
            yield f"{name}.bias", (wide,)
        heads = {
            "box_head.fc6": (self.channels * POOL**2, self.width),
            "box_head.fc7": (self.width, self.width),
            "box_predictor.cls_score": (self.width, REGIONS + 1),
            "box_predictor.bbox_pred": (self.width, 4 * (REGIONS + 1)),
            "dim_reduction": (self.channels, self.width),
        }
        for name, (before, after) in heads.items():
            yield from ((f"roi_heads.{name}.{part}", shape) for part, shape in _linear(before, after))

    def _language(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """The language model is in the file three times, because its parts are attributes of one another."""
        words, places = ("wte.weight", (self.words, self.width)), ("wpe.weight", (self.positions, self.width))
        blocks = [f"{layer}." for layer in range(self.layers)]
        yield from (words, places, ("lm_head.weight", words[1]))
        yield from _affine("final_layernorm", self.width)
        yield from ((f"gpt2_blocks.{block}{name}", shape) for block in blocks for name, shape in self._block("0", "1", "2", "3"))
        for stem in ("gpt_with_lm_head.transformer.", "gpt."):
            yield from ((f"{stem}{name}", shape) for name, shape in (words, places, *_affine("ln_f", self.width)))
            yield from ((f"{stem}h.{block}{name}", shape) for block in blocks for name, shape in self._block("ln_1", "attn", "ln_2", "mlp"))
        yield "gpt_with_lm_head.lm_head.weight", words[1]
        for place in (0, 2):
            yield from ((f"feature_space_transformation_nn.{place}.{part}", shape) for part, shape in _linear(self.width, self.width))

    def _block(self, first: str, attention: str, second: str, inner: str) -> Iterator[tuple[str, tuple[int, ...]]]:
        wide = self.width
        yield from (*_affine(first, wide), *_affine(second, wide))
        # GPT-2 keeps its matrices input first, unlike a linear layer.
        matrices = {f"{attention}.c_attn": (wide, 3 * wide), f"{attention}.c_proj": (wide, wide)}
        for name, shape in (matrices | {f"{inner}.c_fc": (wide, 4 * wide), f"{inner}.c_proj": (4 * wide, wide)}).items():
            yield f"{name}.weight", shape
            yield f"{name}.bias", shape[1:]
        for name in ("uk", "uv"):
            yield from ((f"{attention}.{name}.{part}", shape) for part, shape in _linear(wide, wide))
        yield f"{attention}.causal_mask", (1, 1, self.positions, self.positions)
        yield f"{attention}.mask_out_value", ()


def _linear(before: int, after: int) -> tuple[tuple[str, tuple[int, ...]], ...]:
    return ("weight", (after, before)), ("bias", (after,))


def _affine(name: str, wide: int) -> tuple[tuple[str, tuple[int, ...]], ...]:
    return (f"{name}.weight", (wide,)), (f"{name}.bias", (wide,))


def _norm(name: str, wide: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from ((f"{name}.{part}", (wide,)) for part in ("weight", "bias", "running_mean", "running_var"))
    yield f"{name}.num_batches_tracked", ()


def renamed(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under the names of torchvision 0.13 and later."""
    return {OLDER.get(name, name): tensor for name, tensor in found.items()}


SIZES = {"released": RGRGShape(), "tiny": RGRGShape(stem=2, blocks=(2, 1, 2, 1), width=128, layers=2, words=600, positions=320)}
"""What `--set size=` may be; the tiny one is that of `generators.tiny`."""

USELESS = (
    r"num_batches_tracked$|\.roi_heads\.box_predictor\.bbox_pred\.|^binary_classifier_region_abnormal|pos_weight$|"
    r"causal_mask$|mask_out_value$|^language_model\.(gpt|gpt_with_lm_head|wpe|lm_head)\."
)


def used(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those tensors that writing a report needs.

    Of the three copies of the language model the one is kept that the authors' forward pass goes through. Its output matrix is its
    table of word vectors: the two are one tensor in the authors' model. `wpe` is loaded there and never read (see `rgrg_language`).
    """
    return {name: tensor for name, tensor in found.items() if not re.search(USELESS, name)}
