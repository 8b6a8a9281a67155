"""CXRMate-2 (Nicolson et al. 2026): findings and impression from a study's films, the study before, and the words of the request.

Upstream: https://github.com/aehrc/cxrmate-2 at 01a29ee, Apache-2.0, whose code the Hub holds beside the weights; it is not run here. Its
quirks are part of the published numbers and are copied:

- The layers that read a film's patches are given no positions, and see the patches of one film at a time.
- Every id also says what it is part of and how recent that is; positions follow age, and the prompt sees itself in both directions.
- The token between findings and impression belongs to the findings.

Differences: one study at a time. The frontal and the lateral film of a study are shown (the release shows all up to five and draws
among more). When the earlier study was is not known here, which the release has a token for: its CheXpert Plus studies have no times either.
White space of the given texts becomes single spaces, as in the release's preparation, and special tokens within them are taken out.
Where the model never parts findings from impression, what it wrote is taken as findings; the release would drop it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from generators.catalogue import Options, System
from generators.cxrmate2.prompt import NOW, TEXTS, PromptRow, missing, prompt
from generators.weights import Weights
from harness.errors import InputError
from harness.types import Generated, Section, StudyInput

if TYPE_CHECKING:
    from torch import Tensor

    from generators.blocks.dino import DinoTower
    from generators.blocks.language import Words
    from generators.cxrmate2.model import Ages, PatchReader, Writing

VERSION = 1
LONGEST = 320
KINDS = ("image", "prior_image", "findings", "impression", *TEXTS)
PARTS = ("vision_tower.", "multi_modal_projector.", "time_delta_encoder.", "language_model.")
"""Beginnings of the names of the released tensors."""

MODEL = Weights(
    "model",
    "the whole released folder",
    "13.5 GB",
    "Apache-2.0 by its repository, with the Llama 3.2 Community Licence of its base",
    "https://huggingface.co/aehrc/cxrmate-2",
    "aehrc/cxrmate-2",
)


def _system(name: str, section: Section, what: str) -> System:
    return System(
        name=name,
        make="generators.cxrmate2.system:load",
        summary=f"{what} from the films, the study before and the request, with Llama 3.2 3B (Nicolson et al., 2026)",
        writes=section,
        needs=frozenset({"frontal", "lateral", "view", "prior_frontal", "prior_lateral", "prior_view", *TEXTS}),
        weights=(MODEL,),
        memory="about 15 GB in float32, 8 GB in bfloat16",
        random_weights="generators.cxrmate2.tiny:write",
        paper="https://arxiv.org/abs/2604.18967, https://github.com/aehrc/cxrmate-2",
        licence="Apache-2.0; its language model: Llama 3.2 Community Licence",
        settings={"longest": f"new tokens at most, both sections together (default: {LONGEST}, as published)"},
    )


SYSTEMS = (
    _system("cxrmate-2", Section.BOTH, "findings and impression"),
    _system("cxrmate-2-findings", Section.FINDINGS, "findings"),
)
ENTRIES = {system.writes: system for system in SYSTEMS}


def load(options: Options) -> CxrMate2:
    """Read and check the folder.

    Raises:
        InputError: A file is missing or of another model, or tensors are missing, unexpected or of another shape; all are named.
    """
    from generators.blocks import dino
    from generators.blocks.hub_folder import built, ends, gathered, needed, parted, settings, tensors
    from generators.blocks.language import DTYPES, Merges, llama
    from generators.cxrmate2 import release
    from generators.cxrmate2.model import Ages
    from harness.networks.checkpoints import tensors_digest
    from harness.signature import digest

    longest = options.number("longest", LONGEST)
    folder, device, dtype = options.weights["model"], options.device, DTYPES[options.precision]
    config, shown, named = (settings(folder, name) for name in ("config.json", "processor_config.json", "tokenizer_config.json"))
    release.expect(config, shown, folder)
    found = tensors(folder)
    own = parted(found, PARTS)
    text, inner = needed(config, "text_config", folder), int(config.get("time_delta_encoder_intermediate_size", 2048))
    tower, reader, ages, model = gathered(
        lambda: dino.tower(own[PARTS[0]], needed(config, "vision_config", folder), folder, device, dtype, PARTS[0]),
        lambda: built(release.reader(config, own[PARTS[1]]), own[PARTS[1]], f"{folder} ({PARTS[1]}*)", dtype, device),
        lambda: built(lambda: Ages(inner, text["hidden_size"]), own[PARTS[2]], f"{folder} ({PARTS[2]}*)", dtype, device),
        lambda: llama(text, own[PARTS[3]], f"{folder} ({PARTS[3]}*)", dtype, device),
    )
    written = folder / "tokenizer.json"
    words = Merges(written, "<|begin_of_text|>", bool(named.get("clean_up_tokenization_spaces", False)))
    kinds = {kind: release.single(words, shown["token_type_to_token"].get(kind), written) for kind in KINDS}
    films = bool(shown.get("mimic_cxr_normalisation", True))
    section = options.system.writes
    marks = ["cxrmate-2", VERSION, section.value, tensors_digest(found), repr(tower.prepare), repr(sorted(config.items())), films]
    return CxrMate2(
        digest([*marks, sorted(kinds.items()), sha256(written.read_bytes()).hexdigest(), str(longest), options.precision]),
        section,
        tower,
        reader,
        ages,
        model,
        words,
        kinds,
        {name: int(needed(config, name, folder)) for name in ("image_token_index", "missing_time_delta_token_id", "sep_token_id")},
        films,
        ends(folder, config),
        longest,
    )


@dataclass(frozen=True, slots=True)
class CxrMate2:
    """The loaded system."""

    digest: str
    writes: Section
    tower: DinoTower = field(repr=False)
    reader: PatchReader = field(repr=False)
    ages: Ages = field(repr=False)
    model: Any = field(repr=False)
    words: Words = field(repr=False)
    kinds: Mapping[str, int] = field(repr=False)
    named: Mapping[str, int] = field(repr=False)
    """Ids that config.json names."""
    equalising: bool
    """Whether films are stretched and their grey levels made equally frequent, as the release's processor says."""
    ends: tuple[int, ...]
    longest: int
    exact_batches: bool = False

    @property
    def name(self) -> str:
        """See `Generator`."""
        return ENTRIES[self.writes].name

    @property
    def needs(self) -> frozenset[str]:
        """See `Generator`."""
        return ENTRIES[self.writes].needs

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        """One report a study."""
        return [self._answer(study) if study.frontal else Generated(study.id, failure="no frontal film") for study in studies]

    def _answer(self, study: StudyInput) -> Generated:
        try:
            ids = self.continued(self.prompt(study))
        except InputError as error:
            return Generated(study.id, failure=error.problems[0].what)
        findings, impression, parted = self.split(ids)
        notes = missing(study) + ([] if parted else ["impression: never begun, all taken as findings"])
        parts = (findings, impression) if self.writes is Section.BOTH else (findings,)
        return Generated(study.id, "\n".join(part for part in parts if part), substituted=tuple(notes))

    def split(self, ids: Sequence[int]) -> tuple[str, str, bool]:
        """Findings, impression, and whether the model parted them."""
        parting = self.named["sep_token_id"]
        place = ids.index(parting) if parting in ids else len(ids)
        return self.words.text(ids[:place]).strip(), self.words.text(ids[place + 1 :]).strip(), place < len(ids)

    def prompt(self, study: StudyInput) -> PromptRow:
        """The row of ids, with kinds and ages."""
        return prompt(study, self.words, self.kinds, self.named["image_token_index"], len(self.reader.queries))

    def seen(self, given: PromptRow) -> Tensor:
        """The films as the language model sees them, shape (films, queries, width).

        Raises:
            InputError: A film has one grey level alone.
        """
        import torch

        from generators.cxrmate2.release import prepared

        with torch.inference_mode():
            patches = [self.tower.last(self.tower.prepare(prepared(film, self.equalising))) for film in given.films]
            made: Tensor = self.reader(torch.cat(patches))
        return made

    def embeddings(self, given: PromptRow) -> Tensor:
        """Films and words with kinds and ages, shape (1, ids, width)."""
        import torch

        from generators.blocks.language import embedded

        with torch.inference_mode():
            seen = self.seen(given).flatten(0, 1)
            rows = torch.cat([seen, embedded(self.model, given.ids[len(seen) :])[0]])
            recent = torch.tensor(given.recent, device=rows.device, dtype=rows.dtype)
            ages = self.ages(recent.nan_to_num(NOW))
            ages[recent.isnan()] = embedded(self.model, [self.named["missing_time_delta_token_id"]])[0, 0]
            ages[-1] = 0  # the begin of the report has no age
            made: Tensor = (rows + embedded(self.model, given.kinds)[0] + ages)[None]
        return made

    def writing(self, given: PromptRow) -> Writing:
        """The steps of one report."""
        import torch

        from generators.cxrmate2.model import Writing

        start = self.embeddings(given)
        places = torch.tensor(given.places, device=start.device)
        return Writing(self.model, start, places, (self.kinds["findings"], self.kinds["impression"]), self.named["sep_token_id"])

    def continued(self, given: PromptRow) -> list[int]:
        """The ids of the report, the likeliest at each step."""
        import torch

        from generators.blocks.decoding import Decoding, greedy

        none = torch.empty(1, 0, dtype=torch.long, device=self.model.device)
        return greedy(self.writing(given), none, Decoding(self.longest, self.ends))[0]
