"""CIDEr against pycocoevalcap 1.2 on equal words, and by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from pycocoevalcap.cider.cider import Cider as CocoCider

from harness.errors import UsageError
from harness.metrics import metric
from harness.metrics.text.tokens import preparation
from harness.types import Input

Pairs = tuple[list[str], list[str]]
Wrap = Callable[[Sequence[str]], list[Input]]


def coco(name: str, pairs: Pairs) -> list[float]:
    prepared = preparation(name)
    truth = {number: [" ".join(prepared.words(text, True))] for number, text in enumerate(pairs[0])}
    said = {number: [" ".join(prepared.words(text))] for number, text in enumerate(pairs[1])}
    return [float(value) for value in CocoCider().compute_score(truth, said)[1]]


def each(spec: str, pairs: Pairs, wrap: Wrap) -> list[float]:
    made = metric(spec).fit(wrap(pairs[0]))
    return [float(value) for value in made.rows(wrap(pairs[0]), wrap(pairs[1]))[:, 0]]


@pytest.mark.parametrize("name", ["raw", "lower", "ptb", "13a", "r2gen-mimic", "r2gen-iu|cut-60"])
@pytest.mark.parametrize("metric_name", ["cider", "cider-d"])
def test_equals_pycocoevalcap(name: str, metric_name: str, synthetic_pairs: Pairs, as_inputs: Wrap) -> None:
    ours = each(f"{metric_name}:coco|{name}", synthetic_pairs, as_inputs)
    assert ours == pytest.approx(coco(name, synthetic_pairs), abs=1e-9)
    assert max(ours) > 5


@pytest.mark.parametrize("system", ["moerad-iu", "aamn-iu"])
def test_real_pairs_equal_pycocoevalcap(system: str, submitted: Callable[[str], Pairs], as_inputs: Wrap) -> None:
    assert each("cider:coco|ptb", submitted(system), as_inputs) == pytest.approx(coco("ptb", submitted(system)), abs=1e-9)


def test_plain_by_hand(as_inputs: Wrap) -> None:
    """Two references; `a` is in both (weight 0), every other n-gram weighs log 2; so it is a count of n-grams in common."""
    value = each("cider:plain|raw", (["a b c", "a d"], ["a b b", "d"]), as_inputs)
    one = (2 / np.sqrt(2 * 4) + 1 / np.sqrt(2 * 2) + 0 + 0) / 4
    assert value == pytest.approx([10 * one, 10 * (1 / 4)])


def test_what_was_frozen_stays_under_other_studies(synthetic_pairs: Pairs, as_inputs: Wrap) -> None:
    references, candidates = as_inputs(synthetic_pairs[0]), as_inputs(synthetic_pairs[1])
    made = metric("cider").fit(references)
    np.testing.assert_allclose(
        made.rows(references[40:60], candidates[40:60]), made.rows(references, candidates)[40:60], rtol=0, atol=1e-12
    )
    refitted = metric("cider").fit(references[40:60])
    assert refitted.rows(references[40:60], candidates[40:60])[:, 0].mean() != pytest.approx(
        made.rows(references, candidates)[40:60, 0].mean()
    )


def test_the_digest_is_of_the_frozen_texts_in_any_order(as_inputs: Wrap) -> None:
    texts = ["no effusion", "clear lungs", "clear  lungs"]
    digests = {metric("cider:coco|raw").fit(as_inputs(order)).fit_digest for order in (texts, texts[::-1], [*texts[:2], "clear lungs"])}
    assert len(digests) == 1
    assert metric("cider:coco|raw").fit(as_inputs(texts[:2])).fit_digest not in digests


def test_unfitted_it_says_so_and_never_shows_text(as_inputs: Wrap) -> None:
    with pytest.raises(UsageError, match="fit"):
        metric("cider").rows(as_inputs(["a"]), as_inputs(["a"]))
    assert "secret" not in repr(metric("cider").fit(as_inputs(["secret words"])))
