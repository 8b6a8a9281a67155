"""CheXOne and MedGemma with random weights in the released layouts, held against the stock classes used directly."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from generators import tiny
from generators.adapters.hub_model import Hub, HubRequest
from generators.blocks.answer_text import UnreadError, after_thought, boxed
from generators.catalogue import Options, find, make
from generators.chat_models import chexone, medgemma
from generators.chat_models.vision_language import VisionLanguage
from generators.running.batching import fit
from harness.cohorts import save
from harness.cohorts.synthetic.cohort import build
from harness.errors import InputError, UnavailableError, UsageError
from harness.networks.checkpoints import read, write_safetensors
from harness.types import Generated, Section, StudyInput
from ranscore.commands import main

MAKERS: dict[str, Callable[[Options], VisionLanguage]] = {"chexone": chexone.make, "medgemma": medgemma.make}
LONGEST = 24


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One folder a system, as `python -m generators.tiny` writes it."""
    folders = {name: tmp_path_factory.mktemp(name) for name in MAKERS}
    for name, folder in folders.items():
        assert tiny.main([name, str(folder)]) == 0
    return {name: folder / "model" for name, folder in folders.items()}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small and a large film of noise."""
    folder = tmp_path_factory.mktemp("films")
    paths = folder / "frontal.png", folder / "lateral.png"
    for number, (path, shape) in enumerate(zip(paths, ((300, 240), (900, 760)), strict=True)):
        Image.fromarray(np.random.RandomState(number).randint(0, 255, shape, np.uint8)).save(path)
    return paths


def loaded(name: str, folder: Path, **settings: str) -> VisionLanguage:
    return MAKERS[name](Options({"model": folder}, settings={"longest": str(LONGEST), **settings}, entry=find(name)))


def directly(name: str, folder: Path, text: str, pictures: Sequence[Any], penalty: float, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The stock classes as their own documentation uses them: processor, model, `generate`."""
    from transformers import (
        AutoTokenizer,
        Gemma3ForConditionalGeneration,
        Gemma3ImageProcessorPil,
        Gemma3Processor,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessorPil,
    )

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    shown, asked = [{"type": "image", "image": picture} for picture in pictures], [{"type": "text", "text": text}]
    processor: Any
    model: Any
    if name == "chexone":
        # The one part that needs torchvision is for videos, and is left out.
        monkeypatch.setattr(Qwen2_5_VLProcessor, "check_argument_for_proper_class", lambda *_: None)
        pixels = Qwen2VLImageProcessorPil.from_pretrained(folder, max_pixels=512 * 512)
        chat = json.loads((folder / "chat_template.json").read_text())["chat_template"]
        stock: Any = Qwen2_5_VLProcessor
        processor = stock(pixels, tokenizer, None, chat_template=chat)
        model, content = Qwen2_5_VLForConditionalGeneration.from_pretrained(folder), shown + asked
    else:
        chat = (folder / "chat_template.jinja").read_text()
        processor = Gemma3Processor(Gemma3ImageProcessorPil.from_pretrained(folder), tokenizer, chat_template=chat, image_seq_length=4)
        model, content = Gemma3ForConditionalGeneration.from_pretrained(folder), asked + shown
    given: Any = processor.apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    ends = json.loads((folder / "generation_config.json").read_text())["eos_token_id"]
    # Written out, so that the ids do not depend on `generate`: the whole prompt again for each token.
    made: list[int] = []
    start = given["input_ids"].shape[1]
    with torch.no_grad():
        while len(made) < LONGEST and not (made and made[-1] in ends):
            scores = model(**given).logits[0, -1].float()
            seen = torch.unique(given["input_ids"][0])
            scores[seen] = torch.where(scores[seen] < 0, scores[seen] * penalty, scores[seen] / penalty)
            made.append(int(scores.argmax()))
            given["input_ids"] = torch.cat([given["input_ids"], torch.tensor([[made[-1]]])], 1)
            for key in {"attention_mask", "mm_token_type_ids", "token_type_ids"} & set(given):
                more = torch.tensor([[int(key == "attention_mask")]])
                given[key] = torch.cat([given[key], more], 1)
    assert given["input_ids"].shape[1] == start + len(made)
    return made


