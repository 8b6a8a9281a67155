"""BERTScore, SembScore, RadGraph F1 and RadCliQ with random weights and made-up annotations, against independent implementations."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.config.home import home
from harness.errors import InputError, UnavailableError, UsageError
from harness.metrics import REGISTRY, UNAVAILABLE, metric
from harness.metrics.bertscore import BASELINE, load
from harness.metrics.means import Mean
from harness.metrics.radcliq import VERSIONS, from_components
from harness.metrics.radgraph_f1 import LEVELS, compare, with_annotator
from harness.metrics.sembscore import with_network
from harness.networks.chexbert import CheXbert
from harness.statistics.intervals import intervals
from harness.types import Input, Json
from tests.released import (
    SENTENCES,
    SMALL,
    SMALL_ROBERTA,
    chexbert_file,
    chexbert_model,
    chexbert_state,
    independent_classes,
    roberta_folder,
    vocabulary,
)

CANDIDATES = [SENTENCES[place] for place in (1, 0, 3, 5, 2, 7)]
REFERENCES = [SENTENCES[place] for place in (0, 0, 2, 4, 5, 6)]
# bert-score 0.3.13 (`score(..., model_type=<this folder>, num_layers=2, idf=False)`) on the weights of `roberta_folder`.
BERT_SCORE_P = [0.8972517251968384, 0.9999998807907104, 0.8846296072006226, 0.8729279041290283, 0.8701170682907104, 0.8448886871337891]
BERT_SCORE_R = [0.8278385400772095, 0.9999998807907104, 0.8702538013458252, 0.880199134349823, 0.8752355575561523, 0.903247594833374]
BERT_SCORE_F = [0.8611485958099365, 0.9999998807907104, 0.8773828148841858, 0.8765484094619751, 0.8726688027381897, 0.8730940222740173]


def inputs(texts: list[str]) -> list[Input]:
    return [Input(f"s{number}", text) for number, text in enumerate(texts)]


@pytest.fixture(scope="module")
def roberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return roberta_folder(tmp_path_factory.mktemp("roberta"))


def bertscore_of(folder: Path, recipe: str, layer: int = 2) -> Mean:
    files = (folder / "pytorch_model.bin", folder / "vocab.json", folder / "merges.txt")
    return load(*files, SMALL_ROBERTA, recipe, layer, "cpu")


@pytest.fixture(scope="module")
def semb(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mean, np.ndarray[Any, Any]]:
    folder = tmp_path_factory.mktemp("semb")
    bert, heads = chexbert_model(SMALL, seed=4)
    vocab = vocabulary(folder / "vocab.txt", SMALL.words)
    file = chexbert_file(folder / "chexbert.pth", chexbert_state(bert, heads))
    return with_network(CheXbert(file, device="cpu", shape=SMALL)), independent_classes(bert, heads, vocab, SENTENCES)[1].numpy()


def test_bertscore_equals_the_package(roberta: Path) -> None:
    rows = bertscore_of(roberta, "raw").rows(inputs(REFERENCES), inputs(CANDIDATES))
    np.testing.assert_allclose(rows[:, :3].T, [BERT_SCORE_F, BERT_SCORE_P, BERT_SCORE_R], rtol=0, atol=2e-6)


def test_bertscore_is_rescaled_by_the_published_baseline_and_a_blank_side_is_zero(roberta: Path) -> None:
    scaled = bertscore_of(roberta, "rescaled")
    rows = scaled.rows(inputs(["", *REFERENCES, "x"]), inputs(["effusion", *CANDIDATES, " \n"]))
    np.testing.assert_allclose(rows[1:-1, 0], (np.array(BERT_SCORE_F) - BASELINE[2]) / (1 - BASELINE[2]), rtol=0, atol=2e-5)
    assert rows[[0, -1]].tolist() == [[0, 0, 0, 1]] * 2
    assert scaled.score(rows.sum(axis=0))["f1"] == pytest.approx(rows[:, 0].mean())


def test_bertscore_names_its_absent_weights_and_refuses_others(roberta: Path, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"distilroberta-base .*0\.33 GB, Apache-2\.0.*config\.toml"):
        metric("bertscore")
    (home() / "config.toml").write_text(f"[bertscore]\nfolder = '{roberta}'\n")
    with pytest.raises(InputError, match=r"missing tensors: encoder\.layer\.3"):
        metric("bertscore")
    with pytest.raises(UsageError, match="rescaled, raw"):
        metric("bertscore:idf")


def test_sembscore_is_the_cosine_of_an_independent_forward_pass(semb: tuple[Mean, np.ndarray[Any, Any]]) -> None:
    made, vectors = semb
    rows = made.rows(inputs(list(SENTENCES)), inputs([*SENTENCES[1:], SENTENCES[0]]))
    other = np.roll(vectors, -1, axis=0)
    cosine = (vectors * other).sum(axis=1) / np.linalg.norm(vectors, axis=1) / np.linalg.norm(other, axis=1)
    np.testing.assert_allclose(rows[:, 0], cosine, rtol=0, atol=1e-5)
    # The pairs differ by far more than the tolerance; how much depends on the stand-in vocabulary, which is trained anew in each run.
    assert np.ptp(rows[:, 0]) > 1e-3
    assert made.rows(inputs(["", "a"]), inputs(["b", " "]))[:, 0].tolist() == [0.0, 0.0]
    assert len(made.fit_digest) == 64


def annotation(chance: random.Random) -> Json:
    count = chance.randint(0, 7)
    words, labels = ["Heart", "heart", "lungs", "effusion", "left"], ["Anatomy::definitely present", "Observation::definitely absent"]
    return {
        "entities": {
            str(number + 1): {
                "tokens": chance.choice(words),
                "label": chance.choice(labels),
                "relations": [
                    [chance.choice(["modify", "located_at"]), str(chance.randint(1, count))] for _ in range(chance.choice([0, 0, 1, 2]))
                ],
            }
            for number in range(count)
        }
    }


# `radgraph` 0.1.18, rewards.compute_reward: sums over the same 3,000 pairs; pair by pair the two were equal to 1e-12.
@pytest.mark.parametrize(
    ("level", "expected"), [("simple", 641.340925740926), ("partial", 341.9691086691088), ("complete", 211.9984409725128)]
)
def test_radgraph_equals_the_package(level: str, expected: float) -> None:
    chance = random.Random(3)
    total = 0.0
    for _ in range(3000):
        candidate, reference = annotation(chance), annotation(chance)
        total += compare(reference, candidate, level)
    assert total == pytest.approx(expected, abs=1e-8)


def test_rexranks_radgraph_is_the_mean_of_entities_and_relations() -> None:
    heart = {"tokens": "heart", "label": "Anatomy", "relations": []}
    large = {"tokens": "large", "label": "Observation", "relations": [["located_at", "1"]]}
    whole, part = {"entities": {"1": heart, "2": large}}, {"entities": {"1": heart}}
    assert compare(whole, whole, "rexrank") == 1.0
    assert compare(whole, part, "rexrank") == pytest.approx((2 / 3 + 0) / 2)
    assert compare(part, part, "rexrank") == 0.5, "without a relation on either side theirs is 0"
    assert all(compare(whole, {"entities": {}}, level) == 0.0 for level in LEVELS)


def by_words(texts: list[str]) -> list[Json]:
    return [
        {"entities": {str(n): {"tokens": word, "label": "Observation", "relations": []} for n, word in enumerate(text.split())}}
        for text in texts
    ]


def test_a_blank_report_shifts_no_pair() -> None:
    texts = ["heart normal", "", "lungs clear", "no effusion"]
    rows = with_annotator("simple", "x", lambda asked: by_words(list(asked))).rows(inputs(texts), inputs(texts))
    assert rows[:, 0].tolist() == [1.0, 0.0, 1.0, 1.0]


PACKAGE = """
class RadGraph:
    def __init__(self, model_type):
        print("noise on standard output", model_type)
    def __call__(self, texts):
        return {str(n): {"text": t, "entities": {str(k): {"tokens": w, "label": "Observation", "relations": []}
                for k, w in enumerate(t.split())}} for n, t in enumerate(texts)}
