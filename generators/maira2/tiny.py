"""Random weights in MAIRA-2's released layout; small enough for a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from generators.blocks.random_weights import WORDS, seeded
from harness.types import Json

if TYPE_CHECKING:
    from torch import Tensor

VISION = {
    "model_type": "dinov2",
    "hidden_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "image_size": 56,
    "reshape_hidden_states": False,
    "apply_layernorm": True,
    "out_features": ["stage3"],
    "out_indices": [3],
    "stage_names": ["stem", "stage1", "stage2", "stage3"],
}
"""16 patches of 14, which the released file leaves to the library's default."""
TEXT = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 4096,
    "rms_norm_eps": 1e-5,
    "rope_scaling": {"type": "linear", "factor": 1.5},
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
# Ours; it puts roles and films where the released one does.
TEMPLATE = """{% for message in messages %}{% if message.role == 'user' %}You read films. USER: \
{% for part in message.content %}{% if part.type == 'image' %}<image>{% else %}{{ part.text }}{% endif %}{% endfor %} \
{% else %}ASSISTANT: {{ message.content[0].text }}{{ eos_token }}{% endif %}{% endfor %}{% if add_generation_prompt %}ASSISTANT: {% endif %}"""
ADDED = ("<obj>", "</obj>", "<box>", "</box>", "<image>")
SHARDS = 2


def write(folder: Path, seed: int = 0) -> None:
    """MAIRA-2 with 0.2 million parameters, in two shards."""
    from safetensors.torch import save_file

    home = folder / "model"
    home.mkdir(parents=True, exist_ok=True)
    words = tokenizer()
    size = len(json.loads(words)["model"]["vocab"]) + len(ADDED)
    config: Json = {"model_type": "maira2", "architectures": ["Maira2ForConditionalGeneration"], "image_token_index": size - 1}
    config |= {"projector_n_layers": 4, "projector_hidden_act": "gelu", "vision_feature_layer": -1, "pad_token_id": 0}
    config |= {"vision_feature_select_strategy": "default", "vision_config": VISION, "text_config": {**TEXT, "vocab_size": size}}
    made = weights(home, config, seed)
    names = sorted(made)
    shards = {f"model-0000{part + 1}-of-0000{SHARDS}.safetensors": names[part::SHARDS] for part in range(SHARDS)}
    for file, held in shards.items():
        save_file({name: made[name] for name in held}, home / file, metadata={"format": "pt"})
    side = VISION["image_size"]
    shown: Json = {"size": {"shortest_edge": side}, "crop_size": {"height": side, "width": side}, "do_convert_rgb": True, "resample": 3}
    shown |= {"image_mean": [0.5307] * 3, "image_std": [0.2583] * 3, "image_processor_type": "BitImageProcessor"}
    named: Json = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<unk>", "chat_template": TEMPLATE}
    named |= {"clean_up_tokenization_spaces": False, "tokenizer_class": "LlamaTokenizer"}
    files: dict[str, Json] = {
        "config.json": config,
        "generation_config.json": {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0},
        "preprocessor_config.json": shown,
        "tokenizer_config.json": named,
        "model.safetensors.index.json": {"metadata": {}, "weight_map": {name: file for file, held in shards.items() for name in held}},
    }
    for name, found in files.items():
        (home / name).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (home / "tokenizer.json").write_text(words, encoding="utf-8")


def weights(folder: Path, config: Json, seed: int) -> dict[str, Tensor]:
    """The tensors under their released names."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from generators.blocks.dino import shape

    wide, seen = TEXT["hidden_size"], VISION["hidden_size"]
    assert isinstance(wide, int) and isinstance(seen, int)
    with torch.device("meta"):
        language = LlamaForCausalLM(LlamaConfig.from_dict(json.loads(json.dumps(config["text_config"]))))
    layout = {f"vision_tower.{name}": size for name, size in shape(VISION, folder).layout().items()}
    layout |= {f"language_model.{name}": tuple(tensor.shape) for name, tensor in language.state_dict().items()}
    for number, width in ((0, seen), (2, wide), (4, wide), (6, wide)):
        layout |= {f"multi_modal_projector.layers.{number}.weight": (wide, width), f"multi_modal_projector.layers.{number}.bias": (wide,)}
    return seeded(layout, seed)


def tokenizer() -> str:
    """Llama's kind as its fast tokenizer is saved: a mark for blanks, bytes for what is unknown, `<s>` before every text."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors

    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{number:02X}>" for number in range(256))]
    letters = [chr(code) for code in range(33, 127)]
    pieces += dict.fromkeys(["▁", *letters])
    merges: list[tuple[str, str]] = []
    for word in (word for word in WORDS if word.isalpha()):
        part = "▁"
        for letter in word:
            merges += [(part, letter)] if (part, letter) not in merges else []
            part += letter
            pieces += [part] if part not in pieces else []
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))  # noqa: S106
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    made.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in ("<unk>", "<s>", "</s>")])
    made.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in ADDED])
    made.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    return str(made.to_str())
