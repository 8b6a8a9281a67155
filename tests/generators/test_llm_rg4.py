"""LLM-RG4 against its own code: the same random weights and inputs give the same vectors, logits and ids, in all four modes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from generators.catalogue import Options, find, make
from generators.llm_rg4 import system as llm_rg4
from generators.llm_rg4 import tiny
from generators.llm_rg4.fusion import Fusion, Sizes, low_rank
from generators.llm_rg4.prompt import read
from generators.llm_rg4.report import LENGTH, cleaned
from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.errors import InputError
from harness.types import StudyInput
from ranscore.commands import main

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "golden" / "llm_rg4.json").read_text())
NAMES = ("model", "code", "vicuna", "rad-dino", "cxr-bert")
FILMS = {"a": (90, 70), "b": (64, 101), "c": (56, 56)}
PRIOR = "The lungs are clear. No effusion: small nodule, left. 2. Heart is enlarged."
MASS = "There is a mass in the left lung. The heart is normal in size. Pleural effusion is small."
LONG = "chronic interstitial edema of both lungs and a very long story that is cut after fifty ids"


@dataclass(frozen=True)
class Case:
    """What one study has."""

    system: str
    film: str
    view: str
    lateral: str = ""
    prior: str = ""
    indication: str = ""
    history: str = ""


CASES = {
    "film": Case("llm-rg4", "a", "AP", indication="cough of the lungs"),
    "lateral": Case("llm-rg4", "b", "PA", "c", history="mass"),
    "prior": Case("llm-rg4", "a", "PA", prior=PRIOR),
    "all": Case("llm-rg4", "c", "AP", "a", MASS, "fever", LONG),
    "no view": Case("llm-rg4", "b", "LL", indication="cough"),
    "findings": Case("llm-rg4-findings", "b", "PA", "a", "No effusion."),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny weights and three films."""
    home = tmp_path_factory.mktemp("llm_rg4")
    tiny.write(home)
    for name, (rows, columns) in FILMS.items():
        y, x = np.mgrid[0:rows, 0:columns]
        values = 128 + 60 * np.sin(x / 7 + rows) + 50 * np.cos(y / 9) + np.random.RandomState(columns).normal(0, 9, (rows, columns))
        Image.fromarray(values.clip(0, 255).astype(np.uint8)).save(home / f"{name}.png")
    return home


def loaded(folder: Path, system: str = "llm-rg4") -> llm_rg4.LlmRg4:
    weights = {name: folder / name for name in NAMES}
    made = make(find(system), Options(weights, settings={"shortest": "10", "longest": "40"}))
    assert isinstance(made, llm_rg4.LlmRg4)
    return made


def study(folder: Path, case: Case) -> StudyInput:
    lateral = folder / f"{case.lateral}.png" if case.lateral else None
    return StudyInput(
        "s",
        frontal=folder / f"{case.film}.png",
        lateral=lateral,
        view=case.view,
        prior_frontal=None,
        prior_report=case.prior,
        indication=case.indication,
        history=case.history,
    )


@pytest.mark.parametrize("name", CASES)
def test_prompt_vectors_logits_and_ids_are_those_of_the_published_code(folder: Path, name: str) -> None:
    made, given, golden = loaded(folder, CASES[name].system), study(folder, CASES[name]), GOLDEN["cases"][name]
    before, after = made.prompt(given)
    assert (before, after) == ([1, *golden["before"]], [*golden["after"], 1])
    np.testing.assert_allclose(made.fused(given)[0, ::3, ::7].flatten(), golden["fused"], atol=1e-4)
    start = made.embeddings(given)
    with torch.inference_mode():
        logits = made.model(inputs_embeds=start).logits[0, -1, ::13]
    np.testing.assert_allclose(logits, golden["logits"], atol=1e-4)
    assert made.generate([given])[0].report == re.sub("<s> ?", "", golden["text"]).strip()
    compared = [key for key in golden if key.startswith("end +")]
    for key in compared:
        added = torch.zeros(made.model.lm_head.out_features)
        added[llm_rg4.END] = float(key[5:])
        made.model.lm_head.bias = torch.nn.Parameter(added, requires_grad=False)
        ids = golden[key]
        assert made.continued(start) == ids[: ids.index(llm_rg4.END) if llm_rg4.END in ids else None], key
    assert len(compared) == 4


