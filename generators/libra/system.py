"""Libra (Zhang et al., Findings of ACL 2025): compares a frontal film with an earlier one and writes the findings.

Upstream: https://github.com/X-iZhang/Libra at 0d6c56a, Apache-2.0. Its quirks are part of the published numbers and are copied:

- Two films always: without an earlier one the film is given twice.
- Films are padded to a square with the encoder's mean as grey, though training padded with black.
- The 3B model's text begins twice, its last header is in capitals, and nothing follows it, though training had it otherwise.
- The rule that no three ids occur twice counts the prompt's ids, among them the -200 that stands for the film.

Differences: one study at a time (the published batches mask the film's neighbours wrongly); the whole runs in the precision asked for
(published: float16). The order and the labels of the clinical context are ours, as the release shows one example only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators.catalogue import Options, System
from generators.weights import RAD_DINO, Weights
from harness.errors import InputError, Problem
from harness.types import Generated, Json, Section, StudyInput

if TYPE_CHECKING:
    from torch import Tensor

    from generators.blocks.dino import DinoTower
    from generators.blocks.language import Words
    from generators.libra.aligner import Aligner

VERSION = 1
FILM = -200
"""Stands for the film among the prompt's ids."""
NO_REPEAT = 3

# The three constants are from libra/conversation.py and README.md of the repository above, Apache-2.0: the weights answer only to them.
TASK = "Provide a detailed description of the findings in the radiology image."
COMPARING = "The assistant specialized in comparing Chest X-ray images, identifying differences, and noting temporal changes."
ASSISTING = (
    "You are a helpful language and vision assistant. You are able to understand the visual content that the user provides, "
    "and assist the user with a variety of tasks using natural language."
)


@dataclass(frozen=True, slots=True)
class Template:
    """The text before and after the film and the query, and the token that begins a text."""

    before: str
    after: str
    bos: str


TEMPLATES = {
    "libra-3b": Template(
        f"<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n{ASSISTING}{COMPARING}<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\n",
        "<|eot_id|>\n<|start_header_id|>ASSISTANT<|end_header_id|>",
        "<|begin_of_text|>",
    ),
    "libra-7b": Template(f"{COMPARING} USER: ", " ASSISTANT:", "<s>"),
}


def _system(name: str, size: str, base: str, memory: str, licence: str) -> System:
    repository = f"X-iZhang/libra-v1.0-{name[-2:]}"
    weights = Weights("model", "the whole released folder", size, licence, f"https://huggingface.co/{repository}", repository)
    return System(
        name=name,
        make="generators.libra.system:load",
        summary=f"a frontal film beside an earlier one, with {base} (Zhang et al., 2025)",
        writes=Section.FINDINGS,
        needs=frozenset({"frontal", "prior_frontal", "indication", "history", "comparison"}),
        weights=(weights, RAD_DINO),
        memory=memory,
        random_weights=f"generators.libra.tiny:libra_{name[-2:]}",
        paper="https://arxiv.org/abs/2411.19378, https://github.com/X-iZhang/Libra",
        licence=f"code Apache-2.0, weights: {licence}",
        settings={"beams": "beams of the search (default: 10, as published)", "longest": "tokens at most (default: 1024)"},
    )


SYSTEMS = (
    _system("libra-3b", "7 GB", "Llama-3.2-3B", "about 8 GB in float16, 15 GB in float32", "Llama 3.2 Community Licence"),
    _system("libra-7b", "14 GB", "Meditron-7B", "about 16 GB in float16, 30 GB in float32", "Llama 2 Community Licence"),
)
ENTRIES = {system.name: system for system in SYSTEMS}


def load(options: Options) -> Libra:
    """Read and check both folders.

    Raises:
        InputError: A file is missing or of another model, or tensors are missing, unexpected or of another shape; all are named.
    """
    from generators.blocks import dino
    from generators.blocks.hub_folder import ends, settings, tensors
    from generators.blocks.language import DTYPES, llama
    from harness.networks.checkpoints import tensors_digest
    from harness.signature import digest

    folder, dtype = options.weights["model"], DTYPES[options.precision]
    config = settings(folder, "config.json")
    _expect(config, folder)
    beams, longest = options.number("beams", 10), options.number("longest", 1024)
    tower = dino.load(options.weights["rad-dino"], options.device, dtype)
    # Copies of the encoder that some releases hold beside the rest were never read: it is frozen, its own folder counts.
    found = {key: value for key, value in tensors(folder).items() if not key.startswith("model.vision_tower.")}
    name = options.system.name
    words, marked = _words(folder, TEMPLATES[name])
    marks = [name, VERSION, tensors_digest(found), tower.digest, marked, repr(TEMPLATES[name]), beams, longest, options.precision]
    aligner = _aligner(config, tower, found, folder, dtype, options.device)
    rest = {key: value for key, value in found.items() if not key.startswith(PROJECTOR)}
    return Libra(
        name,
        digest(marks),
        tower,
        aligner,
        llama(config, rest, str(folder), dtype, options.device),
        words,
        ends(folder, config),
        beams,
        longest,
        config.get("image_aspect_ratio") == "pad",
    )


PROJECTOR = "model.mm_projector."


def _expect(config: Json, folder: Path) -> None:
    """The released layout, and none of the repository's other models."""
    expected = {
        "mm_projector_type": ("TAC",),
        "mm_vision_select_layer": ("all",),
        "mm_vision_select_feature": ("patch", None),
        "mm_use_im_start_end": (False, None),
    }
    wrong = [
        Problem(f"{name} is {config.get(name)!r}, not {values[0]!r}", "Give the folder of Libra-1.0", str(folder / "config.json"))
        for name, values in expected.items()
        if config.get(name) not in values
    ]
    if wrong:
        raise InputError(wrong)


