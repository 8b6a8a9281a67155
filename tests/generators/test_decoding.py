"""The decoders against the libraries of the published runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from generators.blocks.decoding import Decoding, Era, Step, beam_search, greedy, repeats, sample

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "golden" / "decoding.json").read_text())
ERAS = {"4.25.0": Era.V4_19, "4.30.2": Era.V4_30, "4.46.3": Era.V4_41}
WORDS, END = 23, 2


def table_model(seed: int, bias: float) -> Step:
    """Logits from the last two ids and the sum of all, out of tables that numpy's frozen generator draws."""
    draw = np.random.RandomState(seed)
    last, before, summed = (
        draw.standard_normal((WORDS, WORDS)) * 1.5,
        draw.standard_normal((WORDS, WORDS)),
        draw.standard_normal((7, WORDS)),
    )

    def step(ids: Tensor, origin: Tensor) -> Tensor:
        known = ids.numpy()
        logits = last[known[:, -1]] + 0.5 * before[known[:, -2]] + 0.5 * summed[known.sum(1) % 7]
        logits[:, END] += bias
        return torch.tensor(logits, dtype=torch.float32)

    return step


def decoding(case: dict[str, Any], era: Era) -> Decoding:
    return Decoding(ends=(END,), era=era, **case)


def prompt(seed: int) -> Tensor:
    return torch.tensor([[1, 5 + seed, 9, 5 + seed]])


@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize("case", GOLDEN["cases"])
def test_ids_are_those_of_the_library_of_the_time(version: str, case: str) -> None:
    rules = decoding(GOLDEN["cases"][case], ERAS[version])
    made = [beam_search(table_model(seed, bias), prompt(seed), rules)[0] for seed in range(6) for bias in (-1.0, 1.0, 3.0)]
    assert made == GOLDEN["ids"][version][case]


def test_the_versions_differ_so_the_golden_ids_tell_them_apart() -> None:
    ids = GOLDEN["ids"]
    assert ids["4.25.0"]["long"] != ids["4.30.2"]["long"] != ids["4.46.3"]["long"]


class Remembering:
    """A model that keeps a state a row and would go wrong were `origin` wrong: it predicts from its own memory of the ids."""

    def __init__(self, bias: float) -> None:
        self.inner, self.known = table_model(3, bias), torch.empty(0, dtype=torch.long)

    def __call__(self, ids: Tensor, origin: Tensor) -> Tensor:
        fresh = ids if not len(self.known) else ids[:, -1:]
        self.known = fresh if not len(self.known) else torch.cat([self.known.index_select(0, origin), fresh], 1)
        return self.inner(self.known, origin)


@pytest.mark.parametrize("bias", [-1.0, 1.0, 3.0])
@pytest.mark.parametrize("beams", [1, 3])
def test_a_batch_gives_what_single_studies_give_and_caches_follow_their_rows(bias: float, beams: int) -> None:
    rules = replace(decoding(GOLDEN["cases"]["plain"], Era.V4_30), beams=beams)
    together = torch.cat([prompt(number) for number in range(12)])
    alone = [beam_search(table_model(3, bias), row[None], rules)[0] for row in together]
    assert beam_search(Remembering(bias), together, rules) == alone
    assert len({len(ids) for ids in alone}) > 1 or bias != 1.0


def test_a_stop_word_ends_a_text_and_stays_in_it() -> None:
    rules = Decoding(longest=20, ends=(END,))
    (free,) = greedy(table_model(0, -9.0), prompt(0), rules)

    def stop(ids: Sequence[int]) -> bool:
        return list(ids[-2:]) == free[3:5]

    assert greedy(table_model(0, -9.0), prompt(0), rules, stop) == [free[:5]]


def test_sampling_is_each_study_s_own_and_follows_the_probabilities() -> None:
    rules = Decoding(longest=16, ends=(END,), temperature=0.9, top_k=10, top_p=0.9)
    together = torch.cat([prompt(number) for number in range(6)])
    seeds = [11, 12, 13, 14, 15, 16]
    alone = [sample(table_model(1, 0.5), row[None], rules, [seed])[0] for row, seed in zip(together, seeds, strict=True)]
    assert sample(table_model(1, 0.5), together, rules, seeds) == alone
    assert sample(table_model(1, 0.5), together, rules, [seed + 1 for seed in seeds]) != alone

    def skewed(ids: Tensor, origin: Tensor) -> Tensor:
        return torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log().repeat(len(ids), 1)

    drawn = [ids[0] for ids in sample(skewed, torch.ones(4000, 1, dtype=torch.long), Decoding(2, (9,), top_p=0.8), range(4000))]
    # Of 0.5 and 0.3 alone: 62.5 % and 37.5 %, within four standard errors of 4,000 draws.
    assert set(drawn) == {0, 1} and abs(drawn.count(0) / 4000 - 0.625) < 0.031
    assert {ids[0] for ids in sample(skewed, torch.ones(500, 1, dtype=torch.long), Decoding(2, (9,), top_k=3), range(500))} == {0, 1, 2}


def test_repeated_groups_are_found_in_the_prompt_too() -> None:
    assert repeats([1, 2, 3, 1, 2], 3) == [3]
    assert repeats([1, 2, 3, 4], 3) == []
    assert sorted(repeats([7, 7, 8, 7], 2)) == [7, 8]
    assert repeats([1], 3) == []
    assert repeats([4, 5], 1) == [4, 5]
