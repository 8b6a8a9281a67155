"""RaTEScore and Temporal F1 against what the published programs give."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.config.home import home
from harness.errors import InputError, UnavailableError, UsageError
from harness.metrics import metric
from harness.metrics.cxr_bert import load as load_cxr_bert
from harness.metrics.means import Mean
from harness.metrics.radeval_bertscore import load as load_modern
from harness.metrics.ratescore import load
from harness.metrics.ratescore.matching import MATRICES, TYPES, entities, score
from harness.metrics.ratescore.rules import read
from harness.metrics.ratescore.splitting import sentences
from harness.metrics.temporal_f1 import WORDS, words
from harness.types import Input
from tests.metrics.conftest import change_report, write_report
from tests.metrics.ratescore_folders import modern_folder, names_folder, rules_file, tagger_folder
from tests.released import SENTENCES, SMALL, chexbert_model, published_ids, vocabulary

GOLDEN = Path(__file__).parents[1] / "golden" / "ratescore.json"
"""RaTEScore 0.6.0's `compute_score` (repository a970406; transformers 4.57.6, spaCy 3.7.5, PyRuSH 1.0.13) on the networks of
`ratescore_folders`, its rules given to PyRuSH; and the sentences that PyRuSH in spaCy's blank English pipeline gives for each report."""


def pairs() -> tuple[list[str], list[str]]:
    chance = random.Random(9)
    references = [write_report(chance) for _ in range(40)]
    return references, [change_report(chance, text) if chance.random() < 0.5 else write_report(chance) for text in references]


def inputs(texts: list[str]) -> list[Input]:
    return [Input(f"s{number}", text) for number, text in enumerate(texts)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("rate")
    tagger_folder(made / "tagger"), names_folder(made / "names"), rules_file(made / "rules.tsv")
    return made


@pytest.fixture(scope="module")
def rate(folder: Path) -> Mean:
    return load(folder / "tagger", folder / "names", folder / "rules.tsv", device="cpu")


def test_ratescore_equals_the_package(rate: Mean) -> None:
    """Of equal matches with different types we take the first, the package the one that its processor's last digits chose: few rows differ a little."""
    expected = json.loads(GOLDEN.read_text())["scores"]
    left, right = pairs()
    difference = np.abs(rate.rows(inputs(left), inputs(right))[:, 0] - expected)
    assert (difference < 1e-5).sum() >= 30 and difference.max() < 0.02
    assert len(set(expected)) > 30


def test_an_empty_report_is_a_row_of_its_own_and_shifts_nobody(rate: Mean) -> None:
    left, right = pairs()
    plain = rate.rows(inputs(left), inputs(right))[:, 0]
    holes = rate.rows(inputs([*left[:20], "", " \n", *left[20:], "a"]), inputs([*right[:20], "Clear.", "", *right[20:], ""]))[:, 0]
    np.testing.assert_allclose([*holes[:20], *holes[22:-1]], plain, rtol=0, atol=1e-6)
    assert [holes[20], holes[21], holes[-1]] == [0.5] * 3


def test_sentences_are_those_of_the_published_rules(folder: Path) -> None:
    known = json.loads(GOLDEN.read_text())["sentences"]
    rules = read(folder / "rules.tsv")
    texts = [text for side in pairs() for text in side]
    assert [sentences(text, rules) for text in texts] == known
    assert sum(map(len, known)) > 150 and sentences("", rules) == sentences(" \n", rules) == []


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="aB1 .,\n()\"-/'é", max_size=60))
def test_no_text_breaks_the_rules_and_no_word_is_lost(text: str) -> None:
    path = rules_file(home() / "rules.tsv")
    found = sentences(text, read(path))
    assert all(len(piece) >= 3 for piece in found)
    places = [text.index(piece) for piece in found]
    assert sum(len(re.sub(r"\s", "", piece)) for piece in found) <= len(re.sub(r"\s", "", text)) and len(places) == len(found)


def test_spans_of_tags_as_they_are_published() -> None:
    tokens = ["[CLS]", "a", "b", "c", "d", "[SEP]"]
    assert entities(tokens, ["O", "B-ANATOMY", "I-ANATOMY", "O", "B-DISEASE", "O"]) == [(1, 2, "ANATOMY"), (4, 4, "DISEASE")]
    assert entities(tokens, ["O", "B-ANATOMY", "B-DISEASE", "I-DISEASE", "O", "O"]) == [(1, 1, "ANATOMY"), (2, 3, "DISEASE")]
    assert entities(tokens, ["O", "B-ANATOMY", "I-ANATOMY", "I-ANATOMY", "I-ANATOMY", "I-ANATOMY"]) == [(1, 4, "ANATOMY")]
    assert entities(tokens, ["O", "O", "O", "O", "O", "O"]) == []


def test_both_directions_and_what_is_denied() -> None:
    vectors = {"one": torch.tensor([1.0, 0.0]), "two": torch.tensor([0.6, 0.8])}
    long = MATRICES["long"]
    assert score([("one", "DISEASE")], [("one", "DISEASE")], vectors, long) == pytest.approx(1.0)
    assert score([("one", "DISEASE")], [("one", "NON-DISEASE")], vectors, long) == pytest.approx(long.denied)
    assert score([("one", "ANATOMY")], [("two", "ANATOMY")], vectors, long) == pytest.approx(0.6)
    assert score([], [("one", "ANATOMY")], vectors, long) == 0.5
    assert all(len(row) == len(TYPES) for matrix in MATRICES.values() for row in matrix.rows)