@pytest.mark.parametrize(
    ("name", "count", "penalty"), [("chexone", 1, 1.05), ("chexone", 2, 1.05), ("medgemma", 1, 1.0), ("medgemma", 2, 1.0)]
)
def test_the_same_ids_as_by_the_stock_classes(
    released: dict[str, Path], films: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, name: str, count: int, penalty: float
) -> None:
    system = loaded(name, released[name], lateral="yes", **({"mode": "instruct"} if name == "chexone" else {}))
    study = StudyInput("s", frontal=films[0], lateral=films[1] if count == 2 else None)
    pictures = [Image.open(path).convert("RGB") for path in films[:count]]
    ids = system.write(system.films(study))
    assert ids == directly(name, released[name], system.recipe.instruction, pictures, penalty, monkeypatch)
    assert len(set(ids)) > 2
    (made,) = system.generate([study])
    assert made.report and not made.failure
    assert made.substituted == (() if count == 2 else ("lateral: left out",))


def test_the_film_decides_what_is_written(released: dict[str, Path], films: tuple[Path, Path]) -> None:
    for name, folder in released.items():
        system = loaded(name, folder, lateral="no", **({"mode": "instruct"} if name == "chexone" else {}))
        assert len({tuple(system.write(system.films(StudyInput("s", frontal=film)))) for film in films}) == 2, name


def test_the_layout_of_a_qwen_prompt(released: dict[str, Path], films: tuple[Path, Path]) -> None:
    """Against the layout in Qwen2.5-VL's documentation, put together from ids."""
    system = loaded("chexone", released["chexone"])
    words = system.tokenizer
    given = system.encode(system.recipe, system.films(StudyInput("s", frontal=films[0], lateral=films[1])))

    def ids(text: str) -> list[int]:
        found: list[int] = words(text, add_special_tokens=False)["input_ids"]
        return found

    def special(token: str) -> int:
        number = words.get_vocab()[token]
        assert isinstance(number, int)
        return number

    begin, end = special("<|im_start|>"), special("<|im_end|>")
    expected = [begin, *ids("system\nYou are a helpful assistant."), end, *ids("\n"), begin, *ids("user\n")]
    # 300 x 240 becomes 308 x 252, 11 x 9 places of 28 x 28; 900 x 760 is shrunk below 512 x 512 pixels, to 532 x 448: 19 x 16.
    for places in (11 * 9, 19 * 16):
        expected += [special("<|vision_start|>"), *[special("<|image_pad|>")] * places, special("<|vision_end|>")]
    expected += ids(
        "Write an example findings section for the CXR. Please reason step by step, and put your final answer within \\boxed{{}}."
    )
    expected += [end, *ids("\n"), begin, *ids("assistant\n")]
    found = given["input_ids"][0].tolist()
    assert found == expected
    assert given["mm_token_type_ids"][0].tolist() == [int(number == special("<|image_pad|>")) for number in found]


def test_the_layout_of_a_gemma_prompt(released: dict[str, Path], films: tuple[Path, Path]) -> None:
    """Against the layout in Gemma 3's documentation: one begin of text, the film after the instruction."""
    system = loaded("medgemma", released["medgemma"])
    words = system.tokenizer
    found = system.encode(system.recipe, system.films(StudyInput("s", frontal=films[0])))["input_ids"][0].tolist()
    film = f"\n\n<start_of_image>{'<image_soft_token>' * 4}<end_of_image>\n\n"
    text = f"<bos><start_of_turn>user\n{system.recipe.instruction}{film}<end_of_turn>\n<start_of_turn>model\n"
    assert found == words(text, add_special_tokens=False)["input_ids"]
    assert words("x")["input_ids"][0] == words.bos_token_id, "the tokenizer adds one by itself, as the released one does"
    assert found.count(words.bos_token_id) == 1
    assert found.count(words.get_vocab()["<image_soft_token>"]) == 4


