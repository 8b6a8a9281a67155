from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.cohorts.synthetic.cohort import build
from harness.cohorts.synthetic.films import SIZE, film
from harness.cohorts.synthetic.marks import MARKS
from harness.cohorts.synthetic.reports import FINDINGS_20

PIXELS = "ff0fe1f6501a5401b3b030b35456d51aa36e69e3e5d7e6f9982e8f6c40c41304"
"""SHA-256 over the pixels of eight films: they never change unnoticed, because models are trained on them."""


def drawn(finding: str, side: str = "left", lateral: bool = False, seed: str = "a") -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """What a mark changes, by pixel."""
    with_mark, without = film(lateral, [finding], {finding: side}, seed), film(lateral, [], {}, seed)
    return with_mark.astype(np.int64) - without.astype(np.int64)


def test_every_finding_has_a_mark() -> None:
    assert set(MARKS) == set(FINDINGS_20)


@pytest.mark.parametrize("lateral", [False, True])
@pytest.mark.parametrize("finding", FINDINGS_20)
def test_a_mark_stands_out(finding: str, lateral: bool) -> None:
    change = np.abs(drawn(finding, lateral=lateral))
    # Noise is at most 8 levels either way, so 30 levels are no noise; 150 pixels survive shrinking to a quarter.
    assert (change > 30).sum() > 150
    assert (change > 0).mean() < 0.25


@pytest.mark.parametrize("lateral", [False, True])
def test_marks_are_distinct(lateral: bool) -> None:
    changes = np.array([drawn(finding, lateral=lateral).ravel() for finding in FINDINGS_20], dtype=np.float64)
    changes /= np.linalg.norm(changes, axis=1, keepdims=True)
    likeness = np.abs(changes @ changes.T) - np.eye(len(FINDINGS_20))
    assert likeness.max() < 0.6


def test_sides_are_as_radiologists_hang_films() -> None:
    for finding, mark in MARKS.items():
        right, left = (np.abs(drawn(finding, side)).sum(axis=0) for side in ("right", "left"))
        if mark.sided:
            assert right[: SIZE // 2].sum() > right[SIZE // 2 :].sum()
            assert left[: SIZE // 2].sum() < left[SIZE // 2 :].sum()
        else:
            np.testing.assert_array_equal(right, left)


def test_marks_keep_their_place_but_for_a_jitter() -> None:
    centres = []
    for number in range(12):
        change = np.abs(drawn("Lung Lesion", seed=str(number)))
        centres.append([np.average(np.arange(SIZE), weights=change.sum(axis=axis)) / SIZE for axis in (0, 1)])
    spread = np.std(centres, axis=0)
    assert (spread > 0.003).all() and (spread < 0.04).all()


def test_films_are_written_linked_and_not_drawn_twice(tmp_path: Path) -> None:
    cohort = build(6, seed=2, images=tmp_path, train=2, dev=0)
    paths = [tmp_path / image.path for study in cohort.manifest.studies for image in study.images]
    assert cohort.images == tmp_path
    assert sorted(tmp_path.rglob("*.*")) == sorted(paths)
    for path in paths:
        with Image.open(path) as picture:
            assert (picture.size, picture.mode, picture.format) == ((SIZE, SIZE), "L", "PNG")
    paths[0].write_bytes(b"kept")
    build(6, seed=2, images=tmp_path, train=2, dev=0)
    assert paths[0].read_bytes() == b"kept"


def test_cohorts_in_one_folder_do_not_share_films(tmp_path: Path) -> None:
    def paths(studies: int, seed: int) -> set[str]:
        return {image.path for study in build(studies, seed, train=0, dev=0).manifest.studies for image in study.images}

    assert not paths(20, 1) & paths(20, 2)
    assert not paths(20, 1) & paths(21, 1)


def test_the_films_never_change_unnoticed() -> None:
    some = [FINDINGS_20[number * 5 : number * 5 + 5] for number in range(4)]
    pixels = [film(lateral, present, {"Fracture": "right"}, f"golden/{lateral}") for lateral in (False, True) for present in some]
    assert sha256(b"".join(picture.tobytes() for picture in pixels)).hexdigest() == PIXELS