def _words(folder: Path, template: Template) -> tuple[Words, str]:
    """The tokenizer, and the digest of its file."""
    from generators.blocks.hub_folder import settings
    from generators.blocks.language import Merges, Pieces

    path = folder / "tokenizer.model"
    if path.is_file() and template.bos == "<s>":
        return Pieces(path), sha256(path.read_bytes()).hexdigest()
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise InputError(Problem("the folder holds no tokenizer", "Give the whole released folder", str(folder)))
    clean = bool(settings(folder, "tokenizer_config.json").get("clean_up_tokenization_spaces", False))
    return Merges(path, template.bos, clean), sha256(path.read_bytes()).hexdigest()


def _aligner(config: Json, tower: DinoTower, found: dict[str, Tensor], folder: Path, dtype: Any, device: str) -> Aligner:
    from generators.blocks.hub_folder import built
    from generators.libra.aligner import Aligner

    own = {key.removeprefix(PROJECTOR): value for key, value in found.items() if key.startswith(PROJECTOR)}
    sizes = (tower.shape.layers, tower.shape.width, config["hidden_size"], config["num_attention_heads"])
    made: Aligner = built(lambda: Aligner(*sizes), own, f"{folder} ({PROJECTOR}*)", dtype, device)
    return made


@dataclass(frozen=True, slots=True)
class Libra:
    """The loaded system."""

    name: str
    digest: str
    tower: DinoTower = field(repr=False)
    aligner: Aligner = field(repr=False)
    model: Any = field(repr=False)
    words: Words = field(repr=False)
    ends: tuple[int, ...]
    beams: int
    longest: int
    padding: bool
    """Whether films are made square."""
    exact_batches: bool = False

    @property
    def needs(self) -> frozenset[str]:
        """See `Generator`."""
        return ENTRIES[self.name].needs

    @property
    def writes(self) -> Section:
        """See `Generator`."""
        return Section.FINDINGS

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        """One report a study."""
        return [self._answer(study) if study.frontal else Generated(study.id, failure="no frontal film") for study in studies]

    def _answer(self, study: StudyInput) -> Generated:
        assert study.frontal is not None
        ids = self.continued(self.prompt(study), self.seen(study.frontal, study.prior_frontal or study.frontal))
        missing = () if study.prior_frontal else ("prior_frontal: frontal film repeated",)
        return Generated(study.id, self.words.text(ids).strip(), substituted=missing)

    def prompt(self, study: StudyInput) -> list[int]:
        """The ids of template, query and film (`FILM`)."""
        template = TEMPLATES[self.name]
        start = [self.words.bos, *self.words.ids(template.before)]
        return [*start, FILM, *self.words.ids("\n" + query(study) + template.after)]

    def seen(self, film: Path, prior: Path) -> Tensor:
        """The films as the language model sees them, shape (1, patches, width)."""
        import torch

        with torch.inference_mode():
            now = self.tower.layers(self._prepared(film))
            made: Tensor = self.aligner(now, now if prior == film else self.tower.layers(self._prepared(prior)))
        return made

    def _prepared(self, film: Path) -> Tensor:
        from generators.blocks.dino import squared
        from harness.films import read_rgb

        picture = read_rgb(film)
        return self.tower.prepare(squared(picture, self.tower.prepare.ground) if self.padding else picture)

    def embeddings(self, prompt: Sequence[int], seen: Tensor) -> Tensor:
        """Prompt and films in one row, shape (1, length, width)."""
        import torch

        from generators.blocks.language import embedded

        place = list(prompt).index(FILM)
        with torch.inference_mode():
            return torch.cat([embedded(self.model, prompt[:place]), seen, embedded(self.model, prompt[place + 1 :])], 1)

    def continued(self, prompt: Sequence[int], seen: Tensor) -> list[int]:
        """The ids of the report, by transformers' own beam search: the published runs used 4.51, which searches as today's does."""
        import torch
        from transformers import LogitsProcessorList

        from generators.blocks.decoding import repeats

        def no_repeats(ids: Tensor, scores: Tensor) -> Tensor:
            for row, known in enumerate(ids.tolist()):
                scores[row, repeats([*prompt, *known], NO_REPEAT)] = -torch.inf
            return scores

        start = self.embeddings(prompt, seen)
        made = self.model.generate(
            inputs_embeds=start,
            attention_mask=torch.ones(start.shape[:2], dtype=torch.long, device=start.device),
            do_sample=False,
            num_beams=self.beams,
            **({"length_penalty": 2.0} if self.beams > 1 else {}),
            max_new_tokens=self.longest,
            logits_processor=LogitsProcessorList([no_repeats] if self.beams > 1 else []),
            eos_token_id=list(self.ends),
            pad_token_id=self.ends[0],
        )
        ids: list[int] = made[0].tolist()
        ended = [place for place, token in enumerate(ids) if token in self.ends]
        return ids[: ended[0]] if ended else ids


def query(study: StudyInput) -> str:
    """The task, and what is known of the patient on one line."""
    known = {"Indication": study.indication, "History": study.history, "Comparison": study.comparison}
    told = [f"{name}: {' '.join(text.split())}" for name, text in known.items() if text.strip()]
    sentences = " ".join(text if text.endswith(".") else text + "." for text in told)
    return f"{TASK} Following clinical context: {sentences}" if told else TASK