def test_the_door_to_any_model_says_the_begin_of_a_text_once(released: dict[str, Path], films: tuple[Path, Path]) -> None:
    """Rendering the template and reading it again would add a second one."""
    door = make(find("transformers"), Options(settings={"model": str(released["medgemma"]), "longest": str(LONGEST)}))
    assert isinstance(door, Hub)
    prompt = "Write the findings."
    pictures = (Image.open(films[0]).convert("RGB"),)
    given = door.inputs(HubRequest(prompt, pictures))
    own = loaded("medgemma", released["medgemma"], prompt=prompt)
    expected = own.encode(replace(own.recipe, films_first=True), pictures)
    assert given["input_ids"].tolist() == expected["input_ids"].tolist()
    assert torch.equal(given["pixel_values"], expected["pixel_values"])


def test_missing_unexpected_and_misshapen_tensors_are_named(released: dict[str, Path], tmp_path: Path) -> None:
    for name, folder in released.items():
        copy = tmp_path / name
        shutil.copytree(folder, copy)
        path = sorted(copy.glob("model-*.safetensors"))[0]
        tensors = read(path)
        first, second = [key for key in tensors if "mlp" in key and "weight" in key][:2]
        gone = tensors.pop(first)
        tensors |= {"something.else": gone, second: torch.zeros(3, 3)}
        write_safetensors(tensors, path)
        with pytest.raises(InputError) as caught:
            loaded(name, copy)
        message = str(caught.value)
        assert "1 missing tensors" in message
        assert "1 unexpected tensors: something.else" in message
        assert "is [3, 3], not" in message


