"""Turning a model's next-token scores into token ids as the libraries of the published runs did.

Beam search is written out because its meaning changed: how a finished beam is scored, whether the prompt counts in its length, and
when the search stops differ between the versions of transformers that the papers used and today's, and so do the reports.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

import torch
from torch import Tensor

Step = Callable[[Tensor, Tensor], Tensor]
"""One step of a model: (ids, origin) to the next token's logits, shape (rows, vocabulary).

`ids` are all ids so far, prompt included, shape (rows, length). `origin` says for every row which row of the previous call it
continues (`arange` on the first call): whatever the model keeps a row - cached keys, a film's features - is taken as
`kept.index_select(0, origin)`. The number of rows changes: the first call has one a study, later ones have one a beam of the
studies that are not finished.
"""


class Era(Enum):
    """How lengths count: (does the prompt count, does the end token count in a finished beam, what is added when testing the stop)."""

    V4_19 = (True, 0, 0)
    """transformers 4.19 to 4.25."""
    V4_30 = (True, 0, 1)
    """transformers 4.30."""
    V4_41 = (False, 1, 1)
    """transformers 4.41 to 4.49."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """How token ids are chosen; goes into a system's digest."""

    longest: int
    """Ids at most, prompt included."""
    ends: tuple[int, ...]
    """End-of-sequence ids; they are not part of what is returned."""
    beams: int = 1
    era: Era = Era.V4_30
    shortest: int = 0
    """No end before there are this many ids, prompt included."""
    length_penalty: float = 1.0
    early_stopping: bool = False
    repetition_penalty: float = 1.0
    no_repeat_ngram: int = 0
    """Size of the groups of ids that may occur only once; 0 for no such rule."""
    temperature: float = 1.0
    top_k: int = 0
    """How many of the likeliest ids sampling may choose; 0 for all."""
    top_p: float = 1.0
    """Sampling chooses among the likeliest ids that together have this probability."""


Stop = Callable[[Sequence[int]], bool]
"""Whether new ids (prompt left out) end a text that has no end token, such as a stop word of several ids."""


@torch.inference_mode()
def greedy(step: Step, prompt: Tensor, decoding: Decoding, stop: Stop | None = None) -> list[list[int]]:
    """The likeliest token at each step.

    Args:
        prompt: Shape (studies, length).
        stop: Ends a study after the ids for which it holds; those ids are kept.

    Returns:
        For each study its new ids, without prompt and end token.
    """
    return _one_by_one(step, prompt, decoding, stop, lambda scores: scores.argmax(-1))


@torch.inference_mode()
def sample(step: Step, prompt: Tensor, decoding: Decoding, seeds: Sequence[int], stop: Stop | None = None) -> list[list[int]]:
    """Draw each token from temperature, top-k and top-p, in that order, as transformers does.

    Each study draws from its own generator on the CPU, so that its text depends neither on its neighbours nor on the device.

    Args:
        seeds: One a study.
    """
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    alive = list(range(len(generators)))

    def draw(scores: Tensor) -> Tensor:
        shares = _narrowed(scores.float() / decoding.temperature, decoding).softmax(-1).cpu()
        return torch.cat([torch.multinomial(share, 1, generator=generators[place]) for place, share in zip(alive, shares, strict=True)])

    return _one_by_one(step, prompt, decoding, stop, draw, alive)


def _one_by_one(
    step: Step,
    prompt: Tensor,
    decoding: Decoding,
    stop: Stop | None,
    choose: Callable[[Tensor], Tensor],
    alive: list[int] | None = None,
) -> list[list[int]]:
    """Greedy and sampling: `alive` holds the studies still being written, in the order of their rows."""
    ids = prompt
    made: list[list[int]] = [[] for _ in prompt]
    alive = list(range(len(prompt))) if alive is None else alive
    origin = torch.arange(len(prompt), device=prompt.device)
    while alive and ids.shape[1] < decoding.longest:
        scores = processed(step(ids, origin).float(), ids, decoding)
        chosen = choose(scores).tolist()
        kept = []
        for row, (place, token) in enumerate(zip(alive, chosen, strict=True)):
            if token in decoding.ends:
                continue
            made[place].append(token)
            if stop is None or not stop(made[place]):
                kept.append(row)
        origin = torch.tensor(kept, dtype=torch.long, device=prompt.device)
        new = torch.tensor([[chosen[row]] for row in kept], dtype=torch.long, device=prompt.device).reshape(-1, 1)
        ids = torch.cat([ids.index_select(0, origin), new], 1)
        alive[:] = [alive[row] for row in kept]
    return made


def processed(scores: Tensor, ids: Tensor, decoding: Decoding) -> Tensor:
    """Apply the rules in transformers' order: repetition penalty, no repeated n-gram, no early end.

    Args:
        scores: Log-probabilities in beam search, logits elsewhere; changed in place.
        ids: All ids so far, prompt included. Where the prompt was given as embeddings, only the ids that represent it.
    """
    if decoding.repetition_penalty != 1.0:
        seen = scores.gather(1, ids)
        scores.scatter_(1, ids, torch.where(seen < 0, seen * decoding.repetition_penalty, seen / decoding.repetition_penalty))
    if decoding.no_repeat_ngram:
        for row, known in enumerate(ids.tolist()):
            scores[row, repeats(known, decoding.no_repeat_ngram)] = -torch.inf
    if ids.shape[1] < decoding.shortest:
        scores[:, list(decoding.ends)] = -torch.inf
    return scores


