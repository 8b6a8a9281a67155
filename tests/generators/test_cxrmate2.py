"""CXRMate-2 against its own code: the same random weights, films and texts give the same rows, pixels, features, logits and ids."""

from __future__ import annotations

import json
from dataclasses import replace
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from generators.catalogue import Options, find, make
from generators.cxrmate2 import system as cxrmate2
from generators.cxrmate2 import tiny
from generators.cxrmate2.prompt import known, shown
from generators.cxrmate2.release import prepared
from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.errors import InputError, UsageError
from harness.types import Section, StudyInput
from ranscore.commands import main

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "golden" / "cxrmate2.json").read_text())
SIZES = {"a": (90, 70), "b": (64, 101), "c": (56, 56)}
FILMS = ("frontal", "lateral", "prior_frontal", "prior_lateral")
CASES: dict[str, dict[str, str]] = {
    "film": {"frontal": "a", "view": "PA", "indication": "cough"},
    "two": {
        "frontal": "b",
        "view": "AP",
        "lateral": "c",
        "history": "fever since Monday",
        "comparison": "None.",
        "technique": "AP and lateral",
    },
    "no view": {"frontal": "c", "lateral": "a"},
    "prior": {
        "frontal": "c",
        "view": "PA",
        "prior_frontal": "a",
        "prior_view": "AP",
        "prior_findings": "The lungs are clear.",
        "prior_impression": "Normal.",
        "indication": "Mass?",
    },
    "all": {
        "frontal": "a",
        "view": "PA",
        "lateral": "b",
        "prior_frontal": "c",
        "prior_view": "PA",
        "prior_lateral": "b",
        "prior_findings": "The heart is large.",
        "prior_impression": "Large heart.",
        "indication": "Fever",
        "history": "Smoker",
        "comparison": "Film of last week",
        "technique": "Two views",
    },
    "prior text": {"frontal": "b", "view": "AP", "prior_impression": "Small effusion."},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny weights, once with films as they are, and three films, none of which reaches black or white."""
    home = tmp_path_factory.mktemp("cxrmate2")
    tiny.write(home)
    tiny.write(home / "plain", equalising=False)
    for name, (rows, columns) in SIZES.items():
        y, x = np.mgrid[0:rows, 0:columns]
        values = 128 + 60 * np.sin(x / 7 + rows) + 50 * np.cos(y / 9) + np.random.RandomState(columns).normal(0, 9, (rows, columns))
        Image.fromarray((30 + values * 0.6).clip(0, 255).astype(np.uint8)).save(home / f"{name}.png")
    return home


def loaded(folder: Path, longest: int = 30, system: str = "cxrmate-2") -> cxrmate2.CxrMate2:
    made = make(find(system), Options({"model": folder / "model"}, settings={"longest": str(longest)}))
    assert isinstance(made, cxrmate2.CxrMate2)
    return made


def study(folder: Path, case: str) -> StudyInput:
    given: dict[str, Any] = {name: folder / f"{value}.png" if name in FILMS else value for name, value in CASES[case].items()}
    return StudyInput("s", **given)


def leaning(made: cxrmate2.CxrMate2, key: str) -> None:
    """Add noise to the logits, and more to those of the tokens that part and end a report, as a golden key says."""
    _, seed, _, parts, _, ends = key.split()
    values = np.random.RandomState(int(seed)).standard_normal(made.model.lm_head.out_features).astype(np.float32)
    values[made.named["sep_token_id"]] += np.float32(parts)
    values[list(made.ends)] += np.float32(ends)
    made.model.lm_head.bias = torch.nn.Parameter(torch.from_numpy(values), requires_grad=False)


@pytest.mark.parametrize("case", CASES)
def test_row_features_logits_and_ids_are_those_of_the_published_code(folder: Path, case: str) -> None:
    made, golden = loaded(folder), GOLDEN["equalised"][case]
    given = made.prompt(study(folder, case))
    assert [*given.ids] == golden["ids"] and [*given.kinds] == golden["kinds"] and [*given.places] == golden["places"]
    assert [None if isnan(value) else value for value in given.recent] == golden["recent"]
    pixels = torch.cat([made.tower.prepare(prepared(film, made.equalising)) for film in given.films])
    np.testing.assert_allclose(pixels[:, :, ::13, ::17].flatten()[:24], golden["pixels"], atol=1e-5)
    np.testing.assert_allclose(made.seen(given).flatten(0, 1)[::3, ::9].flatten(), golden["features"], atol=1e-4)
    none = torch.empty(1, 0, dtype=torch.long)
    with torch.inference_mode():
        np.testing.assert_allclose(made.writing(given)(none, none)[0, ::11], golden["logits"], atol=1e-4)
    compared = [key for key in golden if key.startswith("seed ")]
    for key in compared:
        leaning(made, key)
        ids = golden[key]
        assert made.continued(given) == ids[: ids.index(made.ends[0]) if made.ends[0] in ids else None], key
    assert len(compared) > 3


def test_golden_reports_are_parted_and_end_at_different_places() -> None:
    """Else the kinds after the parting, and the ends, would not have been compared."""
    runs = [ids for golden in GOLDEN["equalised"].values() for key, ids in golden.items() if key.startswith("seed ")]
    parting = tiny.PARTING
    assert sum(parting in ids[:-1] and ids[ids.index(parting) + 1] != parting for ids in runs) > 3
    assert len({len(ids) for ids in runs}) > 5


def test_sections_are_those_of_the_published_code(folder: Path) -> None:
    made, findings = loaded(folder), loaded(folder, system="cxrmate-2-findings")
    compared = [
        (case, seed, sections) for case, golden in GOLDEN["equalised"].items() for seed, sections in golden.get("sections", {}).items()
    ]
    assert len(compared) > 1
    for case, seed, sections in compared:
        leaning(made, seed)
        leaning(findings, seed)
        both = made.generate([study(folder, case)])[0].report
        assert both == "\n".join(filter(None, (text.strip() for text in sections)))
        assert findings.generate([study(folder, case)])[0].report == sections[0].strip()
    assert (made.writes, findings.writes, findings.name) == (Section.BOTH, Section.FINDINGS, "cxrmate-2-findings")
    assert made.digest != findings.digest


def test_a_release_that_leaves_films_as_they_are(folder: Path) -> None:
    made = loaded(folder / "plain")
    given = made.prompt(study(folder, "film"))
    pixels = made.tower.prepare(prepared(given.films[0], made.equalising))
    np.testing.assert_allclose(pixels[:, :, ::13, ::17].flatten()[:24], GOLDEN["plain"]["pixels"], atol=1e-5)
    np.testing.assert_allclose(made.seen(given).flatten(0, 1)[::3, ::9].flatten(), GOLDEN["plain"]["features"], atol=1e-4)
    assert made.digest != loaded(folder).digest


def test_what_stood_in_is_on_the_row(folder: Path) -> None:
    made = loaded(folder, 3)
    rows = {case: made.generate([study(folder, case)])[0].substituted for case in ("film", "all", "prior text")}
    never = "impression: never begun, all taken as findings"
    assert rows["film"] == ("lateral: left out", "prior study: left out", never)
    assert rows["all"] == ("prior study: time unknown", never)
    assert rows["prior text"] == ("lateral: left out", "prior study: time unknown", never)[: len(rows["prior text"])]
    assert made.generate([StudyInput("x")])[0].failure == "no frontal film"


def test_what_never_came_to_the_parting_is_findings(folder: Path) -> None:
    made = loaded(folder)
    parting = made.named["sep_token_id"]
    hello, bye = made.words.ids("hello"), made.words.ids("bye")
    assert made.split([*hello, parting, *bye]) == ("hello", "bye", True)
    assert made.split(hello) == ("hello", "", False)
    assert made.split([parting, *bye]) == ("", "bye", True)
    assert made.split([*hello, parting, *bye, parting, *bye]) == ("hello", "byebye", True)


def test_films_stand_as_the_release_orders_them() -> None:
    films = {name: Path(name) for name in FILMS}
    order = [path.name for path, _ in shown(StudyInput("s", **films, view="AP", prior_view="PA"))]  # type: ignore[arg-type]
    assert order == ["prior_lateral", "lateral", "frontal", "prior_frontal"]
    order = [path.name for path, _ in shown(StudyInput("s", **films, view="AP ERECT"))]  # type: ignore[arg-type]
    assert order == ["prior_frontal", "frontal", "prior_lateral", "lateral"]


def test_special_tokens_in_a_text_mean_nothing(folder: Path) -> None:
    made, given = loaded(folder), study(folder, "film")
    hostile = replace(given, indication="<|reserved_special_token_0|>cough<|begin_of_text|> <|reserved_special_token_64|>")
    assert made.prompt(hostile) == made.prompt(given)
    assert known("<|reserved_<|a|>special_token_0|>\n b") == "<|reserved_ special_token_0|> b"


def test_a_film_of_one_level_is_a_recorded_failure(folder: Path, tmp_path: Path) -> None:
    Image.new("L", (60, 60), 90).save(tmp_path / "flat.png")
    made = loaded(folder, 3).generate([StudyInput("s", frontal=tmp_path / "flat.png"), study(folder, "film")])
    assert made[0].failure == "a film has one grey level alone" and made[1].report


def test_every_wrong_tensor_is_named(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    tiny.write(tmp_path)
    path = tmp_path / "model" / "model.safetensors"
    found = load_file(path)
    lost = [next(name for name in found if name.startswith(part) and "embed" not in name) for part in cxrmate2.PARTS]
    surplus = {f"{part}surplus": torch.ones(1) for part in cxrmate2.PARTS}
    save_file({**{name: tensor for name, tensor in found.items() if name not in lost}, **surplus}, path)
    with pytest.raises(InputError) as raised:
        loaded(tmp_path)
    text = str(raised.value)
    for name, part in zip(lost, cxrmate2.PARTS, strict=True):
        assert f"1 missing tensors: {name.removeprefix(part)}" in text and f"({part}*)" in text
    assert text.count("unexpected tensors: surplus") == 4
    save_file({**found, "other.weight": torch.ones(1)}, path)
    with pytest.raises(InputError, match=r"unexpected tensors: other\.weight"):
        loaded(tmp_path)


def test_another_model_is_refused(folder: Path, tmp_path: Path) -> None:
    tiny.write(tmp_path)
    home = tmp_path / "model"
    right = (home / "config.json").read_text()
    (home / "config.json").write_text(
        right.replace('"cxrmate-2"', '"cxrmate"').replace('"full"', '"default"').replace("adapter_layers", "x")
    )
    with pytest.raises(InputError, match=r"model_type is 'cxrmate'[\s\S]*select_strategy is 'default'[\s\S]*no 'num_q_adapter_layers'"):
        loaded(tmp_path)
    (home / "config.json").write_text(right)
    processor = home / "processor_config.json"
    told = processor.read_text()
    processor.write_text(told.replace("<|reserved_special_token_17|>", "<|nobody|>"))
    with pytest.raises(InputError, match=r"does not know '<\|nobody\|>' as one token"):
        loaded(tmp_path)
    processor.write_text(told)
    with pytest.raises(UsageError, match="longest is a number from 1"):
        loaded(folder, 0)


def test_picture_settings_may_stand_in_the_processor_s_file(folder: Path, tmp_path: Path) -> None:
    tiny.write(tmp_path)
    home = tmp_path / "model"
    told = json.loads((home / "processor_config.json").read_text())
    films = json.loads((home / "preprocessor_config.json").read_text())
    (home / "processor_config.json").write_text(json.dumps({**told, "image_processor": films}))
    (home / "preprocessor_config.json").unlink()
    assert loaded(tmp_path).digest == loaded(folder).digest


def test_from_the_command_to_the_board_s_score(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohort = build(studies=3, seed=1, images=tmp_path / "films")
    cohorts.save(cohort, tmp_path / "cohort")
    out = tmp_path / "r.jsonl"
    command = ["generate", "cxrmate-2", "--cohort", str(tmp_path / "cohort"), "-o", str(out), "--device", "cpu"]
    assert main([*command, f"--weights=model={folder / 'model'}", "--set", "longest=12"]) == 0
    assert "3 reports by cxrmate-2" in capsys.readouterr().out
    lines = {line["study_id"]: line for line in map(json.loads, out.read_text().splitlines())}
    # What the cohort links to an earlier study was shown: its report's sections and its film.
    linked = {item.id for item in cohort.scored if item.prior}
    assert {name for name, line in lines.items() if "prior study: time unknown" in line["substituted"]} == linked
    assert main(["score", str(out), "--cohort", str(tmp_path / "cohort")]) == 0
