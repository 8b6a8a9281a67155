"""The nearest neighbour over the train part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from generators.baseline.trained import pixels
from generators.bounds.floors import bound, bounds_of
from generators.bounds.neighbour import nearest
from generators.running.inputs import film
from harness.cohorts.synthetic.cohort import build
from harness.errors import InputError
from harness.scoring import scorer


def test_each_study_gets_the_reference_of_the_film_that_correlates_most(tmp_path: Path) -> None:
    cohort = build(studies=40, seed=3, images=tmp_path, train=150, dev=0)
    assert "nearest-neighbour" in bounds_of(cohort)
    made = bound("nearest-neighbour", cohort)
    train = [study for study in cohort.manifest.studies if study.part == "train"]
    # Again, study by study, with numpy's own correlation.
    study = cohort.scored[7]
    looks = [pixels(path) for item in train if (path := film(cohort, item, item.frontal))]
    own = film(cohort, study, study.frontal)
    assert own
    best = int(np.argmax([np.corrcoef(pixels(own), look)[0, 1] for look in looks]))
    assert made.reports[study.id] == cohort.reference(train[best].id)
    assert set(made.reports) == {item.id for item in cohort.scored}
    assert not set(made.reports.values()) - {cohort.reference(item.id) for item in train}
    scores = {
        name: scorer.score(predictions=bound(name, cohort).reports, references=cohort, metrics=["ran-score"]).record.metrics[0].value
        for name in ("nearest-neighbour", "constant-normal", "references")
    }
    assert scores["constant-normal"] < scores["nearest-neighbour"] < scores["references"]


def test_without_films_or_a_train_part_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no films on this machine, or no train part"):
        nearest(build(studies=5), "normal")
    assert "nearest-neighbour" not in bounds_of(build(studies=5, images=tmp_path, train=0, dev=0))
