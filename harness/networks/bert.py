"""The BERT encoder (and RoBERTa's, which differs in its first position) as plain tensor arithmetic, with its batches.

Written out here because three metrics and an extractor need it, because released weights name their tensors in one fixed way
whatever the installed version of a model library is, and because the last layer need only be computed where it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from harness.errors import InputError, Problem, UsageError
from harness.networks import containers
from harness.storage.progress import progress

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
BATCH = 32
"""Texts a batch: sorted by length, 5 % of the tokens computed are padding (64: 11 %; 64 in file order: 180 %)."""


@dataclass(frozen=True, slots=True)
class BertShape:
    """The sizes of an encoder; the defaults are those of bert-base-uncased."""

    layers: int = 12
    width: int = 768
    heads: int = 12
    inner: int = 3072
    words: int = 30522
    positions: int = 512
    types: int = 2
    epsilon: float = 1e-12
    first_position: int = 0
    """RoBERTa counts positions from 2."""

    def layout(self, prefix: str = "", pooler: bool = True) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the released tensors."""
        wide, inner = (self.width,), (self.inner,)
        table: dict[str, tuple[int, ...]] = {
            "embeddings.word_embeddings.weight": (self.words, self.width),
            "embeddings.position_embeddings.weight": (self.positions, self.width),
            "embeddings.token_type_embeddings.weight": (self.types, self.width),
            "embeddings.LayerNorm.weight": wide,
            "embeddings.LayerNorm.bias": wide,
        }
        for layer in range(self.layers):
            stem = f"encoder.layer.{layer}"
            for part in ("self.query", "self.key", "self.value", "output.dense"):
                table |= {f"{stem}.attention.{part}.weight": wide * 2, f"{stem}.attention.{part}.bias": wide}
            table |= {f"{stem}.attention.output.LayerNorm.{part}": wide for part in ("weight", "bias")}
            table |= {f"{stem}.intermediate.dense.weight": inner + wide, f"{stem}.intermediate.dense.bias": inner}
            table |= {f"{stem}.output.dense.weight": wide + inner, f"{stem}.output.dense.bias": wide}
            table |= {f"{stem}.output.LayerNorm.{part}": wide for part in ("weight", "bias")}
        if pooler:
            table |= {"pooler.dense.weight": wide * 2, "pooler.dense.bias": wide}
        return {prefix + name: shape for name, shape in table.items()}


def best_device(named: str = "") -> torch.device:
    """The device of that name; without a name CUDA, else MPS, else the CPU.

    Raises:
        UsageError: torch has no such device, or this machine lacks it.
    """
    usable = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not named:
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if usable[kind]))
    if not usable.get(named.partition(":")[0], False):
        raise UsageError(f"this machine has no device {named!r}; there is {', '.join(kind for kind in usable if usable[kind])}")
    return torch.device(named)


