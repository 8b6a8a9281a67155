"""Random weights in the released layouts of RAD-DINO and Libra, with tokenizers of their two kinds; small enough for a test."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators.tiny import WORDS, seeded
from harness.types import Json

if TYPE_CHECKING:
    from torch import Tensor

SPECIAL = ("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
VISION = {
    "model_type": "dinov2",
    "hidden_size": 48,
    "num_hidden_layers": 12,
    "num_attention_heads": 4,
    "image_size": 56,
    "patch_size": 14,
}
"""Twelve layers, as Libra's aligner halves them twice; 16 patches."""
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


def rad_dino(folder: Path, vision: Json, seed: int = 0) -> None:
    """RAD-DINO's layout, of any size."""
    from generators.blocks.dino import shape

    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "config.json", vision)
    _save(seeded(shape(vision, folder).layout(), seed), folder / "model.safetensors")
    side = vision["image_size"]
    shown: Json = {"size": {"shortest_edge": side}, "crop_size": {"height": side, "width": side}}
    shown |= {"image_mean": [0.5307] * 3, "image_std": [0.2583] * 3, "image_processor_type": "BitImageProcessor", "resample": 3}
    _write(folder / "preprocessor_config.json", shown)


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


def _layout(module: Any, prefix: str = "") -> dict[str, tuple[int, ...]]:
    return {prefix + name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def _save(found: dict[str, Tensor], path: Path) -> None:
    from safetensors.torch import save_file

    save_file(found, path, metadata={"format": "pt"})


def _write(path: Path, found: Json) -> None:
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def pieces(size: int) -> bytes:
    """A SentencePiece model of words of reports and all bytes, with Llama's special ids."""
    from sentencepiece import SentencePieceTrainer

    stream = io.BytesIO()
    lines = [" ".join(WORDS[number:] + WORDS[:number]) for number in range(0, len(WORDS), 7)]
    SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=stream,
        vocab_size=size,
        model_type="bpe",
        byte_fallback=True,
        character_coverage=1.0,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        minloglevel=2,
    )
    return stream.getvalue()


def merges(special: Sequence[str]) -> str:
    """A byte-level tokenizer with Llama 3's special tokens, the first of which begins every text by itself."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

    letters = {letter: number for number, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    made = Tokenizer(models.BPE(vocab=letters, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in special])
    begin = special[0]
    made.post_processor = processors.TemplateProcessing(single=f"{begin} $A", special_tokens=[(begin, made.token_to_id(begin))])
    return str(made.to_str())
