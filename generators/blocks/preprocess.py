"""Resizing, cropping and normalising as the systems' own libraries do it, without those libraries.

Each function names what it repeats; the tests hold them against the originals' output.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.films import Grey, resized

if TYPE_CHECKING:
    from PIL.Image import Image, Resampling

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CLIP = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
Pixels = NDArray[np.float32]


def resized_short(image: Image, size: int, resample: Resampling) -> Image:
    """The short side becomes `size`, the long one follows: torchvision's `Resize(size)` on a PIL picture."""
    width, height = image.size
    short, long = min(width, height), max(width, height)
    if short == size:
        return image
    other = int(size * long / short)
    return resized(image, (size, other) if width <= height else (other, size), resample)


def cropped(image: Image, size: int) -> Image:
    """The middle square of `size`: torchvision's `CenterCrop(size)`; a smaller picture is padded with black first."""
    from PIL import ImageOps

    width, height = image.size
    if width < size or height < size:
        left, top = max(0, size - width) // 2, max(0, size - height) // 2
        image = ImageOps.expand(image, (left, top, max(0, size - width + 1) // 2, max(0, size - height + 1) // 2), 0)
        width, height = image.size
        if width == size and height == size:
            return image
    # Python's rounding to even is part of the original.
    left, top = round((width - size) / 2.0), round((height - size) / 2.0)
    return image.crop((left, top, left + size, top + size))


def normalised(image: Image | NDArray[np.uint8], mean: Sequence[float], deviation: Sequence[float]) -> Pixels:
    """Channels first, from 0 to 1, minus mean, by deviation, in float32: torchvision's `ToTensor` and `Normalize`.

    Args:
        image: Grey or colour; `mean` and `deviation` hold a number a channel.
    """
    values = np.asarray(image, dtype=np.uint8)
    planes = (values[None] if values.ndim == 2 else values.transpose(2, 0, 1)).astype(np.float32) / np.float32(255)
    shape = (-1, 1, 1)
    return np.ascontiguousarray(
        (planes - np.array(mean, np.float32).reshape(shape)) / np.array(deviation, np.float32).reshape(shape), dtype=np.float32
    )


def fitted(film: Grey, size: int) -> Grey:
    """The long side becomes `size`: albumentations' `LongestMaxSize(size, INTER_AREA)`, which enlarges small films too."""
    scale = size / max(film.shape)
    if scale == 1:
        return film
    rows, columns = (round(length * scale) for length in film.shape)
    return area_resized(film, rows, columns)


def padded(film: Grey, size: int) -> Grey:
    """Black borders up to a square: albumentations' `PadIfNeeded(size, size, BORDER_CONSTANT)`; an odd rest goes below and right."""
    rows, columns = max(0, size - film.shape[0]), max(0, size - film.shape[1])
    return np.pad(film, ((rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2)))


def equalised(film: Grey) -> Grey:
    """All grey levels equally frequent, as far as they can be: OpenCV's `equalizeHist`."""
    counts = np.bincount(film.reshape(-1), minlength=256)
    first = int(counts.nonzero()[0][0])
    rest = film.size - int(counts[first])
    if not rest:
        return film.copy()
    sums = counts.cumsum() - counts[: first + 1].sum()
    levels = np.rint(sums.clip(0).astype(np.float32) * (np.float32(255) / np.float32(rest)))
    made: Grey = levels.clip(0, 255).astype(np.uint8)[film]
    return made


def area_resized(film: Grey, rows: int, columns: int) -> Grey:
    """OpenCV's `resize(..., INTER_AREA)` of an 8-bit film, bit by bit where it enlarges, to the last grey level where it shrinks."""
    if film.shape[0] < rows or film.shape[1] < columns:
        return _linear(film, rows, columns)
    if film.shape == (2 * rows, 2 * columns):
        fours = film.reshape(rows, 2, columns, 2).sum((1, 3), dtype=np.int64)
        made: Grey = ((fours + 2) >> 2).astype(np.uint8)  # halves go up here, and to even everywhere else
        return made
    across = _weighted(film.astype(np.float32).T, columns).T
    return np.rint(_weighted(across, rows)).astype(np.uint8)


def _weighted(values: Pixels, new: int) -> Pixels:
    """Shrink the rows of a picture; sums run in the original's order, in float32."""
    firsts, weights = _shares(len(values), new)
    sums = np.zeros((new, values.shape[1]), np.float32)
    for number in range(weights.shape[1]):
        places = np.minimum(firsts + number, len(values) - 1)
        sums += values[places] * weights[:, number, None]
    return sums


def _shares(old: int, new: int) -> tuple[NDArray[np.int64], Pixels]:
    """For each new pixel the first old one that it covers, and the weights of that one and those after it (zeros at the end)."""
    scale = old / new
    firsts, weights = np.zeros(new, np.int64), np.zeros((new, int(scale) + 3), np.float32)
    for place in range(new):
        start, end = place * scale, place * scale + scale
        cell = min(scale, old - start)
        last = min(int(np.floor(end)), old - 1)
        first = min(int(np.ceil(start)), last)
        before = [(first - start) / cell] if first - start > 1e-3 else []
        after = [min(end - last, 1.0, cell) / cell] if end - last > 1e-3 else []
        shares = [*before, *[1 / cell] * (last - first), *after]
        firsts[place], weights[place, : len(shares)] = first - len(before), shares
    return firsts, weights


def _linear(film: Grey, rows: int, columns: int) -> Grey:
    """Enlarging: two neighbours a direction, weighted in 11-bit integers."""
    left, right, across = _neighbours(film.shape[1], columns)
    above, below, down = _neighbours(film.shape[0], rows)
    values = film.astype(np.int64)
    wide = values[:, left] * (2048 - across) + values[:, right] * across
    mixed = (((2048 - down)[:, None] * (wide[above] >> 4)) >> 16) + ((down[:, None] * (wide[below] >> 4)) >> 16)
    return ((mixed + 2) >> 2).astype(np.uint8)


def _neighbours(old: int, new: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """For each new pixel its two old ones and the weight of the second, in 2048ths."""
    scale = old / new
    place = np.arange(new)
    first = np.floor(place * scale).astype(np.int64)
    raw = ((place + 1) - (first + 1) * (new / old)).astype(np.float32)
    share = np.where(raw <= 0, np.float32(0), raw - np.floor(raw)).astype(np.float32)
    beyond = first >= old - 1
    first = np.where(beyond, old - 1, first)
    weight = np.where(beyond, 0, np.rint(share * np.float32(2048))).astype(np.int64)
    return first, np.minimum(first + 1, old - 1), weight
