"""Models of the Hub that read pictures and a question in one prompt, through the stock classes of transformers.

Nothing is downloaded and no code of a release is run: tensors are read from safetensors alone, classes are named here or looked up in
the library, and every missing, unexpected or misshapen tensor stops the loading. A study is asked alone, greedily, with the end
tokens and the repetition penalty of the release's own `generation_config.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from generators.blocks.answer_text import UnreadError, after_thought, boxed, unmarked
from generators.blocks.config_sizes import plausible
from generators.blocks.stock_model import load
from generators.catalogue import Options
from harness.errors import InputError, Problem, UnavailableError, UsageError
from harness.films import read_rgb
from harness.networks import containers
from harness.signature import digest
from harness.storage.files import sha256
from harness.types import Generated, Json, Section, StudyInput

if TYPE_CHECKING:
    from PIL.Image import Image

VERSION = 1
READ = (".safetensors", ".json", ".jinja", ".model", ".txt")
"""Endings of the files of a release that can change a report."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a system asks its model; all of it is part of the system's digest."""

    instruction: str
    system: str = ""
    """The system message; empty for that of the release's own template."""
    lateral: bool = False
    """Whether the lateral film is shown too, where a study has one."""
    films_first: bool = True
    """Whether the films come before the instruction."""
    longest: int = 1024
    """New tokens at most; where a model does not end by itself its text is cut there."""
    boxed: bool = False
    """Whether the report is the content of the last \\boxed{} of an answer."""
    thought: str = ""
    """The token that ends a silent thought; the report is what follows the last one."""
    thinks: str = ""
    """The token that begins a thought; a thought that was not ended leaves no report."""


class ChatEncoder(Protocol):
    """A chat prompt with films, as the inputs of one model's stock class."""

    def __call__(self, recipe: Recipe, films: Sequence[Image]) -> Mapping[str, Tensor]:
        """Inputs of one study; `input_ids` have shape (1, length)."""
        ...


@dataclass(frozen=True, slots=True)
class VisionLanguage:
    """A loaded model with its way of being asked."""

    name: str
    model: Any = field(repr=False)
    tokenizer: Any = field(repr=False)
    encode: ChatEncoder = field(repr=False)
    recipe: Recipe
    digest: str
    writes: Section = Section.FINDINGS
    exact_batches: bool = False

    @property
    def needs(self) -> frozenset[str]:
        """The frontal film, and the lateral where it is asked for."""
        return frozenset({"frontal", "lateral"} if self.recipe.lateral else {"frontal"})

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        """Write one report a study, one study at a time."""
        return [self._one(study) for study in studies]

    def _one(self, study: StudyInput) -> Generated:
        lacking = ("lateral: left out",) if self.recipe.lateral and study.lateral is None else ()
        try:
            return Generated(study.id, self.read(self.write(self.films(study))), substituted=lacking)
        except InputError as error:
            return Generated(study.id, failure=error.problems[0].what)
        except UnreadError as error:
            return Generated(study.id, failure=str(error))

    def films(self, study: StudyInput) -> list[Image]:
        """The study's films in the order in which the model sees them.

        Raises:
            InputError: It has no frontal film, or one cannot be read.
        """
        if study.frontal is None:
            raise InputError("the study has no frontal film")
        paths = [study.frontal, study.lateral if self.recipe.lateral else None]
        return [read_rgb(path) for path in paths if path is not None]

    @torch.inference_mode()
    def write(self, films: Sequence[Image]) -> list[int]:
        """The new token ids, end token included."""
        given = {
            name: tensor.to(self.model.device, self.model.dtype if tensor.is_floating_point() else None)
            for name, tensor in self.encode(self.recipe, films).items()
        }
        made = self.model.generate(**given)
        return [int(number) for number in made[0, given["input_ids"].shape[1] :]]

    def read(self, ids: Sequence[int]) -> str:
        """The report in what the model wrote.

        Raises:
            UnreadError: It never came to the report.
        """
        text = self.tokenizer.decode(
            after_thought(ids, self._id(self.recipe.thinks), self._id(self.recipe.thought)), skip_special_tokens=True
        )
        return unmarked(boxed(text) if self.recipe.boxed else text).strip()

    def _id(self, token: str) -> int | None:
        """The id of a token; None where the release does not have it."""
        found: int | None = self.tokenizer.get_vocab().get(token)
        return found


SETTINGS = {
    "prompt": "what the model is asked instead of its usual instruction; the digest changes with it",
    "longest": "new tokens at most, thoughts included",
}
"""What every system of this kind lets a user set, beside `lateral`, whose default differs."""


