"""Small studies on synthetic cohorts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.config.home import home
from harness.extractors import extractor
from harness.records.store import Store
from harness.types import Access, Cohort
from validation.readers import create, folder, simulated, texts
from validation.readers.folder import Folder
from validation.readers.study import ReadingStudy


@dataclass(frozen=True, slots=True)
class Made:
    """A frozen study with its cohort and texts."""

    cohort: Cohort
    folder: Folder
    study: ReadingStudy
    texts: dict[str, tuple[str, ...]]

    def hand_in(self, *numbers: int, seed: int = 0) -> None:
        """Complete sheets of simulated readers."""
        for number in numbers or range(len(self.study.readers)):
            rng, quality = np.random.default_rng([seed, number]), simulated.SIX[number]
            self.folder.take(simulated.sheet(self.study, self.study.readers[number], self.cohort.labels, quality, rng))


def cohort_of(studies: int, name: str = "small", language: str = "en", access: Access = Access.OPEN, seed: int = 0) -> Cohort:
    """A synthetic cohort under its own name, saved in the test's home."""
    made = build(studies, seed, language, train=0, dev=studies)
    named = cohorts.make(
        name,
        made.manifest.studies,
        made.texts,
        section=made.manifest.section,
        access=access,
        language=language,
        source="test",
        labels=made.labels,
    )
    cohorts.save(named, home() / "cohorts" / name)
    return named


def study_of(cohort: Cohort, name: str = "trial", **plan: Any) -> Made:
    """A study, frozen in the test's home."""
    settings = {"items": 12, "part": "test", **plan}
    store = Store(home() / "store")
    chosen = extractor("lexical") if settings.get("how") == "rare" else None
    made = create.study(cohort, create.ReadingPlan(**settings), seed="7", salt="ab" * 32, store=store, extractor=chosen)
    place = folder.place(name)
    place.freeze(made)
    return Made(cohort, place, made, texts.load(made, store))


@pytest.fixture
def made() -> Made:
    """Twelve reports, six readers, nothing submitted."""
    return study_of(cohort_of(30))
