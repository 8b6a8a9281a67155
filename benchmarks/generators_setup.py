"""Random weights, settings and films with which a system and its published code do the same work."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from generators.blocks.random_weights import vocabulary
from generators.promptmrg import tiny as promptmrg_tiny

IU = {"longest": 110, "shortest": 60}
"""PromptMRG's lengths on the Indiana films, the shorter of its two scripts."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How both are run."""

    settings: dict[str, str] = field(default_factory=dict)
    """Ours."""
    job: dict[str, Any] = field(default_factory=dict)
    """What the driver needs besides the weights."""
    batch: int = 1
    """Films at a time in the published test script."""
    finish: Callable[[Any], str] = str
    """From what the driver gives back to a report."""


def rgrg(folder: Path, size: str, films: Sequence[Path]) -> Setup:
    """Sentences of some ten ids for all detected regions, six to eight a film."""
    from generators.rgrg.layout import SIZES
    from generators.rgrg.text import report
    from generators.rgrg.tiny import write

    if not (folder / "checkpoint").exists():
        write(folder, SIZES[size], haste=HASTE[size], talk=100.0)
    return Setup({"size": size}, {"shape": asdict(SIZES[size])}, finish=report)


HASTE = {"tiny": 1.8, "released": 4.6}
"""How much RGRG is drawn to the end of a sentence."""


def promptmrg(folder: Path, size: str, films: Sequence[Path]) -> Setup:
    """Reports that end as soon as they may: 41 new tokens. Retrieved reports are listed, because the published test has no CLIP."""
    import numpy as np
    import torch

    from generators.promptmrg.system import layouts

    shape, layout, _, _ = layouts(size)
    if not (folder / "checkpoint").exists():
        position_ids = {"text_decoder.bert.embeddings.position_ids": torch.arange(shape.positions)[None]}
        torch.save(promptmrg_tiny.tensors(layout, end=6.0) | position_ids, folder / "checkpoint")
    draw = np.random.RandomState(0)
    features = draw.standard_normal((40, shape.memory)).astype(np.float32)
    with (folder / "features").open("wb") as stream:
        np.save(stream, features / np.linalg.norm(features, axis=1, keepdims=True))
    (folder / "vocabulary").write_text("\n".join(vocabulary(shape.words)) + "\n", encoding="utf-8")
    entries = [{"image_path": [film.name], "clip_indices": draw.permutation(40)[:21].tolist()} for film in films]
    (folder / "annotation").write_text(json.dumps({"test": entries}), encoding="utf-8")
    return Setup({"size": size, "preset": "iu", "shrink": "no"}, {"shape": asdict(shape), **IU}, batch=16)


def r2gengpt(folder: Path, size: str, films: Sequence[Path]) -> Setup:
    """Delta; one film a study."""
    from generators.blocks.answer_text import unmarked
    from generators.r2gengpt import tiny

    _only_tiny("r2gengpt", size)
    tiny.write(folder)
    return Setup({"films": "frontal"}, {"rank": tiny.RANK}, batch=16, finish=unmarked)


def xraygpt(folder: Path, size: str, films: Sequence[Path]) -> Setup:
    """Greedy; the second of the clone's instructions, as ours takes by itself."""
    from generators.xraygpt import tiny
    from generators.xraygpt.system import text

    _only_tiny("xraygpt", size)
    tiny.write(folder)
    return Setup({"decoding": "greedy"}, {"shape": tiny.EYES, "number": 2}, finish=text)


def _only_tiny(system: str, size: str) -> None:
    if size != "tiny":
        raise SystemExit(f"{system} is drawn at its tiny size only: as released it takes 28 GB and more")


SETUPS: dict[str, Callable[[Path, str, Sequence[Path]], Setup]] = {
    "rgrg": rgrg,
    "promptmrg": promptmrg,
    "r2gengpt": r2gengpt,
    "xraygpt": xraygpt,
}
"""By system whose published code is run beside ours, a function that writes files with the names of the system's `Weights`."""