def chosen(recipe: Recipe, options: Options, system: str) -> Recipe:
    """A recipe with the user's settings.

    Raises:
        UsageError: One has no such value.
    """
    lateral = options.settings.get("lateral", "yes" if recipe.lateral else "no")
    longest = options.settings.get("longest", str(recipe.longest))
    if lateral not in ("yes", "no"):
        raise UsageError(f"{system}: lateral is yes or no, not {lateral!r}")
    if not longest.isascii() or not longest.isdecimal() or not int(longest):
        raise UsageError(f"{system}: longest is a number of tokens, not {longest!r}")
    return replace(recipe, lateral=lateral == "yes", longest=int(longest), instruction=options.settings.get("prompt", recipe.instruction))


def config(folder: Path, kind: str) -> Json:
    """A release's `config.json`, found to be of one kind of model.

    Raises:
        InputError: It is no JSON object, of another kind, or has sizes that no released model has.
    """
    path = folder / "config.json"
    try:
        found = containers.json_object(path)
        named = found["model_type"]
    except (containers.DamagedError, KeyError):
        raise InputError(Problem("it does not say what kind of model it is", "Download it again", str(path))) from None
    plausible(found, str(path))
    if named != kind:
        raise InputError(Problem(f"it is a model of kind {named!r}, not {kind!r}", "Give the folder of this system", str(path)))
    return dict(found)


def complete(folder: Path) -> None:
    """A release's files are here; for some of them transformers would make up a stand-in without a word.

    Raises:
        UnavailableError: Names every file that is missing, shards that the index names included.
        InputError: The index cannot be read.
    """
    index = folder / "model.safetensors.index.json"
    weights = ["model.safetensors"]
    if index.is_file() and not (folder / weights[0]).is_file():
        try:
            weights = sorted({Path(name).name for name in containers.json_object(index)["weight_map"].values()})
        except (containers.DamagedError, KeyError, AttributeError, TypeError):
            raise InputError(Problem("it is not an index of weights", "Download it again", str(index))) from None
    needed = ["config.json", "generation_config.json", "tokenizer.json", *weights]
    joined = folder / "processor_config.json"
    # Newer releases put the picture settings into the processor's file, older ones have that file beside their own.
    if not joined.is_file() or '"image_processor"' not in joined.read_text(encoding="utf-8", errors="replace"):
        needed.append("preprocessor_config.json")
    if lacking := [name for name in needed if not (folder / name).is_file()]:
        raise UnavailableError([Problem("a part of the release is not here", "Download it", str(folder / name)) for name in lacking])


def template(folder: Path, tokenizer: Any) -> str:
    """The release's chat template, which is in one of three places.

    Raises:
        UnavailableError: It is in none of them.
    """
    if (path := folder / "chat_template.jinja").is_file():
        return path.read_text(encoding="utf-8")
    if (path := folder / "chat_template.json").is_file():
        return str(json.loads(path.read_text(encoding="utf-8"))["chat_template"])
    if isinstance(tokenizer.chat_template, str):
        return tokenizer.chat_template
    raise UnavailableError(Problem("the folder has no chat template", "Give the whole folder as released", str(folder)))


def messages(recipe: Recipe, films: Sequence[Any]) -> list[Json]:
    """The conversation that a chat template renders, films inside it."""
    shown: list[Json] = [{"type": "image", "image": film} for film in films]
    asked: list[Json] = [{"type": "text", "text": recipe.instruction}]
    said: list[Json] = [{"role": "system", "content": [{"type": "text", "text": recipe.system}]}] if recipe.system else []
    return [*said, {"role": "user", "content": shown + asked if recipe.films_first else asked + shown}]


def system_digest(name: str, folder: Path, recipe: Recipe, options: Options) -> str:
    """Over every file of a release that can change a report, the recipe and the precision."""
    files = {path.name: sha256(path) for path in sorted(folder.iterdir()) if path.suffix in READ and path.is_file()}
    return digest([name, VERSION, files, asdict(recipe), options.precision])


def make(
    name: str, kind: str, stock: Any, encoder: Callable[[Path, Json, Any], ChatEncoder], recipe: Recipe, options: Options
) -> VisionLanguage:
    """Load a system from the folder `model`.

    Args:
        kind: What `config.json` must name.
        stock: The class of transformers.
        encoder: Makes the encoder from folder, configuration and tokenizer.

    Raises:
        UnavailableError: A part of the release is not here.
        InputError: A part of it is not what was released.
    """
    from transformers import AutoTokenizer

    folder = options.weights["model"]
    complete(folder)
    settings = config(folder, kind)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        encode = encoder(folder, settings, tokenizer)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"its tokenizer or its picture settings cannot be read ({type(error).__name__})"
        raise InputError(Problem(what, "Give the whole folder as released", str(folder))) from None
    model = load(stock, folder, options, recipe.longest)
    return VisionLanguage(name, model, tokenizer, encode, recipe, system_digest(name, folder, recipe, options))
