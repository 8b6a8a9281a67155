"""Random weights in CXRMate-2's released layout; small enough for a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from generators.blocks.random_weights import merges, seeded
from harness.types import Json

if TYPE_CHECKING:
    from torch import Tensor

RESERVED = tuple(f"<|reserved_special_token_{number}|>" for number in range(66))
SPECIAL = ("<|begin_of_text|>", "<|end_of_text|>", *RESERVED)
KINDS: tuple[str, ...] = ("image", "indication", "history", "comparison", "technique", "findings", "impression")
KINDS += ("prior_image", "prior_findings", "prior_impression")
QUERIES, LAYERS, INNER = 5, 2, 96
PARTING = 256 + SPECIAL.index(RESERVED[64])
"""Id of the token between findings and impression: special ones follow the 256 bytes."""
VISION = {
    "model_type": "dinov2",
    "hidden_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "image_size": 56,
    "patch_size": 14,
    "reshape_hidden_states": True,
    "apply_layernorm": True,
    "out_features": ["stage3"],
    "out_indices": [3],
    "stage_names": ["stem", "stage1", "stage2", "stage3"],
}
"""16 patches; the reading layers have 12 heads whatever their width."""
TEXT = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 8,
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-5,
    "rope_theta": 500000.0,
    "rope_scaling": {
        "rope_type": "llama3",
        "factor": 32.0,
        "high_freq_factor": 4.0,
        "low_freq_factor": 1.0,
        "original_max_position_embeddings": 64,
    },
    "tie_word_embeddings": True,
}


def write(folder: Path, seed: int = 0, equalising: bool = True) -> None:
    """CXRMate-2 with 0.3 million parameters."""
    from safetensors.torch import save_file

    home = folder / "model"
    home.mkdir(parents=True, exist_ok=True)
    words = merges(SPECIAL)
    ids = {item["content"]: item["id"] for item in json.loads(words)["added_tokens"]}
    kinds = {kind: RESERVED[16 + number] for number, kind in enumerate(KINDS)}
    config: Json = {"model_type": "cxrmate-2", "architectures": ["CXRMate2ForConditionalGeneration"]}
    config |= {"num_q_adapter_queries": QUERIES, "num_q_adapter_layers": LAYERS, "num_q_adapter_positions": QUERIES + 16}
    config |= {
        "permute_encoder_last_hidden_state": True,
        "time_delta_encoder_intermediate_size": 32,
        "time_delta_monotonic_inversion": True,
    }
    config |= {"vision_feature_layer": -1, "vision_feature_select_strategy": "full", "image_token_index": ids[RESERVED[0]]}
    config |= {"missing_time_delta_token_id": ids[RESERVED[4]], "sep_token_id": ids[RESERVED[64]], "bos_token_id": ids[SPECIAL[0]]}
    config |= {f"{kind}_token_type_id": ids[kinds[kind]] for kind in ("findings", "impression")}
    config |= {"vision_config": VISION, "text_config": {**TEXT, "vocab_size": max(ids.values()) + 1}}
    side = VISION["image_size"]
    films: Json = {"size": {"shortest_edge": side}, "crop_size": {"height": side, "width": side}, "do_convert_rgb": True, "resample": 3}
    films |= {"image_mean": [0.5307] * 3, "image_std": [0.2583] * 3, "image_processor_type": "BitImageProcessor"}
    shown: Json = {"token_type_to_token": kinds, "embeddings_per_image": QUERIES, "image_token": RESERVED[0], "convert_to_rgb": False}
    shown |= {"max_generated_tokens": 320, "max_train_images_per_study": 5, "mimic_cxr_normalisation": equalising}
    shown |= {"generate_findings_token": RESERVED[1], "generate_impression_token": RESERVED[2]}
    named: Json = {"bos_token": SPECIAL[0], "eos_token": SPECIAL[1], "sep_token": RESERVED[64], "pad_token": RESERVED[65]}
    named |= {"clean_up_tokenization_spaces": True, "tokenizer_class": "PreTrainedTokenizerFast"}
    ends = {"max_new_tokens": 320, "bos_token_id": ids[SPECIAL[0]], "eos_token_id": ids[SPECIAL[1]], "pad_token_id": ids[RESERVED[65]]}
    files = {"config.json": config, "preprocessor_config.json": films, "processor_config.json": shown}
    files |= {"tokenizer_config.json": named, "generation_config.json": ends}
    for name, found in files.items():
        (home / name).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (home / "tokenizer.json").write_text(words, encoding="utf-8")
    save_file(weights(home, config, seed), home / "model.safetensors", metadata={"format": "pt"})


def weights(folder: Path, config: Json, seed: int) -> dict[str, Tensor]:
    """The tensors under their released names."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from generators.blocks.dino import shape
    from generators.cxrmate2.model import Ages, PatchReader

    wide, seen = config["text_config"]["hidden_size"], config["vision_config"]["hidden_size"]
    with torch.device("meta"):
        parts = {
            "multi_modal_projector": PatchReader(QUERIES, LAYERS, seen, INNER, wide),
            "time_delta_encoder": Ages(config["time_delta_encoder_intermediate_size"], wide),
            "language_model": LlamaForCausalLM(LlamaConfig.from_dict(json.loads(json.dumps(config["text_config"])))),
        }
    layout = {f"vision_tower.{name}": size for name, size in shape(VISION, folder).layout().items()}
    for stem, part in parts.items():
        layout |= {f"{stem}.{name}": tuple(tensor.shape) for name, tensor in part.state_dict().items()}
    del layout["language_model.lm_head.weight"]  # tied
    return seeded(layout, seed)
