"""R2GenGPT against its published code.

`tests/golden/r2gengpt.json` was made by the authors' class (wang-zhanyu/R2GenGPT at 386cffc) run on a CPU in an environment of its own
with transformers 4.30.2, tokenizers 0.13.3 and peft 0.4.0; what plays no part in inference (Lightning, the caption metrics) was replaced
by empty modules. It loaded the files that `generators.blocks.tiny.write(seed=3, variant=..., end=...)` writes by its own
`from_pretrained` and `delta_file`, with vis_r=4 and vis_alpha=8, and the names in the checkpoint were those that its `save_checkpoint`
keeps. For each of three studies (films 0; 1 and 2; 3 and 0 of `pictures`): averaged Swin features and projected features at [0, ::16, :3],
every 60th logit after the prompt, the new ids of its own `generate` call up to the end token, and the text of its `decode`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from generators.blocks import random_weights
from generators.blocks.answer_text import unmarked
from generators.blocks.decoding import beam_search
from generators.blocks.language import Pieces
from generators.catalogue import Options
from generators.r2gengpt import system as r2gengpt
from generators.r2gengpt import tiny
from generators.tiny import main as write_tiny
from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.errors import InputError, UsageError
from harness.types import StudyInput
from ranscore.commands import main

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "r2gengpt.json").read_text())
STUDIES = ((0,), (1, 2), (3, 0))
CASES = [(variant, end) for variant in tiny.VARIANTS for end in (1.0, 30.0, 60.0)]
Load = Callable[..., r2gengpt.R2GenGPT]


def pictures(folder: Path) -> list[Path]:
    """Four films of odd sizes, waves of grey."""
    paths = []
    for number, (rows, columns) in enumerate(((90, 70), (224, 300), (150, 150), (61, 200))):
        y, x = np.mgrid[0 : 1 : rows * 1j, 0 : 1 : columns * 1j]
        waves = 127.5 + 127.5 * np.sin((3 + number) * x + 7 * y * y * (1 + number))
        paths.append(folder / f"film{number}.png")
        Image.fromarray(waves.astype(np.uint8)).save(paths[-1])
    return paths


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> list[StudyInput]:
    films = pictures(tmp_path_factory.mktemp("films"))
    return [
        StudyInput(str(number), frontal=films[places[0]], lateral=films[places[1]] if len(places) > 1 else None)
        for number, places in enumerate(STUDIES)
    ]


def options(folder: Path, **settings: str) -> Options:
    return Options({name: folder / name for name in ("checkpoint", "swin", "llama")}, settings={"alpha": "8", **settings})


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    def made(variant: str = "delta", end: float = 1.0) -> r2gengpt.R2GenGPT:
        folder = tmp_path_factory.mktemp("weights")
        tiny.write(folder, seed=3, variant=variant, end=end)
        return r2gengpt.make(options(folder))

    return made


def close(found: Any, expected: list[float]) -> bool:
    return bool(np.allclose(found.flatten().tolist(), expected, rtol=0, atol=1e-4))


@pytest.mark.parametrize(("variant", "end"), CASES)
def test_features_logits_ids_and_text_are_upstreams(load: Load, studies: list[StudyInput], variant: str, end: float) -> None:
    system, expected = load(variant, end), GOLDEN[f"{variant}-{end}"]
    films = [system.prepare(study)[0] for study in studies]
    with torch.inference_mode():
        shown = system.look(films)
        prompts = system.prompts(shown)
        logits = system.llama.step(prompts)(system.llama.starts(prompts), torch.arange(len(films)))
        made = beam_search(system.llama.step(prompts), system.llama.starts(prompts), system.decoding)
        for place, wanted in enumerate(expected):
            single = torch.stack([system.swin(torch.from_numpy(film)[None]).last_hidden_state[0] for film in films[place]]).mean(0)
            assert close(single[::16, :3], wanted["swin"])
            assert close(shown[place, ::16, :3], wanted["features"])
            assert close(logits[place, ::60], wanted["logits"])
            assert made[place] == wanted["ids"]
    reports = [item.report for item in system.generate(studies)]
    assert [unmarked(item.get("text", report)) for item, report in zip(expected, reports, strict=True)] == reports


def test_the_goldens_hold_reports_that_end_early_and_some_that_do_not() -> None:
    lengths = {len(item["ids"]) for variant, end in CASES for item in GOLDEN[f"{variant}-{end}"]}
    assert max(lengths) == 120
    assert len(lengths) > 5
    assert min(lengths) >= 80


def test_films_and_prompt_are_upstreams(studies: list[StudyInput], tmp_path: Path) -> None:
    for path, expected in zip(pictures(tmp_path), GOLDEN["pixels"], strict=True):
        assert np.allclose(r2gengpt.pixels(path)[:, ::60, ::70].flatten()[:12], expected, rtol=0, atol=1e-5)
    random_weights.tokenizer(tmp_path / "tokenizer.model")
    pieces = Pieces(tmp_path / "tokenizer.model")
    assert [pieces.ids(side) for side in (r2gengpt.BEFORE, r2gengpt.AFTER)] == GOLDEN["prompt"]


def test_one_film_and_a_batch_of_one_give_the_same(load: Load, studies: list[StudyInput]) -> None:
    system = load("shallow", 30.0)
    together = system.generate(studies)
    assert [system.generate([study])[0] for study in studies] == together
    assert together[1].report != system.generate([StudyInput("1", frontal=studies[1].frontal)])[0].report


def test_a_study_without_a_film_fails_alone(load: Load, studies: list[StudyInput]) -> None:
    made = load("shallow").generate([studies[0], StudyInput("none")])
    assert made[0].report and not made[0].failure
    assert made[1].failure == "the study has no frontal film" and not made[1].report


def test_every_wrong_tensor_is_named(tmp_path: Path) -> None:
    tiny.write(tmp_path, variant="delta")
    good = torch.load(tmp_path / "checkpoint")
    stem = "visual_encoder.base_model.model.encoder.layers.0.blocks.0.attention.self.query.lora_"
    bad = dict(good["model"], **{"llama_proj.bias": torch.zeros(3), "text_decoder.weight": torch.zeros(1)})
    bad.pop(f"{stem}B.default.weight")
    torch.save({"model": bad}, tmp_path / "checkpoint")
    with pytest.raises(InputError) as caught:
        r2gengpt.make(options(tmp_path))
    message = str(caught.value)
    assert f"1 missing tensors: {stem}B.default.weight" in message
    assert "1 unexpected tensors: text_decoder.weight" in message
    assert "llama_proj.bias is [3], not [64]" in message


@pytest.mark.parametrize("part", ["swin", "llama"])
def test_folders_are_checked_strictly_too(tmp_path: Path, part: str) -> None:
    tiny.write(tmp_path)
    path = tmp_path / part / "pytorch_model.bin"
    tensors = torch.load(path)
    name = next(name for name in tensors if name.endswith("norm.weight"))
    del tensors[name]
    torch.save(dict(tensors, stranger=torch.zeros(2)), path)
    with pytest.raises(InputError, match=rf"missing tensors: {name.removeprefix('swin.')}[\s\S]*unexpected tensors: stranger"):
        r2gengpt.make(options(tmp_path))
    (tmp_path / part / "config.json").unlink()
    with pytest.raises(InputError, match=r"no config\.json"):
        r2gengpt.make(options(tmp_path))


def test_weights_in_several_files_are_the_same_weights(tmp_path: Path) -> None:
    tiny.write(tmp_path)
    before = r2gengpt.make(options(tmp_path)).digest
    folder = tmp_path / "llama"
    tensors = torch.load(folder / "pytorch_model.bin")
    (folder / "pytorch_model.bin").unlink()
    names = sorted(tensors)
    parts = {"a.bin": names[::2], "b.bin": names[1::2]}
    for file, held in parts.items():
        torch.save({name: tensors[name] for name in held}, folder / file)
    index = {"weight_map": {name: file for file, held in parts.items() for name in held}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    assert r2gengpt.make(options(tmp_path)).digest == before
    (folder / "b.bin").unlink()
    with pytest.raises(InputError, match=r"shards that it names are missing: b\.bin"):
        r2gengpt.make(options(tmp_path))


def test_settings_are_checked_and_change_the_digest(tmp_path: Path) -> None:
    tiny.write(tmp_path)
    digests = {r2gengpt.make(options(tmp_path, **one)).digest for one in ({}, {"films": "frontal"}, {"alpha": "16"})}
    assert len(digests) == 3
    with pytest.raises(UsageError, match="films is all or frontal"):
        r2gengpt.make(options(tmp_path, films="lateral"))
    with pytest.raises(UsageError, match="alpha is a number"):
        r2gengpt.make(options(tmp_path, alpha="much"))


def test_special_ids_are_written_out_as_the_old_tokenizer_did(tmp_path: Path) -> None:
    random_weights.tokenizer(tmp_path / "tokenizer.model")
    pieces = Pieces(tmp_path / "tokenizer.model")
    clear = pieces.ids("lungs clear")
    assert pieces.marked(clear) == "lungs clear"
    # By transformers 4.30.2's slow LlamaTokenizer, on the same model.
    assert pieces.marked([0, *clear, 0, 0, *clear, 2]) == GOLDEN["special"]
    assert pieces.marked([*clear, 10_000]) == "lungs clear"


def test_from_the_command_to_a_score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert write_tiny(["r2gengpt", str(tmp_path / "tiny")]) == 0
    given = capsys.readouterr().out.split()
    weights = [part for word, value in pairwise(given) if word == "--weights" for part in (word, value)]
    cohorts.save(build(studies=3, seed=1, images=tmp_path / "films"), tmp_path / "cohort")
    out = tmp_path / "reports.jsonl"
    assert main(["generate", "r2gengpt", "--cohort", str(tmp_path / "cohort"), "-o", str(out), "--device", "cpu", *weights]) == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(lines) == 3 and all(line["report"] and "failure" not in line for line in lines)
    assert main(["score", str(out), "--cohort", str(tmp_path / "cohort"), "--metrics", "bleu"]) == 0
