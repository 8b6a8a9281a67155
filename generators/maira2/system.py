"""MAIRA-2 (Bannur et al. 2024): findings from a frontal film, its lateral, the film and report before it, and the words of the request.

Upstream: the code that https://huggingface.co/microsoft/maira-2 holds beside its weights, under Microsoft's research licence. It is written
for transformers 4.48 to 4.51 and not run here: model and prompt are written out. Its quirks are part of the published numbers:

- Every film is first made grey and stretched to its own darkest and brightest level, cut to whole levels.
- The prompt speaks of the prior film even where none is shown; a prior report is left out with its film.
- What a study does not have is "N/A".

Differences: white space of the given texts becomes single spaces, and the mark of a film within them is taken out. Reports with boxes
(grounded) are not asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators.catalogue import Options, System
from generators.maira2.prompt import IMAGE, TASK, content, films, missing, stretched
from generators.weights import Weights
from harness.errors import InputError, Problem
from harness.types import Generated, Json, Section, StudyInput

if TYPE_CHECKING:
    from torch import Tensor

    from generators.blocks.dino import DinoTower
    from generators.blocks.language import Words

VERSION = 1
LONGEST = 300

SYSTEM = System(
    name="maira-2",
    make="generators.maira2.system:load",
    summary="frontal and lateral film, the study before and the request, with Vicuna 7B (Bannur et al., 2024)",
    writes=Section.FINDINGS,
    needs=frozenset({"frontal", "lateral", "prior_frontal", "prior_report", "indication", "technique", "comparison"}),
    weights=(
        Weights(
            "model",
            "the whole released folder",
            "27.5 GB",
            "Microsoft's research licence, to be accepted on its Hub page",
            "https://huggingface.co/microsoft/maira-2, after accepting its terms there",
            "microsoft/maira-2",
        ),
    ),
    memory="about 30 GB in float32, 16 GB in bfloat16",
    random_weights="generators.maira2.tiny:write",
    paper="https://arxiv.org/abs/2406.04449, https://huggingface.co/microsoft/maira-2",
    licence="Microsoft's research licence, for code and weights",
    settings={"longest": f"new tokens at most (default: {LONGEST}, as published)"},
)

PARTS = ("vision_tower.", "multi_modal_projector.", "language_model.")
"""Beginnings of the names of the released tensors."""


def load(options: Options) -> Maira2:
    """Read and check the folder.

    Raises:
        InputError: A file is missing or of another model, or tensors are missing, unexpected or of another shape; all are named.
    """
    from generators.blocks import dino
    from generators.blocks.hub_folder import ends, gathered, needed, parted, settings, tensors
    from generators.blocks.language import DTYPES, Merges, llama
    from harness.networks.checkpoints import tensors_digest
    from harness.signature import digest

    longest = options.number("longest", LONGEST)
    folder, dtype = options.weights["model"], DTYPES[options.precision]
    config, named = settings(folder, "config.json"), settings(folder, "tokenizer_config.json")
    _expect(config, folder)
    text, shown = needed(config, "text_config", folder), needed(config, "vision_config", folder)
    found = tensors(folder)
    own = parted(found, PARTS)
    tower, projector, model = gathered(
        lambda: dino.tower(own[PARTS[0]], shown, folder, options.device, dtype, PARTS[0]),
        lambda: _projector(config, own[PARTS[1]], folder, dtype, options.device),
        lambda: llama(text, own[PARTS[2]], f"{folder} ({PARTS[2]}*)", dtype, options.device),
    )
    frame = template(folder, named)
    written = folder / "tokenizer.json"
    words = Merges(written, _token(named, "bos_token") or "<s>", bool(named.get("clean_up_tokenization_spaces", False)))
    film = needed(config, "image_token_index", folder)
    if words.ids(IMAGE)[-1:] != [film]:
        raise InputError(Problem(f"its tokenizer does not know {IMAGE} as id {film}", "Give the released folder", str(written)))
    marks = [
        "maira-2",
        VERSION,
        tensors_digest(found),
        repr(tower.prepare),
        repr(sorted(config.items())),
        frame,
        str(longest),
        options.precision,
    ]
    return Maira2(
        digest([*marks, sha256(written.read_bytes()).hexdigest(), TASK]),
        tower,
        projector,
        model,
        words,
        frame,
        {name: _token(named, name) for name in ("bos_token", "eos_token", "unk_token", "pad_token")},
        film,
        ends(folder, {"eos_token_id": config.get("eos_token_id") or text.get("eos_token_id", 2)}),
        longest,
    )


def _expect(config: Json, folder: Path) -> None:
    """The released layout: the encoder's last layer after its normalisation, without the class token."""
    vision = config.get("vision_config") or {}
    last = f"stage{vision.get('num_hidden_layers', 12)}"
    expected = [
        (config, "model_type", ("maira2",)),
        (config, "vision_feature_layer", (-1,)),
        (config, "vision_feature_select_strategy", ("default",)),
        (vision, "model_type", ("dinov2",)),
        (vision, "reshape_hidden_states", (False,)),
        (vision, "apply_layernorm", (True, None)),
        (vision, "out_features", ([last], None)),
    ]
    wrong = [
        Problem(f"{name} is {table.get(name)!r}, not {values[0]!r}", "Give the folder of MAIRA-2", str(folder / "config.json"))
        for table, name, values in expected
        if table.get(name) not in values
    ]
    if wrong:
        raise InputError(wrong)


