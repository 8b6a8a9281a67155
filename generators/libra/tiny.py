"""Random weights in the released layouts of RAD-DINO and Libra, with tokenizers of their two kinds; small enough for a test."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

from generators.blocks.random_weights import VISION, _layout, _save, _write, merges, pieces, rad_dino, seeded
from harness.types import Json

if TYPE_CHECKING:
    pass

SPECIAL = ("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
LANGUAGE = {
    "model_type": "libra",
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "max_position_embeddings": 2048,
    "mm_projector_type": "TAC",
    "mm_hidden_size": 48,
    "mm_vision_tower": "microsoft/rad-dino",
    "mm_vision_select_layer": "all",
    "mm_vision_select_feature": "patch",
    "mm_use_im_start_end": False,
    "mm_use_im_patch_token": False,
    "image_aspect_ratio": "pad",
}
ROTARY = {"rope_type": "llama3", "factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 64}


def libra_3b(folder: Path, seed: int = 0) -> None:
    """Libra-1.0-3B's layout: byte-level merges, tied embeddings, scaled positions, several end tokens."""
    ends = [257, 260]
    own = {"vocab_size": 261, "bos_token_id": 256, "eos_token_id": ends, "tie_word_embeddings": True, "rope_theta": 500000.0}
    _libra(folder, {**LANGUAGE, **own, "rope_scaling": ROTARY}, seed)
    (folder / "model" / "tokenizer.json").write_text(merges(SPECIAL), encoding="utf-8")
    _write(folder / "model" / "tokenizer_config.json", {"clean_up_tokenization_spaces": True, "tokenizer_class": "PreTrainedTokenizerFast"})


def libra_7b(folder: Path, seed: int = 0) -> None:
    """Libra-1.0-7B's layout: a SentencePiece model, untied embeddings, weights in two shards."""
    _libra(folder, {**LANGUAGE, "vocab_size": 400, "num_key_value_heads": 8, "bos_token_id": 1, "eos_token_id": 2}, seed)
    (folder / "model" / "tokenizer.model").write_bytes(pieces(383))


def _libra(folder: Path, config: Json, seed: int) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from generators.libra.aligner import Aligner
    from generators.libra.system import PROJECTOR

    rad_dino(folder / "rad-dino", VISION, seed)
    home = folder / "model"
    home.mkdir(parents=True, exist_ok=True)
    with torch.device("meta"):
        language = LlamaForCausalLM(LlamaConfig.from_dict({**deepcopy(config), "model_type": "llama"}))
        aligner = Aligner(12, VISION["hidden_size"], config["hidden_size"], config["num_attention_heads"])  # type: ignore[arg-type]
    layout = {**_layout(language), **_layout(aligner, PROJECTOR)}
    if config.get("tie_word_embeddings"):
        del layout["lm_head.weight"]
    bias = layout.pop(PROJECTOR + "LFE_prior_bias")
    # One, and not near nothing, so that what it weighs shows in the output.
    made = seeded(layout, seed) | {PROJECTOR + "LFE_prior_bias": torch.ones(bias)}
    names = sorted(made)
    shards = {f"model-0000{part + 1}-of-00002.safetensors": names[part::2] for part in range(2)}
    for file, held in shards.items():
        _save({name: made[name] for name in held}, home / file)
    places = {name: file for file, held in shards.items() for name in held}
    _write(home / "model.safetensors.index.json", {"metadata": {}, "weight_map": places})
    _write(home / "config.json", config)
