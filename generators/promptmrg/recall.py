"""PromptMRG's retrieval: which training reports a film calls to mind, as indices that the authors list or as CLIP finds them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generators.blocks.clip import ClipShape, ClipTower
from harness.config.home import home
from harness.errors import InputError, Problem
from harness.networks import checkpoints
from harness.storage.files import writing

Features = NDArray[np.float32]
CHUNK = 1 << 24
"""Characters of the JSON file at a time: as a whole it would need ten times its 3 GB."""
LONGEST_ROW = 1 << 20
"""Characters of one row; the released ones have some 10,000."""


@dataclass(frozen=True, slots=True)
class Recall:
    """Features of the training reports, and the ways to choose among them."""

    features: Features
    """Unit vectors, shape (reports, width)."""
    listed: Mapping[str, tuple[int, ...]]
    """By a film's name without its ending, the reports that the authors retrieved for it."""
    tower: ClipTower | None
    """CLIP's image tower; None where only listed films can be read."""

    def nearest(self, films: Tensor, count: int) -> NDArray[np.int64]:
        """The reports nearest to each film by CLIP, nearest first."""
        assert self.tower is not None
        seen = self.tower(films.to(self.tower.proj)).float().cpu().numpy()
        order: NDArray[np.int64] = np.argsort(-(seen @ self.features.T), axis=1, kind="stable")[:, :count]
        return order

    def digest(self) -> list[str]:
        """What decides which reports are recalled."""
        tower = "" if self.tower is None else checkpoints.tensors_digest(self.tower.float().state_dict())
        listed = sha256(json.dumps(sorted(self.listed.items())).encode()).hexdigest()
        return [sha256(np.ascontiguousarray(self.features).data).hexdigest(), listed, tower]


def load_features(path: Path, width: int) -> Features:
    """Read the features, `.npy` or the released JSON; the JSON is read once and kept as an array in RANSCORE_HOME.

    Raises:
        InputError: It is neither, or its vectors have another width.
    """
    with path.open("rb") as stream:
        packed = stream.read(6) == b"\x93NUMPY"
    try:
        features = np.load(path, mmap_mode="r", allow_pickle=False) if packed else _converted(path)
    except Exception as error:  # numpy raises what it likes on a damaged header
        what = f"it is not a table of numbers ({type(error).__name__})"
        raise InputError(Problem(what, "Give clip_text_features.json as released, or the same as .npy", str(path))) from None
    if features.ndim != 2 or features.shape[1] != width or features.dtype.kind != "f":
        what = f"its shape is {features.shape} and its kind {features.dtype}, not (reports, {width}) and real numbers"[:200]
        raise InputError(Problem(what, "Give the released features", str(path)))
    made = np.asarray(features, np.float32)
    if not math.isfinite(float(made.sum(dtype=np.float64))):
        raise InputError(Problem("it holds NaN or infinity", "Download it again", str(path)))
    return made


def _converted(path: Path) -> Features:
    state = path.stat()
    name = sha256(f"{path.resolve()}|{state.st_size}|{state.st_mtime_ns}".encode()).hexdigest()[:16]
    kept = home() / "weights" / "promptmrg" / f"features-{name}.npy"
    if not kept.is_file():
        with path.open(encoding="utf-8") as stream:
            features = np.array(list(rows(stream)), np.float32)
        with writing(kept) as out:
            np.save(out, features)
    return np.asarray(np.load(kept, mmap_mode="r", allow_pickle=False))


def rows(stream: IO[str], chunk: int = CHUNK) -> Iterator[Features]:
    """The rows of a JSON list of lists of numbers, without holding the text of more than a chunk.

    Raises:
        ValueError: It is something else.
    """
    rest = stream.read(chunk).lstrip()
    if not rest.startswith("["):
        raise ValueError("not a list")
    rest, ended = rest[1:], False
    while True:
        *whole, rest = rest.split("]")
        for item in whole:
            text = item.strip().removeprefix(",").strip()
            if ended:
                raise ValueError("more behind the list")
            if text:
                yield np.array(json.loads(f"{text}]"), np.float32)
            ended = not text
        more = stream.read(chunk)
        if not more and (not ended or rest.strip()):
            raise ValueError("cut off")
        if not more:
            return
        if len(rest) > LONGEST_ROW:
            raise ValueError("a row without an end")
        rest += more


def load_listed(path: Path) -> dict[str, tuple[int, ...]]:
    """The authors' retrieved reports by film; of the file's reports nothing is kept.

    Raises:
        InputError: It is not the authors' annotation.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        entries = [entry for part in data.values() for entry in part] if isinstance(data, dict) else data
        return {Path(film).stem: tuple(map(int, entry["clip_indices"])) for entry in entries for film in _films(entry)}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        what = f"it is not an annotation with clip_indices ({type(error).__name__})"
        raise InputError(Problem(what, "Give mimic_annotation_promptmrg.json or iu_annotation_promptmrg.json", str(path))) from None


def _films(entry: Mapping[str, Sequence[str] | str]) -> list[str]:
    """Only the first film of a study was looked at when the reports were retrieved."""
    named = entry["image_path"]
    return [named if isinstance(named, str) else named[0]]


def load_tower(path: Path, shape: ClipShape) -> ClipTower:
    """CLIP's image tower out of the whole of CLIP.

    Raises:
        InputError: Tensors are missing, unknown or of another shape.
    """
    found = {name.removeprefix("visual."): tensor for name, tensor in checkpoints.read(path).items() if name.startswith("visual.")}
    with torch.device("meta"):
        tower = ClipTower(shape)
    checkpoints.check(found, {name: tuple(tensor.shape) for name, tensor in tower.state_dict().items()}, str(path))
    tower.load_state_dict({name: tensor.float() for name, tensor in found.items()}, assign=True)
    return tower.eval().requires_grad_(False)