def _token(named: Json, name: str) -> str:
    """A special token, which older files give as an object."""
    found = named.get(name) or ""
    return str(found["content"] if isinstance(found, dict) else found)


def _projector(config: Json, own: dict[str, Tensor], folder: Path, dtype: Any, device: str) -> Any:
    from torch import nn
    from transformers.activations import ACT2FN

    from generators.blocks.hub_folder import built

    seen, wide = config["vision_config"].get("hidden_size", 768), config["text_config"].get("hidden_size", 4096)

    def make() -> nn.ModuleDict:
        layers: list[nn.Module] = [nn.Linear(seen, wide)]
        for _ in range(int(config.get("projector_n_layers", 4)) - 1):
            layers += [ACT2FN[config.get("projector_hidden_act", "gelu")], nn.Linear(wide, wide)]
        return nn.ModuleDict({"layers": nn.Sequential(*layers)})

    return built(make, own, f"{folder} ({PARTS[1]}*)", dtype, device)["layers"]


def template(folder: Path, named: Json) -> str:
    """The release's chat template: the tokenizer's, as its code asks for.

    Raises:
        InputError: The folder holds none.
    """
    from generators.blocks.hub_folder import settings

    if (folder / "chat_template.jinja").is_file():
        return (folder / "chat_template.jinja").read_text(encoding="utf-8")
    found = named.get("chat_template")
    if not found and (folder / "chat_template.json").is_file():
        found = settings(folder, "chat_template.json").get("chat_template")
    if not isinstance(found, str):
        raise InputError(Problem("the folder has no chat template", "Give the whole released folder", str(folder)))
    return found


@dataclass(frozen=True, slots=True)
class Maira2:
    """The loaded system."""

    digest: str
    tower: DinoTower = field(repr=False)
    projector: Any = field(repr=False)
    model: Any = field(repr=False)
    words: Words = field(repr=False)
    frame: str = field(repr=False)
    """The chat template."""
    special: dict[str, Any] = field(repr=False)
    """The special tokens that a chat template may name."""
    film: int
    """Id of the token that stands for a film."""
    ends: tuple[int, ...]
    longest: int
    name: str = SYSTEM.name
    needs: frozenset[str] = SYSTEM.needs
    writes: Section = SYSTEM.writes
    exact_batches: bool = False

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        """One report a study."""
        return [self._answer(study) if study.frontal else Generated(study.id, failure="no frontal film") for study in studies]

    def _answer(self, study: StudyInput) -> Generated:
        ids = self.continued(self.embeddings(self.prompt(study), self.seen(study)))
        return Generated(study.id, self.words.text(ids).strip(), substituted=tuple(missing(study)))

    def prompt(self, study: StudyInput) -> list[int]:
        """The ids of the whole prompt, each film one id.

        Raises:
            InputError: The release's template cannot be filled in, or loses a film.
        """
        from jinja2 import TemplateError
        from transformers.utils.chat_template_utils import render_jinja_template

        said = [{"role": "user", "content": content(study)}]
        try:
            made = render_jinja_template([said], chat_template=self.frame, add_generation_prompt=True, **self.special)[0][0]
        except TemplateError:
            raise InputError(Problem("the release's chat template cannot be filled in", "Give the released folder")) from None
        ids = [self.words.bos, *self.words.ids(made)]
        if ids.count(self.film) != len(films(study)):
            raise InputError(Problem("the release's chat template loses films", "Give the released folder"))
        return ids

    def seen(self, study: StudyInput) -> list[Tensor]:
        """Each film as the language model sees it, shape (1, patches, width)."""
        import torch

        with torch.inference_mode():
            return [self.projector(self.tower.last(self.tower.prepare(stretched(film)))) for film in films(study)]

    def embeddings(self, prompt: Sequence[int], seen: Sequence[Tensor]) -> Tensor:
        """Prompt and films in one row, shape (1, length, width)."""
        import torch

        from generators.blocks.language import embedded

        parts, start, given = [], 0, iter(seen)
        with torch.inference_mode():
            for place in (place for place, token in enumerate(prompt) if token == self.film):
                parts += [embedded(self.model, prompt[start:place]), next(given)]
                start = place + 1
            return torch.cat([*parts, embedded(self.model, prompt[start:])], 1)

    def continued(self, start: Tensor) -> list[int]:
        """The ids of the report, the likeliest at each step."""
        import torch

        from generators.blocks.decoding import Decoding, greedy
        from generators.blocks.language import Continuation

        none = torch.empty(1, 0, dtype=torch.long, device=start.device)
        return greedy(Continuation(self.model, start), none, Decoding(self.longest, self.ends))[0]
