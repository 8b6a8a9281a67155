"""Systems that are not run here natively: a file, a program, a server, a model of the Hub."""

from __future__ import annotations

import base64
import io
import json
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from generators.catalogue import Options, find, make
from generators.running import loop
from generators.running.batching import LocalGenerator
from generators.running.inputs import inputs
from harness.cohorts.synthetic.cohort import build
from harness.errors import InputError, RefusedError, UnavailableError, UsageError
from harness.types import Access, Cohort, Generated, Generator, Section, StudyInput


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """Five studies with films."""
    return build(studies=5, seed=1, train=0, dev=0, images=tmp_path_factory.mktemp("films"))


def door(name: str, access: Access = Access.OPEN, weights: dict[str, Path] | None = None, **settings: str) -> Generator:
    return make(find(name), Options(weights or {}, settings=settings, access=access))


def asked(generator: Generator, cohort: Cohort) -> list[Generated]:
    return list(generator.generate(list(inputs(cohort, cohort.scored, generator.needs))))


def test_a_file_is_replayed_and_lacking_rows_are_failures(cohort: Cohort, tmp_path: Path) -> None:
    ids = [study.id for study in cohort.scored]
    (tmp_path / "r.csv").write_text("study_id,report\n" + "".join(f"{name},Lungs are clear {name}.\n" for name in ids[:4]))
    generator = door("replay", weights={"reports": tmp_path / "r.csv"}, writes="findings")
    made = asked(generator, cohort)
    assert [item.report for item in made] == [*(f"Lungs are clear {name}." for name in ids[:4]), ""]
    assert made[4].failure == "the file has no row for the study" and generator.writes is Section.FINDINGS
    (tmp_path / "r.csv").write_text((tmp_path / "r.csv").read_text().replace("clear", "dark", 1))
    assert door("replay", weights={"reports": tmp_path / "r.csv"}, writes="findings").digest != generator.digest
    with pytest.raises(UnavailableError, match="replay needs reports"):
        door("replay")


PROGRAM = """
import json, sys, time
count = 0
for line in sys.stdin:
    asked = json.loads(line)
    count += 1
    kind = sys.argv[1] if asked["study_id"] == sys.argv[2] else ""
    if kind == "dies": sys.exit(3)
    if kind == "sleeps": time.sleep(60)
    if kind == "garbage": print("no json", flush=True); continue
    answer = {"study_id": asked["study_id"], "report": f"{count} {sorted(asked)} {open(asked['frontal'], 'rb').read(4)!r}"}
    if kind == "fails": answer = {"study_id": asked["study_id"], "failure": "the heart is large"}
    if kind == "other": answer["study_id"] = "x"
    print(json.dumps(answer), flush=True)
"""


@pytest.mark.parametrize("kind", ["none", "dies", "sleeps", "garbage", "fails", "other"])
def test_a_program_s_faults_are_one_study_s(cohort: Cohort, tmp_path: Path, kind: str) -> None:
    (tmp_path / "p.py").write_text(PROGRAM)
    bad = cohort.scored[2].id
    words = f"{sys.executable} {tmp_path / 'p.py'} {kind} {bad}"
    made = asked(door("command", run=words, needs="frontal,indication", timeout="2"), cohort)
    assert [bool(item.failure) for item in made] == [False, False, kind != "none", False, False]
    assert made[0].report.startswith("1 ['frontal', 'indication', 'study_id'] b'\\x89PNG'")
    assert "heart" not in made[2].failure


def test_a_program_that_never_answers_ends_the_run_and_loses_nothing(cohort: Cohort, tmp_path: Path) -> None:
    generator = door("command", run=f"{sys.executable} -c 'raise SystemExit(1)'", errors=str(tmp_path / "err"))
    plan = loop.Plan("command", generator.digest, cohort.manifest.digest, tuple(s.id for s in cohort.scored), "cpu", "float32")
    with pytest.raises(UnavailableError, match="before its first answer"):
        loop.run(LocalGenerator(generator), cohort, cohort.scored, tmp_path / "r.jsonl", plan)
    assert (tmp_path / "r.jsonl").read_text() == ""
    with pytest.raises(UnavailableError, match="cannot be started"):
        asked(door("command", run="/no/such/program"), cohort)
    with pytest.raises(UsageError, match="needs --set run"):
        door("command")
    with pytest.raises(UsageError, match="needs is some of"):
        door("command", run="cat", needs="everything")


