"""CheXbert with random weights in the released layout, against transformers' own BertModel."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from harness.config.home import home
from harness.errors import InputError, UnavailableError, UsageError
from harness.extractors import extractor
from harness.extractors.chexbert import ChexbertExtractor
from harness.findings import CHEXPERT_14
from harness.networks import checkpoints
from harness.networks.bert import BertShape, batches, read_vocabulary
from harness.networks.chexbert import CheXbert, layout, prepared, read
from harness.types import ReportStatus, Status
from tests.released import SENTENCES, SMALL, chexbert_file, chexbert_model, chexbert_state, independent_classes, published_ids, vocabulary

BERT, HEADS = chexbert_model(SMALL)
STATE = chexbert_state(BERT, HEADS)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chexbert")
    vocabulary(folder / "vocab.txt", SMALL.words)
    return chexbert_file(folder / "chexbert.pth", STATE)


def test_the_layout_is_that_of_the_release() -> None:
    table = layout(BertShape())
    assert len(table) == 227
    assert sum(torch.Size(shape).numel() for shape in table.values()) == 109_523_766
    assert table["linear_heads.13.weight"] == (2, 768) and table["bert.pooler.dense.bias"] == (768,)


def test_labels_and_vectors_equal_an_independent_forward_pass(weights: Path) -> None:
    network = CheXbert(weights, device="cpu", batch=3, shape=SMALL)
    classes, vectors = independent_classes(BERT, HEADS, weights.with_name("vocab.txt"), SENTENCES)
    assert network.classes(SENTENCES) == classes
    assert len({tuple(row) for row in classes}) >= 5, "the random weights tell the texts apart"
    torch.testing.assert_close(torch.stack(network.embed(SENTENCES)), vectors, rtol=0, atol=2e-5)


def test_classes_become_the_values_of_the_published_file(weights: Path) -> None:
    network = CheXbert(weights, device="cpu", shape=SMALL)
    labels = ChexbertExtractor(network).extract(["", *SENTENCES, " . \n", "双肺未见异常"])
    assert [item.report for item in labels[:2]] == [ReportStatus.EMPTY, ReportStatus.OK]
    assert [item.report for item in labels[-2:]] == [ReportStatus.EMPTY, ReportStatus.UNSUPPORTED]
    assert labels[0].values == (None,) * 14
    meaning = {0: None, 1: 1, 2: 0, 3: -1}
    for item, row in zip(labels[1:-2], network.classes(SENTENCES), strict=True):
        assert list(item.values[:13]) == [meaning[value or 0] for value in row[:13]] and item.values[13] == row[13]
        assert set(item.statuses) == {Status.OK} and len(item.statuses) == len(CHEXPERT_14)


def test_an_answer_that_is_no_number_is_a_failed_decision(weights: Path, tmp_path: Path) -> None:
    broken = OrderedDict(STATE)
    broken["linear_heads.4.weight"] = STATE["linear_heads.4.weight"].sign() * 3e38  # finite, and their products with a text's are not
    file = chexbert_file(tmp_path / "chexbert.pth", broken)
    network = CheXbert(file, weights.with_name("vocab.txt"), device="cpu", shape=SMALL)
    (labels,) = ChexbertExtractor(network).extract(["Lungs are clear."])
    assert labels.statuses[4] is Status.FAILED and labels.values[4] is None
    assert [status for place, status in enumerate(labels.statuses) if place != 4] == [Status.OK] * 13


def test_order_batches_and_copies_change_no_label(weights: Path) -> None:
    texts = [f"{a} {b}" for a in SENTENCES for b in SENTENCES]
    one = CheXbert(weights, device="cpu", batch=1, shape=SMALL).classes(texts)
    many = CheXbert(weights, device="cpu", batch=7, shape=SMALL).classes(texts[::-1] * 2)
    assert many == one[::-1] * 2


@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize("constant", [True, False])
def test_module_and_position_ids_may_be_there_or_not_and_safetensors_is_the_same(wrapped: bool, constant: bool, tmp_path: Path) -> None:
    state = OrderedDict(STATE)
    if constant:
        state["bert.embeddings.position_ids"] = torch.arange(64)[None]
    if wrapped:
        chexbert_file(tmp_path / "a.pth", state, optimizer=False)
    else:
        torch.save(state, tmp_path / "a.pth")
    found = read(tmp_path / "a.pth", SMALL)
    checkpoints.write_safetensors(found, tmp_path / "a.safetensors")
    vocabulary(tmp_path / "vocab.txt", SMALL.words)
    digests = {CheXbert(tmp_path / name, device="cpu", shape=SMALL).digest for name in ("a.pth", "a.safetensors")}
    assert len(digests) == 1 and found.keys() == layout(SMALL).keys()


def test_a_missing_an_unexpected_and_a_misshapen_tensor_are_named(tmp_path: Path) -> None:
    state = OrderedDict(STATE)
    del state["linear_heads.13.bias"]
    state["bert.extra"] = torch.ones(1)
    state["linear_heads.0.weight"] = torch.ones(2, 32)
    with pytest.raises(InputError) as error:
        read(chexbert_file(tmp_path / "a.pth", state), SMALL)
    assert len(error.value.problems) == 3
    for part in (
        "1 missing tensors: linear_heads.13.bias",
        "1 unexpected tensors: bert.extra",
        "linear_heads.0.weight is [2, 32], not [4, 32]",
    ):
        assert part in str(error.value)


def test_absent_weights_are_one_sentence_with_size_licence_and_source() -> None:
    with pytest.raises(UnavailableError) as error:
        extractor("chexbert")
    assert len(error.value.problems) == 1
    for part in ("1.31 GB", "StanfordAIMI/RRG_scorers", "research only", "config.toml"):
        assert part in str(error.value)


def test_the_configuration_names_weights_and_vocabulary(weights: Path) -> None:
    (home() / "config.toml").write_text(f"[chexbert]\nweights = '{weights}'\nvocabulary = '{weights.with_name('absent.txt')}'\n")
    with pytest.raises(UnavailableError, match=r"absent\.txt: CheXbert's vocabulary is not on this machine"):
        CheXbert(shape=SMALL)
    (home() / "config.toml").write_text(f"[chexbert]\nweights = '{weights}'\n")
    assert CheXbert(shape=SMALL, device="cpu").classes(["Lungs are clear."])


def test_a_piece_at_which_text_is_parted_is_one_piece(tmp_path: Path) -> None:
    pieces = ["[PAD]", "[UNK]", "\u2028", "[CLS]", "\x85", "[SEP]", "lung"]
    (tmp_path / "vocab.txt").write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8")
    assert list(read_vocabulary(tmp_path / "vocab.txt", 7)) == pieces


def test_a_foreign_vocabulary_an_unknown_device_and_precision_are_refused(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\nlung\nlung\n")
    with pytest.raises(InputError, match="it has 4 pieces and the weights have 400") as error:
        CheXbert(weights, tmp_path / "vocab.txt", shape=SMALL)
    assert {problem.what for problem in error.value.problems} > {"it has no piece [CLS]", "it holds a piece twice"}
    with pytest.raises(UsageError, match="no device 'tpu'"):
        CheXbert(weights, device="tpu", shape=SMALL)
    with pytest.raises(UsageError, match="no precision 'fp8'"):
        CheXbert(weights, precision="fp8", shape=SMALL)


def test_precision_and_vocabulary_enter_the_digest(weights: Path, tmp_path: Path) -> None:
    pieces = weights.with_name("vocab.txt").read_text().splitlines()
    (tmp_path / "vocab.txt").write_text("\n".join([*pieces[:-2], pieces[-1], pieces[-2]]))
    made = [CheXbert(weights, device="cpu", shape=SMALL, precision=name).digest for name in ("fp32", "bf16")]
    made.append(CheXbert(weights, tmp_path / "vocab.txt", device="cpu", shape=SMALL).digest)
    assert len(set(made)) == 3


def test_hostile_texts_are_labelled_like_others(weights: Path) -> None:
    network = CheXbert(weights, device="cpu", shape=SMALL)
    long = "effusion " * 20_000
    answers = network.classes([long, "effusion " * 70, "half a pair \ud800", "😀 lungs", "\x00lungs"])
    assert answers[0] == answers[1], "both are cut to the same first pieces"
    assert all(len(row) == 14 for row in answers)
    assert prepared(" a\u00a0\n b\ud800") == "a b?"
    assert network.classes([]) == []


def test_long_texts_keep_their_last_separator(weights: Path) -> None:
    ids = published_ids(weights.with_name("vocab.txt"), "effusion " * 100, SMALL.positions)
    network = CheXbert(weights, device="cpu", shape=SMALL)
    assert network._tokenise(["effusion " * 100])[0] == ids and len(ids) == SMALL.positions


def test_batches_are_sorted_and_hold_every_text_once() -> None:
    ids = [[1] * length for length in (3, 1, 5, 2, 5)]
    made = [(places, tuple(padded.shape), real.sum(1).tolist()) for places, padded, real in batches(ids, 2)]
    assert made == [([2, 4], (2, 5), [5, 5]), ([0, 3], (2, 3), [3, 2]), ([1], (1, 1), [1])]


@pytest.mark.slow
def test_the_released_size_equals_an_independent_forward_pass(tmp_path: Path) -> None:
    shape = BertShape()
    bert, heads = chexbert_model(shape, seed=1)
    file = chexbert_file(tmp_path / "chexbert.pth", chexbert_state(bert, heads))
    vocab = vocabulary(tmp_path / "vocab.txt", shape.words)
    classes, vectors = independent_classes(bert, heads, vocab, SENTENCES)
    network = CheXbert(file, device="cpu")
    assert network.classes(SENTENCES) == classes
    torch.testing.assert_close(torch.stack(network.embed(SENTENCES)), vectors, rtol=0, atol=1e-4)
