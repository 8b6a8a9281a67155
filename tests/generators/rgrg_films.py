"""Test films and boxes by whole-number arithmetic alone, so that every machine makes the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def film(number: int) -> NDArray[np.uint8]:
    """A film of 512 by 512: bright in the middle, striped, different for each number."""
    rows, columns = np.mgrid[0:512, 0:512]
    middle = (rows * (511 - rows) // 256) * (columns * (511 - columns) // 256) // 512
    stripes = (rows * (number + 3) + columns * (2 * number + 1)) // 5 % 97
    blocks = (rows // (32 + 16 * number) + columns // 48) % 2 * 50
    made: NDArray[np.uint8] = np.clip(middle + stripes + blocks - 60, 0, 255).astype(np.uint8)
    return made


def boxes(count: int = 300) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes within 512 by 512 that overlap a lot, and scores with ties."""
    place = np.arange(count)
    left, top = place * 37 % 400, place * 53 % 390
    right, bottom = left + 8 + place * 11 % 111, top + 8 + place * 7 % 121
    return np.stack([left, top, right, bottom], 1).astype(np.float32), (place * 29 % 50 / 50).astype(np.float32)


def features(channels: int = 3, cells: int = 16) -> NDArray[np.float32]:
    """A map of features between -1 and 1."""
    place = np.arange(channels * cells * cells).reshape(channels, cells, cells)
    return ((place * 7919 % 1009) / 504.5 - 1).astype(np.float32)
