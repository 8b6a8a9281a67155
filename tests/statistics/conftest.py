"""Small cohorts of counts, made without text."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.metrics.findings_f1 import FindingsF1, ran_score
from harness.types import Array, Rows

Draw = Callable[..., tuple[dict[str, Rows], dict[str, str]]]


def _counts(truth: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], recall: float, hallucination: float, rng: np.random.Generator) -> Array:
    chance = rng.random(truth.shape)
    said = np.where(truth, chance < recall, chance < hallucination)
    cells = np.stack([truth & said, ~truth & said, truth & ~said, ~truth & ~said], axis=-1)
    return cells.reshape(len(truth), -1).astype(np.float64)


def _draw(systems: dict[str, tuple[float, float]], studies: int = 120, seed: int = 0) -> tuple[dict[str, Rows], dict[str, str]]:
    rng = np.random.default_rng(seed)
    truth = rng.random((studies, 21)) < np.linspace(0.02, 0.35, 21)
    names = tuple(f"s{index:04d}" for index in range(studies))
    columns = ran_score("").columns
    tables = {name: Rows("ran-score", columns, names, _counts(truth, *rates, rng)) for name, rates in systems.items()}
    return tables, {name: f"p{index // 2:04d}" for index, name in enumerate(names)}


@pytest.fixture(scope="session")
def draw() -> Draw:
    """By system name recall and hallucination rate; gives rows by system and patients by study (two studies each)."""
    return _draw


@pytest.fixture(scope="session")
def ran() -> FindingsF1:
    """The metric most tests use."""
    return ran_score("")