def test_a_changed_script_is_another_system(tmp_path: Path) -> None:
    (tmp_path / "p.py").write_text("1")
    first = door("command", run=f"python {tmp_path / 'p.py'}").digest
    (tmp_path / "p.py").write_text("2")
    assert door("command", run=f"python {tmp_path / 'p.py'}").digest != first


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A vision model's server on loopback: it describes the film that it was really sent."""
    import uvicorn
    from fastapi import FastAPI

    app, seen = FastAPI(), []

    def complete(body: dict[str, Any]) -> dict[str, Any]:
        seen.append(body)
        *films, text = body["messages"][0]["content"]
        pictures = [Image.open(io.BytesIO(base64.b64decode(film["image_url"]["url"].split(",")[1]))) for film in films]
        said = " ".join(f"{picture.size} {np.asarray(picture).mean():.1f}" for picture in pictures)
        finish = "length" if "too long" in text["text"] else "stop"
        message = {"content": None, "refusal": "no"} if "refuse" in text["text"] else {"content": f" Film {said}. "}
        return {"model": body["model"], "choices": [{"message": message, "finish_reason": finish}]}

    complete.__annotations__ = {"body": dict, "return": dict}
    app.post("/v1/chat/completions")(complete)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", ws="none"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}/v1", seen
    running.should_exit = True
    thread.join()


def test_a_served_model_sees_every_film_and_only_its_pixels(cohort: Cohort, server: tuple[str, list[dict[str, Any]]]) -> None:
    url, seen = server
    seen.clear()
    generator = door("openai", endpoint=url, model="m", side="128", prompt="Describe. Indication: {indication}", longest="99")
    assert generator.needs == {"frontal", "indication"}
    made = asked(generator, cohort)
    assert [(item.report[:15], item.failure) for item in made] == [("Film (128, 128)", "")] * 5
    films = [study.frontal for study in inputs(cohort, cohort.scored, frozenset({"frontal"}))]
    for item, film in zip(made, films, strict=True):
        assert film is not None
        assert abs(float(item.report.split()[3].rstrip(".")) - np.asarray(Image.open(film)).mean()) < 1
    assert {body["max_tokens"] for body in seen} == {99} and {body["temperature"] for body in seen} == {0}


@pytest.mark.parametrize(
    ("word", "failure"), [("refuse", "the model refused"), ("too long", "the report was cut short at the longest length")]
)
def test_refusals_and_cut_reports_are_failures(cohort: Cohort, server: tuple[str, list[dict[str, Any]]], word: str, failure: str) -> None:
    made = asked(door("openai", endpoint=server[0], model="m", prompt=f"please {word}"), cohort)
    assert {item.failure for item in made} == {failure} and not any(item.report for item in made)


def test_credentialed_films_stay_on_this_machine(cohort: Cohort) -> None:
    elsewhere: dict[str, Any] = {"endpoint": "http://192.0.2.1:8000/v1", "model": "m"}
    with pytest.raises(RefusedError, match="is not on this machine"):
        door("openai", Access.CREDENTIALED, **elsewhere)
    door("openai", Access.OPEN, **elsewhere)
    door("openai", Access.CREDENTIALED, endpoint="http://127.0.0.1:8000/v1", model="m")
    assert Options().access is Access.CREDENTIALED


def test_an_absent_server_ends_the_run(cohort: Cohort, tmp_path: Path, server: tuple[str, list[dict[str, Any]]]) -> None:
    generator = door("openai", endpoint=server[0].replace("/v1", "/v2"), model="m")
    plan = loop.Plan("openai", generator.digest, cohort.manifest.digest, tuple(s.id for s in cohort.scored), "cpu", "float32")
    with pytest.raises(UnavailableError, match="does not know the model or the address"):
        loop.run(LocalGenerator(generator, 4), cohort, cohort.scored, tmp_path / "r.jsonl", plan)
    assert (tmp_path / "r.jsonl").read_text() == ""


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"prompt": "{age}"}, "has a place {age}"),
        ({"longest": "many"}, "longest is a number"),
        ({"writes": "poems"}, "writes is findings"),
        ({"lateral": "maybe"}, "lateral is yes or no"),
        ({"model": ""}, "needs --set model"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, str], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        make(find("openai"), Options(settings={"model": "m", **settings}, access=Access.OPEN))