def repeats(ids: Sequence[int], size: int) -> list[int]:
    """The ids that would complete a group of `size` ids that has occurred already."""
    tail = tuple(ids[len(ids) + 1 - size :]) if len(ids) + 1 >= size else None
    return [ids[end] for end in range(size - 1, len(ids)) if tuple(ids[end + 1 - size : end]) == tail]


def _narrowed(scores: Tensor, decoding: Decoding) -> Tensor:
    """Take away what top-k and top-p forbid."""
    if decoding.top_k:
        least = scores.topk(min(decoding.top_k, scores.shape[-1]))[0][:, -1:]
        scores = scores.masked_fill(scores < least, -torch.inf)
    if decoding.top_p < 1:
        rising, order = scores.sort(descending=False)
        unlikely = rising.softmax(-1).cumsum(-1) <= 1 - decoding.top_p
        unlikely[:, -1] = False
        scores = scores.masked_fill(unlikely.scatter(1, order, unlikely), -torch.inf)
    return scores


@dataclass(slots=True)
class _Beams:
    """One study's search: its finished beams, and the log-probabilities of its running ones."""

    decoding: Decoding
    start: int
    """Length of the prompt."""
    finished: list[tuple[float, list[int]]] = field(default_factory=list)

    def _length(self, ids: int) -> float:
        counted = ids if self.decoding.era.value[0] else ids - self.start
        return float(counted**self.decoding.length_penalty)

    def finish(self, total: float, ids: list[int], ended: bool) -> None:
        """Keep a beam if it is among the best."""
        length = len(ids) + (self.decoding.era.value[1] if ended else 0)
        score = total / self._length(length)
        if len(self.finished) == self.decoding.beams and score <= self._worst():
            return
        self.finished.append((score, ids))
        if len(self.finished) > self.decoding.beams:
            # Among equal scores the earliest is taken, as in the original.
            del self.finished[min(range(len(self.finished)), key=lambda place: self.finished[place][0])]

    def _worst(self) -> float:
        return min(score for score, _ in self.finished)

    def done(self, best: float, length: int) -> bool:
        """Whether the search ends.

        Args:
            best: The largest log-probability among all candidates of this step, ends included.
            length: Ids before this step.
        """
        if len(self.finished) < self.decoding.beams:
            return False
        return self.decoding.early_stopping or self._worst() >= best / self._length(length + self.decoding.era.value[2])

    def best(self) -> list[int]:
        """The new ids of the best beam; of equal ones the last."""
        return sorted(self.finished, key=lambda item: item[0])[-1][1][self.start :]


@torch.inference_mode()
def beam_search(step: Step, prompt: Tensor, decoding: Decoding) -> list[list[int]]:
    """Beam search as `transformers.generate` did it in an `Era`; today's differs.

    Args:
        prompt: Shape (studies, length). Where a prompt is given as embeddings, the one id with which the old library began.

    Returns:
        For each study the new ids of its best beam, without prompt and end token. A batch gives what single studies give.
    """
    width = decoding.beams
    if width == 1:
        return greedy(step, prompt, decoding)
    searches = [_Beams(decoding, prompt.shape[1]) for _ in prompt]
    running, ids, device = list(searches), prompt, prompt.device
    origin = torch.arange(len(prompt), device=device)
    totals = torch.zeros(len(prompt), 1, device=device)
    while running and ids.shape[1] < decoding.longest:
        scores = processed(step(ids, origin).float().log_softmax(-1), ids, decoding)
        rows, vocabulary = totals.shape[1], scores.shape[-1]
        ranked = (scores.view(-1, rows, vocabulary) + totals[:, :, None]).flatten(1).topk(2 * width)
        candidates = (ranked.values.tolist(), ranked.indices.tolist())
        running, tokens, rows_kept, sums = _advance(running, ids.tolist(), *candidates, vocabulary, rows)
        origin = torch.tensor(rows_kept, dtype=torch.long, device=device)
        chosen = torch.tensor(tokens, dtype=torch.long, device=device)[:, None]
        ids = torch.cat([ids.index_select(0, origin), chosen], 1)
        totals = torch.tensor(sums, device=device).reshape(len(running), width)
    _close(running, ids.tolist(), totals.flatten().tolist())
    return [search.best() for search in searches]


def _advance(
    running: list[_Beams],
    known: list[list[int]],
    totals: list[list[float]],
    places: list[list[int]],
    vocabulary: int,
    rows: int,
) -> tuple[list[_Beams], list[int], list[int], list[float]]:
    """Sort each study's best candidates into finished and running beams; studies that are done leave.

    Returns:
        The studies that go on, and for each of their beams its new token, the row that it continues and its log-probability.
    """
    kept: list[_Beams] = []
    tokens: list[int] = []
    origin: list[int] = []
    sums: list[float] = []
    for number, search in enumerate(running):
        width, going = search.decoding.beams, []
        for rank, (total, place) in enumerate(zip(totals[number], places[number], strict=True)):
            row, token = number * rows + place // vocabulary, place % vocabulary
            if token not in search.decoding.ends:
                going.append((total, row, token))
            elif rank < width:
                search.finish(total, known[row], ended=True)
            if len(going) == width:
                break
        if not search.done(max(totals[number]), len(known[number * rows])):
            kept.append(search)
            sums += [total for total, _, _ in going]
            origin += [row for _, row, _ in going]
            tokens += [token for _, _, token in going]
    return kept, tokens, origin, sums


def _close(running: list[_Beams], known: list[list[int]], totals: list[float]) -> None:
    """At the longest length every running beam counts as finished."""
    for place, (beam, total) in enumerate(zip(known, totals, strict=True) if running else ()):
        running[place * len(running) // len(known)].finish(total, beam, ended=False)
