"""MedGemma (2025, 2026): a general medical model asked for the findings of a frontal film; Gemma 3 with 4 billion parameters.

It was not taught to write one section in one style, so its reports are wordier than a radiologist's, and scores of overlap are low for
style. The instruction is ours. Version 1.5 may think silently first; the thought is no part of the report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators.catalogue import Options, System
from generators.weights import Weights
from harness.types import Json, Section

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from generators.chat_models.vision_language import ChatEncoder, Recipe, VisionLanguage

INSTRUCTION = "Write the findings section of the radiology report of this chest X-ray study, in plain sentences, without headings or lists."
LONGEST = 1024
THINKS, THOUGHT = "<unused94>", "<unused95>"
"""The tokens round a silent thought in the tokenizers of MedGemma."""


@dataclass(frozen=True, slots=True)
class GemmaChat:
    """The encoder of Gemma 3's prompts: the stock processor, its parts named, so that it needs no torchvision."""

    processor: Any

    def __call__(self, recipe: Recipe, films: Sequence[Image]) -> Mapping[str, Tensor]:
        """Ids, pixels, and which ids are pictures."""
        from generators.chat_models.vision_language import messages

        made = self.processor.apply_chat_template(
            messages(recipe, films), add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
        )
        return dict(made)


def encoder(folder: Path, settings: Json, tokenizer: Any) -> ChatEncoder:
    """The encoder with the release's own template and picture settings."""
    from transformers import Gemma3ImageProcessorPil, Gemma3Processor

    from generators.chat_models.vision_language import template

    pictures = Gemma3ImageProcessorPil.from_pretrained(folder, local_files_only=True)
    length = int(settings.get("mm_tokens_per_image", 256))
    return GemmaChat(Gemma3Processor(pictures, tokenizer, chat_template=template(folder, tokenizer), image_seq_length=length))


def make(options: Options) -> VisionLanguage:
    """MedGemma of either version, loaded strictly."""
    from transformers import Gemma3ForConditionalGeneration

    from generators.chat_models import vision_language

    name = options.system.name
    ours = vision_language.Recipe(INSTRUCTION, films_first=False, longest=LONGEST, thinks=THINKS, thought=THOUGHT)
    recipe = vision_language.chosen(ours, options, name)
    return vision_language.make(name, "gemma3", Gemma3ForConditionalGeneration, encoder, recipe, options)


def _system(name: str, repository: str, summary: str, paper: str) -> System:
    source = f"https://huggingface.co/{repository}, after accepting its terms there"
    return System(
        name=name,
        make="generators.chat_models.medgemma:make",
        summary=summary,
        writes=Section.FINDINGS,
        needs=frozenset({"frontal"}),
        weights=(Weights("model", "the whole folder", "8.6 GB", "Health AI Developer Foundations terms", source, repository),),
        memory="18 GB in float32, 9.5 GB in bfloat16",
        random_weights="generators.chat_models.tiny:medgemma",
        paper=paper,
        licence="Health AI Developer Foundations terms",
        settings={
            "lateral": "no (default) or yes: show the lateral film after the frontal one, where a study has one",
            "longest": f"new tokens at most, a silent thought included (default: {LONGEST})",
            "prompt": "another instruction than ours; the digest changes with it",
        },
    )


SYSTEMS = (
    _system(
        "medgemma",
        "google/medgemma-4b-it",
        "MedGemma 4B: a general medical model asked for findings",
        "Sellergren et al. 2025, arXiv:2507.05201",
    ),
    _system(
        "medgemma-1.5",
        "google/medgemma-1.5-4b-it",
        "MedGemma 1.5 4B: its successor, better at chest films",
        "Sellergren et al. 2026, arXiv:2604.05081",
    ),
)
