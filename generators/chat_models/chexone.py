"""CheXOne (2026): the findings of a study, after reasoning aloud or at once; Qwen2.5-VL with 3 billion parameters.

The prompt is put together here, from the stock tokenizer, the stock picture processor and the release's own chat template, because the
stock processor that joins the three also wants a video processor, and that one needs torchvision. What its model needs beside ids and
pixels is which ids are a picture: without `mm_token_type_ids` today's transformers loses the rows and columns of a film, silently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators.catalogue import Options, System
from generators.weights import Weights
from harness.errors import UsageError
from harness.types import Json, Section

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from generators.chat_models.vision_language import ChatEncoder, Recipe, VisionLanguage

# The instruction that the model was trained with, and the sentence that turns its reasoning on; the doubled braces are as published.
# README.md of https://github.com/YBZh/CheXOne at 0dc4347, Apache-2.0.
INSTRUCTION = "Write an example findings section for the CXR."
REASONING = " Please reason step by step, and put your final answer within \\boxed{{}}."
PIXELS = 512 * 512
"""The largest number of pixels of a film, as in training."""
LONGEST = 1024
"""New tokens, as in its published example."""
MODES = ("reasoning", "instruct")
PICTURE = "<|image_pad|>"


@dataclass(frozen=True, slots=True)
class QwenChat:
    """The encoder of Qwen2.5-VL's prompts."""

    tokenizer: Any
    processor: Any
    template: str
    picture: int
    """Id of the token that each patch of a film takes the place of."""

    def __call__(self, recipe: Recipe, films: Sequence[Image]) -> Mapping[str, Tensor]:
        """Ids, pixels, the films' grids, and which ids are pictures."""
        import torch

        from generators.chat_models.vision_language import messages

        asked = self.tokenizer.apply_chat_template(
            messages(recipe, films), chat_template=self.template, tokenize=False, add_generation_prompt=True
        )
        seen = self.processor(images=list(films), return_tensors="pt")
        places = (seen["image_grid_thw"].prod(-1) // self.processor.merge_size**2).tolist()
        before, *between = asked.split(PICTURE)
        if len(between) != len(films):
            raise AssertionError("the chat template shows another number of films")
        asked = before + "".join(PICTURE * count + text for count, text in zip(places, between, strict=True))
        ids = torch.tensor([self.tokenizer(asked, add_special_tokens=False)["input_ids"]])
        kinds = (ids == self.picture).long()
        return {**seen, "input_ids": ids, "attention_mask": torch.ones_like(ids), "mm_token_type_ids": kinds}


def encoder(folder: Path, settings: Json, tokenizer: Any) -> ChatEncoder:
    """The encoder with the release's own template and picture settings, but films of at most 512 x 512 pixels."""
    from transformers import Qwen2VLImageProcessorPil

    from generators.chat_models.vision_language import template

    processor = Qwen2VLImageProcessorPil.from_pretrained(folder, local_files_only=True, max_pixels=PIXELS)
    return QwenChat(tokenizer, processor, template(folder, tokenizer), int(settings["image_token_id"]))


def make(options: Options) -> VisionLanguage:
    """Load the system.

    Raises:
        InputError: A file is not what was released.
        UsageError: A setting has no such value.
    """
    from transformers import Qwen2_5_VLForConditionalGeneration

    from generators.chat_models import vision_language

    mode = options.settings.get("mode", "reasoning")
    if mode not in MODES:
        raise UsageError(f"chexone: mode is {' or '.join(MODES)}, not {mode!r}")
    reasons = mode == "reasoning"
    published = vision_language.Recipe(INSTRUCTION + (REASONING if reasons else ""), lateral=True, longest=LONGEST, boxed=reasons)
    recipe = vision_language.chosen(published, options, "chexone")
    return vision_language.make("chexone", "qwen2_5_vl", Qwen2_5_VLForConditionalGeneration, encoder, recipe, options)


SYSTEM = System(
    name="chexone",
    make="generators.chat_models.chexone:make",
    summary="CheXOne: Qwen2.5-VL 3B taught to read chest films, with or without reasoning aloud",
    writes=Section.FINDINGS,
    needs=frozenset({"frontal", "lateral"}),
    weights=(
        Weights(
            "model",
            "the whole folder",
            "7.5 GB",
            "CC-BY-NC-4.0",
            "https://huggingface.co/StanfordAIMI/CheXOne",
            "StanfordAIMI/CheXOne",
        ),
    ),
    memory="16 GB in float32, 8.5 GB in bfloat16",
    random_weights="generators.chat_models.tiny:chexone",
    random_settings={"mode": "instruct"},
    paper="Zhang et al. 2026, https://github.com/YBZh/CheXOne",
    licence="weights CC-BY-NC-4.0, code Apache-2.0",
    settings={
        "mode": "reasoning (default): thinks aloud, the report is what it boxes; instruct: writes at once, several times faster",
        "lateral": "yes (default) or no: show the lateral film after the frontal one, where a study has one",
        "longest": f"new tokens at most, reasoning included (default: {LONGEST})",
        "prompt": "another instruction than the published one; the digest changes with it",
    },
)
