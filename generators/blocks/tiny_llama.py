"""Random weights of the systems that write with LLaMA, in the released layouts; see `generators.tiny`."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators.tiny import WORDS, seeded

if TYPE_CHECKING:
    from torch import Tensor

PIECES = 420
SWIN = {"model_type": "swin", "image_size": 224, "patch_size": 4, "embed_dim": 8, "depths": [2, 1, 1, 1], "num_heads": [1, 2, 4, 8]}
LLAMA = {
    "model_type": "llama",
    "vocab_size": PIECES,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-6,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
RANK = 4
VARIANTS = ("shallow", "delta", "deep")


def tokenizer(path: Path) -> None:
    """A SentencePiece model of LLaMA's kind (byte-pairs, bytes for what is unknown, a blank before the first word)."""
    from sentencepiece import SentencePieceTrainer

    made = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter([" ".join(WORDS)] * 3 + list(WORDS)),
        model_writer=made,
        vocab_size=PIECES,
        model_type="bpe",
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        pad_id=-1,
        num_threads=1,
        minloglevel=2,
    )
    path.write_bytes(made.getvalue())


def llama(folder: Path, seed: int = 0, end: float = 1.0) -> None:
    """A LLaMA with 0.15 million parameters.

    Args:
        end: How much larger the end token's output weights are, so that texts end earlier or later.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from generators.blocks.pretrained import empty, layout

    folder.mkdir(parents=True, exist_ok=True)
    tensors = seeded(layout(empty(lambda: LlamaForCausalLM(LlamaConfig.from_dict(LLAMA)))), seed)
    tensors["lm_head.weight"][2] *= end
    tensors = {name: tensor.half() for name, tensor in tensors.items()}  # as released
    half = torch.arange(0, 16, 2) / 16
    tensors |= {f"model.layers.{layer}.self_attn.rotary_emb.inv_freq": 10000.0**-half for layer in range(2)}  # as older libraries saved
    torch.save(tensors, folder / "pytorch_model.bin")
    (folder / "config.json").write_text(json.dumps(LLAMA), encoding="utf-8")
    tokenizer(folder / "tokenizer.model")


def swin(folder: Path, seed: int = 0) -> dict[str, tuple[int, ...]]:
    """A Swin as its classifier's folder holds it: a prefix, the head, and the tables that older libraries saved.

    Returns:
        Names and shapes of the tensors that are read, without prefix.
    """
    import torch

    from generators.r2gengpt.system import base_layout, network

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(SWIN), encoding="utf-8")
    empty = network(folder)
    base = base_layout(empty)
    tensors: dict[str, Tensor] = {f"swin.{name}": tensor for name, tensor in seeded(base, seed).items()}
    index = next(buffer for name, buffer in empty.named_buffers() if name.endswith("relative_position_index")).view(49, 49)
    names = [name for name in base if name.endswith("relative_position_bias_table")]
    tensors |= {f"swin.{name.replace('bias_table', 'index')}": index.clone() for name in names}
    tensors |= seeded({"classifier.weight": (10, base["layernorm.weight"][0]), "classifier.bias": (10,)}, seed)
    torch.save(tensors, folder / "pytorch_model.bin")
    return base


def r2gengpt(folder: Path, seed: int = 0, variant: str = "delta", end: float = 1.0) -> None:
    """R2GenGPT with 0.3 million parameters, its checkpoint as `save_checkpoint` of the release writes it."""
    import torch

    from generators.r2gengpt.system import OWN, lora_layout

    base = swin(folder / "swin", seed)
    llama(folder / "llama", seed, end)
    width, vision = int(str(LLAMA["hidden_size"])), base["layernorm.weight"][0]
    layout = dict(zip(OWN, ((width, vision), (width,), (width,), (width,)), strict=True))
    layout |= lora_layout(base, RANK) if variant == "delta" else {}
    layout |= {f"visual_encoder.{name}": shape for name, shape in base.items()} if variant == "deep" else {}
    saved: dict[str, Any] = {"model": seeded(layout, seed + 1), "config": {"vis_r": RANK}, "epoch": 1, "step": 10}
    torch.save(saved, folder / "checkpoint")


EYES = {"width": 176, "inner": 96, "queries": 32, "query_width": 128, "query_inner": 96, "query_layers": 2}


def xraygpt(folder: Path, seed: int = 0, end: float = 1.0) -> None:
    """XrayGPT with 8 million parameters: all 40 blocks of EVA, narrow; its checkpoint with the buffers that were saved beside it."""
    import torch

    from generators.xraygpt.vision import released_layouts

    llama(folder / "vicuna", seed, end)
    eva, query, own = (seeded(layout, seed) for layout in released_layouts(EYES, int(str(LLAMA["hidden_size"]))))
    torch.save({name: tensor.half() for name, tensor in eva.items()}, folder / "eva")
    torch.save({"model": query}, folder / "qformer")
    half = torch.arange(0, 16, 2) / 16
    own |= {f"llama_model.model.layers.{layer}.self_attn.rotary_emb.inv_freq": 10000.0**-half for layer in range(2)}
    own["Qformer.bert.embeddings.position_ids"] = torch.arange(512)[None]
    torch.save({"model": own, "config": {"model": {"arch": "mini_gpt4"}}, "epoch": 1}, folder / "checkpoint")
