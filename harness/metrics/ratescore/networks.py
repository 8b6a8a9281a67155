"""RaTEScore's two networks, stock classes of transformers: a tagger of entities and an encoder of their words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import InputError, Problem
from harness.metrics.ratescore.matching import TYPES, Entity, entities
from harness.networks.stock import batches, load_stock

if TYPE_CHECKING:
    from torch import Tensor

LONGEST_SENTENCE = 512
LONGEST_ENTITY = 30


class Tagger:
    """The tagger of entities (DeBERTa): sentences to words with types."""

    def __init__(self, folder: Path, device: str = "") -> None:
        """Load it.

        Raises:
            UnavailableError: A file is not there, or PyTorch or transformers are not installed.
            InputError: It is another network, or has other labels.
        """
        self._model, self._tokenizer, self.digest = load_stock(folder, "deberta-v2", "DebertaV2ForTokenClassification", device)
        self._tags = [str(self._model.config.id2label[number]) for number in range(self._model.config.num_labels)]
        strange = [tag for tag in self._tags if tag != "O" and (tag[:2] not in ("B-", "I-") or tag[2:] not in TYPES)]
        if strange:
            what = f"its labels are not RaTE-NER's: {', '.join(strange[:5])}"
            raise InputError(Problem(what, "Give the released folder of Angelakeke/RaTE-NER-Deberta", str(folder / "config.json")))

    def tag(self, sentences: Sequence[str]) -> dict[str, list[Entity]]:
        """By sentence its entities in order; each different sentence is read once."""
        found: dict[str, list[Entity]] = {}
        for part, ids, output in batches(self._model, self._tokenizer, sentences, LONGEST_SENTENCE):
            chosen = output.logits.argmax(dim=2).tolist()
            for sentence, own, numbers in zip(part, ids, chosen, strict=True):
                tokens = self._tokenizer.convert_ids_to_tokens(own)
                spans = entities(tokens, [self._tags[number] for number in numbers[: len(own)]])
                found[sentence] = [(self._tokenizer.convert_tokens_to_string(tokens[begin : end + 1]), kind) for begin, end, kind in spans]
        return found


class Names:
    """The encoder of an entity's words (MPNet): its first token's last state."""

    def __init__(self, folder: Path, device: str = "") -> None:
        """Load it; see `Tagger`."""
        self._model, self._tokenizer, self.digest = load_stock(folder, "mpnet", "MPNetModel", device, drop=("embeddings.position_ids",))

    def vectors(self, names: Sequence[str]) -> dict[str, Tensor]:
        """By name its vector, on the CPU."""
        found: dict[str, Tensor] = {}
        for part, _, output in batches(self._model, self._tokenizer, names, LONGEST_ENTITY):
            found.update(zip(part, output.last_hidden_state[:, 0].float().cpu(), strict=True))
        return found
