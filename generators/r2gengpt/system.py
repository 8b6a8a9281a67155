"""R2GenGPT (Meta-Radiology 2023): findings and impression from all films of a study, through Swin and a frozen Llama 2.

The three published variants are distinguished by the names in the checkpoint: Shallow holds the projection alone, Delta low-rank changes
of Swin's queries and values too (folded into Swin here), Deep a whole Swin. Repeated to the letter: films are encoded one by one and
their features averaged; the search is that of transformers 4.30 and begins with one start id, to which the repetition penalty applies
while the prompt is spared; no report ends before 80 tokens. The text comes as the model was taught: lower case, full stops set apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators.blocks.answer_text import unmarked
from generators.blocks.answering import answer
from generators.blocks.preprocess import IMAGENET, Pixels, normalised
from generators.catalogue import Options, System
from generators.weights import Weights
from harness.errors import InputError, Problem, UsageError
from harness.types import Generated, Section, StudyInput

if TYPE_CHECKING:
    from torch import Tensor

    from generators.blocks.decoding import Decoding
    from generators.blocks.llama import Llama

VERSION = 1
SIZE = 224
# The one instruction that the projection was trained with: models/R2GenGPT.py, Copyright (c) 2023 zhanyuwang, BSD-3-Clause.
BEFORE = "Human: <Img>"
AFTER = "</Img> Generate a comprehensive and detailed diagnosis report for this chest xray image. \nAssistant:"
SHORTEST, LONGEST = 80, 120
"""New tokens."""
ALPHA = 16.0
"""Rank of the published low-rank changes; their file does not say it in a form that can be read safely."""
LORA = re.compile(r"^visual_encoder\.base_model\.model\.(.+\.(?:query|value))\.lora_([AB])\.default\.weight$")
OWN = ("llama_proj.weight", "llama_proj.bias", "layer_norm.weight", "layer_norm.bias")
TODAY = (
    (r"attention\.q_proj", "attention.self.query"),
    (r"attention\.k_proj", "attention.self.key"),
    (r"attention\.v_proj", "attention.self.value"),
    (r"attention\.relative_position_bias\.relative_position_bias_table", "attention.self.relative_position_bias_table"),
    (r"attention\.o_proj", "attention.output.dense"),
    (r"mlp\.fc1", "intermediate.dense"),
    (r"mlp\.fc2", "output.dense"),
)
"""Swin's tensors as transformers 5 calls them, and as they were released; with older libraries nothing matches."""


@dataclass(frozen=True, slots=True)
class R2GenGPT:
    """The loaded system."""

    swin: Any = field(repr=False)
    own: Mapping[str, Tensor] = field(repr=False)
    """The projection and the normalisation."""
    llama: Llama = field(repr=False)
    decoding: Decoding
    lateral: bool
    digest: str
    name: str = "r2gengpt"
    needs: frozenset[str] = frozenset({"frontal", "lateral"})
    writes: Section = Section.BOTH
    exact_batches: bool = True

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        """Write findings and impression from the films of each study."""
        return answer(studies, self.prepare, self._write)

    def prepare(self, study: StudyInput) -> tuple[list[Pixels], tuple[str, ...]]:
        """A study's films as Swin takes them; nothing stands in for a lateral that is not there."""
        if study.frontal is None:
            raise InputError("the study has no frontal film")
        paths = [study.frontal, study.lateral if self.lateral else None]
        return [pixels(path) for path in paths if path is not None], ()

    def look(self, batch: Sequence[Sequence[Pixels]]) -> Tensor:
        """Films of each study to what the language model is shown, shape (studies, 49, its width), in float32."""
        import torch
        import torch.nn.functional as F  # noqa: N812

        weight, bias, scale, shift = (self.own[name] for name in OWN)
        films = torch.from_numpy(_stacked([film for study in batch for film in study])).to(weight)
        features = self.swin(films).last_hidden_state.split([len(study) for study in batch])
        means = torch.stack([study.mean(0) for study in features])
        return F.layer_norm(F.linear(means, weight, bias), scale.shape, scale, shift)

    def prompts(self, films: Tensor) -> Tensor:
        """What the language model reads, as embeddings."""
        from generators.blocks.llama import START

        pieces = self.llama.pieces
        return self.llama.prompts([START, *pieces.ids(BEFORE)], films, pieces.ids(AFTER))

    def _write(self, batch: Sequence[Sequence[Pixels]]) -> list[str]:
        import torch

        from generators.blocks.decoding import beam_search
        from generators.blocks.llama import END

        with torch.inference_mode():
            prompts = self.prompts(self.look(batch))
            made = beam_search(self.llama.step(prompts), self.llama.starts(prompts), self.decoding)
        # With the end token that ended it: where <unk> went before, the old tokenizer puts a blank for it.
        return [text(self.llama.pieces.marked([*ids, END] if len(ids) < LONGEST else ids)) for ids in made]


