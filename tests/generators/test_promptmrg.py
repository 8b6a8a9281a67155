"""PromptMRG against its published code, through files in the released layout and the real loader."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from generators import tiny
from generators.blocks.clip import ClipShape, ClipTower
from generators.blocks.decoding import Decoding, Era, beam_search
from generators.blocks.random_weights import seeded
from generators.catalogue import Options, find, make
from generators.promptmrg import tiny as promptmrg_tiny
from generators.promptmrg.model import ReportDecoder
from generators.promptmrg.recall import load_features, load_listed, rows
from generators.promptmrg.system import LENGTHS, PromptMRG, layouts, load_network, text
from harness.errors import InputError, UnavailableError, UsageError
from harness.types import StudyInput
from ranscore.commands import main

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "golden" / "promptmrg.json").read_text())


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("promptmrg")
    promptmrg_tiny.write(folder)
    return folder


def load(folder: Path, settings: dict[str, str] | None = None, leave: Sequence[str] = ()) -> PromptMRG:
    weights = {path.name: path for path in folder.iterdir() if path.name not in leave}
    made = make(find("promptmrg"), Options(weights, settings={"size": "tiny", **(settings or {})}))
    assert isinstance(made, PromptMRG)
    return made


def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    """Four films of growing contrast and 21 features each, as the golden run drew them."""
    draw = np.random.RandomState(7)
    films = draw.standard_normal((4, 3, 224, 224)).astype(np.float32) * (1 + np.arange(4, dtype=np.float32))[:, None, None, None] / 2
    reports = draw.standard_normal((4, 21, 64)).astype(np.float32)
    return torch.from_numpy(films), torch.from_numpy(reports / np.linalg.norm(reports, axis=-1, keepdims=True))


@pytest.mark.parametrize("run", GOLDEN["runs"])
def test_features_logits_ids_and_text_are_the_published_code_s(run: str, released: Path, tmp_path: Path) -> None:
    preset, bias = run.split()
    for path in released.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    state = promptmrg_tiny.tensors(layouts("tiny")[1], end=float(bias))
    buffer = {"text_decoder.bert.embeddings.position_ids": torch.arange(200)[None]}
    torch.save(state | buffer, tmp_path / "checkpoint")
    system = load(tmp_path, {"preset": preset})
    with torch.inference_mode():
        patches, answers = system.network.look(*inputs())
        prompt = system.network.prompt(answers)
        logits = ReportDecoder(system.network.text_decoder, patches)(prompt, torch.arange(4))
        ids = beam_search(ReportDecoder(system.network.text_decoder, patches), prompt, system.decoding)
    np.testing.assert_allclose(patches[:, ::6, ::16].flatten()[::3], GOLDEN["patches"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(answers.transpose(1, 2).flatten(1)[:, ::5], GOLDEN["probabilities"], atol=1e-5)
    assert prompt.tolist() == GOLDEN["prompt"]
    if float(bias) == -1:
        np.testing.assert_allclose(logits[:, ::7], GOLDEN["logits"], atol=1e-4)
    assert ids == GOLDEN["runs"][run]["ids"]
    made = [text(known[1:], new, system.words) for known, new in zip(prompt.tolist(), ids, strict=True)]
    assert made == GOLDEN["runs"][run]["text"]


def test_the_golden_runs_end_at_every_length() -> None:
    lengths = {len(ids) for run in GOLDEN["runs"].values() for ids in run["ids"]}
    assert {81, 150, 41, 110} <= lengths and len(lengths) > 4


def test_a_batch_writes_what_single_films_write(released: Path, shared: Path) -> None:
    system = load(released)
    studies = [StudyInput(path.stem, frontal=path) for path in sorted((shared / "images").iterdir())]
    together = system.generate(studies)
    assert [made.study for made in together] == [study.id for study in studies]
    assert [made.report for made in together] == [system.generate([study])[0].report for study in studies]
    assert not any(made.failure for made in together)


def test_a_bad_film_is_one_failure(released: Path, tmp_path: Path, film: Callable[[str], Path]) -> None:
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n")
    made = load(released).generate([StudyInput("a", frontal=film("a")), StudyInput("b", frontal=tmp_path / "bad.png"), StudyInput("c")])
    assert made[0].report and not made[0].failure
    assert made[1].failure.startswith("it is not a PNG") and made[2].failure == "the study has no frontal film"


@pytest.fixture
def film(tmp_path: Path) -> Callable[[str], Path]:
    def draw(name: str) -> Path:
        from PIL import Image

        path = tmp_path / f"{name}.png"
        Image.fromarray(np.random.RandomState(3).randint(0, 255, (300, 280)).astype(np.uint8)).save(path)
        return path

    return draw


def test_listed_films_take_the_authors_reports_and_nothing_of_their_text(
    released: Path, tmp_path: Path, film: Callable[[str], Path]
) -> None:
    entry = {"id": "1", "image_path": ["p10/s1/known.jpg", "p10/s1/second.jpg"], "report": "secret", "clip_indices": list(range(30))}
    (tmp_path / "annotation").write_text(json.dumps({"train": [], "test": [entry]}))
    listed = load_listed(tmp_path / "annotation")
    assert listed == {"known": tuple(range(30))}
    for path in released.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "own").mkdir()
    for name in ("annotation", "checkpoint", "features", "vocabulary"):
        (tmp_path / name).rename(tmp_path / "own" / name)
    system = load(tmp_path / "own")
    assert system._prepare(StudyInput("s", frontal=film("known")))[0].listed == tuple(range(21))
    (other,) = system.generate([StudyInput("s", frontal=film("other"))])
    assert other.failure == "the film is not in the annotation, and CLIP is not here to look its reports up"
    assert system.digest != load(released).digest
    with pytest.raises(UnavailableError, match=r"needs clip .* or annotation"):
        load(released, leave=["clip"])
    (tmp_path / "annotation").write_text('{"test": [{"report": "secret"}]}')
    with pytest.raises(InputError) as caught:
        load_listed(tmp_path / "annotation")
    assert "secret" not in str(caught.value)


def test_reports_are_recalled_by_cosine(released: Path) -> None:
    system = load(released)
    assert system.recall.tower is not None
    films = torch.randn(3, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    vectors = torch.nn.functional.normalize(system.recall.tower(films), dim=1).numpy()
    for vector, found in zip(vectors, system.recall.nearest(films, 21), strict=True):
        cosine = [float(vector @ report) for report in system.recall.features]
        assert list(found) == sorted(range(40), key=lambda place: -cosine[place])[:21]


def test_the_image_tower_is_clips() -> None:
    """Against transformers' CLIP with the same weights under its own names."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    shape = ClipShape(2, 64, 4, 32, 224, 48)
    tower = ClipTower(shape).eval()
    tower.load_state_dict(seeded({name: tuple(tensor.shape) for name, tensor in tower.state_dict().items()}, 5))
    config = CLIPVisionConfig(
        hidden_size=64,
        intermediate_size=256,
        projection_dim=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=224,
        patch_size=32,
        hidden_act="quick_gelu",
    )
    theirs: torch.nn.Module = CLIPVisionModelWithProjection(config)
    theirs.train(False)
    ours, renamed = tower.state_dict(), {}
    for name in theirs.state_dict():
        short = name.replace("vision_model.", "", 1)
        if short.endswith("position_ids"):
            renamed[name] = theirs.state_dict()[name]
        elif "q_proj" in short or "k_proj" in short or "v_proj" in short:
            part, kind = "qkv".index(short.split(".")[-2][0]), short.rsplit(".", 1)[1]
            number = short.split(".")[2]
            renamed[name] = ours[f"transformer.resblocks.{number}.attn.in_proj_{kind}"].chunk(3)[part]
        else:
            for old, new in (
                ("embeddings.class_embedding", "class_embedding"),
                ("embeddings.patch_embedding.weight", "conv1.weight"),
                ("embeddings.position_embedding.weight", "positional_embedding"),
                ("pre_layrnorm", "ln_pre"),
                ("post_layernorm", "ln_post"),
                ("encoder.layers", "transformer.resblocks"),
                ("self_attn.out_proj", "attn.out_proj"),
                ("layer_norm", "ln_"),
                ("mlp.fc1", "mlp.c_fc"),
                ("mlp.fc2", "mlp.c_proj"),
            ):
                short = short.replace(old, new)
            renamed[name] = ours["proj"].T if short == "visual_projection.weight" else ours[short]
    theirs.load_state_dict(renamed)
    films = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = torch.nn.functional.normalize(theirs(pixel_values=films).image_embeds, dim=1)
        torch.testing.assert_close(tower(films), expected, atol=1e-5, rtol=1e-5)


