"""Random weights in the released layouts: `python -m generators.tiny SYSTEM FOLDER`.

What they write is no report, and whatever is made with them says so in its name. They let the whole path - weights, films, decoding, scoring, the board - run in a minute on any machine,
and tests compare the same numbers with those of the published code.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from generators.catalogue import find, packages
from generators.weights import RANDOM
from harness.errors import UnavailableError

if TYPE_CHECKING:
    from torch import Tensor

WORDS = [
    "the",
    "lungs",
    "are",
    "clear",
    "heart",
    "is",
    "normal",
    "in",
    "size",
    "mediastinum",
    "unremarkable",
    "there",
    "no",
    "pleural",
    "effusion",
    "or",
    "pneumothorax",
    ".",
    ",",
    "and",
    "of",
    "with",
    "small",
    "left",
    "right",
    "bilateral",
    "moderate",
    "large",
    "lower",
    "upper",
    "lobe",
    "base",
    "basal",
    "atelectasis",
    "consolidation",
    "opacity",
    "edema",
    "pulmonary",
    "vascular",
    "congestion",
    "cardiomegaly",
    "enlarged",
    "silhouette",
    "contours",
    "stable",
    "unchanged",
    "new",
    "acute",
    "chronic",
    "fracture",
    "rib",
    "bones",
    "intact",
    "picc",
    "line",
    "tube",
    "tip",
    "projects",
    "over",
    "superior",
    "vena",
    "cava",
    "catheter",
    "pacemaker",
    "leads",
    "seen",
    "nodule",
    "mass",
    "lesion",
    "cavity",
    "emphysema",
    "hyperinflated",
    "lung",
    "volumes",
    "low",
    "aorta",
    "calcified",
    "tortuous",
    "interstitial",
    "markings",
    "pneumonia",
    "infection",
    "possible",
    "likely",
    "mild",
    "severe",
    "increased",
    "decreased",
    "-",
    ":",
    "/",
    "(",
    ")",
]


def seeded(layout: Mapping[str, tuple[int, ...]], seed: int = 0) -> dict[str, Tensor]:
    """Tensors that depend on name, shape and seed alone, large enough for activations neither to vanish nor to explode.

    Drawn by numpy's frozen generator, so that any version of any program makes the same.
    """
    import torch

    return {name: torch.from_numpy(_drawn(name, shape, seed)) for name, shape in layout.items()}


def _drawn(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    values = np.random.RandomState(crc32(name.encode()) + seed & 0xFFFFFFFF).standard_normal(shape).astype(np.float32)
    if name.endswith("running_var"):
        return np.abs(values) * np.float32(0.2) + np.float32(0.5)
    if len(shape) > 1:
        return values * np.float32(1.2 / np.sqrt(np.prod(shape[1:])))
    return values * np.float32(0.1) + np.float32(name.endswith("weight"))


def vocabulary(size: int) -> list[str]:
    """A WordPiece vocabulary with bert-base-uncased's special ids, words of reports, and letters."""
    letters = [mark + chr(code) for mark in ("", "##") for code in (*range(97, 123), *range(48, 58))]
    pieces = ["[PAD]", *(f"[unused{number}]" for number in range(99)), "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces += dict.fromkeys([*WORDS, *letters])
    if len(pieces) < size:
        pieces += [f"##x{number}" for number in range(size - len(pieces))]
    return pieces[:size]


def promptmrg_tensors(layout: Mapping[str, tuple[int, ...]], seed: int = 0, end: float = 0.0) -> dict[str, Tensor]:
    """PromptMRG's tensors; words in and words out are one tensor, as in the release.

    Args:
        end: Added to the bias of the end token.
    """
    made = seeded(layout, seed)
    head, words = "text_decoder.cls.predictions", "text_decoder.bert.embeddings.word_embeddings.weight"
    made[f"{head}.bias"][102] += end
    return made | {f"{head}.decoder.weight": made[words], f"{head}.decoder.bias": made[f"{head}.bias"]}


def promptmrg(folder: Path, seed: int = 0) -> None:
    """PromptMRG with 0.3 million parameters, and features of 40 reports that do not exist."""
    import torch

    from generators.promptmrg.system import layouts

    shape, layout, _, clip = layouts("tiny")
    torch.save(promptmrg_tensors(layout, seed), folder / "checkpoint")
    torch.save(seeded(clip, seed), folder / "clip")
    features = np.random.RandomState(seed).standard_normal((40, shape.memory)).astype(np.float32)
    with (folder / "features").open("wb") as stream:
        np.save(stream, features / np.linalg.norm(features, axis=1, keepdims=True))
    (folder / "vocabulary").write_text("\n".join(vocabulary(shape.words)) + "\n", encoding="utf-8")


def libra_3b(folder: Path) -> None:
    """Libra-1.0-3B with 0.5 million parameters, and its encoder."""
    from generators.libra import tiny as libra_tiny

    libra_tiny.libra_3b(folder)


def libra_7b(folder: Path) -> None:
    """Libra-1.0-7B with 0.5 million parameters, and its encoder."""
    from generators.libra import tiny as libra_tiny

    libra_tiny.libra_7b(folder)


def rgrg(folder: Path) -> None:
    """RGRG with 2 million parameters, its language model three times in the file, as released."""
    from generators.rgrg import tiny as rgrg_tiny

    rgrg_tiny.write(folder, haste=2.0)


def r2gengpt(folder: Path) -> None:
    """R2GenGPT's Delta; `generators.blocks.tiny_llama` makes the other variants."""
    from generators.blocks import tiny_llama

    tiny_llama.r2gengpt(folder)


def xraygpt(folder: Path) -> None:
    """XrayGPT with 8 million parameters."""
    from generators.blocks import tiny_llama

    tiny_llama.xraygpt(folder)


def llm_rg4(folder: Path) -> None:
    """LLM-RG4 with 0.3 million parameters, and what stands around it."""
    from generators.llm_rg4 import tiny as llm_rg4_tiny

    llm_rg4_tiny.write(folder)


def chexone(folder: Path) -> None:
    """CheXOne."""
    from generators.chat_models import tiny as tiny_vision_language

    tiny_vision_language.chexone(folder)


def medgemma(folder: Path) -> None:
    """MedGemma, either version."""
    from generators.chat_models import tiny as tiny_vision_language

    tiny_vision_language.medgemma(folder)


def maira_2(folder: Path) -> None:
    """MAIRA-2 with 0.2 million parameters."""
    from generators.maira2 import tiny as maira2_tiny

    maira2_tiny.write(folder)


def cxrmate_2(folder: Path) -> None:
    """CXRMate-2 with 0.3 million parameters."""
    from generators.cxrmate2 import tiny as cxrmate2_tiny

    cxrmate2_tiny.write(folder)


SYSTEMS: dict[str, Callable[[Path], None]] = {
    "promptmrg": promptmrg,
    "libra-3b": libra_3b,
    "libra-7b": libra_7b,
    "r2gengpt": r2gengpt,
    "rgrg": rgrg,
    "xraygpt": xraygpt,
    "llm-rg4": llm_rg4,
    "llm-rg4-findings": llm_rg4,
    "chexone": chexone,
    "medgemma": medgemma,
    "medgemma-1.5": medgemma,
    "maira-2": maira_2,
    "cxrmate-2": cxrmate_2,
    "cxrmate-2-findings": cxrmate_2,
}
"""One function a system; each writes files that bear the names of the system's `Weights`."""

LONGEST = "40"
"""New tokens at most: random weights hardly ever end a text by themselves, and would write on to the published longest."""
ALSO: dict[str, dict[str, str]] = {
    "llm-rg4": {"shortest": "10"},
    "llm-rg4-findings": {"shortest": "10"},
    "chexone": {"mode": "instruct"},  # they would never put an answer into a box
}
"""Further settings that are not the published ones."""


def write(system: str, folder: Path) -> None:
    """Write one system's random weights, marked as such: last, so that a marked folder is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    SYSTEMS[system](folder)
    for place in (*(path for path in folder.iterdir() if path.is_dir()), folder):
        (place / RANDOM).write_text(f"Random numbers in the layout of {system}, by `generators.tiny`. Not what its authors released.\n")


def given(system: str, folder: Path) -> dict[str, Path]:
    """What `write` has left in a folder, by the name of the system's `Weights`."""
    return {path.name: path for path in sorted(folder.iterdir()) if path.name != RANDOM}


def settings(system: str) -> dict[str, str]:
    """The settings with which random weights of a system are run."""
    tiny = {name: value for name, value in {"size": "tiny", "longest": LONGEST}.items() if name in find(system).settings}
    return tiny | ALSO.get(system, {})


def main(arguments: list[str]) -> int:
    """Write one system's files and say how to use them."""
    parser = argparse.ArgumentParser(prog="python -m generators.tiny", description="Write random weights in a system's released layout.")
    parser.add_argument("system", choices=SYSTEMS)
    parser.add_argument("folder", type=Path, help="where to write them; made if it is not there")
    chosen = parser.parse_args(arguments)
    try:
        with packages(chosen.system):
            write(chosen.system, chosen.folder)
    except UnavailableError as error:
        print(f"generators.tiny: {error}", file=sys.stderr)
        return error.exit_code
    options = [f"--set {name}={value}" for name, value in settings(chosen.system).items()]
    options += [f"--weights {name}={path}" for name, path in given(chosen.system, chosen.folder).items()]
    print(f"ranscore generate {chosen.system} --cohort COHORT -o reports.jsonl {' '.join(options)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
