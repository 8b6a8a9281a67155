"""XrayGPT (2023): a prose summary from one film, through EVA-CLIP, a Q-Former and a Vicuna tuned on radiology.

The code is followed, not the paper: paper and README name MedCLIP, the code has EVA-CLIP ViT-g and BLIP-2's Q-Former. Repeated to the
letter: each piece of the prompt is tokenised alone; `###` ends a text; what the authors' test script takes out of a text is taken out,
line breaks without a blank in their place. Not repeated: drawing one of 15 instructions for each film (one is fixed and recorded),
and leaving the end mark in the text. The release has no licence file, so its prompt is read from the user's clone; without one, the
prompt is that of MiniGPT-4, which it was built from, with an instruction of our own, and each report's row says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from generators.blocks.answer_text import unmarked
from generators.blocks.answering import answer
from generators.blocks.preprocess import CLIP, Pixels, normalised
from generators.catalogue import Options, System
from generators.weights import Weights
from generators.xraygpt.prompt import OURS, ConversationPrompt, chosen
from harness.errors import InputError, UsageError
from harness.types import Generated, Section, StudyInput

if TYPE_CHECKING:
    from torch import Tensor

    from generators.blocks.decoding import Decoding
    from generators.blocks.llama import Llama
    from generators.xraygpt.vision import Vision

VERSION = 2
SIZE = 224
LONGEST = 300
"""New tokens."""
STOPS = ([835], [2277, 29937])
"""The two ways in which Vicuna's tokenizer spells `###`."""
TAKEN_OUT = ("<Img>", "Impression:", "\n", "#", "___")
DECODINGS = ("sample", "greedy")


@dataclass(frozen=True, slots=True)
class XrayGPT:
    """The loaded system."""

    vision: Vision = field(repr=False)
    llama: Llama = field(repr=False)
    prompt: ConversationPrompt
    decoding: Decoding
    sampled: bool
    seed: int
    digest: str
    name: str = "xraygpt"
    needs: frozenset[str] = frozenset({"frontal"})
    writes: Section = Section.BOTH
    exact_batches: bool = True

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        """Write a summary of each frontal film."""
        return answer(studies, self.prepare, self._write)

    def prepare(self, study: StudyInput) -> tuple[tuple[str, Pixels], tuple[str, ...]]:
        """A study's id, which seeds its draws, and its film."""
        if study.frontal is None:
            raise InputError("the study has no frontal film")
        stand_in = ("instruction: ours, the published one was not given",) if self.prompt == OURS else ()
        return (study.id, pixels(study.frontal)), stand_in

    def prompts(self, films: Tensor) -> Tensor:
        """What the language model reads, as embeddings.

        Args:
            films: See `Vision.look`.
        """
        from generators.blocks.llama import START

        before, after = self.prompt.sides
        return self.llama.prompts([START, *self.llama.pieces.ids(before)], films, self.llama.pieces.ids(after))

    def _write(self, batch: Sequence[tuple[str, Pixels]]) -> list[str]:
        import numpy as np
        import torch

        from generators.blocks.decoding import greedy, sample
        from generators.blocks.llama import END

        with torch.inference_mode():
            prompts = self.prompts(self.vision.look(torch.from_numpy(np.stack([film for _, film in batch]))))
            step, starts = self.llama.step(prompts), self.llama.starts(prompts)
            if self.sampled:
                seeds = [crc32(f"{self.seed}|{study}".encode()) for study, _ in batch]
                made = sample(step, starts, self.decoding, seeds, ends)
            else:
                made = greedy(step, starts, self.decoding, ends)
        # With the end token that ended it: where <unk> went before, the old tokenizer puts a blank for it.
        return [text(self.llama.pieces.marked([*ids, END] if len(ids) < LONGEST and not ends(ids) else ids)) for ids in made]


def ends(ids: Sequence[int]) -> bool:
    """Whether a text has come to `###`."""
    return any(list(ids[-len(stop) :]) == stop for stop in STOPS)


def text(written: str) -> str:
    """A summary as the authors' test script cuts it out of what was written."""
    kept = written.split("###")[0].split("Doctor:")[-1].strip()
    for mark in TAKEN_OUT:
        kept = kept.replace(mark, "")
    return unmarked(kept)


