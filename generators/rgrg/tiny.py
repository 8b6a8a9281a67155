"""Random weights in RGRG's released layout: small ones for trying the whole path, released sizes for measuring it."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from generators.rgrg.layout import SIZES, RGRGShape
from generators.rgrg.text import BYTES

SMALL = SIZES["tiny"]
WORDS = [
    "heart",
    "lungs",
    "pleural",
    "effusion",
    "normal",
    "clear",
    "opacity",
    "mild",
    "left",
    "right",
    "no",
    "is",
    "the",
    "of",
    "and",
    "in",
    "edema",
    "pneumothorax",
    "atelectasis",
    "consolidation",
    "silhouette",
    "stable",
    "enlarged",
    "catheter",
    "unchanged",
    "seen",
]
GAINS = {
    r"c_proj\.weight": 3.0,
    r"cls_score\.weight": 12.0,
    r"selection\.classifier\.4\.weight": 4.0,
    r"rpn\.head\.bbox_pred\.weight": 0.3,
    r"wte\.weight|lm_head\.weight": 0.3,
    r"\.bn3\.weight": 0.3,
}
"""Where a standard deviation of 1 / sqrt(inputs) would make regions alike, boxes explode or every sentence the same."""
SAME = (
    (r"^language_model\.(gpt_with_lm_head\.transformer|gpt)\.h\.(\d+)\.", r"language_model.gpt2_blocks.\2."),
    (r"^language_model\.(gpt_with_lm_head\.transformer|gpt)\.ln_f\.", "language_model.final_layernorm."),
    (r"^language_model\.(gpt_with_lm_head\.transformer|gpt)\.", "language_model."),
    (r"^language_model\.(gpt_with_lm_head\.)?lm_head\.", "language_model.wte."),
    (r"(gpt2_blocks\.\d+)\.ln_1\.", r"\1.0."),
    (r"(gpt2_blocks\.\d+)\.attn\.", r"\1.1."),
    (r"(gpt2_blocks\.\d+)\.ln_2\.", r"\1.2."),
    (r"(gpt2_blocks\.\d+)\.mlp\.", r"\1.3."),
)
"""The names that one tensor of the language model has in the file."""


def tensors(shape: RGRGShape = SMALL, seed: int = 1, haste: float = 0.0, talk: float = 0.0) -> dict[str, Tensor]:
    """All tensors of the file; each depends on the seed and its own name alone.

    Args:
        haste: How much the language model is drawn to its end token; without it sentences run to 300 ids.
        talk: Added to what decides whether a region gets a sentence; with a large number all that are detected do.
    """
    made: dict[str, Tensor] = {}
    for name, sizes in shape.layout().items():
        first = name
        for pattern, replacement in SAME:
            first = re.sub(pattern, replacement, first)
        if first not in made:
            made[first] = _tensor(first, sizes, seed)
        made[name] = made[first]
    last = made["language_model.wte.weight"][shape.end]
    made["language_model.final_layernorm.bias"] += haste * last / last.norm()
    made["binary_classifier_region_selection.classifier.4.bias"] += talk
    return made


def _tensor(name: str, sizes: tuple[int, ...], seed: int) -> Tensor:
    if name.endswith("num_batches_tracked"):
        return torch.zeros((), dtype=torch.int64)
    if name.endswith("causal_mask"):
        return torch.ones(sizes, dtype=torch.uint8).tril()
    if name.endswith(("mask_out_value", "pos_weight")):
        return torch.full(sizes, -1e4 if name.endswith("value") else 2.2)
    noise = torch.from_numpy(np.random.default_rng([seed, zlib.crc32(name.encode())]).standard_normal(sizes, dtype=np.float32))
    if name.endswith("running_var"):
        return 0.5 + noise.abs()
    gain = next((gain for pattern, gain in GAINS.items() if re.search(pattern, name)), 1.0)
    if name.endswith("selection.classifier.4.bias"):
        return torch.zeros(sizes)
    if len(sizes) == 1:
        return gain * (1 + 0.1 * noise) if name.endswith("weight") else 0.1 * noise
    if "wte" in name or "wpe" in name:
        return gain * noise
    conv = len(sizes) == 4
    inputs = int(np.prod(sizes[1:])) if conv or not re.search(r"c_(attn|proj|fc)", name) else sizes[0]
    return noise * float(gain * np.sqrt((2 if conv else 1) / inputs))


def vocabulary(shape: RGRGShape = SMALL) -> dict[str, int]:
    """A stand-in for `vocab.json`: all bytes, some words with a space before them, the end last."""
    pieces = [*BYTES, *("Ġ" + word for word in WORDS), "Ġ."]
    pieces += [f"Ġ{first}-{second}" for first in WORDS for second in WORDS][: shape.words - len(pieces) - 1]
    pieces += [f"[unused{number}]" for number in range(shape.words - len(pieces) - 1)]
    return {piece: number for number, piece in enumerate([*pieces, "<|endoftext|>"])}


def write(folder: Path, shape: RGRGShape = SMALL, seed: int = 1, haste: float = 2.0, talk: float = 0.0) -> dict[str, Path]:
    """Save weights as the authors' training script does, and a vocabulary.

    Returns:
        The paths by the names of the system's `Weights`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model, words = folder / "checkpoint", folder / "vocabulary"
    torch.save({"model": tensors(shape, seed, haste, talk), "current_epoch": 0, "overall_steps_taken": 0, "lowest_val_loss": 0.0}, model)
    words.write_text(json.dumps(vocabulary(shape), ensure_ascii=False), encoding="utf-8")
    return {"checkpoint": model, "vocabulary": words}
