"""A real language model, small and in this process: SmolLM2-135M-Instruct, out of a package that holds its weights as GGUF."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from benchmarks import real_model
from harness.errors import UnavailableError, UsageError
from harness.extractors import extractor
from harness.extractors.llm import inprocess, pack, protocol
from harness.extractors.llm.extractor import LLM
from harness.extractors.llm.parser import ModelReply
from harness.extractors.llm.source import Ask


@pytest.fixture(scope="module")
def weights() -> Iterator[Path]:
    """The model's file. What transformers reads of it several times is read once, which takes a third of the time."""
    try:
        path = real_model.weights()
    except UnavailableError as error:
        pytest.skip(str(error))
    gguf: Any = importlib.import_module("gguf")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GGUFReader", "get_tensor_name_map"):
            patch.setattr(gguf, name, cache(getattr(gguf, name)))
        yield path


def test_one_question_is_answered_as_the_probabilities_say(weights: Path) -> None:
    """The digit is the likelier one of the two, computed here without the program's own way of decoding."""
    import torch

    made = extractor("llm", model=str(weights), engine="transformers")
    assert isinstance(made, LLM) and isinstance(made.source, inprocess.InProcess)
    told: list[ModelReply] = []

    async def settle(_: Ask, reply: ModelReply | None, place: str) -> None:
        assert reply is not None and place == "in process"
        told.append(reply)

    reports = ["Acute fracture of the left seventh rib.", "Lungs are clear."]
    asyncio.run(made.source.answer(made.protocol, iter([Ask("Fracture", b"", report) for report in reports]), settle))
    assert [reply.finish for reply in told] == ["stop", "stop"] and told[0].model == "SmolLM2-135M-Instruct.Q4_1"
    engine = made.source._engine
    assert isinstance(engine, inprocess.Transformers)
    tokenizer, model = engine._tokenizer, engine._model
    digits = [tokenizer.encode(digit, add_special_tokens=False)[0] for digit in "01"]
    for reply, report in zip(told, reports, strict=True):
        prompt = tokenizer.apply_chat_template(made.protocol.messages("Fracture", report), tokenize=False, add_generation_prompt=True)
        with torch.inference_mode():
            logits = model(tokenizer(prompt, return_tensors="pt", add_special_tokens=False)["input_ids"]).logits[0, -1]
        assert reply.content == "01"[int(logits[digits].argmax())]
    # The second question began like the first, and its answer is that of a model that computed all of it.
    assert engine._prefix.usable and len(engine._prefix._tokens) > 300
    # These are the trained weights, not noise of the same shape.
    with torch.inference_mode():
        start = tokenizer("The capital of France is", return_tensors="pt")["input_ids"]
        assert "Paris" in tokenizer.decode(model.generate(start, max_new_tokens=4, do_sample=False)[0])


def test_two_packs_asked_of_one_file_load_it_once(weights: Path) -> None:
    first, second = (extractor("llm", model=str(weights), mode=mode, engine="transformers") for mode in ("single", "joint"))
    assert isinstance(first, LLM) and isinstance(second, LLM)
    assert first.source is second.source and first.digest != second.digest
    assert first.protocol.model == second.protocol.model and len(first.protocol.model.revision) == 64


def test_a_file_that_is_no_gguf_or_for_another_engine_is_refused(weights: Path, tmp_path: Path) -> None:
    own = protocol.protocol(pack.load(), protocol.find("any"))
    with pytest.raises(UsageError, match="is a file"):
        inprocess.in_process(weights, own, "vllm")
    other = tmp_path / "model.bin"
    other.write_bytes(b"weights")
    with pytest.raises(UsageError, match="is a file"):
        inprocess.in_process(other, own)


def test_packs_asked_of_one_folder_share_an_engine_until_the_weights_change(tmp_path: Path) -> None:
    """The first `pack try` asks two packs: the draft, and the pack that it is from."""
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    one, other = (protocol.protocol(pack.load(mode=mode), protocol.find("any")) for mode in pack.MODES)
    (_, first), (_, second) = (inprocess.in_process(tmp_path, own, "transformers") for own in (one, other))
    assert first is second
    (tmp_path / "config.json").write_text("{ }", encoding="utf-8")
    assert inprocess.in_process(tmp_path, one, "transformers")[1] is not first


@pytest.mark.slow
def test_the_whole_loop_on_100_reports(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = real_model.loop(weights, 100)
    tune = made.rounds[0].decided
    assert list(made.asked) == [20 * tune, tune]  # one finding was revised, and only it is asked again
    assert made.rounds[0] != made.rounds[1]  # the examples change what the model says
    assert made.held.decided + tune <= 100 and made.validation.extractors[0].name == "llm"
    assert (tmp_path / "rounds.svg").is_file()
