"""BLEU against pycocoevalcap 1.2, sacrebleu 2.6 and NLTK 3.10 (all independent of this project), on equal words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from nltk.translate.bleu_score import SmoothingFunction, corpus_bleu, sentence_bleu
from pycocoevalcap.bleu.bleu import Bleu as CocoBleu
from sacrebleu.metrics.bleu import BLEU as SacreBleu

from harness.metrics import metric
from harness.metrics.text.tokens import preparation
from harness.types import Array, Input, Metric

Pairs = tuple[list[str], list[str]]
Wrap = Callable[[Sequence[str]], list[Input]]
PREPARATIONS = ("raw", "lower", "ptb", "13a", "lower|13a", "r2gen-iu", "r2gen-mimic|cut-100", "lower|libra|13a", "words|stem")


def parts(made: Metric, pairs: Pairs, wrap: Wrap) -> list[float]:
    references, candidates = (wrap(side) for side in pairs)
    score = made.score(made.rows(references, candidates).sum(axis=0))
    return [float(score[f"bleu-{order}"]) for order in range(1, 5)]


def as_words(name: str, pairs: Pairs) -> tuple[list[list[str]], list[list[str]]]:
    prepared = preparation(name)
    return [list(prepared.words(text, True)) for text in pairs[0]], [list(prepared.words(text)) for text in pairs[1]]


def coco(name: str, pairs: Pairs) -> list[float]:
    references, candidates = as_words(name, pairs)
    truth = {number: [" ".join(words)] for number, words in enumerate(references)}
    said = {number: [" ".join(words)] for number, words in enumerate(candidates)}
    return list(CocoBleu(4).compute_score(truth, said, verbose=0)[0])


@pytest.mark.parametrize("name", PREPARATIONS)
def test_coco_equals_pycocoevalcap(name: str, synthetic_pairs: Pairs, as_inputs: Wrap) -> None:
    ours = parts(metric(f"bleu:coco|{name}"), synthetic_pairs, as_inputs)
    assert ours == pytest.approx(coco(name, synthetic_pairs), abs=1e-9)
    assert 0.1 < ours[3] < ours[0] < 0.9


@pytest.mark.parametrize("name", PREPARATIONS)
def test_corpus_equals_sacrebleu(name: str, synthetic_pairs: Pairs, as_inputs: Wrap) -> None:
    ours = parts(metric(f"bleu:corpus|{name}"), synthetic_pairs, as_inputs)
    references, candidates = as_words(name, synthetic_pairs)
    for order in range(1, 5):
        peer = SacreBleu(tokenize="none", smooth_method="none", max_ngram_order=order)
        lines = [" ".join(words) for words in candidates], [[" ".join(words) for words in references]]
        assert ours[order - 1] == pytest.approx(peer.corpus_score(*lines).score / 100, abs=1e-9)


@pytest.mark.parametrize("name", PREPARATIONS)
def test_corpus_equals_nltk(name: str, synthetic_pairs: Pairs, as_inputs: Wrap) -> None:
    """Over candidates of four words and more: NLTK counts one n-gram too many in a candidate that is too short to have any."""
    long = [
        pair for pair, words in zip(zip(*synthetic_pairs, strict=True), as_words(name, synthetic_pairs)[1], strict=True) if len(words) > 3
    ]
    pairs = [truth for truth, _ in long], [said for _, said in long]
    references, candidates = as_words(name, pairs)
    expected = [corpus_bleu([[words] for words in references], candidates, (1 / order,) * order) for order in range(1, 5)]
    assert parts(metric(f"bleu:corpus|{name}"), pairs, as_inputs) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", ["rexrank", "raw", "ptb"])
def test_sentence_equals_nltk_method_1(name: str, synthetic_pairs: Pairs, as_inputs: Wrap) -> None:
    made = metric(f"bleu:sentence|{name}")
    rows = made.rows(as_inputs(synthetic_pairs[0]), as_inputs(synthetic_pairs[1]))
    smoothing = SmoothingFunction(epsilon=0.1).method1
    for row, reference, candidate in zip(rows, *as_words(name, synthetic_pairs), strict=True):
        for order in range(1, 5):
            peer = sentence_bleu([reference], candidate, (1 / order,) * order, smoothing) if candidate else 0.0
            assert row[order - 1] == pytest.approx(float(peer), abs=1e-9)
    assert made.headline == "bleu-2"


def test_published_values_of_real_submissions(submitted: Callable[[str], Pairs], as_inputs: Wrap) -> None:
    """MoERad-IU's own per-report BLEU-2 averages 0.270; AAMN's 0.155 comes from R2Gen-style scoring of its one sentence."""
    assert parts(metric("bleu:sentence|rexrank"), submitted("moerad-iu"), as_inputs)[1] == pytest.approx(0.2704, abs=5e-5)
    assert parts(metric("bleu:coco|r2gen-iu"), submitted("aamn-iu"), as_inputs)[3] == pytest.approx(0.155, abs=1e-3)


@pytest.mark.parametrize("name", ["raw", "ptb", "r2gen-iu|cut-60", "lower|13a"])
@pytest.mark.parametrize("system", ["moerad-iu", "aamn-iu"])
def test_real_pairs_equal_pycocoevalcap(name: str, system: str, submitted: Callable[[str], Pairs], as_inputs: Wrap) -> None:
    ours = parts(metric(f"bleu:coco|{name}"), submitted(system), as_inputs)
    assert ours == pytest.approx(coco(name, submitted(system)), abs=1e-9)


def test_score_takes_any_number_of_totals(synthetic_pairs: Pairs, as_inputs: Wrap) -> None:
    """Resampled totals at once are the totals one by one: what the intervals stand on."""
    rows = metric("bleu").rows(as_inputs(synthetic_pairs[0]), as_inputs(synthetic_pairs[1]))
    draws = np.random.default_rng(3).multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=(2, 3)).astype(float)
    together: Array = metric("bleu").score(draws @ rows)["bleu-4"]
    assert together.shape == (2, 3)
    one = [[float(metric("bleu").score(draw @ rows)["bleu-4"]) for draw in line] for line in draws]
    np.testing.assert_allclose(together, one, rtol=0, atol=1e-15)