def test_features_are_read_from_the_released_json_in_pieces(tmp_path: Path) -> None:
    table = np.random.RandomState(0).standard_normal((50, 7)).round(4)
    written = json.dumps(table.tolist())
    for chunk in (11, 64, 10_000):
        np.testing.assert_allclose(np.array(list(rows(io.StringIO(written), chunk))), table, rtol=1e-6)
    (tmp_path / "features").write_text(written)
    first = load_features(tmp_path / "features", 7)
    np.testing.assert_allclose(first, table, rtol=1e-6)
    assert (load_features(tmp_path / "features", 7) == first).all()
    (tmp_path / "features").write_text('{"a": 1}')
    for wrong, width in (('{"a": 1}', 7), ("[[1, 2]]", 7), ("[[1, [2]]]", 2), ("[[1, 2], [3]]", 2)):
        (tmp_path / "wrong").write_text(wrong)
        with pytest.raises(InputError, match="wrong"):
            load_features(tmp_path / "wrong", width)


def test_every_wrong_tensor_is_named_before_a_film_is_read(released: Path, tmp_path: Path) -> None:
    for path in released.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    state = torch.load(tmp_path / "checkpoint", weights_only=True)
    del state["vision_proj.bias"]
    state["cls_head.weight"] = torch.zeros(72, 3)
    state["extra.weight"] = torch.zeros(1)
    torch.save(state, tmp_path / "checkpoint")
    with pytest.raises(InputError) as caught:
        load(tmp_path)
    assert all(word in str(caught.value) for word in ("vision_proj.bias", r"cls_head.weight is [72, 3], not [72, 192]", "extra.weight"))
    with pytest.raises(UsageError, match="preset is mimic or iu"):
        load(released, {"preset": "other"})