def test_ratescore_names_what_is_absent_and_refuses_other_networks(folder: Path) -> None:
    with pytest.raises(UnavailableError, match=r"RaTE-NER-Deberta.*\n?.*BioLORD"):
        metric("ratescore")
    with pytest.raises(UsageError, match="long, short"):
        metric("ratescore:wide")
    with pytest.raises(InputError, match="not a 'deberta-v2'"):
        load(folder / "names", folder / "names", folder / "rules.tsv", device="cpu")
    with pytest.raises(InputError, match="table of rules"):
        load(folder / "tagger", folder / "names", folder / "tagger" / "config.json", device="cpu")


def test_modernbert_gives_the_states_of_a_text_alone(tmp_path: Path) -> None:
    """Batches of padded texts against transformers on one text at a time, matched greedily by hand."""
    from transformers import AutoTokenizer, ModernBertModel

    made = modern_folder(tmp_path / "modern")
    left, right = pairs()
    rows = load_modern(made, "cpu").rows(inputs([*left[:8], ""]), inputs([*right[:8], "x"]))
    model, tokenizer = ModernBertModel.from_pretrained(made).train(False), AutoTokenizer.from_pretrained(made)
    for place in range(8):
        with torch.no_grad():
            one, other = (model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0] for text in (left[place], right[place]))
        alike = torch.nn.functional.normalize(other, dim=-1) @ torch.nn.functional.normalize(one, dim=-1).T
        precision, recall = float(alike[1:-1].amax(1).mean()), float(alike[:, 1:-1].amax(0).mean())
        np.testing.assert_allclose(rows[place, :3], [2 * precision * recall / (precision + recall), precision, recall], rtol=0, atol=1e-5)
    assert rows[8].tolist() == [0, 0, 0, 1]


def test_cxr_bert_is_the_cosine_of_the_projections_by_transformers(tmp_path: Path) -> None:
    from torch import nn

    bert, _ = chexbert_model(SMALL, seed=6)
    torch.manual_seed(2)
    one, norm, two = nn.Linear(SMALL.width, 8), nn.LayerNorm(8, eps=1e-12), nn.Linear(8, 8)
    state = {f"bert.{name}": tensor for name, tensor in bert.state_dict().items()} | {"cls.predictions.bias": torch.zeros(3)}
    for name, module in (("dense_to_hidden", one), ("LayerNorm", norm), ("dense_to_output", two)):
        state |= {f"cls_projection_head.{name}.{part}": tensor for part, tensor in module.state_dict().items()}
    torch.save(state, tmp_path / "pytorch_model.bin")
    vocab = vocabulary(tmp_path / "vocab.txt", SMALL.words)
    made = load_cxr_bert(tmp_path, SMALL, 8, "cpu")
    left, right = [*SENTENCES, ""], [*SENTENCES[1:], SENTENCES[0], "x"]
    found = made.rows(inputs(left), inputs(right))
    with torch.no_grad():
        vectors = []
        for text in SENTENCES:
            ids = torch.tensor([published_ids(vocab, text, SMALL.positions)])
            vectors.append(two(norm(nn.functional.gelu(one(bert(ids).last_hidden_state[:, 0]))))[0])
        expected = [float(nn.functional.cosine_similarity(a, b, dim=0)) for a, b in zip(vectors, [*vectors[1:], vectors[0]], strict=True)]
    np.testing.assert_allclose(found[:-1, 0], expected, rtol=0, atol=1e-5)
    assert found[-1].tolist() == [0, 1] and np.ptp(found[:-1, 0]) > 1e-3


CHANGE = st.sampled_from([*sorted(WORDS), "heart", "the", "renewed", "old", "unstable", "New", "STABLE", "un-changed", "new/old"])


@given(st.lists(CHANGE, max_size=12), st.sampled_from([" ", ". ", "\n", "-", "; ", "_"]), st.data())
def test_a_tagger_adds_no_word_of_change(parts: list[str], between: str, data: st.DataObject) -> None:
    """Whatever whole words a tagger returns, those of the list are found without it; where a sign is cut out, words may be joined."""
    text = between.join(parts)
    seen = re.findall(r"[A-Za-z]+", text)
    tagged = set(data.draw(st.lists(st.sampled_from(seen), max_size=6))) if seen else set()
    kept = {word.lower() for word in tagged} & WORDS
    glued = {word for part in parts if "/" in part for word in part.split("/")}
    assert kept - glued <= words(text)
    assert words("new/old") == frozenset()


# By hand: {stable, new} against {stable} shares one: precision 1/1, recall 1/2.
@pytest.mark.parametrize(
    ("reference", "candidate", "expected"),
    [("Stable. A new line.", "stable", 2 / 3), ("clear", "clear", 1.0), ("clear", "stable", 0.0), ("Worse", "", 0.0), ("", "", 1.0)],
)
def test_temporal_f1(reference: str, candidate: str, expected: float) -> None:
    made = metric("temporal-f1")
    rows = made.rows(inputs([reference]), inputs([candidate]))
    assert rows[0].tolist() == [pytest.approx(expected, abs=1e-9), 1]