def text(written: str) -> str:
    """A report as published: up to the end mark, without <unk>; and without the other marks, which a reports file takes for markup."""
    return unmarked(written.split("</s>")[0].strip().replace("<unk>", ""))


def pixels(path: Path) -> Pixels:
    """A film as the image processor of `microsoft/swin-base-patch4-window7-224` makes it: squeezed into a square, bicubic."""
    from PIL.Image import Resampling

    from harness.films import read_rgb, resized

    return normalised(resized(read_rgb(path), (SIZE, SIZE), Resampling.BICUBIC), *IMAGENET)


def _stacked(films: Sequence[Pixels]) -> Pixels:
    import numpy as np

    return np.stack(films)


def network(folder: Path) -> Any:
    """An empty Swin of a folder's settings."""
    from transformers import SwinConfig, SwinModel

    from generators.blocks.hub_folder import settings
    from generators.blocks.pretrained import empty

    return empty(lambda: SwinModel(SwinConfig.from_dict(settings(folder, "config.json"))))


def base_layout(swin: Any) -> dict[str, tuple[int, ...]]:
    """Released names and shapes of Swin's own tensors, without the `swin.` that a classifier's folder puts before them."""
    from generators.blocks.pretrained import layout, renamed

    return layout(swin, renamed(TODAY))


def checkpoint_layout(found: Mapping[str, Any], base: Mapping[str, tuple[int, ...]], width: int) -> dict[str, tuple[int, ...]]:
    """What a checkpoint must hold, by the variant that its names show.

    Args:
        found: Names with tensors, from which the rank of low-rank changes is taken.
        base: See `base_layout`.
        width: Width of the language model.
    """
    vision = base["layernorm.weight"][0]
    own = dict(zip(OWN, ((width, vision), (width,), (width,), (width,)), strict=True))
    ranks = [tensor.shape[0] for name, tensor in found.items() if (match := LORA.match(name)) and match[2] == "A"]
    if ranks:
        return own | lora_layout(base, ranks[0])
    if any(name.startswith("visual_encoder.") for name in found):
        return own | {f"visual_encoder.{name}": shape for name, shape in base.items()}
    return own


def lora_layout(base: Mapping[str, tuple[int, ...]], rank: int) -> dict[str, tuple[int, ...]]:
    """Low-rank changes of every query and value."""
    made: dict[str, tuple[int, ...]] = {}
    for name, shape in base.items():
        if re.search(r"self\.(query|value)\.weight$", name):
            stem = f"visual_encoder.base_model.model.{name.removesuffix('.weight')}"
            made |= {f"{stem}.lora_A.default.weight": (rank, shape[1]), f"{stem}.lora_B.default.weight": (shape[0], rank)}
    return made


def overlaid(base: Mapping[str, Tensor], found: Mapping[str, Tensor], alpha: float) -> dict[str, Tensor]:
    """Swin with what a checkpoint changes: whole tensors of Deep, or weight + alpha / rank * B A of Delta."""
    made = dict(base)
    for name, tensor in found.items():
        match = LORA.match(name)
        if match and match[2] == "A":
            up = found[name.replace("lora_A", "lora_B")].float()
            weight = f"{match[1]}.weight"
            made[weight] = base[weight].float() + (alpha / len(tensor)) * (up @ tensor.float())
        elif not match and name.startswith("visual_encoder."):
            made[name.removeprefix("visual_encoder.")] = tensor
    return made