def test_text_is_joined_as_the_old_tokenizer_did() -> None:
    words = ["[PAD]", *["x"] * 99, "[UNK]", "[CLS]", "[SEP]", "[MASK]", "heart", "##s", ".", "is"]
    answers = [len(words) + 1 + number % 4 for number in range(18)]
    assert text(answers, [104, 105, 107, 106, 0, 100], words) == "hearts is."
    # Upstream cuts the prompt off by its length, after a first full stop has moved up to it.
    assert text(answers, [106, 104], words) == " heart"
    assert text(answers, [104, len(words) + 2, 107], words) == "heart [pos] is"


def test_from_films_to_the_board(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole path that a user takes, with weights made by the documented command."""
    assert tiny.main(["promptmrg", str(tmp_path / "weights")]) == 0
    command = capsys.readouterr().out
    assert command.startswith("ranscore generate promptmrg --cohort COHORT") and "--weights checkpoint=" in command
    assert main(["cohort", "build", "synthetic", "--studies", "6", "-o", str(tmp_path / "c")]) == 0
    words = command.split()[1:]
    words[words.index("COHORT")], words[words.index("reports.jsonl")] = str(tmp_path / "c"), str(tmp_path / "r.jsonl")
    assert main([*words, "--batch", "4"]) == 0
    assert "6 reports by promptmrg (random weights) on cpu in float32" in capsys.readouterr().out
    whole = (tmp_path / "r.jsonl").read_bytes()
    (tmp_path / "r.jsonl").write_bytes(whole[: len(whole) // 2])
    assert main([*words, "--batch", "1"]) == 0
    assert (tmp_path / "r.jsonl").read_bytes() == whole
    assert (
        main(["score", str(tmp_path / "r.jsonl"), "--cohort", str(tmp_path / "c"), "--store", str(tmp_path / "s"), "--name", "tiny"]) == 0
    )
    assert main(["board", "--store", str(tmp_path / "s")]) == 0
    assert "tiny" in capsys.readouterr().out
    assert main(["systems", "check", *words[1:2], *words[words.index("--set") :]]) == 0
    assert "every tensor is where it belongs" in capsys.readouterr().out


def test_lengths_are_those_of_the_authors_scripts() -> None:
    assert LENGTHS == {"mimic": (100, 150), "iu": (60, 110)}


@pytest.mark.slow
def test_the_released_size_is_the_published_code_too(tmp_path: Path) -> None:
    """0.7 GB of random weights at the released size, one film, made as the tiny golden runs (test set iu, end bias 6)."""
    shape, layout, _, _ = layouts("released")
    torch.save(promptmrg_tiny.tensors(layout, end=6.0), tmp_path / "checkpoint")
    network, _ = load_network(tmp_path / "checkpoint", shape, layout)
    draw = np.random.RandomState(7)
    film = torch.from_numpy(draw.standard_normal((1, 3, 224, 224)).astype(np.float32) / 2)
    reports = draw.standard_normal((1, 21, 512)).astype(np.float32)
    with torch.inference_mode():
        patches, answers = network.look(film, torch.from_numpy(reports / np.linalg.norm(reports, axis=-1, keepdims=True)))
        prompt = network.prompt(answers)
        logits = ReportDecoder(network.text_decoder, patches)(prompt, torch.arange(1))
        decoding = Decoding(19 + 110, (102,), beams=3, era=Era.V4_19, shortest=60)
        ids = beam_search(ReportDecoder(network.text_decoder, patches), prompt, decoding)
    assert prompt.tolist() == GOLDEN["released"]["prompt"]
    np.testing.assert_allclose(logits[:, ::611], GOLDEN["released"]["logits"], atol=1e-4)
    assert ids == GOLDEN["released"]["ids"]
