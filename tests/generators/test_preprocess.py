"""Preprocessing against the libraries that the systems were written with, bit by bit."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.Image import Resampling

from generators.blocks.preprocess import CLIP, IMAGENET, cropped, equalised, fitted, normalised, padded, resized_short
from harness.films import resized

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "golden" / "preprocess.json").read_text())


def digest(values: Any) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]


def planes(size: str) -> tuple[np.ndarray[Any, Any], ...]:
    """Three planes of integers with fine and coarse structure; `size` is rows x columns."""
    rows, columns = map(int, size.split("x"))
    y, x = np.mgrid[0:rows, 0:columns]
    whole = ((x * x * 3 + y * y * 5 + x * y * 7) // 11, (x * 7 + y * 3) // 5, (x * y) // 17)
    return tuple((plane % 256).astype(np.uint8) for plane in whole)


@pytest.mark.parametrize("size", GOLDEN["torchvision"])
def test_pictures_come_out_as_torchvision_makes_them(size: str) -> None:
    picture = Image.fromarray(np.stack(planes(size), -1))
    made = {
        "bilinear 256 crop 224": cropped(resized_short(picture, 256, Resampling.BILINEAR), 224),
        "bicubic 224 crop 224": cropped(resized_short(picture, 224, Resampling.BICUBIC), 224),
        "crop 224": cropped(picture, 224),
        "square bicubic 224": picture.resize((224, 224), Resampling.BICUBIC),
        "imagenet": normalised(cropped(picture, 224), *IMAGENET),
    }
    assert {name: digest(value) for name, value in made.items()} == GOLDEN["torchvision"][size]


@pytest.mark.parametrize("size", GOLDEN["opencv"])
def test_films_come_out_as_opencv_makes_them(size: str) -> None:
    assert digest(fitted(planes(size)[0], 512)) == GOLDEN["opencv"][size]


def test_padding_goes_below_and_right_where_it_is_odd() -> None:
    square = padded(np.full((3, 6), 9, np.uint8), 6)
    assert square.shape == (6, 6)
    assert square.any(1).tolist() == [False, True, True, True, False, False]
    assert padded(square, 6) is not square and (padded(square, 4) == square).all()


def test_grey_films_are_normalised_with_one_channel() -> None:
    made = normalised(np.array([[0, 255]], np.uint8), (0.471,), (0.302,))
    assert made.shape == (1, 1, 2) and made.dtype == np.float32
    # The value of black padding in RGRG's own preprocessing.
    np.testing.assert_allclose(made[0, 0], [-0.471 / 0.302, 0.529 / 0.302], rtol=1e-6)
    assert normalised(Image.new("RGB", (2, 2)), *CLIP).shape == (3, 2, 2)


@pytest.mark.parametrize("drawn", GOLDEN["equalizeHist"])
def test_grey_levels_become_as_frequent_as_opencv_makes_them(drawn: str) -> None:
    seed, low, high, rows, columns = map(int, drawn.split())
    made = equalised(np.random.RandomState(seed).randint(low, high, (rows, columns)).astype(np.uint8))
    assert [*made.reshape(-1)[::7][:40].tolist(), int(made.sum())] == GOLDEN["equalizeHist"][drawn]


@pytest.mark.parametrize("size", GOLDEN["pillow"])
def test_odd_pictures_are_resized_as_by_the_published_versions_of_pillow(size: str) -> None:
    # Made with Pillow 9.5.0; 11.0.0 and 12.3.0 give the same. Pillow 13.0.0 alone gives other levels for the strongly portrait ones.
    picture = Image.fromarray(np.stack(planes(size), -1))
    made = {
        "bicubic 224": resized(picture, (224, 224), Resampling.BICUBIC),
        "bilinear 256": resized(picture, (256, 256), Resampling.BILINEAR),
        "box 32": resized(picture.convert("L"), (32, 32), Resampling.BOX),
    }
    assert {name: digest(value) for name, value in made.items()} == GOLDEN["pillow"][size]
