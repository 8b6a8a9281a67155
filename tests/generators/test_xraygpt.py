"""XrayGPT against its published code.

`tests/golden/xraygpt.json` was made by the authors' class (mbzuai-oryx/XrayGPT at d0baa6a) run on a CPU in an environment of its own with
transformers 4.30.2 and tokenizers 0.13.3; timm, omegaconf and the like were replaced by empty modules, the vision model's constructor
by one with the widths of the tiny files (39 blocks, as published) and bert-base's settings by theirs. It loaded the files that
`generators.blocks.tiny.write(seed=3, end=...)` writes by its own `load_from_pretrained`, `from_pretrained` and `load_state_dict`. Its
`test` method was called with do_sample turned off, on films 0 to 2 of `pictures`, with the template and instruction of `PROMPT` (its
own are not repeated here). Recorded: normalised vision features at [0, ::40, ::60], projected queries at [0, ::11, ::20], embeddings
given to the language model at [0, ::9, ::25] and their number, every 60th logit, the new ids up to the end token; and the prompt's ids.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from generators.blocks import random_weights
from generators.blocks.decoding import greedy
from generators.catalogue import Options
from generators.tiny import main as write_tiny
from generators.xraygpt import system as xraygpt
from generators.xraygpt import tiny
from generators.xraygpt.prompt import OURS, ConversationPrompt, chosen
from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.errors import InputError, UnavailableError, UsageError
from harness.types import StudyInput
from ranscore.commands import main
from tests.generators.test_r2gengpt import pictures

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "xraygpt.json").read_text())
PROMPT = {"template": "###A: {} ###B: ", "instruction": "Say what is seen."}
ENDS = (1.0, 20.0, 40.0)


def options(folder: Path, seed: int = 0, **settings: str) -> Options:
    names = ("checkpoint", "vicuna", "eva", "qformer")
    return Options({name: folder / name for name in names}, seed=seed, settings={**PROMPT, **settings})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("xraygpt")
    tiny.write(made, seed=3)
    return made


def close(found: Any, expected: list[float]) -> bool:
    return bool(np.allclose(found.flatten().tolist(), expected, rtol=0, atol=1e-4))


@pytest.mark.parametrize("end", ENDS)
def test_features_embeddings_logits_and_greedy_ids_are_upstreams(folder: Path, tmp_path: Path, end: float) -> None:
    random_weights.llama(folder / "vicuna", 3, end)
    system = xraygpt.make(options(folder, decoding="greedy"))
    films = torch.stack([torch.from_numpy(xraygpt.pixels(path)) for path in pictures(tmp_path)[:3]])
    with torch.inference_mode():
        eyes, shown = system.vision.features(films), system.vision.look(films)
        prompts = system.prompts(shown)
        starts = system.llama.starts(prompts)
        logits = system.llama.step(prompts)(starts, torch.arange(3))
        made = greedy(system.llama.step(prompts), starts, system.decoding, xraygpt.ends)
    for place, wanted in enumerate(GOLDEN[str(end)]):
        assert prompts.shape[1] == wanted["length"]
        assert close(eyes[place, ::40, ::60], wanted["eyes"])
        assert close(shown[place, ::11, ::20], wanted["shown"])
        assert close(prompts[place, ::9, ::25], wanted["embedded"])
        assert close(logits[place, ::60], wanted["logits"])
        assert made[place] == wanted["ids"]


def test_films_and_prompt_are_upstreams(folder: Path, tmp_path: Path) -> None:
    for path, expected in zip(pictures(tmp_path), GOLDEN["pixels"], strict=True):
        assert np.allclose(xraygpt.pixels(path)[:, ::60, ::70].flatten()[:12], expected, rtol=0, atol=1e-5)
    system = xraygpt.make(options(folder))
    before, after = (system.llama.pieces.ids(side) for side in system.prompt.sides)
    assert [[1, *before], after] == GOLDEN["prompt"]


def test_draws_follow_the_seed_and_the_study_alone(folder: Path, tmp_path: Path) -> None:
    films = pictures(tmp_path)
    studies = [StudyInput("a", frontal=films[0]), StudyInput("b", frontal=films[0])]
    random_weights.llama(folder / "vicuna", 3, 20.0)
    system = xraygpt.make(options(folder))
    made = system.generate(studies)
    assert system.generate(studies[1:])[0] == made[1]
    assert made[0].report != made[1].report
    other = xraygpt.make(options(folder, seed=1))
    assert other.generate(studies)[0].report != made[0].report
    assert other.digest != system.digest


def test_a_text_ends_at_the_marks_and_is_cut_as_published() -> None:
    assert xraygpt.ends([5, 835]) and xraygpt.ends([2277, 29937])
    assert not xraygpt.ends([29937]) and not xraygpt.ends([2277])
    assert xraygpt.text("Doctor: Clear lungs.\nImpression: normal ___ ### Patient: x") == "Clear lungs. normal "


def test_every_wrong_tensor_is_named(tmp_path: Path) -> None:
    tiny.write(tmp_path)
    held = torch.load(tmp_path / "qformer")
    del held["model"]["Qformer.bert.encoder.layer.1.output_query.dense.bias"]
    torch.save(held, tmp_path / "qformer")
    with pytest.raises(InputError, match=r"qformer: 1 missing tensors: Qformer\.bert\.encoder\.layer\.1\.output_query\.dense\.bias"):
        xraygpt.make(options(tmp_path))
    tensors = torch.load(tmp_path / "eva")
    torch.save(dict(tensors, stranger=torch.zeros(1), pos_embed=tensors["pos_embed"][..., :8]), tmp_path / "eva")
    with pytest.raises(InputError, match=r"unexpected tensors: stranger[\s\S]*pos_embed is \[1, 257, 8\], not \[1, 257, 176\]"):
        xraygpt.make(options(tmp_path))


def test_the_hubs_blip2_stands_in_for_two_files(folder: Path, tmp_path: Path) -> None:
    """Its layout is made by transformers' own BLIP-2 classes, its values from the two files; a part without them is not here."""
    from safetensors.torch import save_file

    system = xraygpt.make(options(folder))
    held = {f"vision_model.{name}": tensor for name, tensor in system.vision.eva.state_dict().items()}
    held |= {f"qformer.{name}": tensor for name, tensor in system.vision.qformer.state_dict().items()}
    save_file({name: tensor.contiguous() for name, tensor in held.items()}, tmp_path / "model-00001-of-00002.safetensors")
    save_file({"query_tokens": system.vision.queries.contiguous()}, tmp_path / "model-00003.safetensors")
    parts = dict.fromkeys(held, "model-00001-of-00002.safetensors") | {"query_tokens": "model-00003.safetensors"}
    parts["language_model.shared.weight"] = "model-00002-of-00002.safetensors"
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": parts}))
    weights = {name: folder / name for name in ("checkpoint", "vicuna")}
    found = xraygpt.make(Options(weights | {"blip2": tmp_path}))
    film = torch.from_numpy(xraygpt.pixels(pictures(tmp_path)[0]))[None]
    with torch.inference_mode():
        assert torch.equal(found.vision.look(film), system.vision.look(film))
    with pytest.raises(UnavailableError, match="needs eva and qformer"):
        xraygpt.make(Options(weights))


