"""RGRG's ids to words, sentences and their repetitions."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from generators.blocks.answering import tidied
from generators.rgrg import similarity
from generators.rgrg.text import Vocabulary, report, split
from generators.rgrg.tiny import SMALL, vocabulary
from harness.errors import InputError
from harness.networks.bert import BertShape
from tests.released import vocabulary as wordpieces


def test_ids_become_words_as_the_tokeniser_library_decodes_them() -> None:
    from tokenizers.decoders import ByteLevel

    table = vocabulary()
    pieces, decoder = list(table), ByteLevel()
    words = Vocabulary(pieces, SMALL.end)
    draw = torch.Generator().manual_seed(0)
    for _ in range(200):
        ids = torch.randint(0, SMALL.end, (30,), generator=draw).tolist()
        assert words.text([*ids, SMALL.end]) == tidied(decoder.decode([pieces[token] for token in ids]))


def test_spaces_are_mended_as_published() -> None:
    ids = vocabulary()
    words = Vocabulary(list(ids), SMALL.end)
    assert words.text([ids[piece] for piece in ("Ġheart", "Ġis", "Ġnormal", "Ġ.")]) == " heart is normal."


def test_sentences_end_at_stops_but_not_in_numbers_titles_and_lists() -> None:
    text = "The tube ends 3.5 cm above the carina. Seen by Dr. Roe vs. prior film. 1. Clear lungs?  Yes."
    assert split(text) == ["The tube ends 3.5 cm above the carina.", "Seen by Dr. Roe vs. prior film.", "1. Clear lungs?", "Yes."]
    assert split("  ") == []


def test_copies_of_a_sentence_go_and_the_order_stays() -> None:
    assert report(["Lungs are clear. No effusion.", "Heart normal.", "No effusion.", "", "Lungs are clear."]) == (
        "Lungs are clear. No effusion. Heart normal."
    )


def test_of_two_near_copies_the_shorter_goes_and_of_equally_long_the_earlier() -> None:
    near = {frozenset({"Aa bb.", "Aa bbb."}), frozenset({"Xx yy.", "Xx zz."}), frozenset({"Aa bb.", "Other one."})}
    asked = []

    def alike(first: str, second: str) -> float:
        asked.append((first, second))
        return 0.95 if frozenset({first, second}) in near else 0.9

    assert report(["Aa bb. Xx yy.", "Aa bbb. Xx zz.", "Other one."], alike) == "Aa bbb. Xx zz. Other one."
    # Once a sentence is gone it is asked about no more; so "Other one." survives its likeness to "Aa bb.".
    assert ("Aa bb.", "Other one.") not in asked


@pytest.fixture(scope="module")
def distilbert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """transformers' own DistilBERT with random weights, saved by itself."""
    from transformers import DistilBertConfig, DistilBertForMaskedLM

    folder = tmp_path_factory.mktemp("distilbert")
    torch.manual_seed(0)
    sizes = DistilBertConfig(
        vocab_size=300, dim=32, n_heads=4, n_layers=3, hidden_dim=64, max_position_embeddings=64, initializer_range=0.2
    )
    DistilBertForMaskedLM(sizes).save_pretrained(folder)
    wordpieces(folder / "vocab.txt", 300)
    return folder


def test_likeness_is_bertscore_on_transformers_distilbert(distilbert: Path) -> None:
    from transformers import DistilBertModel

    from harness.networks.bert import read_vocabulary, wordpiece

    alike, _ = similarity.load(distilbert, shape=BertShape(3, 32, 4, 64, 300, 64), layer=2)
    model = DistilBertModel.from_pretrained(distilbert)
    model.train(False)
    tokenise = wordpiece(read_vocabulary(distilbert / "vocab.txt", 300), 64)

    def independent(first: str, second: str) -> float:
        """BERTScore's definition: every inner token takes its best cosine on the other side, whose special tokens may be taken."""
        vectors = []
        for ids in tokenise([first, second]):
            with torch.no_grad():
                states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states[2][0]
            vectors.append(states / states.norm(dim=-1, keepdim=True))
        likeness = vectors[0] @ vectors[1].T
        precision, recall = likeness[1:-1].max(1).values.mean(), likeness[:, 1:-1].max(0).values.mean()
        return float(2 * precision * recall / (precision + recall))

    pairs = [("Lungs are clear.", "The lungs are clear."), ("No effusion.", "The heart is enlarged."), ("No edema.", "No edema.")]
    for first, second in pairs:
        assert alike(first, second) == pytest.approx(independent(first, second), abs=1e-5)
    assert alike("No edema.", "No edema.") == pytest.approx(1, abs=1e-5)
    assert alike("", "No edema.") == 0


def test_a_folder_without_distilbert_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no weights"):
        similarity.load(tmp_path)
