"""Films of the synthetic cohort: a chest in grey, with the mark of every finding that the study has.

Frozen: a digest of a few films is pinned by a test, and models are trained on them.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.cohorts.synthetic.marks import MARKS, box, disc, dome, stroke
from harness.storage import files
from harness.storage.progress import progress
from harness.types import Array

if TYPE_CHECKING:
    from harness.cohorts.synthetic.case import Case

SIZE = 256
"""Width and height in pixels."""
_NOISE = 8
"""Grey levels of noise, up to this much either way."""

Film = NDArray[np.uint8]
Order = tuple[Path, bool, frozenset[str], dict[str, str], str]
"""What to draw: file, whether lateral, findings, sides, seed."""


def film(lateral: bool, present: Collection[str], sides: Mapping[str, str], seed: str) -> Film:
    """Draw one film.

    Args:
        lateral: Else frontal; as always, the patient's right is on the left of the film.
        present: The findings, without No Finding.
        sides: By finding `right` or `left`.
        seed: Decides size, position, noise and the marks' jitter.

    Returns:
        Grey levels, shape (256, 256), white dense.
    """
    rng = np.random.Generator(np.random.PCG64(int.from_bytes(sha256(seed.encode()).digest()[:8])))
    shift_x, shift_y, zoom = rng.random(3) * (0.04, 0.04, 0.10) - (0.02, 0.02, 0.05)
    steps = (np.arange(SIZE) + 0.5) / SIZE - 0.5
    # A row and a column: what depends on one of them alone is computed for 256 values, not for 65,536.
    x, y = ((steps - shift_x) / (1 + zoom) + 0.5)[None, :], ((steps - shift_y) / (1 + zoom) + 0.5)[:, None]
    picture = _side_view(x, y) if lateral else _front_view(x, y)
    for name, mark in MARKS.items():
        # Drawn for every finding, so that one finding's jitter does not depend on which others there are.
        jitter_x, jitter_y, strength = rng.random(3) * (0.03, 0.03, 0.3) - (0.015, 0.015, 0.15)
        if name in present:
            away = -1.0 if mark.sided and sides.get(name) == "right" and not lateral else 1.0
            centre = mark.lateral if lateral else (0.5 + away * mark.frontal[0], mark.frontal[1])
            picture += (1 + strength) * mark.draw(away * (x - centre[0] - jitter_x), y - centre[1] - jitter_y)
    noise = rng.integers(-_NOISE, _NOISE + 1, (SIZE, SIZE))
    return np.clip(np.floor(picture * 255) + noise, 0, 255).astype(np.uint8)


def _front_view(x: Array, y: Array) -> Array:
    """A frontal chest without any finding."""
    middle, across = x - 0.5, np.abs(x - 0.5)
    picture = 0.42 * disc(middle, y - 0.62, 0.49, 0.62)
    picture -= 0.26 * disc(across - 0.20, y - 0.49, 0.155, 0.33) * (y < 0.80 + 1.5 * (across - 0.20) ** 2)
    beside = 0.06 * (across > 0.04) * (across < 0.37)
    for rib in range(7):
        picture += (np.abs(y - (0.20 + 0.085 * rib) - 1.4 * (across - 0.16) ** 2) < 0.009) * beside
    picture += 0.12 * stroke(across, y, (0.03, 0.15), (0.36, 0.09), 0.016)
    picture += 0.10 * dome(across - 0.09, y - 0.47, 0.05, 0.09)
    picture += 0.10 * box(middle, y - 0.5, 0.045, 0.5)
    picture -= 0.12 * box(middle, y - 0.17, 0.018, 0.15)
    return picture + 0.22 * disc(middle - 0.04, y - 0.64, 0.135, 0.115)


def _side_view(x: Array, y: Array) -> Array:
    """A lateral chest without any finding; the sternum is on the left."""
    picture = 0.40 * disc(x - 0.5, y - 0.6, 0.38, 0.62)
    picture -= 0.24 * disc(x - 0.52, y - 0.47, 0.25, 0.36) * (y < 0.84 - 0.5 * (0.75 - x) ** 2)
    for bone in range(9):
        picture += 0.13 * box(x - 0.78 - 0.1 * (bone / 9 - 0.5) ** 2, y - 0.12 - 0.09 * bone, 0.045, 0.036)
    picture += 0.15 * stroke(x, y, (0.25, 0.22), (0.19, 0.60), 0.018)
    picture -= 0.10 * stroke(x, y, (0.50, 0.08), (0.55, 0.36), 0.022)
    return picture + 0.20 * disc(x - 0.36, y - 0.62, 0.115, 0.125)


def orders(cases: Iterable[Case], folder: Path, seed: int) -> list[Order]:
    """What is to be drawn for these cases."""
    return [
        (folder / image.path, image.view == "LATERAL", case.present, dict(case.sides), f"{seed}/{image.id}")
        for case in cases
        for image in case.study.images
    ]


def draw(order: Order) -> None:
    """Draw one film and write it as a grey PNG; nothing half written stays behind."""
    from PIL import Image

    path, lateral, present, sides, seed = order
    data = BytesIO()
    Image.fromarray(film(lateral, present, sides, seed)).save(data, "PNG", compress_level=1)
    files.write(path, data.getvalue())


def draw_all(cases: Sequence[Case], folder: Path, seed: int) -> None:
    """Write a film for each image of each case; those that are there already are left as they are.

    Args:
        folder: Image paths are relative to it.
        seed: The cohort's.
    """
    wanted = [order for order in orders(cases, folder, seed) if not order[0].is_file()]
    # Threads: numpy and zlib let go of the lock, and a caller needs no guard around its main module.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for _ in progress(pool.map(draw, wanted), "films", total=len(wanted), unit="film"):
                pass
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
