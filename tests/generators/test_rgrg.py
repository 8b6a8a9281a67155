"""RGRG against its authors' code, on random weights in the released layout.

tests/golden/rgrg.json was made by the authors' own code (github.com/ttanida/rgrg at 9520b6d, its sizes replaced by those of
`rgrg_tiny.SMALL`, nothing else) in a throw-away environment: transformers 4.19.2, torchvision 0.28.0 with its own compiled CPU
kernels, torch 2.13.0, one thread. `load_state_dict(rgrg_tiny.tensors(SMALL, 1, haste))` matched all keys there. Films and boxes are
those of `rgrg_films`; films were normalised by albumentations' formula. Per film: the detected and the selected regions; every 16th
feature of the detected ones; every 120th logit of eight forced ids; and what beam search wrote for every detected region at four
biases towards the end. `kept` and `pooled` are torchvision's `nms` and `MultiScaleRoIAlign` on their own. `released` is what the
authors' code at its own size wrote for each region of film 0, by `benchmarks.upstream.rgrg` in the environment that they name:
Python 3.9, PyTorch 1.12.1, torchvision 0.13.1, transformers 4.19.2.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from generators import catalogue
from generators.catalogue import Options
from generators.rgrg import layout as rgrg_layout
from generators.rgrg import system as rgrg
from generators.rgrg import tiny
from generators.rgrg.detector import looks, suppressed
from generators.rgrg.language import LanguageModel, selected
from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.errors import InputError
from harness.types import StudyInput
from ranscore.commands import main
from tests.generators.rgrg_films import boxes, features, film

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "golden" / "rgrg.json").read_text())
FILMS = range(len(GOLDEN["films"]))
TINY = {"size": "tiny"}
HASTES = tuple(GOLDEN["films"][0]["texts"])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Weights as released, and a vocabulary."""
    return tiny.write(tmp_path_factory.mktemp("rgrg"), haste=1.8)


@pytest.fixture(scope="module")
def system(files: dict[str, Path]) -> rgrg.Rgrg:
    return rgrg.load(Options(files, settings=TINY))


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("films")
    for number in FILMS:
        Image.fromarray(film(number)).save(folder / f"{number}.png")
    return [folder / f"{number}.png" for number in FILMS]


def test_the_released_layout_has_1662_tensors_the_language_model_three_times() -> None:
    layout = rgrg_layout.RGRGShape().layout()
    assert len(layout) == 1662
    parts = {"gpt_with_lm_head": 437, "gpt": 436, "gpt2_blocks": 432}
    assert {part: sum(name.startswith(f"language_model.{part}.") for name in layout) for part in parts} == parts
    assert layout["object_detector.roi_heads.box_head.fc6.weight"] == (1024, 131072)


@pytest.mark.parametrize("number", FILMS)
def test_regions_are_those_of_the_authors_code(system: rgrg.Rgrg, films: list[Path], number: int) -> None:
    golden = GOLDEN["films"][number]
    regions = system.detector(rgrg.prepared(films[number]))
    assert regions.detected.nonzero()[:, 0].tolist() == golden["detected"]
    found = regions.features[regions.detected]
    np.testing.assert_allclose(found[:, ::16].flatten().numpy(), golden["features"], atol=1e-4)
    chosen = regions.detected & selected(regions.features, system.selection)
    assert chosen.nonzero()[:, 0].tolist() == golden["selected"]


@pytest.mark.parametrize("number", FILMS)
def test_logits_are_those_of_the_authors_code(films: list[Path], system: rgrg.Rgrg, number: int) -> None:
    golden = GOLDEN["films"][number]
    regions = system.detector(rgrg.prepared(films[number]))
    step = language(HASTES[0]).begin(regions.features[regions.detected])
    rows = torch.arange(int(regions.detected.sum()))
    ids = torch.tensor(golden["ids"]).repeat(len(rows), 1)
    logits = [step(ids[:, : end + 1], rows)[:, ::120] for end in range(ids.shape[1])]
    np.testing.assert_allclose(torch.stack(logits, 1).flatten().numpy(), golden["logits"], atol=1e-4)


