"""Random weights of the systems that are stock models of transformers, in the released layouts; see `generators.tiny`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from generators.blocks.random_weights import WORDS, seeded
from harness.networks import checkpoints
from harness.networks.checkpoints import write_safetensors

SHARD = "200KB"
"""Small enough for several shards, as released."""
# Ours; both give the layout of the released templates for the conversations asked here, token by token.
CHATML = """{% if messages[0].role != 'system' %}<|im_start|>system
You are a helpful assistant.<|im_end|>
{% endif %}{% for message in messages %}<|im_start|>{{ message.role }}
{% for part in message.content %}{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part.text }}{% endif %}\
{% endfor %}<|im_end|>
{% endfor %}<|im_start|>assistant{{ '\\n' }}"""
TURNS = """{{ bos_token }}{% for message in messages if message.role != 'system' %}<start_of_turn>{{ message.role }}
{% if messages[0].role == 'system' %}{{ messages[0].content[0].text }}

{% endif %}{% for part in message.content %}{% if part.type == 'image' %}<start_of_image>{% else %}{{ part.text | trim }}{% endif %}\
{% endfor %}<end_of_turn>
{% endfor %}<start_of_turn>model{{ '\\n' }}"""
QWEN_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
GEMMA_SPECIAL: tuple[str, ...] = (
    "<pad>",
    "<eos>",
    "<bos>",
    "<unk>",
    "<mask>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<start_of_image>",
    "<end_of_image>",
)
GEMMA_SPECIAL += ("<image_soft_token>",)
GEMMA_OTHER = ("<unused94>", "<unused95>")


def chexone(folder: Path, seed: int = 0) -> None:
    """CheXOne with 0.1 million parameters."""
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, Qwen2VLImageProcessorPil

    folder = folder / "model"
    tokenizer = _qwen_tokenizer()
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in QWEN_SPECIAL}
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "rope_scaling": {"type": "mrope", "mrope_section": [2, 3, 3]},
        "tie_word_embeddings": True,
        "bos_token_id": ids["<|endoftext|>"],
        "eos_token_id": ids["<|im_end|>"],
    }
    vision = {"depth": 2, "hidden_size": 16, "intermediate_size": 24, "num_heads": 2, "out_hidden_size": 32, "fullatt_block_indexes": [1]}
    shape = Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
    )
    _save(Qwen2_5_VLForConditionalGeneration(shape), folder, seed)
    tokenizer.save_pretrained(folder)
    Qwen2VLImageProcessorPil(min_pixels=56 * 56, max_pixels=28 * 28 * 16384).save_pretrained(folder)
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": CHATML}), encoding="utf-8")
    ends = [ids["<|im_end|>"], ids["<|endoftext|>"]]
    released = {"do_sample": True, "temperature": 1e-6, "repetition_penalty": 1.05, "eos_token_id": ends, "pad_token_id": ends[1]}
    (folder / "generation_config.json").write_text(json.dumps(released), encoding="utf-8")


def medgemma(folder: Path, seed: int = 0) -> None:
    """MedGemma with 0.1 million parameters; a film takes 4 tokens."""
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration, Gemma3ImageProcessorPil

    folder = folder / "model"
    tokenizer = _gemma_tokenizer()
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "query_pre_attn_scalar": 16,
        "sliding_window": 64,
        "sliding_window_pattern": 2,
    }
    vision = {
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 56,
        "patch_size": 14,
    }
    shape = Gemma3Config(
        text_config=text,
        vision_config={**vision, "vision_use_head": False, "model_type": "siglip_vision_model"},
        mm_tokens_per_image=4,
        boi_token_index=tokenizer.convert_tokens_to_ids("<start_of_image>"),
        eoi_token_index=tokenizer.convert_tokens_to_ids("<end_of_image>"),
        image_token_index=tokenizer.convert_tokens_to_ids("<image_soft_token>"),
    )
    _save(Gemma3ForConditionalGeneration(shape), folder, seed)
    tokenizer.save_pretrained(folder)
    Gemma3ImageProcessorPil(size={"height": 56, "width": 56}).save_pretrained(folder)
    (folder / "processor_config.json").write_text(
        json.dumps({"image_seq_length": 4, "processor_class": "Gemma3Processor"}), encoding="utf-8"
    )
    (folder / "chat_template.jinja").write_text(TURNS, encoding="utf-8")
    ends = [tokenizer.convert_tokens_to_ids(name) for name in ("<eos>", "<end_of_turn>")]
    released = {"do_sample": True, "top_k": 64, "top_p": 0.95, "cache_implementation": "hybrid", "eos_token_id": ends, "pad_token_id": 0}
    (folder / "generation_config.json").write_text(json.dumps(released), encoding="utf-8")


def _save(model: Any, folder: Path, seed: int) -> None:
    """Random tensors under the names of the release, in shards."""
    model.load_state_dict(seeded({name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}, seed))
    model.tie_weights()
    model.save_pretrained(folder, max_shard_size=SHARD)
    for path in folder.glob("*.safetensors"):
        write_safetensors({_released(name): tensor for name, tensor in checkpoints.read(path).items()}, path)
    index = folder / "model.safetensors.index.json"
    found = json.loads(index.read_text(encoding="utf-8"))
    found["weight_map"] = {_released(name): place for name, place in found["weight_map"].items()}
    index.write_text(json.dumps(found), encoding="utf-8")


def _released(name: str) -> str:
    """The name in the releases, which were written by transformers 4; today's has dropped one level of the vision tower."""
    return name.replace("vision_tower.", "vision_tower.vision_model.")


def _merges(bytes_first: bool) -> tuple[dict[str, int], Any]:
    """A byte-pair vocabulary of words of reports."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True) if bytes_first else pre_tokenizers.Metaspace()
    alphabet = pre_tokenizers.ByteLevel.alphabet() if bytes_first else []
    trainer = trainers.BpeTrainer(vocab_size=700, initial_alphabet=sorted(alphabet), show_progress=False)
    made.train_from_iterator(WORDS * 3, trainer)
    model = json.loads(made.to_str())["model"]
    return model["vocab"], [(first, second) for first, second in model["merges"]]


def _qwen_tokenizer() -> Any:
    from transformers import Qwen2Tokenizer

    vocabulary, merges = _merges(bytes_first=True)
    made = Qwen2Tokenizer(vocab=vocabulary, merges=merges)
    made.add_special_tokens({"additional_special_tokens": list(QWEN_SPECIAL[1:])})
    return made


def _gemma_tokenizer() -> Any:
    from transformers import GemmaTokenizer

    words, merges = _merges(bytes_first=False)
    first = [*GEMMA_SPECIAL, *GEMMA_OTHER, *(f"<0x{byte:02X}>" for byte in range(256))]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys([*first, *words]))}
    images = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"}
    made = GemmaTokenizer(vocab=vocabulary, merges=merges, add_bos_token=True, **images)
    made.add_special_tokens({"additional_special_tokens": ["<start_of_turn>", "<end_of_turn>"]})
    made.add_tokens(list(GEMMA_OTHER))
    return made
