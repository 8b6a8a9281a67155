"""PromptMRG (AAAI 2024): findings from one film and 21 retrieved reports, from the released weights.

Repeated to the letter: the minimum length counts the 19 ids of the prompt; the search is that of transformers 4.25; the prompt is cut
off the text by its number of characters. Declared, because nobody says how: the weights were trained on films that had been shrunk
to 256 x 256 (bilinear here), and films outside the authors' lists are looked up by the CLIP that made the lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from generators.blocks.answering import answer, tidied
from generators.blocks.preprocess import CLIP, IMAGENET, Pixels, cropped, normalised, resized_short
from generators.catalogue import Options, System
from generators.weights import Weights
from harness.errors import InputError, Problem, UnavailableError, UsageError
from harness.types import Generated, Section, StudyInput

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from generators.blocks import clip
    from generators.blocks.decoding import Decoding
    from generators.promptmrg.model import Network, PromptMRGShape
    from generators.promptmrg.recall import Recall

VERSION = 1
RETRIEVED = 21
PROMPT = 19
LENGTHS = {"mimic": (100, 150), "iu": (60, 110)}
"""By test set: ids at least (prompt included), new ids at most; from the authors' two test scripts."""
SEPARATOR = 102
ANSWERS = ("[bla]", "[pos]", "[neg]", "[unc]")
"""As the old tokenizer prints them: it keeps added tokens in lower case."""
SHRUNK = (256, 256)


@dataclass(frozen=True, slots=True)
class Seen:
    """One film as the model takes it."""

    pixels: Pixels
    listed: tuple[int, ...]
    """The authors' retrieved reports; empty where CLIP looks them up."""
    for_clip: Pixels | None


@dataclass(frozen=True, slots=True)
class PromptMRG:
    """The loaded system."""

    network: Network = field(repr=False)
    recall: Recall = field(repr=False)
    words: tuple[str, ...] = field(repr=False)
    decoding: Decoding
    shrink: bool
    digest: str
    name: str = "promptmrg"
    needs: frozenset[str] = frozenset({"frontal"})
    writes: Section = Section.FINDINGS
    exact_batches: bool = True

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        """Write findings from the frontal films."""
        return answer(studies, self._prepare, self._write)

    def _prepare(self, study: StudyInput) -> tuple[Seen, tuple[str, ...]]:
        from PIL.Image import Resampling

        from harness.films import read_rgb, resized

        if study.frontal is None:
            raise InputError("the study has no frontal film")
        picture = read_rgb(study.frontal)
        if self.shrink and picture.size != SHRUNK:
            picture = resized(picture, SHRUNK, Resampling.BILINEAR)
        pixels = normalised(cropped(resized_short(picture, 256, Resampling.BILINEAR), 224), *IMAGENET)
        listed = self.recall.listed.get(study.frontal.stem, ())
        if listed:
            return Seen(pixels, listed[:RETRIEVED], None), ()
        if self.recall.tower is None:
            raise InputError("the film is not in the annotation, and CLIP is not here to look its reports up")
        return Seen(pixels, (), normalised(cropped(resized_short(picture, 224, Resampling.BICUBIC), 224), *CLIP)), ()

    def _write(self, batch: Sequence[Seen]) -> list[str]:
        import torch

        from generators.blocks.decoding import beam_search
        from generators.promptmrg.model import ReportDecoder

        with torch.inference_mode():
            like = self.network.cls_head.weight
            films = torch.stack([torch.from_numpy(seen.pixels) for seen in batch]).to(like)
            patches, answers = self.network.look(films, self._reports(batch).to(like))
            prompt = self.network.prompt(answers)
            made = beam_search(ReportDecoder(self.network.text_decoder, patches), prompt, self.decoding)
        return [text(known[1:], ids, self.words) for known, ids in zip(prompt.tolist(), made, strict=True)]

    def _reports(self, batch: Sequence[Seen]) -> Tensor:
        """Features of each film's retrieved reports, shape (films, 21, width)."""
        import torch

        unlisted = [torch.from_numpy(seen.for_clip) for seen in batch if seen.for_clip is not None]
        found = iter(self.recall.nearest(torch.stack(unlisted), RETRIEVED).tolist() if unlisted else [])
        places = [list(seen.listed) or next(found) for seen in batch]
        return torch.stack([torch.from_numpy(self.recall.features[place]) for place in places])


def text(answers: Sequence[int], ids: Sequence[int], words: Sequence[str]) -> str:
    """Words of new ids as the old tokenizer joined them.

    The prompt is put before them and cut off by its length, as upstream does: a report that begins with a full stop loses it.

    Args:
        answers: The 18 ids of the prompt after its first.
        words: Pieces of the vocabulary; the ids after them are the start token and the four answers.
    """
    special = {words[place] for place in (0, 100, 101, 102, 103)}
    parts: list[str] = []
    plain: list[str] = []
    for number in (*answers, *ids):
        if number < len(words) and words[number] not in special:
            plain.append(words[number])
        elif number > len(words):
            parts += [*_joined(plain), ANSWERS[number - len(words) - 1]]
            plain = []
    parts += _joined(plain)
    return tidied(" ".join(parts))[sum(len(ANSWERS[0]) + 1 for _ in answers) :]


def _joined(pieces: list[str]) -> list[str]:
    """Pieces as one string, or nothing."""
    return [" ".join(pieces).replace(" ##", "").strip()] if pieces else []


