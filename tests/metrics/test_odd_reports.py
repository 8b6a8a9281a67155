"""Reports that break scorers: nothing is NaN, nothing crashes, and a score from summed rows is the score of the whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from harness.metrics import metric
from harness.types import Input

Wrap = Callable[[Sequence[str]], list[Input]]

SPECS = (
    *(
        "bleu:coco|ptb",
        "bleu:corpus|lower|13a",
        "bleu:sentence|rexrank",
        "bleu:coco|r2gen-mimic|cut-100",
        "bleu:corpus|zh",
        "bleu:coco|char",
    ),
    *("rouge-l:coco|ptb", "rouge-l:f1|words|stem", "rouge-l:coco|r2gen-iu", "rouge-l:f1|zh"),
    *("cider:coco|ptb", "cider:plain|zh", "cider-d:coco|r2gen-iu", "meteor-nltk:stem|lower", "meteor-nltk:stem|char"),
)
ODD = {
    "empty": "",
    "blank": " \n\t ",
    "dot": ".",
    "one word": "normal",
    "plain": "The heart is normal in size. No pleural effusion.",
    "long": "no effusion, mild cardiomegaly. " * 625,
    "chinese": "心影增大，两肺纹理增多。未见胸腔积液。",
    "emoji": "😀 🫀 normal 👨‍👩‍👧",
    "control": "a\x00b\u200b\ufeff c\u2028d",
}


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("size", [1, len(ODD)])
def test_odd_reports_have_finite_scores(spec: str, size: int, as_inputs: Wrap) -> None:
    for shift in range(len(ODD)):
        texts = list(ODD.values())
        references, candidates = as_inputs(texts[:size]), as_inputs(np.roll(np.array(texts, dtype=object), shift).tolist()[:size])
        made = metric(spec).fit(references)
        rows = made.rows(references, candidates)
        assert rows.shape == (size, len(made.columns))
        values = np.stack(list(made.score(rows.sum(axis=0)).values()))
        assert np.isfinite(rows).all() and np.isfinite(values).all() and (values >= 0).all()
        nothing = np.stack(list(made.score(np.zeros(len(made.columns))).values()))
        np.testing.assert_allclose(nothing, 0, atol=1e-12)


@pytest.mark.parametrize("spec", SPECS)
def test_no_study_gives_no_rows(spec: str) -> None:
    made = metric(spec).fit([])
    assert made.rows([], []).shape == (0, len(made.columns))


@pytest.mark.parametrize("spec", SPECS)
def test_the_same_text_scores_full_and_an_empty_one_nothing(spec: str, as_inputs: Wrap) -> None:
    texts = [ODD["plain"], "The lungs are clear and well expanded today.", "There is a small left effusion."]
    made = metric(spec).fit(as_inputs(texts))
    same = made.score(made.rows(as_inputs(texts), as_inputs(texts)).sum(axis=0))[made.headline]
    none = made.score(made.rows(as_inputs(texts), as_inputs(["", " ", "\n"])).sum(axis=0))[made.headline]
    full = 10.0 if made.name.startswith("cider") else 1.0
    assert float(none) == pytest.approx(0, abs=1e-12)
    assert float(same) == pytest.approx(full, abs=2e-2)


WORDS = ("no", "effusion", "heart", "is", "normal", ".", ",", "the", "lungs", "clear", "3.5", "cm", "left-sided", "心", "影")
words = some.lists(some.sampled_from(WORDS), max_size=12)
texts = some.lists(some.tuples(words.map(" ".join), words.map(" ".join)), min_size=1, max_size=6)


@pytest.mark.parametrize("spec", SPECS)
@settings(max_examples=30, deadline=None)
@given(pairs=texts)
def test_rows_do_not_depend_on_their_neighbours(spec: str, pairs: list[tuple[str, str]], as_inputs: Wrap) -> None:
    """Each study's row alone is its row among the others, in any order: so sums over parts are sums over the whole."""
    references, candidates = (as_inputs(side) for side in zip(*pairs, strict=True))
    made = metric(spec).fit(references)
    together = made.rows(references, candidates)
    alone = [made.rows([reference], [candidate])[0] for reference, candidate in zip(references, candidates, strict=True)]
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-9)
    np.testing.assert_allclose(made.rows(references[::-1], candidates[::-1])[::-1], together, rtol=0, atol=1e-9)