"""


def interpreter(folder: Path, package: str) -> None:
    (folder / "radgraph.py").write_text(package)
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nshift\nPYTHONPATH="{folder}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (home() / "config.toml").write_text(f"[radgraph]\npython = '{python}'\n")


def test_radgraph_is_asked_in_an_interpreter_of_its_own(tmp_path: Path) -> None:
    interpreter(tmp_path, PACKAGE)
    made = metric("radgraph-f1:simple|radgraph")
    assert made.rows(inputs(["a b", "", "c"]), inputs(["b d", "x", "c"]))[:, 0].tolist() == [0.5, 0.0, 1.0]


@pytest.mark.parametrize(
    "package", ["raise ImportError", PACKAGE.replace("enumerate(texts)", "enumerate(texts[1:])"), PACKAGE.replace('"tokens"', '"words"')]
)
def test_a_model_that_fails_or_answers_nonsense_is_no_score(package: str, tmp_path: Path) -> None:
    interpreter(tmp_path, package)
    with pytest.raises(UnavailableError, match="RadGraph's interpreter ended with code") as error:
        metric("radgraph-f1").rows(inputs(["secret words"]), inputs(["b"]))
    assert "secret" not in str(error.value)


# The values of metrics that all agree, or all fail, by the released models (scikit-learn pipelines of CXR-Report-Metric).
@pytest.mark.parametrize(("version", "perfect", "nothing"), [("v1", -1.4407, 2.4501), ("v0", -0.2421, 5.5162)])
def test_radcliq_is_the_released_regression_and_a_distance(version: str, perfect: float, nothing: float) -> None:
    found = VERSIONS[version](np.array([[1.0] * 4, [0.0] * 4]))
    np.testing.assert_allclose(found, [perfect, nothing], rtol=0, atol=1e-4)


@pytest.mark.parametrize("version", VERSIONS)
def test_radcliq_joins_its_components_study_by_study(version: str, roberta: Path, semb: tuple[Mean, np.ndarray[Any, Any]]) -> None:
    graph = with_annotator("rexrank", "x", lambda asked: by_words(list(asked)))
    parts = [(graph, "f1"), (bertscore_of(roberta, "rescaled"), "f1"), (semb[0], "sembscore"), (metric("bleu:sentence|rexrank"), "bleu-2")]
    made = from_components(version, parts)
    left, right = inputs([*REFERENCES, "lungs"]), inputs([*CANDIDATES, ""])
    rows = made.rows(left, right)
    values = np.stack([one.score(one.rows(left, right))[part] for one, part in parts], axis=1)
    model = VERSIONS[version]
    expected = ((values - model.mean) / model.scale * model.coefficients).sum(axis=1) + model.intercept
    np.testing.assert_allclose(rows[:, 0], expected, rtol=0, atol=1e-12)
    assert not made.higher_is_better and made.headline == "distance"
    assert rows[-1, 0] > rows[1, 0], "an empty report is farther away than an exact copy"
    low, high = intervals(made, rows)["distance"]
    assert low <= rows[:, 0].mean() <= high


def test_radcliq_names_every_component_that_is_not_here() -> None:
    with pytest.raises(UnavailableError) as error:
        metric("radcliq")
    for part in ("RadGraph's model", "BERTScore's weights", "CheXbert's weights"):
        assert part in str(error.value)


@pytest.mark.parametrize("name", UNAVAILABLE)
def test_what_is_not_computed_says_why(name: str) -> None:
    assert name not in REGISTRY
    with pytest.raises(UnavailableError, match=name):
        metric(name)


@pytest.mark.parametrize("spec", ["sembscore:x", "radcliq:v2", "radgraph-f1:some", "radgraph-f1:simple|bert"])
def test_unknown_recipes_are_refused(spec: str) -> None:
    with pytest.raises(UsageError, match="has no recipe"):
        metric(spec)


def test_no_study_and_summed_rows(semb: tuple[Mean, np.ndarray[Any, Any]]) -> None:
    made = semb[0]
    assert made.rows([], []).shape == (0, 2)
    assert float(made.score(np.zeros(2))["sembscore"]) == 0.0
    assert made.score(np.ones((5, 2)))["sembscore"].shape == (5,)