def test_the_prompt_comes_from_the_clone_or_is_ours_and_said_to_be(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "eval_configs").mkdir()
    (tmp_path / "prompts" / "alignment.txt").write_text("<Img><ImageHere></Img> One.\n\n<Img><ImageHere></Img> Two?")
    with pytest.raises(InputError, match=r"xraygpt_eval\.yaml: the clone has no such file"):
        chosen({}, tmp_path)
    (tmp_path / "eval_configs" / "xraygpt_eval.yaml").write_text("model:\n  prompt_template: '###P: {} ###D: '\n")
    assert chosen({}, tmp_path) == ConversationPrompt("###P: {} ###D: ", "Two?")
    assert chosen({"number": "1"}, tmp_path).sides == ("###P: <Img>", "</Img> One. ###D: ")
    with pytest.raises(InputError, match="2 instructions, not one number 3"):
        chosen({"number": "3"}, tmp_path)
    with pytest.raises(UsageError, match="counts the instructions of a clone"):
        chosen({"number": "1"}, None)
    with pytest.raises(UsageError, match=r"holds \{\} once"):
        chosen({"template": "no place"}, None)
    assert chosen({}, None) == OURS
    ours = Options(options(folder).weights)
    _, stand_in = xraygpt.make(ours).prepare(StudyInput("a", frontal=pictures(tmp_path)[0]))
    assert stand_in == ("instruction: ours, the published one was not given",)


def test_from_the_command_to_a_score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert write_tiny(["xraygpt", str(tmp_path / "tiny")]) == 0
    given = capsys.readouterr().out.split()
    weights = [part for word, value in pairwise(given) if word == "--weights" for part in (word, value)]
    cohorts.save(build(studies=2, seed=1, images=tmp_path / "films"), tmp_path / "cohort")
    out = tmp_path / "reports.jsonl"
    assert main(["generate", "xraygpt", "--cohort", str(tmp_path / "cohort"), "-o", str(out), "--device", "cpu", *weights]) == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(lines) == 2 and all(line["report"] and line["substituted"].startswith("instruction: ours") for line in lines)
    assert main(["score", str(out), "--cohort", str(tmp_path / "cohort"), "--metrics", "bleu"]) == 0
