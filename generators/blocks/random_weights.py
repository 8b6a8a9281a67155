"""Random numbers in released layouts, and tokenizers and small models that several systems share."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from harness.types import Json

if TYPE_CHECKING:
    from torch import Tensor

_TEXT = (
    "the lungs are clear heart is normal in size mediastinum unremarkable there no pleural effusion or pneumothorax . , and "
    "of with small left right bilateral moderate large lower upper lobe base basal atelectasis consolidation opacity edema "
    "pulmonary vascular congestion cardiomegaly enlarged silhouette contours stable unchanged new acute chronic fracture rib "
    "bones intact picc line tube tip projects over superior vena cava catheter pacemaker leads seen nodule mass lesion cavity "
    "emphysema hyperinflated lung volumes low aorta calcified tortuous interstitial markings pneumonia infection possible "
    "likely mild severe increased decreased - : / ( )"
)
WORDS = _TEXT.split()
"""Words of chest X-ray reports."""


def seeded(layout: Mapping[str, tuple[int, ...]], seed: int = 0) -> dict[str, Tensor]:
    """Tensors that depend on name, shape and seed alone, large enough for activations neither to vanish nor to explode.

    Drawn by numpy's frozen generator, so that any version of any program makes the same.
    """
    import torch

    return {name: torch.from_numpy(_drawn(name, shape, seed)) for name, shape in layout.items()}


def _drawn(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    values = np.random.RandomState(crc32(name.encode()) + seed & 0xFFFFFFFF).standard_normal(shape).astype(np.float32)
    if name.endswith("running_var"):
        return np.abs(values) * np.float32(0.2) + np.float32(0.5)
    if len(shape) > 1:
        return values * np.float32(1.2 / np.sqrt(np.prod(shape[1:])))
    return values * np.float32(0.1) + np.float32(name.endswith("weight"))


def vocabulary(size: int) -> list[str]:
    """A WordPiece vocabulary with bert-base-uncased's special ids, words of reports, and letters."""
    letters = [mark + chr(code) for mark in ("", "##") for code in (*range(97, 123), *range(48, 58))]
    pieces = ["[PAD]", *(f"[unused{number}]" for number in range(99)), "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces += dict.fromkeys([*WORDS, *letters])
    if len(pieces) < size:
        pieces += [f"##x{number}" for number in range(size - len(pieces))]
    return pieces[:size]


VISION = {
    "model_type": "dinov2",
    "hidden_size": 48,
    "num_hidden_layers": 12,
    "num_attention_heads": 4,
    "image_size": 56,
    "patch_size": 14,
}
"""Twelve layers, as Libra's aligner halves them twice; 16 patches."""


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


PIECES = 420


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