def test_a_folder_that_is_not_whole_or_of_another_kind_is_refused(released: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it is a model of kind 'gemma3', not 'qwen2_5_vl'"):
        loaded("chexone", released["medgemma"])
    lost = ("config.json", "model-00001-of-00002.safetensors", "tokenizer.json", "preprocessor_config.json", "generation_config.json")
    bare = tmp_path / "bare"
    shutil.copytree(released["medgemma"], bare)
    (bare / "preprocessor_config.json").unlink()
    with pytest.raises(UnavailableError, match=r"preprocessor_config\.json: a part of the release is not here"):
        loaded("medgemma", bare)
    for name in (*lost, "chat_template.json"):
        copy = tmp_path / name
        shutil.copytree(released["chexone"], copy)
        (copy / name).unlink()
        with pytest.raises(UnavailableError, match=r"a part of the release is not here" if name in lost else "no chat template"):
            loaded("chexone", copy)
    (copy / "tokenizer.json").write_text("{}")
    with pytest.raises(InputError, match="its tokenizer or its picture settings cannot be read"):
        loaded("chexone", copy)
    copy = tmp_path / "cut"
    shutil.copytree(released["chexone"], copy)
    (copy / "model-00001-of-00002.safetensors").write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(InputError, match=r"model-00001-of-00002\.safetensors: it is not a safetensors file, or it is cut off"):
        loaded("chexone", copy)


def test_weights_with_a_value_that_is_no_number_are_refused(released: dict[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "nan"
    shutil.copytree(released["chexone"], copy)
    shard = copy / "model-00001-of-00002.safetensors"
    held = read(shard)
    name = next(name for name, tensor in held.items() if tensor.dim() == 2)
    held[name] = held[name].clone()
    held[name][0, 0] = float("nan")
    write_safetensors(held, shard)
    with pytest.raises(InputError, match="tensors hold NaN or infinity: model"):
        loaded("chexone", copy)


@pytest.mark.parametrize("name", ["chexone", "medgemma"])
@pytest.mark.parametrize(
    ("part", "size", "value", "message"),
    [
        ("text_config", "num_hidden_layers", 10**9, "num_hidden_layers is 1,000,000,000"),
        ("text_config", "hidden_size", 2**40, "hidden_size is 1,099,511,627,776"),
        ("text_config", "hidden_size", 65536, "files beside it hold"),
        ("text_config", "vocab_size", 2**31 - 1, "files beside it hold"),
        ("text_config", "intermediate_size", 10**8, "files beside it hold"),
        ("vision_config", "intermediate_size", 10**8, "files beside it hold"),
        ("vision_config", "num_hidden_layers depth", 100, "files beside it hold"),
        ("", "num_labels", 10**12, "num_labels is 1,000,000,000,000"),
    ],
)
def test_a_configuration_larger_than_its_weights_is_refused_before_anything_is_allocated(
    released: dict[str, Path], tmp_path: Path, name: str, part: str, size: str, value: int, message: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(released[name], folder)
    settings = json.loads((folder / "config.json").read_text())
    inner = settings[part] if part else settings
    inner |= dict.fromkeys(size.split(), value)
    (folder / "config.json").write_text(json.dumps(settings))
    with limited_memory(), pytest.raises(InputError, match=message):
        loaded(name, folder)


@contextmanager
def limited_memory(more: int = 2_000_000_000) -> Iterator[None]:
    """This process gets so many bytes more and no further, so that what is allocated all the same ends the test and not the machine."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_code_and_pickles_of_a_release_are_never_run(released: dict[str, Path], tmp_path: Path, films: tuple[Path, Path]) -> None:
    copy, ran = tmp_path / "model", tmp_path / "ran"
    shutil.copytree(released["chexone"], copy)
    (copy / "evil.py").write_text(f"open({str(ran)!r}, 'w')\n")
    for file, kinds in (("config.json", ("AutoConfig", "AutoModel")), ("tokenizer_config.json", ("AutoTokenizer",))):
        found = json.loads((copy / file).read_text())
        (copy / file).write_text(json.dumps(found | {"auto_map": dict.fromkeys(kinds, "evil.Evil")}))
    # A list where the tokenizer expects one.
    found = json.loads((copy / "tokenizer_config.json").read_text())
    (copy / "tokenizer_config.json").write_text(json.dumps(found | {"auto_map": {"AutoTokenizer": ["evil.Evil", None]}}))
    (made,) = loaded("chexone", copy, mode="instruct").generate([StudyInput("s", frontal=films[0])])
    assert made.report
    assert not ran.exists()
    only_pickle = tmp_path / "pickle"
    shutil.copytree(released["chexone"], only_pickle)
    for path in only_pickle.glob("model*"):
        path.unlink()
    torch.save({}, only_pickle / "pytorch_model.bin")
    with pytest.raises(UnavailableError, match=r"model\.safetensors: a part of the release is not here"):
        loaded("chexone", only_pickle)


def test_reasoning_leaves_a_report_only_in_its_last_box() -> None:
    assert boxed("so \\boxed{a} but \\boxed{Heart size {normal}. {x{y}}} end") == "Heart size {normal}. {x{y}}"
    assert boxed("\\boxed{}") == ""
    for text, why in (
        ("no answer", "has no"),
        ("\\boxed{first} then \\boxed{cut {off}", "not closed"),
        ("", "has no"),
        ("\\boxed", "has no"),
    ):
        with pytest.raises(UnreadError, match=why):
            boxed(text)


def test_an_unfinished_answer_is_a_failure_that_quotes_nothing(released: dict[str, Path], films: tuple[Path, Path]) -> None:
    (made,) = loaded("chexone", released["chexone"]).generate([StudyInput("s", frontal=films[0])])
    assert made.report == ""
    assert made.failure == "its answer has no \\boxed{}"


def test_a_silent_thought_is_no_part_of_the_report(released: dict[str, Path]) -> None:
    assert after_thought([1, 94, 2, 95, 3, 4], 94, 95) == [3, 4]
    assert after_thought([1, 2], 94, 95) == after_thought([1, 2], None, None) == [1, 2]
    with pytest.raises(UnreadError, match="still thinking"):
        after_thought([94, 1, 95, 2, 94, 3], 94, 95)
    system = loaded("medgemma", released["medgemma"])
    ids = system.tokenizer("<unused94>small effusion<unused95>lungs clear<end_of_turn>", add_special_tokens=False)["input_ids"]
    assert system.read(ids) == "lungs clear"


def test_odd_output_becomes_text_that_a_reports_file_holds(released: dict[str, Path]) -> None:
    for name, end in (("chexone", "<|im_end|>"), ("medgemma", "<end_of_turn>")):
        system = loaded(name, released[name], **({"mode": "instruct"} if name == "chexone" else {}))
        ids = system.tokenizer(f"lungs\x00\x07 clear{end}", add_special_tokens=False)["input_ids"]
        assert fit(Generated("s", system.read(ids))) == Generated("s", "lungs clear")
        assert system.read([]) == system.read(system.tokenizer(end, add_special_tokens=False)["input_ids"]) == ""


def test_a_missing_or_damaged_film_is_one_study_s_failure(released: dict[str, Path], films: tuple[Path, Path], tmp_path: Path) -> None:
    system = loaded("medgemma", released["medgemma"])
    (tmp_path / "film.png").write_bytes(b"\x89PNG\r\n")
    studies = [StudyInput("a"), StudyInput("b", frontal=tmp_path / "film.png"), StudyInput("c", frontal=films[0])]
    made = system.generate(studies)
    assert [bool(item.failure) for item in made] == [True, True, False]
    assert made[2] == system.generate(studies[2:])[0]


def test_what_can_change_a_report_changes_the_digest(released: dict[str, Path], tmp_path: Path) -> None:
    def digest(folder: Path, **settings: str) -> str:
        return loaded("chexone", folder, **settings).digest

    first = digest(released["chexone"])
    copy = tmp_path / "model"
    shutil.copytree(released["chexone"], copy)
    (copy / "README.md").write_text("read me")
    assert digest(copy) == first
    others = [
        digest(copy, **{key: value}) for key, value in (("mode", "instruct"), ("lateral", "no"), ("longest", "25"), ("prompt", "Say."))
    ]
    path = copy / "generation_config.json"
    path.write_text(path.read_text().replace("1.05", "1.1"))
    assert len({first, digest(copy), *others}) == 6


def test_settings_are_checked(released: dict[str, Path]) -> None:
    for key, value in (("mode", "fast"), ("lateral", "maybe"), ("longest", "0"), ("longest", "many")):
        with pytest.raises(UsageError, match=f"chexone: {key} is"):
            loaded("chexone", released["chexone"], **{key: value})
    with pytest.raises(UnavailableError, match=r"chexone needs model.*7.5 GB, CC-BY-NC-4.0.*StanfordAIMI/CheXOne"):
        make(find("chexone"), Options())


def test_from_film_to_score(released: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohort = build(studies=3, seed=1, images=tmp_path / "films")
    save(cohort, tmp_path / "cohort")
    for name, options in (("chexone", ["--set", "mode=instruct"]), ("medgemma-1.5", [])):
        out = tmp_path / f"{name}.jsonl"
        weights = f"model={released[name.partition('-')[0]]}"
        command = ["generate", name, "--cohort", str(tmp_path / "cohort"), "-o", str(out), "--weights", weights, "--device", "cpu"]
        assert main([*command, "--set", f"longest={LONGEST}", *options]) == 0
        assert f"3 reports by {name}" in capsys.readouterr().out
        assert main(["score", str(out), "--cohort", str(tmp_path / "cohort"), "--metrics", "ran-score", "--json"]) == 0
        assert '"ran-score"' in capsys.readouterr().out
    assert MAKERS["chexone"](Options({"model": released["chexone"]})).writes is Section.FINDINGS