def layouts(size: str) -> tuple[PromptMRGShape, dict[str, tuple[int, ...]], clip.ClipShape, dict[str, tuple[int, ...]]]:
    """Shape and tensors of the network, then of CLIP's image tower, as released or `tiny`."""
    import torch

    from generators.blocks import clip
    from generators.promptmrg import model

    shape = model.TINY if size == "tiny" else model.PromptMRGShape()
    tower = clip.ClipShape(2, 32, 2, 32, 224, shape.memory) if size == "tiny" else clip.ClipShape()
    with torch.device("meta"):
        network, image = model.Network(shape), clip.ClipTower(tower)
    return shape, _layout(network), tower, {f"visual.{name}": found for name, found in _layout(image).items()}


def _layout(module: Any) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def load_network(path: Path, shape: PromptMRGShape, layout: dict[str, tuple[int, ...]]) -> tuple[Network, str]:
    """The network with its weights, and their digest.

    Raises:
        InputError: Tensors are missing, unknown or of another shape; all are named.
    """
    import torch

    from generators.promptmrg.model import Network
    from harness.networks import checkpoints

    found = checkpoints.read(path)
    found.pop("text_decoder.bert.embeddings.position_ids", None)  # a buffer of older libraries: 0, 1, 2, ...
    checkpoints.check(found, layout, str(path))
    with torch.device("meta"):
        network = Network(shape)
    network.load_state_dict(found, assign=True)
    return network.eval().requires_grad_(False), checkpoints.tensors_digest(found)


def make(options: Options) -> PromptMRG:
    """Load the system.

    Raises:
        InputError: A file is not what was released.
        UnavailableError: Neither the authors' annotation nor CLIP is here.
        UsageError: A setting has no such value.
    """
    import torch

    from generators.blocks.decoding import Decoding, Era
    from generators.promptmrg import recall as recalls
    from harness.networks.bert import read_vocabulary
    from harness.signature import digest

    size, preset, shrink = (_chosen(options, name, *values) for name, values in CHOICES.items())
    if not {"clip", "annotation"} & set(options.weights):
        raise UnavailableError(Problem("promptmrg needs clip (for any film) or annotation (for the authors' films)", "Give one of them"))
    shape, layout, tower_shape, _ = layouts(size)
    network, weights = load_network(options.weights["checkpoint"], shape, layout)
    tower = recalls.load_tower(options.weights["clip"], tower_shape) if "clip" in options.weights else None
    listed = recalls.load_listed(options.weights["annotation"]) if "annotation" in options.weights else {}
    recall = recalls.Recall(recalls.load_features(options.weights["features"], shape.memory), listed, tower)
    vocabulary = options.weights["vocabulary"]
    words = tuple(read_vocabulary(vocabulary / "vocab.txt" if vocabulary.is_dir() else vocabulary, shape.words))
    least, most = LENGTHS[preset]
    decoding = Decoding(PROMPT + most, (SEPARATOR,), beams=3, era=Era.V4_19, shortest=least)
    identity = digest(["promptmrg", VERSION, weights, *recall.digest(), words, preset, shrink, options.precision])
    place = partial(torch.nn.Module.to, device=options.device)
    place(network, dtype=getattr(torch, options.precision))
    if tower is not None:
        place(tower)
    return PromptMRG(network, recall, words, decoding, shrink == "yes", identity)


CHOICES = {"size": ("released", "tiny"), "preset": tuple(LENGTHS), "shrink": ("yes", "no")}


def _chosen(options: Options, name: str, *values: str) -> str:
    """A setting; its first value where nothing is said."""
    value = options.settings.get(name, values[0])
    if value not in values:
        raise UsageError(f"promptmrg: {name} is {' or '.join(values)}, not {value!r}")
    return value


_README = "the README of https://github.com/jhb86253817/PromptMRG"
SYSTEM = System(
    name="promptmrg",
    make="generators.promptmrg.system:make",
    summary="PromptMRG: ResNet-101, retrieved reports, diagnosis-driven prompt, BERT decoder",
    writes=Section.FINDINGS,
    weights=(
        Weights("checkpoint", "the network, model_promptmrg_20240305.pth", "0.9 GB", "MIT", f"the link under Training in {_README}"),
        Weights("features", "clip_text_features.json (or .npy)", "3 GB", "MIT, made from MIMIC-CXR", _README),
        Weights(
            "clip",
            "CXR-RePaiR's CLIP, clip-imp-pretrained_128_6_after_4.pt",
            "0.6 GB",
            "see its repository",
            "the README of https://github.com/rajpurkarlab/CXR-RePaiR",
            optional=True,
        ),
        Weights("annotation", "mimic_annotation_promptmrg.json or iu_...", "0.3 GB", "as MIMIC-CXR", _README, optional=True),
        Weights(
            "vocabulary",
            "bert-base-uncased's vocab.txt",
            "0.2 MB",
            "Apache-2.0",
            "https://huggingface.co/google-bert/bert-base-uncased",
            "google-bert/bert-base-uncased",
        ),
    ),
    memory="2 GB",
    seconds=2.7,
    random_weights="generators.promptmrg.tiny:write",
    paper="Jin et al., AAAI 2024, https://github.com/jhb86253817/PromptMRG",
    licence="MIT",
    settings={
        "size": "released (default), or tiny for weights of generators.tiny",
        "preset": "mimic (default: 100 ids or more) or iu (60 or more)",
        "shrink": "yes (default): films are first shrunk to 256 x 256, as in training; no: they are taken as they are",
    },
)
