"""ROUGE-L against pycocoevalcap 1.2 (beta 1.2) and rouge-score 0.1.2 (F1), both independent of this project."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pycocoevalcap.rouge.rouge import Rouge, my_lcs
from rouge_score.rouge_scorer import RougeScorer

from harness.metrics import metric
from harness.metrics.rouge import common_words
from harness.metrics.text.tokens import preparation
from harness.types import Input

Pairs = tuple[list[str], list[str]]
Wrap = Callable[[Sequence[str]], list[Input]]


def rouge_l(spec: str, pairs: Pairs, wrap: Wrap) -> list[float]:
    """F of each report; the mean is checked on the way."""
    made = metric(f"rouge-l:{spec}")
    rows = made.rows(wrap(pairs[0]), wrap(pairs[1]))
    assert float(made.score(rows.sum(axis=0))["rouge-l"]) == pytest.approx(rows[:, 0].mean(), abs=1e-12)
    return [float(value) for value in rows[:, 0]]


def coco(name: str, pairs: Pairs) -> list[float]:
    prepared, peer = preparation(name), Rouge()
    sides = zip(*pairs, strict=True)
    return [peer.calc_score([" ".join(prepared.words(said))], [" ".join(prepared.words(truth, True))]) for truth, said in sides]


@pytest.mark.parametrize("name", ["raw", "lower", "ptb", "13a", "r2gen-iu", "r2gen-mimic|cut-100"])
def test_coco_equals_pycocoevalcap(name: str, synthetic_pairs: Pairs, as_inputs: Wrap) -> None:
    assert rouge_l(f"coco|{name}", synthetic_pairs, as_inputs) == pytest.approx(coco(name, synthetic_pairs), abs=1e-9)


@pytest.mark.parametrize("stemmed", [False, True])
def test_f1_equals_rouge_score(stemmed: bool, synthetic_pairs: Pairs, as_inputs: Wrap) -> None:
    peer = RougeScorer(["rougeL"], use_stemmer=stemmed)
    expected = [peer.score(truth, said)["rougeL"].fmeasure for truth, said in zip(*synthetic_pairs, strict=True)]
    assert rouge_l("f1|words|stem" if stemmed else "f1|words", synthetic_pairs, as_inputs) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("system", ["moerad-iu", "aamn-iu"])
def test_real_pairs_equal_the_peers(system: str, submitted: Callable[[str], Pairs], as_inputs: Wrap) -> None:
    pairs = submitted(system)
    peer = RougeScorer(["rougeL"], use_stemmer=True)
    expected = [peer.score(truth, said)["rougeL"].fmeasure for truth, said in zip(*pairs, strict=True)]
    assert rouge_l("f1|words|stem", pairs, as_inputs) == pytest.approx(expected, abs=1e-9)
    assert rouge_l("coco|ptb", pairs, as_inputs) == pytest.approx(coco("ptb", pairs), abs=1e-9)


def test_published_value_of_a_real_submission(submitted: Callable[[str], Pairs], as_inputs: Wrap) -> None:
    """AAMN's one sentence reaches 0.358 against the references as R2Gen cleans them."""
    values = rouge_l("coco|r2gen-iu", submitted("aamn-iu"), as_inputs)
    assert sum(values) / len(values) == pytest.approx(0.358, abs=1e-3)


@given(some.lists(some.integers(0, 5), max_size=90), some.lists(some.integers(0, 5), max_size=90))
def test_longest_common_subsequence_is_the_table_s(first: list[int], second: list[int]) -> None:
    assert common_words(first, second) == my_lcs(first, second)