class Encoder:
    """Weights on a device, ready to encode token ids."""

    def __init__(
        self, tensors: Mapping[str, Tensor], shape: BertShape, device: str = "", precision: str = "fp32", prefix: str = ""
    ) -> None:
        if precision not in PRECISIONS:
            raise UsageError(f"there is no precision {precision!r}; there are {', '.join(PRECISIONS)}")
        self.shape, self.device, self.dtype = shape, best_device(device), PRECISIONS[precision]
        names = shape.layout(pooler=False)
        self._tensors = {name: tensors[prefix + name].to(self.device, self.dtype) for name in names}

    @torch.inference_mode()
    def __call__(self, ids: Tensor, real: Tensor, depth: int | None = None, first_only: bool = False) -> Tensor:
        """Hidden states after `depth` layers (all, without a depth).

        Args:
            ids: Token ids, shape (texts, tokens), padded.
            real: Whether each is a token and not padding, same shape.
            depth: How many layers to run.
            first_only: Return the first token's state alone, shape (texts, 1, width), and skip the rest of the last layer.
        """
        depth = self.shape.layers if depth is None else depth
        ids, real = ids.to(self.device), real.to(self.device)
        state = self._embed(ids)
        for layer in range(depth):
            state = self._layer(f"encoder.layer.{layer}", state, real[:, None, None, :], first_only and layer == depth - 1)
        return state[:, :1] if first_only else state

    def _embed(self, ids: Tensor) -> Tensor:
        start = self.shape.first_position
        words = F.embedding(ids, self._tensors["embeddings.word_embeddings.weight"])
        places = self._tensors["embeddings.position_embeddings.weight"][start : start + ids.shape[1]]
        kind = self._tensors["embeddings.token_type_embeddings.weight"][0]
        return self._norm("embeddings.LayerNorm", words + kind + places)

    def _layer(self, stem: str, state: Tensor, real: Tensor, first_only: bool) -> Tensor:
        asking, wide = state[:, :1] if first_only else state, self.shape.width // self.shape.heads
        query, key, value = (
            self._linear(f"{stem}.attention.self.{part}", source).view(len(source), -1, self.shape.heads, wide).transpose(1, 2)
            for part, source in (("query", asking), ("key", state), ("value", state))
        )
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=real).transpose(1, 2).flatten(2)
        asking = self._norm(f"{stem}.attention.output.LayerNorm", asking + self._linear(f"{stem}.attention.output.dense", mixed))
        inner = F.gelu(self._linear(f"{stem}.intermediate.dense", asking))
        return self._norm(f"{stem}.output.LayerNorm", asking + self._linear(f"{stem}.output.dense", inner))

    def _linear(self, name: str, state: Tensor) -> Tensor:
        return F.linear(state, self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"])

    def _norm(self, name: str, state: Tensor) -> Tensor:
        weight, bias = self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"]
        return F.layer_norm(state, (self.shape.width,), weight, bias, self.shape.epsilon)


def batches(ids: Sequence[Sequence[int]], size: int = BATCH, padding: int = 0) -> Iterator[tuple[list[int], Tensor, Tensor]]:
    """Batches of texts of about one length, longest first (what does not fit in memory fails at once).

    Yields:
        The places of the texts in `ids`, their padded token ids, and which of those are real.
    """
    order = sorted(range(len(ids)), key=lambda place: (-len(ids[place]), place))
    for start in range(0, len(order), size):
        places = order[start : start + size]
        longest = len(ids[places[0]])
        padded = [list(ids[place]) + [padding] * (longest - len(ids[place])) for place in places]
        lengths = torch.tensor([len(ids[place]) for place in places])
        yield places, torch.tensor(padded), torch.arange(longest)[None, :] < lengths[:, None]


def once(texts: Sequence[str], compute: Callable[[Sequence[str]], Sequence[Tensor]]) -> list[Tensor]:
    """Compute each different text once and return the results in the order of `texts`."""
    different = list(dict.fromkeys(texts))
    results = dict(zip(different, compute(different), strict=True))
    return [results[text] for text in texts]


def encode_first(encoder: Encoder, ids: Sequence[Sequence[int]], what: str, size: int = BATCH) -> list[Tensor]:
    """The last layer's state of the first token of each text, on the CPU in float32."""
    states: list[Tensor] = [torch.empty(0)] * len(ids)
    for places, padded, real in progress(batches(ids, size), what, -(-len(ids) // size), "batch"):
        for place, state in zip(places, encoder(padded, real, first_only=True)[:, 0].float().cpu(), strict=True):
            states[place] = state
    return states


def read_vocabulary(path: Path, size: int) -> dict[str, int]:
    """A WordPiece vocabulary: one piece a line, its line is its id.

    Raises:
        InputError: It is not UTF-8, has another size than the weights, repeats a piece, or lacks a special one.
    """
    try:
        # A piece may be a character, such as U+2028, at which `splitlines` would part the lines too.
        pieces = containers.text(path).rstrip("\n").split("\n")
    except containers.DamagedError as error:
        raise InputError(Problem(str(error), "Give the released vocab.txt", str(path))) from None
    lacking = [piece for piece in ("[PAD]", "[UNK]", "[CLS]", "[SEP]") if piece not in pieces]
    problems = [f"it has no piece {piece}" for piece in lacking]
    if len(pieces) != size:
        problems.append(f"it has {len(pieces)} pieces and the weights have {size}")
    if len(set(pieces)) != len(pieces):
        problems.append("it holds a piece twice")
    if problems:
        raise InputError(Problem(problem, "Give the vocab.txt that the weights were trained with", str(path)) for problem in problems)
    return {piece: number for number, piece in enumerate(pieces)}


def wordpiece(vocabulary: Mapping[str, int], longest: int) -> Callable[[Sequence[str]], list[list[int]]]:
    """Uncased WordPiece: `[CLS] pieces [SEP]`, cut to `longest` ids with the `[SEP]` kept."""
    from tokenizers import BertWordPieceTokenizer

    tokenizer = BertWordPieceTokenizer(dict(vocabulary), lowercase=True)
    tokenizer.enable_truncation(longest)
    return lambda texts: [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
