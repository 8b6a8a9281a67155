"""LLM-RG4 (Wang et al., AAAI 2025): reads what a study has - lateral film, prior report, indication - and writes the sections asked for.

Upstream: https://github.com/zh-Wang-Med/LLM-RG4 at 04b2315, without a licence: its mathematics is written out here, its prompts are read
from the user's clone. Its quirks are part of the published numbers and are copied:

- What is absent (lateral film, prior report) is zeros; a prior report is padded to 100 ids, and the padding takes part.
- Of the words before the film only the first 50 ids are kept: a long indication loses its end, and the mark before the film with it.
- A second begin of text is between prompt and report; the repetition penalty looks at the report's ids alone.
- A film that is neither AP nor PA is asked for findings alone.

Differences: one study at a time without padding, which the published library computes alike; white space of the indication becomes
single spaces; the low-rank parts are merged into the language model; begin tokens within a report are left out of its text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators.catalogue import Options, System
from generators.llm_rg4.prompt import Frame, chosen, read
from generators.weights import RAD_DINO, Weights
from harness.types import Generated, Section, StudyInput

if TYPE_CHECKING:
    from torch import Tensor

    from generators.blocks.dino import DinoTower
    from generators.blocks.language import Pieces
    from generators.llm_rg4.fusion import Fusion
    from generators.llm_rg4.report import PriorReportReader

VERSION = 1
BEFORE = 50
"""Ids that are kept of the text before the film."""
END = 2

CODE = Weights(
    "code",
    "a clone of its repository, from which the prompts are read and nothing is run",
    "10 MB",
    "none: all rights reserved",
    "https://github.com/zh-Wang-Med/LLM-RG4",
)
VICUNA = Weights(
    "vicuna",
    "Vicuna-7B-v1.5 (the whole folder)",
    "13.5 GB",
    "Llama 2 Community Licence",
    "https://huggingface.co/lmsys/vicuna-7b-v1.5",
    "lmsys/vicuna-7b-v1.5",
)
CXR_BERT = Weights(
    "cxr-bert",
    "CXR-BERT specialised, which reads the prior report (the whole folder)",
    "0.44 GB",
    "MIT",
    "https://huggingface.co/microsoft/BiomedVLP-CXR-BERT-specialized",
    "microsoft/BiomedVLP-CXR-BERT-specialized",
)


def _system(name: str, section: Section, what: str) -> System:
    source = f"the link to the {what} in the README of https://github.com/zh-Wang-Med/LLM-RG4"
    return System(
        name=name,
        make="generators.llm_rg4.system:load",
        summary=f"flexible inputs, {what} (Wang et al., AAAI 2025)",
        writes=section,
        needs=frozenset({"frontal", "view", "lateral", "prior_report", "indication", "history"}),
        weights=(Weights("model", f"the trained part, {what}", "0.4 GB", "none stated", source), CODE, VICUNA, RAD_DINO, CXR_BERT),
        memory="about 16 GB in bfloat16, 30 GB in float32",
        random_weights="generators.llm_rg4.tiny:write",
        random_settings={"shortest": "10"},
        paper="https://arxiv.org/abs/2412.12001, https://github.com/zh-Wang-Med/LLM-RG4",
        licence="none stated, for code and weights",
        settings={"shortest": "tokens at least (default: 50, as published)", "longest": "tokens at most (default: 200, as published)"},
    )


SYSTEMS = (
    _system("llm-rg4", Section.BOTH, "model of findings and impression (MIMIC-RG4)"),
    _system("llm-rg4-findings", Section.FINDINGS, "model of findings (MIMIC-CXR)"),
)
ENTRIES = {system.writes: system for system in SYSTEMS}


def load(options: Options) -> LlmRg4:
    """Read and check everything.

    Raises:
        InputError: A file is missing or of another model, or tensors are missing, unexpected or of another shape; all are named.
    """
    import torch

    from generators.blocks import dino
    from generators.blocks.hub_folder import built, needed, settings, tensors
    from generators.blocks.language import DTYPES, Pieces, llama
    from generators.llm_rg4 import report as llm_rg4_report
    from generators.llm_rg4.fusion import Fusion, low_rank, measured, merged
    from harness.networks.checkpoints import check, tensors_digest
    from harness.networks.checkpoints import read as read_tensors
    from harness.signature import digest

    path, vicuna, dtype = options.weights["model"], options.weights["vicuna"], DTYPES[options.precision]
    shortest, longest = options.number("shortest", 50, 0), options.number("longest", 200, 0)
    frames = read(options.weights["code"])
    config = settings(vicuna, "config.json")
    layers = int(needed(config, "num_hidden_layers", vicuna))
    found = read_tensors(path)
    sizes = measured(found)
    with torch.device("meta"):
        layout = {name: tuple(tensor.shape) for name, tensor in Fusion(sizes).state_dict().items()}
    ranks = [tensor.shape[0] for name, tensor in found.items() if ".lora_A." in name]
    check(found, {**layout, **low_rank(layers, sizes.wide, ranks[0] if ranks else 32)}, str(path))
    language = tensors(vicuna)
    tower = dino.load(options.weights["rad-dino"], options.device, torch.float32)
    reader = llm_rg4_report.load(options.weights["cxr-bert"], options.device)
    words = vicuna / "tokenizer.model"
    pieces = Pieces(words)
    section = options.system.writes
    marks = [section.value, VERSION, tensors_digest(found), tensors_digest(language), tower.digest, reader.digest]
    marks += [sha256(words.read_bytes()).hexdigest(), repr(sorted(frames.items())), shortest, longest, options.precision]
    return LlmRg4(
        digest(marks),
        section,
        tower,
        reader,
        built(lambda: Fusion(sizes), {name: found[name] for name in layout}, str(path), torch.float32, options.device),
        llama(config, merged(language, found, layers, dtype), str(vicuna), dtype, options.device),
        pieces,
        frames,
        shortest,
        longest,
    )


@dataclass(frozen=True, slots=True)
class LlmRg4:
    """The loaded system."""

    digest: str
    writes: Section
    tower: DinoTower = field(repr=False)
    reader: PriorReportReader = field(repr=False)
    fusion: Fusion = field(repr=False)
    model: Any = field(repr=False)
    words: Pieces = field(repr=False)
    frames: Mapping[str, Frame] = field(repr=False)
    shortest: int
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
        ids = self.continued(self.embeddings(study))
        return Generated(study.id, self.words.text(ids).strip(), substituted=tuple(self._missing(study)))

    def _missing(self, study: StudyInput) -> list[str]:
        notes = [] if study.lateral else ["lateral: zeros"]
        notes += [] if study.prior_report.strip() else ["prior_report: zeros"]
        return notes + ([] if chosen(self.frames, study.view, self.writes)[1] else ["view: the prompt without a view, for findings"])

    def fused(self, study: StudyInput) -> Tensor:
        """What the language model sees of films and prior report, shape (1, queries, wide)."""
        import torch

        assert study.frontal is not None
        with torch.inference_mode():
            lateral = self._patches(study.lateral) if study.lateral else None
            report = self.reader(study.prior_report) if study.prior_report.strip() else None
            made: Tensor = self.fusion(self._patches(study.frontal), lateral, report)
        return made

    def _patches(self, film: Path) -> Tensor:
        from harness.films import read_rgb

        return self.tower.last(self.tower.prepare(read_rgb(film)))

    def prompt(self, study: StudyInput) -> tuple[list[int], list[int]]:
        """The ids before and after the film's vectors, each with its begin of text."""
        before, after = chosen(self.frames, study.view, self.writes)[0].filled(known(study))
        return [self.words.bos, *self.words.ids(before)[:BEFORE]], [*self.words.ids(after), self.words.bos]

    def embeddings(self, study: StudyInput) -> Tensor:
        """Prompt and vectors in one row, shape (1, length, wide)."""
        import torch

        from generators.blocks.language import embedded

        before, after = self.prompt(study)
        with torch.inference_mode():
            return torch.cat([embedded(self.model, before), self.fused(study).to(self.model.dtype), embedded(self.model, after)], 1)

    def continued(self, start: Tensor) -> list[int]:
        """The ids of the report, by the beam search of the library of the time (transformers 4.41)."""
        import torch

        from generators.blocks.decoding import Decoding, Era, beam_search
        from generators.blocks.language import Continuation

        rules = Decoding(self.longest, (END,), beams=3, era=Era.V4_41, shortest=self.shortest, length_penalty=2.0, repetition_penalty=2.0)
        none = torch.empty(1, 0, dtype=torch.long, device=start.device)
        return beam_search(Continuation(self.model, start), none, rules)[0]


def known(study: StudyInput) -> str:
    """Indication and history under their names, on one line; empty where neither is known."""
    told = {"INDICATION": study.indication, "HISTORY": study.history}
    return " ".join(f"{name}: {' '.join(text.split())}" for name, text in told.items() if text.strip())