def test_what_stood_in_is_on_the_row(folder: Path) -> None:
    made = loaded(folder)
    film, everything, no_view = made.generate([study(folder, CASES[name]) for name in ("film", "all", "no view")])
    assert film.substituted == ("lateral: zeros", "prior_report: zeros")
    assert everything.substituted == ()
    assert no_view.substituted[-1] == "view: the prompt without a view, for findings"
    assert made.generate([StudyInput("x")])[0].failure == "no frontal film"


def test_a_long_indication_loses_its_end_and_the_mark_before_the_film(folder: Path) -> None:
    before, _ = loaded(folder).prompt(study(folder, CASES["all"]))
    assert len(before) == 1 + llm_rg4.BEFORE


def test_the_prior_report_has_exactly_100_ids_and_its_padding_takes_part(folder: Path) -> None:
    made = loaded(folder)
    for text in ("No effusion.", "clear lungs " * 200):
        assert len(made.reader.tokens(text)) == LENGTH and made.reader(text).shape == (1, LENGTH, 48)
    given = study(folder, CASES["prior"])
    assert given.frontal is not None
    with torch.inference_mode():
        patches, states = made._patches(given.frontal), made.reader(PRIOR)
        count = LENGTH - made.reader.tokens(PRIOR).count(0)
        assert not torch.allclose(made.fusion(patches, None, states), made.fusion(patches, None, states[:, :count]), atol=1e-3)


@pytest.mark.parametrize("text", GOLDEN["cleaned"])
def test_the_prior_report_is_cleaned_as_published(text: str) -> None:
    assert cleaned(text) == GOLDEN["cleaned"][text]


def test_the_released_file_holds_187_tensors_and_106_million_numbers() -> None:
    with torch.device("meta"):
        layout = {name: tuple(tensor.shape) for name, tensor in Fusion(Sizes()).state_dict().items()}
    layout |= low_rank(32, 4096, 32)
    assert len(layout) == 187
    assert sum(int(np.prod(shape)) for shape in layout.values()) == 106_019_584


def test_every_wrong_tensor_is_named_and_a_foreign_configuration_is_swallowed(folder: Path, tmp_path: Path) -> None:
    found = torch.load(folder / "model", weights_only=True)["model"]
    path = tmp_path / "model"
    torch.save({"model": found, "config": Foreign(beam_size=3)}, path)
    weights = {**{name: folder / name for name in NAMES}, "model": path}
    assert make(find("llm-rg4"), Options(weights)).digest == make(find("llm-rg4"), Options({**weights, "model": folder / "model"})).digest
    lost = "lateral_llama_proj_3.bias"
    broken = {name: tensor for name, tensor in found.items() if name != lost} | {"surplus": torch.ones(1)}
    low = next(name for name in broken if ".lora_B." in name)
    torch.save({"model": broken | {low: torch.ones(3, 3)}}, path)
    with pytest.raises(InputError) as raised:
        make(find("llm-rg4"), Options(weights))
    text = str(raised.value)
    assert lost in text and "unexpected tensors: surplus" in text and f"{low} is [3, 3], not [64, 32]" in text


class Foreign(dict[str, int]):
    """Like the configuration in the released file: a class that the reader does not know."""


def test_prompts_are_read_and_nothing_is_run(tmp_path: Path) -> None:
    tiny.clone(tmp_path)
    path = tmp_path / "models" / "LLM_RG4.py"
    path.write_text("raise SystemExit('executed')\n" + path.read_text())
    frames = read(tmp_path)
    assert frames["PA_f_prompt"].filled("old <ImageHere> text") == ("A: old   text [", "] write PA_f_prompt of the lungs. B:")
    path.write_text(path.read_text().replace("self.AP_i_prompt", "self.other"))
    with pytest.raises(InputError, match="has no prompt AP_i_prompt"):
        read(tmp_path)
    with pytest.raises(InputError, match="is not there or cannot be read"):
        read(tmp_path / "models")


def test_from_the_command_to_the_board_s_score(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohort = build(studies=3, seed=1, images=tmp_path / "films")
    cohorts.save(cohort, tmp_path / "cohort")
    out = tmp_path / "r.jsonl"
    weights = [f"--weights={name}={folder / name}" for name in NAMES]
    command = ["generate", "llm-rg4", "--cohort", str(tmp_path / "cohort"), "-o", str(out), "--device", "cpu", *weights]
    assert main([*command, "--set", "shortest=3", "--set", "longest=12"]) == 0
    assert "3 reports by llm-rg4" in capsys.readouterr().out
    assert all(json.loads(line)["report"] for line in out.read_text().splitlines())
    assert main(["score", str(out), "--cohort", str(tmp_path / "cohort")]) == 0
