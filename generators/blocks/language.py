"""Llama as a frozen part of a system: loading it strictly, continuing a prompt of embeddings, and its two kinds of tokenizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from generators.blocks.hub_folder import built
from harness.errors import InputError, Problem
from harness.quiet import Quiet
from harness.types import Json

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
SPACING = {wide: wide.strip() for wide in (" .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've", " 're")}
"""What transformers' clean-up of decoded text replaced, in its order."""


def llama(config: Json, found: Mapping[str, Tensor], file: str, dtype: torch.dtype, device: str) -> Any:
    """Build the language model that config.json describes.

    Args:
        config: As released; entries of the system around it do no harm.
        found: Exactly its tensors; `lm_head.weight` may be absent where it is tied, and rotary tables are ignored.

    Raises:
        InputError: Tensors are missing, unexpected or of another shape.
    """
    from transformers import LlamaConfig, LlamaForCausalLM
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    # A copy, since the library writes into what it reads.
    shape = LlamaConfig.from_dict({**deepcopy(config), "model_type": "llama", "torch_dtype": None, "dtype": None})
    kept = {name: tensor for name, tensor in found.items() if not name.endswith("rotary_emb.inv_freq")}
    if shape.tie_word_embeddings and "model.embed_tokens.weight" in kept:
        kept["lm_head.weight"] = kept["model.embed_tokens.weight"]
    model = built(lambda: LlamaForCausalLM(shape), kept, file, dtype, device)
    # The angles of positions are no weights, so building without memory left them empty.
    model.model.rotary_emb = LlamaRotaryEmbedding(shape).to(device)
    if shape.tie_word_embeddings:
        model.tie_weights()
    return model


def embedded(model: Any, ids: Sequence[int]) -> Tensor:
    """Token ids as the model sees them, shape (1, ids, width)."""
    made: Tensor = model.get_input_embeddings()(torch.tensor([list(ids)], dtype=torch.long, device=model.device))
    return made


@dataclass(slots=True, repr=False)
class Continuation(Quiet):
    """The step of `generators.blocks.decoding` for prompts of embeddings, each read once, however many beams follow.

    The ids are the new ones alone, empty at first, or after one start id, as in the library of the time.
    """

    model: Any = field(repr=False)
    prompts: Tensor = field(repr=False)
    """Shape (studies, length, width)."""
    kept: Any = field(default=None, repr=False)

    def __call__(self, ids: Tensor, origin: Tensor) -> Tensor:
        """The next token's logits."""
        if self.kept is None:
            made = self.model(inputs_embeds=self.prompts[origin], use_cache=True, logits_to_keep=1)
        else:
            self.kept.reorder_cache(origin)
            made = self.model(input_ids=ids[:, -1:], past_key_values=self.kept, use_cache=True)
        self.kept = made.past_key_values
        logits: Tensor = made.logits[:, -1]
        return logits


class Words(Protocol):
    """A tokenizer, as far as prompts and reports need one."""

    bos: int
    """Id of the begin of a text; it is never added by itself."""

    def ids(self, text: str) -> list[int]:
        """Token ids of a text."""
        ...

    def text(self, ids: Sequence[int]) -> str:
        """The text of ids; special ones are left out."""
        ...


class Pieces:
    """tokenizer.model, read as the slow `LlamaTokenizer` did: a text gets a space before it, and words like `</s>` are words.

    Whether the old tokenizer was `legacy` makes no difference to a text without special tokens.
    """

    def __init__(self, path: Path) -> None:
        from sentencepiece import SentencePieceProcessor

        try:
            self._model = SentencePieceProcessor(model_file=str(path))
        except (OSError, RuntimeError):
            raise InputError(Problem("it is no SentencePiece model, or not there", "Download it again", str(path))) from None
        self.bos = self._model.bos_id()

    def ids(self, text: str) -> list[int]:
        """See `Words`."""
        return list(self._model.encode(text))

    def text(self, ids: Sequence[int]) -> str:
        """See `Words`; ids beyond the model's (added tokens) are left out too."""
        size = self._model.get_piece_size()
        special = {self._model.unk_id(), self._model.bos_id(), self._model.eos_id()}
        return str(self._model.decode([number for number in ids if number < size and number not in special]))

    def marked(self, ids: Sequence[int]) -> str:
        """The text of ids with <unk>, <s> and </s> written out, and a blank before the first of several in a row, as the slow one did.

        Ids beyond the model's are left out.
        """
        marks = {number: self._model.id_to_piece(number) for number in (self._model.unk_id(), self._model.bos_id(), self._model.eos_id())}
        text, between, special = "", [], False
        for place, number in enumerate(number for number in ids if number < self._model.get_piece_size()):
            if number not in marks:
                between.append(number)
                special = False
                continue
            text += (" " if place and not special else "") + self._model.decode(between) + marks[number]
            between, special = [], True
        return text + str(self._model.decode(between))


class Merges:
    """tokenizer.json, read by the library that wrote it; special tokens within a text are recognised, as the published runs did."""

    def __init__(self, path: Path, bos: str, clean: bool) -> None:
        from tokenizers import Tokenizer

        try:
            self._model = Tokenizer.from_str(path.read_text(encoding="utf-8"))
        except Exception:  # the library raises no more special class
            raise InputError(Problem("it is no tokenizer", "Download it again", str(path))) from None
        found = self._model.token_to_id(bos)
        if found is None:
            raise InputError(Problem(f"it has no token {bos}", "Give the released file", str(path)))
        self.bos, self._clean = int(found), clean

    def ids(self, text: str) -> list[int]:
        """See `Words`."""
        return list(self._model.encode(text, add_special_tokens=False).ids)

    def text(self, ids: Sequence[int]) -> str:
        """See `Words`."""
        made = str(self._model.decode(list(ids), skip_special_tokens=True))
        for wide, narrow in SPACING.items() if self._clean else ():
            made = made.replace(wide, narrow)
        return made
