"""Libra against its own code: the same random weights, films and prompts give the same pixels, features, logits and ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from generators.catalogue import Options, find, make
from generators.libra import system, tiny
from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.errors import InputError, UnavailableError, UsageError
from harness.types import Section, StudyInput
from ranscore.commands import main

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "golden" / "libra.json").read_text())["cases"]
SIZES = {"a": (90, 70), "b": (64, 101), "c": (56, 56)}
CASES = {"pair": ("a", "b", "cough", "the lung mass"), "alone": ("c", "c", "", ""), "turned": ("b", "a", "", "")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny weights of both sizes, and three films."""
    home = tmp_path_factory.mktemp("libra")
    tiny.libra_3b(home / "3b")
    tiny.libra_7b(home / "7b")
    for name, (rows, columns) in SIZES.items():
        y, x = np.mgrid[0:rows, 0:columns]
        values = 128 + 60 * np.sin(x / 7 + rows) + 50 * np.cos(y / 9) + np.random.RandomState(columns).normal(0, 9, (rows, columns))
        Image.fromarray(values.clip(0, 255).astype(np.uint8)).save(home / f"{name}.png")
    return home


def loaded(folder: Path, size: str, beams: int = 10) -> system.Libra:
    weights = {"model": folder / size / "model", "rad-dino": folder / size / "rad-dino"}
    made = make(find(f"libra-{size}"), Options(weights, settings={"beams": str(beams), "longest": "30"}))
    assert isinstance(made, system.Libra)
    return made


def study(folder: Path, case: str) -> StudyInput:
    film, prior, indication, history = CASES[case]
    before = folder / f"{prior}.png" if prior != film else None
    return StudyInput("s", frontal=folder / f"{film}.png", prior_frontal=before, indication=indication, history=history)


def towards_the_end(made: system.Libra, bias: float) -> None:
    """Add to the logits of the end tokens, so that reports end early."""
    added = torch.zeros(made.model.lm_head.out_features)
    added[list(made.ends)] = bias
    made.model.lm_head.bias = torch.nn.Parameter(added, requires_grad=False)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("size", GOLDEN)
def test_prompt_film_features_and_logits_are_those_of_the_published_code(folder: Path, size: str, case: str) -> None:
    made, given, golden = loaded(folder, size), study(folder, case), GOLDEN[size][case]
    assert given.frontal is not None
    prompt, seen = made.prompt(given), made.seen(given.frontal, given.prior_frontal or given.frontal)
    assert prompt == golden["prompt"]
    pixels = made._prepared(given.frontal)[0][:, ::13, ::17].flatten()[:24]
    np.testing.assert_allclose(pixels, golden["pixels"], atol=1e-5)
    np.testing.assert_allclose(seen[0, ::5, ::16].flatten(), golden["features"], atol=1e-4)
    with torch.inference_mode():
        logits = made.model(inputs_embeds=made.embeddings(prompt, seen)).logits[0, -1, ::13]
    np.testing.assert_allclose(logits, golden["logits"], atol=1e-4)


@pytest.mark.parametrize("beams", [10, 4, 1])
@pytest.mark.parametrize("size", GOLDEN)
def test_ids_are_those_of_the_published_code(folder: Path, size: str, beams: int) -> None:
    made = loaded(folder, size, beams)
    compared = 0
    for case in CASES:
        given = study(folder, case)
        assert given.frontal is not None
        prompt, seen = made.prompt(given), made.seen(given.frontal, given.prior_frontal or given.frontal)
        for name, ids in GOLDEN[size][case].items():
            if name.startswith(f"{beams} beams"):
                towards_the_end(made, float(name.partition("+")[2]))
                ended = [place for place, token in enumerate(ids) if token in made.ends]
                assert made.continued(prompt, seen) == ids[: ended[0] if ended else None], (case, name)
                compared += 1
    assert compared == {10: 12, 4: 6, 1: 3}[beams]


@pytest.mark.parametrize("size", GOLDEN)
def test_reports_read_as_the_published_code_writes_them_and_say_what_was_repeated(folder: Path, size: str) -> None:
    made = loaded(folder, size)
    both, alone = made.generate([study(folder, "pair"), study(folder, "alone")])
    assert (both.report, alone.report) == (GOLDEN[size]["pair"]["text"], GOLDEN[size]["alone"]["text"])
    assert (both.substituted, alone.substituted) == ((), ("prior_frontal: frontal film repeated",))
    assert made.generate([StudyInput("x")])[0].failure == "no frontal film"


def test_no_three_ids_occur_twice_not_even_the_prompt_s(folder: Path) -> None:
    """The prompt holds every letter of its own words, so without its ids the reports differ."""
    made, given = loaded(folder, "3b", 4), study(folder, "pair")
    assert given.frontal is not None and given.prior_frontal is not None
    prompt = made.prompt(given)
    ids = [*prompt, *made.continued(prompt, made.seen(given.frontal, given.prior_frontal))]
    new = [tuple(ids[place - 2 : place + 1]) for place in range(len(prompt), len(ids))]
    before = {tuple(ids[place - 2 : place + 1]) for place in range(2, len(prompt))}
    assert len(new) == len(set(new)) == 30 and not before & set(new)


