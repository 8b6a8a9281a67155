"""The example file of the Submit tab."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness import scoring, tabular
from harness.cohorts.synthetic import build
from harness.complaints import Complaints
from harness.errors import RefusedError
from harness.reports import check
from harness.types import Access
from submissions.example import example
from submissions.probes import text_flags


def test_it_is_complete_well_formed_unsuspicious_and_low() -> None:
    cohort = build(studies=60, seed=9)
    complaints = Complaints("example.csv")
    reports = check(tabular.parse(example(cohort).encode(), complaints), complaints, [study.id for study in cohort.scored])
    complaints.check()
    assert len(reports) == 60 and not text_flags(reports)
    assert scoring.score(predictions=reports, references=cohort, metrics=["ran-score"]).record.metrics[0].value < 0.3


def test_a_credentialed_cohort_has_none() -> None:
    cohort = build(studies=5)
    with pytest.raises(RefusedError, match="may not leave"):
        example(replace(cohort, manifest=replace(cohort.manifest, access=Access.CREDENTIALED)))
