"""RaTEScore's two networks with drawn weights in the released layouts, tokenisers of single characters, and sentence rules of our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

TAGS = ["O", *(f"{place}-{kind}" for kind in ("ABNORMALITY", "NON-ABNORMALITY", "DISEASE", "NON-DISEASE", "ANATOMY") for place in "BI")]
RULES = "\n".join(
    (
        "#pattern\tscore\tkind",
        "\\b(\\C\t0\tstbegin",
        "\\c.\\s+(\\C\t0\tstbegin",
        "\\n+(\\C\t0\tstbegin",
        "\\n(\\d.\\s+\\C\t0\tstbegin",
        "\\c(.)\\s+\\C\t2\tstend",
        "\\d(.)\\s+\\C\t2\tstend",
        "\\c(.)\\n\t2\tstend",
        "\\a)\\e\t2\tstend",
        "\\sDr(.)\\s\t3\tstend",
        "\\c\\n+\\c\t3\tstend",
        "\\c(\\c)\\n+\\C\t2\tstend",
        "\\(\\c+\\s+\\d)\\)\t3\tstend",
        ",\\w+(\\d)\t1\tstbegin\n",
    )
)


def rules_file(path: Path) -> Path:
    """A file of rules in the form of the published one."""
    path.write_text(RULES, encoding="utf-8")
    return path


def _tokenizer(folder: Path) -> int:
    """Write a tokeniser whose pieces are single characters; the size of its vocabulary."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
    from tokenizers.models import BPE
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
    pieces = special + ["▁"] + [chr(code) for code in range(33, 127)]
    made: Any = Tokenizer(BPE(vocab={piece: number for number, piece in enumerate(pieces)}, merges=[], unk_token="[UNK]"))
    made.pre_tokenizer, made.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    names = dict(zip(("pad_token", "cls_token", "sep_token", "unk_token", "mask_token"), special, strict=True))
    wrapped: Any = PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=512, **names)  # type: ignore[no-untyped-call]
    wrapped.save_pretrained(folder)
    return len(pieces)


def _draw(folder: Path, model: Any, seed: int, spread: float) -> Path:
    import torch

    drawn = np.random.RandomState(seed)
    state = model.state_dict()
    for name in sorted(state):
        if state[name].is_floating_point():
            values = drawn.standard_normal(tuple(state[name].shape)) * spread + (name.endswith("LayerNorm.weight"))
            state[name] = torch.tensor(values, dtype=torch.float32)
    torch.save(state, folder / "pytorch_model.bin")
    (folder / "config.json").write_text(json.dumps(model.config.to_dict()), encoding="utf-8")
    return folder


def tagger_folder(folder: Path, size: int = 32, layers: int = 2) -> Path:
    """The tagger of entities."""
    from transformers import DebertaV2Config, DebertaV2ForTokenClassification

    folder.mkdir(parents=True)
    words = _tokenizer(folder)
    relative: dict[str, Any] = {
        "relative_attention": True,
        "pos_att_type": ["p2c", "c2p"],
        "position_buckets": 16,
        "norm_rel_ebd": "layer_norm",
    }
    shape: dict[str, Any] = {"hidden_size": size, "num_hidden_layers": layers, "num_attention_heads": 4, "intermediate_size": 2 * size}
    others: dict[str, Any] = {
        "share_att_key": True,
        "position_biased_input": False,
        "type_vocab_size": 0,
        "max_relative_positions": -1,
        "pad_token_id": 0,
    }
    configuration: Any = DebertaV2Config(vocab_size=words, max_position_embeddings=512, **shape, **relative, **others)
    configuration.id2label = dict(enumerate(TAGS))
    configuration.label2id = {tag: number for number, tag in enumerate(TAGS)}
    return _draw(folder, DebertaV2ForTokenClassification(configuration), 3, 0.25)


def names_folder(folder: Path, size: int = 32, layers: int = 2) -> Path:
    """The encoder of an entity's words."""
    from transformers import MPNetConfig, MPNetModel

    folder.mkdir(parents=True)
    words = _tokenizer(folder)
    shape: dict[str, Any] = {"hidden_size": size, "num_hidden_layers": layers, "num_attention_heads": 4, "intermediate_size": 2 * size}
    configuration: Any = MPNetConfig(vocab_size=words, max_position_embeddings=514, pad_token_id=0, **shape)
    return _draw(folder, MPNetModel(configuration), 4, 0.25)


def modern_folder(folder: Path) -> Path:
    """A small ModernBERT."""
    from transformers import ModernBertConfig, ModernBertModel

    folder.mkdir(parents=True)
    words = _tokenizer(folder)
    shape: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 48}
    marks: dict[str, Any] = {"pad_token_id": 0, "cls_token_id": 1, "bos_token_id": 1, "sep_token_id": 2, "eos_token_id": 2}
    configuration: Any = ModernBertConfig(vocab_size=words, max_position_embeddings=512, **shape, **marks)
    return _draw(folder, ModernBertModel(configuration), 5, 0.2)
