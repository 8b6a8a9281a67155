"""Pairs of reports for the metrics on text: written by a seeded grammar, and the real ones where they are."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harness.types import Input

Pairs = tuple[list[str], list[str]]

_SUBJECTS = (
    "The heart",
    "The cardiomediastinal silhouette",
    "The right hemidiaphragm",
    "XXXX opacity",
    "A 1.5 cm nodule",
    "The T9-T10 disc",
)
_VERBS = ("is", "appears", "is again seen to be", "may be", "isn't")
_STATES = (
    "normal in size",
    "mildly enlarged",
    "stable compared to prior CT",
    "unremarkable/clear",
    "well-expanded (as before)",
    "elevated",
)
_ENDS = (".", ".", ".", ";", ".  ", ".\n", " .", "!")
_SENTENCES = ("No focal consolidation, effusion, or pneumothorax", "1. Low-lung volumes", "There is the patient's 3-4 mm granuloma & scar")


def write_report(chance: random.Random) -> str:
    """A report of one to seven sentences with the signs that tokenisers differ on."""
    sentences = []
    for _ in range(chance.randint(1, 7)):
        plain = " ".join((chance.choice(_SUBJECTS), chance.choice(_VERBS), chance.choice(_STATES)))
        sentences.append(chance.choice((plain, plain, chance.choice(_SENTENCES))) + chance.choice(_ENDS))
    return " ".join(sentences).strip()


def change_report(chance: random.Random, text: str) -> str:
    """A copy with some words dropped, doubled or moved."""
    words = text.split(" ")
    kept = [word for word in words for _ in range(chance.choice((0, 1, 1, 1, 1, 1, 1, 2)))]
    if chance.random() < 0.3:
        chance.shuffle(kept)
    return " ".join(kept)


@pytest.fixture(scope="session")
def synthetic_pairs() -> Pairs:
    """200 references and candidates: half changed copies, half other reports."""
    chance = random.Random(20)
    references = [write_report(chance) for _ in range(200)]
    candidates = [change_report(chance, text) if chance.random() < 0.5 else write_report(chance) for text in references]
    return references, candidates


def _column(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["study_id"]: row["report"] for row in csv.DictReader(stream)}


@pytest.fixture(scope="session")
def submitted(shared: Path) -> Callable[[str], Pairs]:
    """The 590 real references and the candidates of one file of shared/data/submissions."""
    references = _column(shared / "submissions" / "references.csv")

    def pairs(name: str) -> Pairs:
        candidates = _column(shared / "submissions" / f"{name}.csv")
        return list(references.values()), [candidates[study] for study in references]

    return pairs


@pytest.fixture(scope="session")
def real_texts(shared: Path) -> list[str]:
    """Every report text of the shared data, each once."""
    with (shared / "openi" / "reports_dev.csv").open(encoding="utf-8", newline="") as stream:
        texts = [text for row in csv.DictReader(stream) for text in (row["findings"], row["impression"])]
    for name in ("references", "moerad-iu", "aamn-iu"):
        texts += _column(shared / "submissions" / f"{name}.csv").values()
    return [text for text in dict.fromkeys(texts) if text.strip()]


@pytest.fixture(scope="session", name="as_inputs")
def as_inputs_fixture() -> Callable[[Sequence[str]], list[Input]]:
    """Wrap texts as one side of a comparison."""
    return lambda texts: [Input(f"s{number}", text) for number, text in enumerate(texts)]