def test_two_begins_and_the_capitals_of_the_3b_model(folder: Path) -> None:
    made = loaded(folder, "3b")
    prompt = made.prompt(study(folder, "alone"))
    assert prompt[:3] == [256, 256, 258] and prompt.count(system.FILM) == 1
    assert made.words.text(prompt[-11:]).endswith("ASSISTANT")


def test_the_clinical_context_stands_on_one_line() -> None:
    assert system.query(StudyInput("s")) == system.TASK
    given = StudyInput("s", indication="cough,\n fever.", comparison="none")
    assert system.query(given) == f"{system.TASK} Following clinical context: Indication: cough, fever. Comparison: none."


def test_every_wrong_tensor_is_named(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    tiny.libra_7b(tmp_path)
    shard = tmp_path / "model" / "model-00001-of-00002.safetensors"
    found = load_file(shard)
    names = [name for name in found if name.startswith("model.layers.")]
    found["model.layers.7.surplus"] = found.pop(names[0])
    found[names[1]] = found[names[1]][:1].clone()
    found["model.vision_tower.vision_tower.layernorm.weight"] = torch.ones(48)
    save_file(found, shard)
    options = Options({"model": tmp_path / "model", "rad-dino": tmp_path / "rad-dino"})
    with pytest.raises(InputError) as raised:
        make(find("libra-7b"), options)
    text = str(raised.value)
    assert names[0] in text and "model.layers.7.surplus" in text and f"{names[1]} is [1" in text and "vision_tower" not in text
    (tmp_path / "model" / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(InputError, match=r"shards that it names are missing: model-00002"):
        make(find("libra-7b"), options)


def test_another_model_of_the_repository_is_refused(folder: Path, tmp_path: Path) -> None:
    tiny.libra_7b(tmp_path)
    path = tmp_path / "model" / "config.json"
    path.write_text(path.read_text().replace('"TAC"', '"mlp2x_gelu"').replace('"all"', "-1"))
    options = Options({"model": tmp_path / "model", "rad-dino": tmp_path / "rad-dino"})
    with pytest.raises(InputError, match=r"mm_projector_type is 'mlp2x_gelu'[\s\S]*mm_vision_select_layer is -1"):
        make(find("libra-7b"), options)
    weights = {"model": folder / "3b" / "model", "rad-dino": folder / "3b" / "rad-dino"}
    with pytest.raises(UsageError, match="beams is a number from 1"):
        make(find("libra-3b"), Options(weights, settings={"beams": "0"}))
    with pytest.raises(UnavailableError, match="rad-dino"):
        make(find("libra-3b"), Options({"model": folder / "3b" / "model"}))


def test_films_are_padded_with_grey_135() -> None:
    from generators.blocks.dino import ImagePreparation, squared

    prepare = ImagePreparation(518, 518, (0.5307,) * 3, (0.2583,) * 3)
    made = np.asarray(squared(Image.new("RGB", (3, 6)), prepare.ground))
    assert prepare.ground == (135, 135, 135)
    assert made.shape == (6, 6, 3) and (made[:, 1:4] == 0).all() and (made[:, [0, 4, 5]] == 135).all()


@pytest.mark.parametrize("size", [(600, 700), (519, 900), (1037, 518), (70, 61)])
def test_preparation_is_the_library_s(size: tuple[int, int]) -> None:
    from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil

    from generators.blocks.dino import ImagePreparation

    picture = Image.fromarray(np.random.RandomState(1).randint(0, 256, (*size, 3), dtype=np.uint8))
    mean, deviation = [0.5307] * 3, [0.2583] * 3
    sizes: dict[str, Any] = {"size": {"shortest_edge": 518}, "crop_size": {"height": 518, "width": 518}}
    theirs = BitImageProcessorPil(**sizes, image_mean=mean, image_std=deviation)(picture, return_tensors="np")["pixel_values"]
    np.testing.assert_allclose(ImagePreparation(518, 518, tuple(mean), tuple(deviation))(picture), theirs, atol=1e-5)


def test_from_the_command_to_the_board_s_score(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohort = build(studies=3, seed=1, images=tmp_path / "films")
    cohorts.save(cohort, tmp_path / "cohort")
    weights = [f"--weights={name}={folder / '3b' / name}" for name in ("model", "rad-dino")]
    out = tmp_path / "r.jsonl"
    command = ["generate", "libra-3b", "--cohort", str(tmp_path / "cohort"), "-o", str(out), "--device", "cpu", *weights]
    assert main([*command, "--set", "beams=2", "--set", "longest=12"]) == 0
    assert "3 reports by libra-3b" in capsys.readouterr().out
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    without = {item.id for item in cohort.scored if not item.prior}
    assert {line["study_id"] for line in lines if "substituted" in line} == without
    assert all(line["report"] for line in lines)
    assert main(["score", str(out), "--cohort", str(tmp_path / "cohort")]) == 0
    assert find("libra-3b").writes is Section.FINDINGS
