"""LLaMA as report generators use it: a prompt of pieces of text and of film features, and one step of decoding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from generators.pretrained import empty, fill, layout, read_folder, settings, without
from harness import checkpoints
from harness.errors import InputError, Problem, UnavailableError

UNKNOWN, START, END = 0, 1, 2
"""Ids of <unk>, <s> and </s> in every LLaMA."""
NAMES = {UNKNOWN: "<unk>", START: "<s>", END: "</s>"}


class Pieces:
    """LLaMA's tokenizer as the slow one of transformers 4.28 to 4.30 was: SentencePiece itself, which later versions changed."""

    def __init__(self, folder: Path) -> None:
        from sentencepiece import SentencePieceProcessor

        path = folder / "tokenizer.model"
        if not path.is_file():
            raise UnavailableError(Problem("the folder has no tokenizer.model", "Give the whole folder as released", str(folder)))
        try:
            self._model: Any = SentencePieceProcessor(model_file=str(path))
        except RuntimeError as error:
            raise InputError(Problem("it is not a SentencePiece model", "Download it again", str(path))) from error

    def ids(self, text: str) -> list[int]:
        """Ids of a text, which begins as a new word; no start id."""
        return list(self._model.encode(text))

    def text(self, ids: Sequence[int]) -> str:
        """The text of ids with <unk>, <s> and </s> written out, and a blank before the first of several in a row, as in the original.

        Ids that a model has beyond its tokenizer (padding) are left out.
        """
        text, plain, special = "", [], False
        for place, number in enumerate(number for number in ids if number < self._model.get_piece_size()):
            if number not in NAMES:
                plain.append(number)
                special = False
                continue
            text += (" " if place and not special else "") + self._model.decode(plain) + NAMES[number]
            plain, special = [], True
        return text + str(self._model.decode(plain))


@dataclass(frozen=True, slots=True)
class Llama:
    """A loaded language model."""

    model: Any = field(repr=False)
    pieces: Pieces = field(repr=False)
    digest: str

    @property
    def width(self) -> int:
        """Of a token's embedding."""
        return int(self.model.config.hidden_size)

    def embedded(self, ids: Tensor) -> Tensor:
        """Embeddings of ids, one dimension more."""
        found: Tensor = self.model.get_input_embeddings()(ids)
        return found

    def prompts(self, before: Sequence[int], films: Tensor, after: Sequence[int]) -> Tensor:
        """Text, film features, text: the same text round the features of each study.

        Args:
            films: Shape (studies, tokens, width).
        """
        like = self.model.get_input_embeddings().weight
        sides = [self.embedded(torch.tensor(list(ids), device=like.device)).expand(len(films), -1, -1) for ids in (before, after)]
        return torch.cat((sides[0], films.to(like), sides[1]), 1)

    def starts(self, prompts: Tensor) -> Tensor:
        """What decoding begins with where the prompt is embeddings: one start id a study, as in transformers 4.27 to 4.30."""
        return torch.full((len(prompts), 1), START, device=prompts.device)


class Writer:
    """One step of `generators.decoding`: the prompt is read once a study, however many beams follow."""

    def __init__(self, llama: Llama, prompts: Tensor) -> None:
        self.llama = llama
        self.prompts = prompts
        self.cache: Any = None

    def __call__(self, ids: Tensor, origin: Tensor) -> Tensor:
        """Logits of the next token; see `generators.decoding.Step`."""
        if self.cache is None:
            fed = self.prompts[origin]
        else:
            fed = self.llama.embedded(ids[:, -1:])
            self.cache.reorder_cache(origin)
        made = self.llama.model(inputs_embeds=fed, past_key_values=self.cache, use_cache=True, logits_to_keep=1)
        self.cache = made.past_key_values
        logits: Tensor = made.logits[:, -1]
        return logits


def load(folder: Path, device: str, precision: str) -> Llama:
    """Load a language model from a folder of `transformers`.

    Raises:
        InputError: Tensors are missing, unknown or of another shape; all are named.
        UnavailableError: The folder lacks files.
    """
    from transformers import LlamaConfig, LlamaForCausalLM

    model = empty(lambda: LlamaForCausalLM(settings(LlamaConfig, folder)))
    dtype = getattr(torch, precision)
    pieces = Pieces(folder)
    tensors, digest = read_folder(folder, lambda tensor: tensor.to(dtype))
    known = without(tensors, lambda _: False)
    checkpoints.check(known, layout(model), str(folder))
    fill(model, known, str, device, dtype)
    return Llama(model, pieces, digest)