@pytest.mark.parametrize("haste", HASTES)
def test_texts_are_those_of_the_authors_code_at_every_bias_to_the_end(system: rgrg.Rgrg, films: list[Path], haste: str) -> None:
    writer = language(haste)
    for golden, path in zip(GOLDEN["films"], films, strict=True):
        regions = system.detector(rgrg.prepared(path))
        assert writer.write(regions.features[regions.detected]) == golden["texts"][haste]


def language(haste: str) -> LanguageModel:
    return LanguageModel(rgrg_layout.used(tiny.tensors(haste=float(haste))), tiny.SMALL)


def test_the_golden_texts_end_early_late_and_at_the_limit() -> None:
    lengths = {len(ids) for golden in GOLDEN["films"] for texts in golden["texts"].values() for ids in texts}
    assert {0, rgrg_longest()} < lengths
    assert len(lengths) > 5


def rgrg_longest() -> int:
    from generators.rgrg.language import LONGEST

    return LONGEST - 1


def test_suppression_and_pooling_are_torchvisions() -> None:
    places, scores = (torch.from_numpy(array) for array in boxes())
    assert suppressed(places, scores, 0.3).tolist() == GOLDEN["kept"]
    assert suppressed(places, scores, 0.7).tolist() == GOLDEN["kept_loose"]
    odd = torch.tensor([[0.0, 0, 512, 512], [500, 500, 512, 512], [3.5, 7.25, 4, 8], [-20, -40, 30, 600.0], [100.3, 50.7, 301.9, 222.2]])
    seen = torch.from_numpy(features())
    made = (looks(odd, 1 / 32, *seen.shape[1:]) @ seen.flatten(1).T).permute(0, 3, 1, 2)[:, :, ::3, ::2]
    np.testing.assert_allclose(made.flatten().numpy(), GOLDEN["pooled"], atol=2e-6)
    assert suppressed(torch.empty(0, 4), torch.empty(0)).tolist() == []


def test_wrong_tensors_are_all_named(files: dict[str, Path], tmp_path: Path) -> None:
    saved = tiny.tensors()
    lacking, foreign, odd = "object_detector.rpn.head.cls_logits.bias", "object_detector.mask.weight", "language_model.gpt.h.1.attn.uk.bias"
    saved[foreign], saved[odd] = saved.pop(lacking), torch.zeros(3)
    torch.save({"model": saved}, tmp_path / "wrong.pt")
    with pytest.raises(InputError) as caught:
        rgrg.load(Options(files | {"checkpoint": tmp_path / "wrong.pt"}, settings=TINY))
    assert all(name in str(caught.value) for name in (lacking, foreign, odd))


def test_a_block_missing_in_between_is_named(files: dict[str, Path], tmp_path: Path) -> None:
    saved = {name: tensor for name, tensor in tiny.tensors().items() if ".gpt2_blocks.0." not in name}
    torch.save({"model": saved}, tmp_path / "hole.pt")
    with pytest.raises(InputError, match=r"18 missing tensors: language_model\.gpt2_blocks\.0"):
        rgrg.load(Options(files | {"checkpoint": tmp_path / "hole.pt"}, settings=TINY))


def test_names_of_older_torchvision_and_safetensors_load_the_same(files: dict[str, Path], system: rgrg.Rgrg, tmp_path: Path) -> None:
    from harness.networks.checkpoints import write_safetensors

    older = {new: old for old, new in rgrg_layout.OLDER.items()}
    write_safetensors({older.get(name, name): tensor for name, tensor in tiny.tensors(haste=1.8).items()}, tmp_path / "old.safetensors")
    assert rgrg.load(Options(files | {"checkpoint": tmp_path / "old.safetensors"}, settings=TINY)).digest == system.digest


