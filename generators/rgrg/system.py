"""RGRG (Tanida et al., CVPR 2023): finds 29 anatomical regions in a frontal film and writes a sentence for each that deserves one.

Upstream: https://github.com/ttanida/rgrg at 9520b6d. Differences from the published script, all others being copied with their quirks:

- Sentences are separated by a rule instead of spaCy's transformer model (`generators.rgrg.text.split`).
- Near copies are dropped only where the weights of DistilBERT are given; else only exact copies are.
- The detector computes in float32, the language model in the precision asked for; the script runs both under float16 autocast.
- A film in which no region is selected gets an empty report; the script stops with an error there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from generators.blocks.answering import answer
from generators.catalogue import Options, System
from generators.weights import Weights
from harness.errors import InputError, Problem, UsageError
from harness.types import Generated, Section, StudyInput

if TYPE_CHECKING:
    from torch import Tensor

    from generators.rgrg.detector import Detector
    from generators.rgrg.language import LanguageModel
    from generators.rgrg.layout import RGRGShape
    from generators.rgrg.text import Alike, Vocabulary

VERSION = 1
SIDE = 512
MEAN, DEVIATION = (0.471,), (0.302,)
"""Mean and standard deviation of grey levels from 0 to 1."""

SYSTEM = System(
    name="rgrg",
    make="generators.rgrg.system:load",
    summary="regions of a frontal film, a sentence each (Tanida et al., CVPR 2023)",
    writes=Section.FINDINGS,
    weights=(
        Weights(
            "checkpoint",
            "the full model, full_model_checkpoint_val_loss_19.793_overall_steps_155252.pt",
            "about 5 GB with the optimizer's state",
            "MIT",
            "the link under 'Model checkpoint' in the README of https://github.com/ttanida/rgrg",
        ),
        Weights(
            "vocabulary",
            "vocab.json of the language model",
            "1 MB",
            "as its Hub page says",
            "https://huggingface.co/healx/gpt-2-pubmed-medium",
            "healx/gpt-2-pubmed-medium",
        ),
        Weights(
            "distilbert",
            "for dropping near copies of sentences, as published",
            "0.27 GB",
            "Apache-2.0",
            "https://huggingface.co/distilbert/distilbert-base-uncased",
            "distilbert/distilbert-base-uncased",
            optional=True,
        ),
    ),
    random_weights="generators.rgrg.tiny:write",
    paper="https://openaccess.thecvf.com/content/CVPR2023/html/"
    "Tanida_Interactive_and_Explainable_Region-Guided_Radiology_Report_Generation_CVPR_2023_paper.html",
    licence="MIT (code and weights)",
    memory="4 GB",
    seconds=7.1,
    settings={"size": "released (default), or tiny for weights of generators.tiny"},
)


def load(options: Options) -> Rgrg:
    """Read and check the weights.

    Raises:
        InputError: Tensors are missing, unexpected or of another shape (all are named), or the vocabulary is another model's.
    """
    from generators.rgrg import layout
    from generators.rgrg.detector import Detector
    from generators.rgrg.language import LanguageModel, decoding
    from generators.rgrg.text import read_vocabulary
    from harness.networks import checkpoints
    from harness.signature import digest

    path = options.weights["checkpoint"]
    tensors = layout.renamed(checkpoints.read(path))
    shape = _shape(options.settings.get("size", "released"))
    checkpoints.check(tensors, shape.layout(), str(path))
    tensors = layout.used(tensors)
    vocabulary = read_vocabulary(options.weights["vocabulary"], shape.words)
    alike, near = _alike(options)
    marks = [SYSTEM.name, VERSION, checkpoints.tensors_digest(tensors), vocabulary.digest, near, repr(decoding(shape)), options.precision]
    return Rgrg(
        digest(marks),
        Detector(tensors, shape, options.device),
        {name: tensor.to(options.device) for name, tensor in tensors.items() if name.startswith(layout.SELECTION)},
        LanguageModel(tensors, shape, options.device, options.precision),
        vocabulary,
        alike,
        options.device,
    )


def _shape(size: str) -> RGRGShape:
    from generators.rgrg.layout import SIZES

    if size not in SIZES:
        raise UsageError(f"there is no size {size!r} of rgrg; there are {', '.join(SIZES)}")
    return SIZES[size]


def _alike(options: Options) -> tuple[Alike | None, str]:
    """What tells near copies, with its digest."""
    if "distilbert" not in options.weights:
        return None, ""
    from generators.rgrg.similarity import load as load_alike

    return load_alike(options.weights["distilbert"], options.device)


@dataclass(frozen=True, slots=True)
class Rgrg:
    """The loaded system."""

    digest: str
    detector: Detector = field(repr=False)
    selection: dict[str, Tensor] = field(repr=False)
    language: LanguageModel = field(repr=False)
    vocabulary: Vocabulary = field(repr=False)
    alike: Alike | None = field(repr=False)
    device: str
    name: str = SYSTEM.name
    needs: frozenset[str] = SYSTEM.needs
    writes: Section = SYSTEM.writes
    exact_batches: bool = False
    """The regions of one film are a batch already; several films in one convolution change last digits, which can turn a beam."""

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        """One report a study; a film that cannot be read is a failure of its own."""
        return answer(studies, lambda study: (_prepared(study), ()), lambda films: [self.report(film) for film in films])

    def report(self, film: Tensor) -> str:
        """The report of one prepared film; empty where no region is both detected and selected."""
        from generators.rgrg.language import selected
        from generators.rgrg.text import report

        regions = self.detector(film.to(self.device))
        chosen = regions.detected & selected(regions.features, self.selection)
        if not chosen.any():
            return ""
        return report([self.vocabulary.text(ids) for ids in self.language.write(regions.features[chosen])], self.alike)


def _prepared(study: StudyInput) -> Tensor:
    if study.frontal is None:
        raise InputError(Problem("no frontal film", "Leave the study out of the cohort", study=study.id))
    return prepared(study.frontal)


def prepared(film: Path) -> Tensor:
    """A film as the published script prepares it: long side 512, black borders, normalised; shape (1, 1, 512, 512)."""
    import torch

    from generators.blocks.preprocess import fitted, normalised, padded
    from harness.films import read

    return torch.from_numpy(normalised(padded(fitted(read(film), SIDE), SIDE), MEAN, DEVIATION))[None]