def test_what_a_study_lacks_is_said(tmp_path: Path) -> None:
    from generators.adapters.prompting import prompt

    asked = prompt({"prompt": "{view} film, {history}", "lateral": "yes"})
    assert asked.needs == {"frontal", "lateral", "view", "history"}
    # A history that looks like a place is text, not a place.
    assert asked.filled(StudyInput("s", history="{view}")) == ("N/A film, {view}", ("view: N/A", "lateral: left out"))


@pytest.fixture(scope="module")
def tiny_llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LLaVA of random weights with its processor, as a model of the Hub lies on disk."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
        PreTrainedTokenizerFast,
    )
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    folder = tmp_path_factory.mktemp("llava")
    words = ["<pad>", "<s>", "</s>", "<unk>", "<image>", "USER:", "ASSISTANT:", *(f"w{number}" for number in range(57))]
    raw: Any = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    wrap: Any = PreTrainedTokenizerFast
    tokenizer = wrap(tokenizer_object=raw, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    template = (
        "{% for m in messages %}USER: {% for c in m.content %}{% if c.type == 'image' %}<image> {% else %}{{ c.text }} {% endif %}"
        "{% endfor %}{% endfor %}ASSISTANT:"
    )
    pictures: Any = CLIPImageProcessorPil
    processing: Any = LlavaProcessor
    processing(
        image_processor=pictures(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
        tokenizer=tokenizer,
        patch_size=16,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=template,
    ).save_pretrained(folder)
    torch.manual_seed(0)
    configure: Any = LlavaConfig
    eyes: Any = CLIPVisionConfig
    tongue: Any = LlamaConfig
    small = {"hidden_size": 32, "num_attention_heads": 2, "num_hidden_layers": 2, "intermediate_size": 64}
    config = configure(
        vision_config=eyes(**small, image_size=32, patch_size=16, projection_dim=32),
        text_config=tongue(**small, vocab_size=64, initializer_range=0.5),
        image_token_index=4,
    )
    model: Any = LlavaForConditionalGeneration
    model(config).save_pretrained(folder)
    return folder


@pytest.mark.filterwarnings("ignore")
def test_a_model_of_the_hub_writes_from_the_film(cohort: Cohort, tiny_llava: Path) -> None:
    """Against the same model called by hand."""
    import torch
    from transformers import AutoProcessor, LlavaForConditionalGeneration

    generator = door("transformers", model=str(tiny_llava), prompt="w1 w2", longest="12")
    made = [item.report or item.failure for item in asked(generator, cohort)]
    processing: Any = AutoProcessor
    processor = processing.from_pretrained(tiny_llava)
    model: Any = LlavaForConditionalGeneration.from_pretrained(tiny_llava)
    expected = []
    for study in inputs(cohort, cohort.scored, frozenset({"frontal"})):
        assert study.frontal is not None
        given = processor(text="USER: <image> w1 w2 ASSISTANT:", images=Image.open(study.frontal).convert("RGB"), return_tensors="pt")
        with torch.inference_mode():
            ids = model.generate(**given, max_new_tokens=12, do_sample=False)[0, given["input_ids"].shape[1] :]
        cut = len(ids) == 12 and ids[-1] != 2
        expected.append(
            "the report was cut short at the longest length" if cut else processor.decode(ids, skip_special_tokens=True).strip()
        )
    assert made == expected
    assert door("transformers", model=str(tiny_llava), prompt="w3", longest="12").digest != generator.digest


@pytest.mark.filterwarnings("ignore")
def test_a_model_that_is_not_here_or_needs_its_code_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="neither a folder nor in the Hub's cache"):
        door("transformers", model="nobody/nothing")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "own", "auto_map": {"AutoModel": "code.Own"}}))
    with pytest.raises(UnavailableError, match="without its own code"):
        door("transformers", model=str(tmp_path))


def test_a_model_of_the_hub_without_a_tensor_is_refused_by_its_name(tiny_llava: Path, tmp_path: Path) -> None:
    """transformers would draw the missing tensor at random, and the model would write."""
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(tiny_llava, tmp_path / "model")
    tensors = load_file(folder / "model.safetensors")
    name = next(key for key in tensors if key.endswith("q_proj.weight") and "vision" not in key)
    save_file({key: tensor for key, tensor in tensors.items() if key != name}, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=r"layers\.0\.self_attn\.q_proj\.weight"):
        door("transformers", model=str(folder))
