"""CheXbert F1 from reports to a record; without the weights it alone is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cohorts.synthetic.cohort import build
from harness.errors import UnavailableError
from harness.extractors.chexbert import ChexbertExtractor
from harness.metrics import metric
from harness.networks.chexbert import CheXbert
from harness.scoring import evaluation, scorer
from harness.types import Cohort, ReportSet, SystemCard
from tests.released import SMALL, chexbert_file, chexbert_model, chexbert_state, vocabulary


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return build(30, seed=1)


def reports(cohort: Cohort) -> dict[str, str]:
    """One study missing, one blank, the others their own neighbours' reports."""
    ids = [study.id for study in cohort.scored]
    written = {study: cohort.reference(other) for study, other in zip(ids, [*ids[1:], ids[0]], strict=True)}
    del written[ids[3]]
    return written | {ids[5]: " \n"}


def test_without_weights_only_its_metric_is_left_out(cohort: Cohort) -> None:
    record = scorer.score(predictions=reports(cohort), references=cohort, metrics=("ran-score", "chexbert-f1", "sembscore", "green")).record
    assert [result.name for result in record.metrics] == ["ran-score"]
    assert set(record.unavailable) == {"chexbert-f1", "sembscore", "green"}
    assert "1.31 GB" in record.unavailable["chexbert-f1"]
    with pytest.raises(UnavailableError, match=r"1\.31 GB"):
        scorer.score(predictions=reports(cohort), references=cohort, metrics=("chexbert-f1",))


def test_every_study_is_scored_and_the_signature_names_the_weights(cohort: Cohort, tmp_path: Path) -> None:
    bert, heads = chexbert_model(SMALL, seed=3)
    vocabulary(tmp_path / "vocab.txt", SMALL.words)
    file = chexbert_file(tmp_path / "chexbert.pth", chexbert_state(bert, heads))
    by = ChexbertExtractor(CheXbert(file, device="cpu", shape=SMALL))
    sides = evaluation.from_reports(cohort, ReportSet(reports(cohort)), [by])
    made = evaluation.evaluate(sides, [metric("chexbert-f1:macro-14|u0")], card=SystemCard("x"))
    (result,) = made.record.metrics
    assert by.digest[:12] in result.signature and "macro-14|u0|zd0" in result.signature
    (rows,) = made.rows
    assert rows.values.shape == (30, len(rows.columns))
    asserted = rows.values[:, [n for n, name in enumerate(rows.columns) if name.endswith((":tp", ":fp"))]].sum(axis=1)
    ids = [study.id for study in cohort.scored]
    assert asserted[[rows.studies.index(ids[3]), rows.studies.index(ids[5])]].tolist() == [0, 0]
    assert (made.record.counts.missing, made.record.counts.empty) == (1, 1)
