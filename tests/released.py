"""Random weights saved in the layouts that were released, and their independent forward passes by transformers."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from harness.networks.bert import BertShape

SMALL = BertShape(layers=2, width=32, heads=4, inner=64, words=400, positions=64)
SENTENCES = (
    "The heart is mildly enlarged. No pleural effusion or pneumothorax.",
    "Lungs are clear.",
    "There is a small left pleural effusion with adjacent atelectasis; a PICC line ends in the superior vena cava.\n\nNo edema.",
    "Possible early pneumonia in the right lower lobe.",
    "1. Stable cardiomegaly.  2. No acute disease.",
    "Median sternotomy wires. Calcified granuloma. Hyperinflated lungs with flattened diaphragms, " * 12,
    "Lungs are clear.",
    "Déjà-vu opacity, 50% larger than 3/4 [SEP] prior",
)


def vocabulary(path: Path, size: int, texts: Sequence[str] = SENTENCES) -> Path:
    """A stand-in WordPiece vocabulary of that size, made from texts."""
    from tokenizers import BertWordPieceTokenizer

    tokenizer = BertWordPieceTokenizer(lowercase=True)
    tokenizer.train_from_iterator(texts, vocab_size=size, min_frequency=1, show_progress=False)
    pieces = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)[:size]
    pieces += [f"[unused{number}]" for number in range(size - len(pieces))]
    path.write_text("\n".join(pieces) + "\n", encoding="utf-8")
    return path


def chexbert_model(shape: BertShape, seed: int = 0) -> tuple[Any, torch.nn.ModuleList]:
    """transformers' BertModel and 14 linear heads with weights spread enough for labels to differ between texts."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(seed)
    settings = BertConfig(
        vocab_size=shape.words,
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.inner,
        max_position_embeddings=shape.positions,
        initializer_range=0.15 if shape.width < 100 else 0.05,
    )
    bert = BertModel(settings)
    bert.train(False)
    heads = torch.nn.ModuleList([torch.nn.Linear(shape.width, 4) for _ in range(13)] + [torch.nn.Linear(shape.width, 2)])
    return bert, heads


def chexbert_state(bert: Any, heads: torch.nn.ModuleList) -> OrderedDict[str, torch.Tensor]:
    """The names of the released tensors, without `module.`."""
    state = OrderedDict((f"bert.{name}", tensor) for name, tensor in bert.state_dict().items())
    state.update((f"linear_heads.{name}", tensor) for name, tensor in heads.state_dict().items())
    return state


def chexbert_file(path: Path, state: OrderedDict[str, torch.Tensor], optimizer: bool = True) -> Path:
    """As `run_bert.py` of the release saves it: epoch, weights under DataParallel's names, Adam's moments; the old file format."""
    moments = {"state": {0: {"step": 1, "exp_avg": torch.ones(3)}}, "param_groups": [{"lr": 2e-5, "params": [0]}]}
    whole = {"epoch": 1, "model_state_dict": OrderedDict((f"module.{name}", tensor) for name, tensor in state.items())}
    torch.save(whole | ({"optimizer_state_dict": moments} if optimizer else {}), path, _use_new_zipfile_serialization=False)
    return path


@torch.no_grad()
def independent_classes(bert: Any, heads: torch.nn.ModuleList, vocab: Path, texts: Sequence[str]) -> tuple[list[list[int]], torch.Tensor]:
    """One text at a time through transformers, tokenised by its Python BertTokenizer, as the published `label.py` does.

    Returns:
        The class of each head, and the vector that the heads read.
    """
    classes, vectors = [], []
    for text in texts:
        ids = published_ids(vocab, text, bert.config.max_position_embeddings)
        state = bert(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids))).last_hidden_state[:, 0]
        classes.append([int(head(state).argmax()) for head in heads])
        vectors.append(state[0])
    return classes, torch.stack(vectors)


def published_ids(vocab: Path, text: str, longest: int) -> list[int]:
    """WordPiece written out after Devlin et al. (greedy longest match), on the published preparation of the text."""
    import unicodedata

    table = {piece: number for number, piece in enumerate(vocab.read_text(encoding="utf-8").splitlines())}
    text = re.sub(r"\s+", " ", text.strip().replace("\n", " "))
    pieces: list[str] = []
    for word in re.split(r"(\[SEP\]|\s)", text):
        if word == "[SEP]":
            pieces.append(word)
            continue
        plain = "".join(c for c in unicodedata.normalize("NFD", word.lower()) if unicodedata.category(c) != "Mn")
        for token in re.findall(r"\w+(?<!_)|[^\w\s]|_", plain):
            pieces.extend(_greedy(token, table))
    ids = [table["[CLS]"], *(table[piece] for piece in pieces), table["[SEP]"]]
    return ids if len(ids) <= longest else [*ids[: longest - 1], table["[SEP]"]]


def _greedy(token: str, table: dict[str, int]) -> list[str]:
    pieces, start = [], 0
    while start < len(token):
        for end in range(len(token), start, -1):
            piece = ("##" if start else "") + token[start:end]
            if piece in table:
                break
        else:
            return ["[UNK]"]
        pieces.append(piece)
        start = end
    return pieces


SMALL_ROBERTA = BertShape(layers=3, width=32, heads=4, inner=64, words=300, positions=66, types=1, epsilon=1e-5, first_position=2)


def roberta_folder(folder: Path, shape: BertShape = SMALL_ROBERTA) -> Path:
    """RoBERTa as the Hub holds it (weights with a language model's head, vocab.json, merges.txt); weights drawn by numpy."""
    import numpy as np
    from tokenizers import ByteLevelBPETokenizer

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = ByteLevelBPETokenizer()
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(SENTENCES, vocab_size=shape.words, min_frequency=1, special_tokens=specials, show_progress=False)
    tokenizer.save_model(str(folder))
    drawn = np.random.RandomState(7)
    state = {
        f"roberta.{name}": torch.tensor(drawn.standard_normal(size) * 0.15 + ("LayerNorm.weight" in name), dtype=torch.float32)
        for name, size in shape.layout(pooler=False).items()
    }
    state["lm_head.bias"] = torch.zeros(shape.words)
    torch.save(state, folder / "pytorch_model.bin")
    return folder