def pixels(path: Path) -> Pixels:
    """A film as `blip2_image_eval` makes it: squeezed into a square, bicubic, CLIP's mean and deviation."""
    from PIL.Image import Resampling

    from harness.films import read_rgb, resized

    return normalised(resized(read_rgb(path), (SIZE, SIZE), Resampling.BICUBIC), *CLIP)


def make(options: Options) -> XrayGPT:
    """Load the system; the film's part runs in float32, the language model in the precision asked for.

    Raises:
        InputError: A file is not what was released; every missing, unexpected and misshapen tensor is named.
        UnavailableError: The film's networks are not here.
        UsageError: A setting has no such value.
    """
    from generators.blocks import llama
    from generators.blocks.decoding import Decoding
    from generators.xraygpt.vision import load
    from harness.signature import digest

    way = options.settings.get("decoding", DECODINGS[0])
    if way not in DECODINGS:
        raise UsageError(f"xraygpt: decoding is {' or '.join(DECODINGS)}, not {way!r}")
    prompt = chosen(options.settings, options.weights.get("clone"))
    language = llama.load(options.weights["vicuna"], options.device, options.precision)
    vision = load(options.weights, language.width, options.device)
    # top_k 50 is no setting of theirs but the default of their library.
    decoding = Decoding(1 + LONGEST, (llama.END,), top_k=50, top_p=0.9) if way == "sample" else Decoding(1 + LONGEST, (llama.END,))
    draws = options.seed if way == "sample" else None
    parts = [vision.digest, language.digest, *prompt.sides, way, draws, options.precision]
    return XrayGPT(vision, language, prompt, decoding, way == "sample", options.seed, digest(["xraygpt", VERSION, *parts]))


_README = "the SharePoint link in the README of https://github.com/mbzuai-oryx/XrayGPT"
_LAVIS = "https://storage.googleapis.com/sfr-vision-language-research/LAVIS/models/BLIP2"
SYSTEM = System(
    name="xraygpt",
    make="generators.xraygpt.system:make",
    summary="XrayGPT: EVA-CLIP, a Q-Former and a Vicuna tuned on radiology",
    writes=Section.BOTH,
    weights=(
        Weights("checkpoint", "the projection, XrayGPT's checkpoint", "under 0.1 GB", "CC BY-NC-SA 4.0", _README),
        Weights("vicuna", "the folder Vicuna_Radiology_fp16", "13.5 GB", "LLaMA 1, non-commercial research", _README),
        Weights("eva", "eva_vit_g.pth", "2.0 GB", "MIT", f"{_LAVIS}/eva_vit_g.pth", optional=True),
        Weights(
            "qformer",
            "blip2_pretrained_flant5xxl.pth",
            "0.4 GB",
            "BSD-3-Clause",
            f"{_LAVIS}/blip2_pretrained_flant5xxl.pth",
            optional=True,
        ),
        Weights(
            "blip2",
            "in place of eva and qformer: the same networks in the Hub's conversion, of which the parts with them are enough",
            "up to 10 GB",
            "MIT",
            "https://huggingface.co/Salesforce/blip2-flan-t5-xxl",
            optional=True,
        ),
        Weights(
            "clone",
            "a clone of its code, for the prompt it was trained with",
            "0.1 GB",
            "none given",
            "https://github.com/mbzuai-oryx/XrayGPT",
            optional=True,
        ),
    ),
    memory="32 GB in float32, 18 GB in bfloat16 or float16",
    random_weights="generators.xraygpt.tiny:write",
    paper="Thawakar et al., 2023, https://github.com/mbzuai-oryx/XrayGPT",
    licence="CC BY-NC-SA 4.0 by its README, no licence file; LLaMA 1",
    settings={
        "decoding": "sample (default: as published, from --seed) or greedy",
        "number": "which of the clone's instructions, from 1 (default: 2)",
        "instruction": "words of your own in place of the clone's instruction",
        "template": "the turns of the conversation with {} for film and instruction",
    },
)
