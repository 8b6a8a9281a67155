"""How LLM-RG4 reads a prior report: cleaned as R2Gen's tokenizer does, then CXR-BERT's states of exactly 100 ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from generators.blocks.hub_folder import needed, settings, tensors
from harness.networks.bert import BertShape, Encoder, read_vocabulary, wordpiece
from harness.networks.checkpoints import check, tensors_digest

LENGTH = 100
PREFIX = "bert."
DROPPED = re.compile(r"""[.,?;*!%^&_+()\[\]{}"/\\']""")


def cleaned(report: str) -> str:
    """Lower case, sentences between ` . `, no numbering up to 5 and no punctuation; runs of marks shrink as upstream's replacing does."""
    text = report.replace("\n", " ")
    for wide, narrow, times in (("__", "_", 7), ("  ", " ", 6), ("..", ".", 8)):
        for _ in range(times):
            text = text.replace(wide, narrow)
    text = text.replace("1. ", "")
    for mark in (". {}. ", " {}. "):
        for number in range(2, 6):
            text = text.replace(mark.format(number), ". ")
    sentences = text.replace(":", " :").strip().lower().split(". ")
    return " . ".join(DROPPED.sub("", sentence.strip()).strip() for sentence in sentences) + " ."


@dataclass(frozen=True, slots=True)
class PriorReportReader:
    """The loaded reader of prior reports."""

    encoder: Encoder = field(repr=False)
    ids: Callable[[Sequence[str]], list[list[int]]] = field(repr=False)
    padding: int
    digest: str

    def tokens(self, report: str) -> list[int]:
        """The ids of a report, padded to exactly 100."""
        ids = self.ids([cleaned(report)])[0]
        return ids + [self.padding] * (LENGTH - len(ids))

    def __call__(self, report: str) -> Tensor:
        """Shape (1, 100, width). The encoder's own attention leaves padding out; its states are returned nevertheless."""
        ids = torch.tensor([self.tokens(report)])
        return self.encoder(ids, ids != self.padding)


def load(folder: Path, device: str) -> PriorReportReader:
    """Read CXR-BERT's folder strictly; the heads of its training are left out.

    Raises:
        InputError: A file is missing, or tensors are missing or of another shape.
    """
    config = settings(folder, "config.json")
    names = {"num_hidden_layers": "layers", "hidden_size": "width", "num_attention_heads": "heads", "intermediate_size": "inner"}
    names |= {"vocab_size": "words", "max_position_embeddings": "positions"}
    shape = BertShape(**{own: int(needed(config, theirs, folder)) for theirs, own in names.items()})
    kept = shape.layout(PREFIX, pooler=False)
    spare = (f"{PREFIX}pooler.", f"{PREFIX}embeddings.position_ids", "cls.", "cls_projection_head.")
    found = {name: tensor for name, tensor in tensors(folder).items() if not name.startswith(spare)}
    check(found, kept, str(folder))
    vocabulary = read_vocabulary(folder / "vocab.txt", shape.words)
    encoder = Encoder(found, shape, device, "fp32", PREFIX)
    return PriorReportReader(encoder, wordpiece(vocabulary, LENGTH), vocabulary["[PAD]"], tensors_digest(found))