def test_another_models_vocabulary_is_refused(files: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "vocab.json").write_text('{"a": 0}')
    with pytest.raises(InputError, match="has 1 words, the weights have 600"):
        rgrg.load(Options(files | {"vocabulary": tmp_path}, settings=TINY))
    with pytest.raises(InputError, match="no GPT-2 vocabulary"):
        rgrg.load(Options(files | {"vocabulary": tmp_path / "nowhere"}, settings=TINY))


def test_no_selected_region_gives_an_empty_report(files: dict[str, Path], films: list[Path], tmp_path: Path) -> None:
    saved = tiny.tensors()
    saved[f"{rgrg_layout.SELECTION}4.bias"] = torch.full((1,), -1e3)
    torch.save({"model": saved}, tmp_path / "silent.pt")
    silent = rgrg.load(Options(files | {"checkpoint": tmp_path / "silent.pt"}, settings=TINY))
    (made,) = silent.generate([StudyInput("s", frontal=films[0])])
    assert (made.report, made.failure) == ("", "")


def test_a_report_is_the_selected_regions_sentences(system: rgrg.Rgrg, films: list[Path]) -> None:
    from generators.rgrg.text import report

    for golden, path in zip(GOLDEN["films"], films, strict=True):
        chosen = [ids for region, ids in zip(golden["detected"], golden["texts"]["1.8"], strict=True) if region in golden["selected"]]
        (made,) = system.generate([StudyInput("s", frontal=path)])
        assert made.report == report([system.vocabulary.text(ids) for ids in chosen])


def test_half_precision_changes_the_digest_and_still_writes(files: dict[str, Path], system: rgrg.Rgrg, films: list[Path]) -> None:
    half = rgrg.load(Options(files, precision="bfloat16", settings=TINY))
    assert half.digest != system.digest
    assert half.generate([StudyInput("s", frontal=films[0])])[0].failure == ""


def test_from_film_to_score_by_the_command(files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohorts.save(build(studies=3, seed=2, images=tmp_path / "films"), tmp_path / "cohort")
    weights = [part for name, path in files.items() for part in ("--weights", f"{name}={path}")]
    out = tmp_path / "reports.jsonl"
    command = ["generate", "rgrg", "--cohort", str(tmp_path / "cohort"), "-o", str(out), "--device", "cpu", "--set", "size=tiny", *weights]
    assert main(command) == 0
    first = out.read_bytes()
    assert [json.loads(line).get("failure", "") for line in first.splitlines()] == ["", "", ""]
    out.write_bytes(first[: first.rindex(b"\n", 0, -1) + 9])  # as a kill leaves it
    assert main(command) == 0
    assert out.read_bytes() == first
    assert main(["score", str(out), "--cohort", str(tmp_path / "cohort"), "--metrics", "ran-score"]) == 0
    assert "ran-score" in capsys.readouterr().out


def test_the_catalogue_lists_it_without_torch() -> None:
    found = catalogue.find("rgrg")
    assert {weights.name for weights in found.weights if not weights.optional} == {"checkpoint", "vocabulary"}


@pytest.mark.slow
def test_the_released_size_is_the_authors_code_too(films: list[Path], tmp_path: Path) -> None:
    """2.5 GB of random weights at the released size, all 1,662 tensors by the real loader, one film: 3.4 GB, 40 s."""
    files = tiny.write(tmp_path, rgrg_layout.RGRGShape(), haste=4.6, talk=100.0)
    assert len(torch.load(files["checkpoint"], mmap=True, weights_only=True)["model"]) == 1662
    system = rgrg.load(Options(files))
    regions = system.detector(rgrg.prepared(films[0]))
    found = regions.features[regions.detected & selected(regions.features, system.selection)]
    assert found.isfinite().all()
    logits = system.language.begin(found)(torch.full((len(found), 1), 50256), torch.arange(len(found)))
    assert logits.shape == (len(found), 50257) and logits.isfinite().all()
    assert [system.vocabulary.text(ids) for ids in system.language.write(found)] == GOLDEN["released"]
