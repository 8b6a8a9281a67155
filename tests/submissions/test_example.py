"""The example file of the Submit tab."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.cohorts.synthetic.cohort import build
from harness.errors import RefusedError
from harness.formats import tabular
from harness.formats.complaints import Complaints
from harness.formats.reports import check
from harness.scoring import scorer
from harness.types import Access
from submissions.example import example
from submissions.gaming_flags import text_flags


def test_it_is_complete_well_formed_unsuspicious_and_low() -> None:
    cohort = build(studies=60, seed=9)
    complaints = Complaints("example.csv")
    reports = check(tabular.parse(example(cohort).encode(), complaints), complaints, [study.id for study in cohort.scored])
    complaints.check()
    assert len(reports) == 60 and not text_flags(reports)
    assert scorer.score(predictions=reports, references=cohort, metrics=["ran-score"]).record.metrics[0].value < 0.3


def test_a_credentialed_cohort_has_none() -> None:
    cohort = build(studies=5)
    with pytest.raises(RefusedError, match="may not leave"):
        example(replace(cohort, manifest=replace(cohort.manifest, access=Access.CREDENTIALED)))