def make(options: Options) -> R2GenGPT:
    """Load the system; Swin and the projection run in float32, the language model in the precision asked for.

    Raises:
        InputError: A file is not what was released; every missing, unexpected and misshapen tensor is named.
        UsageError: A setting has no such value.
    """
    import torch

    from generators.blocks import llama
    from generators.blocks.decoding import Decoding, Era
    from generators.blocks.hub_folder import hashed
    from generators.blocks.pretrained import fill, renamed, without
    from harness.networks import checkpoints
    from harness.signature import digest

    alpha, lateral = _settings(options)
    swin = network(options.weights["swin"])
    base = base_layout(swin)
    tensors, swin_digest = hashed(options.weights["swin"])
    vision = {name.removeprefix("swin."): tensor for name, tensor in without(tensors, _is_classifier).items()}
    checkpoints.check(vision, base, str(options.weights["swin"]))
    found = without(checkpoints.read(options.weights["checkpoint"]), lambda _: False)
    language = llama.load(options.weights["llama"], options.device, options.precision)
    checkpoints.check(found, checkpoint_layout(found, base, language.width), str(options.weights["checkpoint"]))
    fill(swin, overlaid(vision, found, alpha), renamed(TODAY), options.device, torch.float32)
    own = {name: found[name].to(options.device, torch.float32) for name in OWN}
    decoding = Decoding(
        1 + LONGEST, (llama.END,), beams=3, era=Era.V4_30, shortest=1 + SHORTEST, length_penalty=2.0, repetition_penalty=2.0
    )
    parts = [swin_digest, checkpoints.tensors_digest(found), language.digest, alpha, lateral, options.precision]
    return R2GenGPT(swin, own, language, decoding, lateral, digest(["r2gengpt", VERSION, *parts]))


def _is_classifier(name: str) -> bool:
    return name.startswith("classifier.")


def _settings(options: Options) -> tuple[float, bool]:
    films = options.settings.get("films", "all")
    if films not in ("all", "frontal"):
        raise UsageError(f"r2gengpt: films is all or frontal, not {films!r}")
    try:
        return float(options.settings.get("alpha", ALPHA)), films == "all"
    except ValueError:
        raise UsageError(Problem("r2gengpt: alpha is a number", "Give the vis_alpha of the training")) from None


SYSTEM = System(
    name="r2gengpt",
    make="generators.r2gengpt.system:make",
    summary="R2GenGPT (Shallow, Delta or Deep): Swin's features shown to a frozen Llama 2",
    writes=Section.BOTH,
    needs=frozenset({"frontal", "lateral"}),
    weights=(
        Weights(
            "checkpoint",
            "a checkpoint_epoch..._.pth of any variant",
            "17 MB to 0.4 GB",
            "BSD-3-Clause",
            "the Drive folder in the README of https://github.com/wang-zhanyu/R2GenGPT",
        ),
        Weights(
            "swin",
            "Swin-B's folder",
            "0.4 GB",
            "MIT",
            "https://huggingface.co/microsoft/swin-base-patch4-window7-224",
            "microsoft/swin-base-patch4-window7-224",
        ),
        Weights(
            "llama",
            "Llama 2 7B Chat's folder with tokenizer.model",
            "13.5 GB",
            "Llama 2 Community Licence, asked for by form",
            "https://huggingface.co/meta-llama/Llama-2-7b-chat-hf, after asking for it there",
            "meta-llama/Llama-2-7b-chat-hf",
        ),
    ),
    memory="28 GB in float32, 15 GB in bfloat16 or float16",
    random_weights="generators.r2gengpt.tiny:write",
    paper="Wang et al., Meta-Radiology 2023, https://github.com/wang-zhanyu/R2GenGPT",
    licence="BSD-3-Clause; Llama 2 Community Licence",
    settings={
        "films": "all (default): frontal and lateral, averaged; frontal: that one alone",
        "alpha": "strength of Delta's low-rank changes, vis_alpha of its training (default: 16)",
    },
)
