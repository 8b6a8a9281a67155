"""The embedded extractor on real reports with manual codes, and on Chinese sentences that others labelled."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from benchmarks.extraction import COVERED, f1, lexical
from harness.extractors.lexical import Lexical
from harness.findings import RAN_21
from harness.metrics.findings_f1 import ran_score
from harness.types import Array, Input, Labels, ReportStatus, Status

FOLDS = 5
CHINESE = Path(__file__).parent / "data" / "chinese_sentences.csv"


@pytest.fixture(scope="module")
def counted(shared: Path) -> tuple[Array, list[int]]:
    """One row of counts a report, and its number."""
    with (shared / "openi" / "reports_dev.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    texts = [row["findings"] + "\n" + row["impression"] for row in rows]
    ok = (Status.OK,) * len(RAN_21)
    truth = [Labels(tuple(int(row[name]) if row[name] else None for name in RAN_21), ok) for row in rows]
    said = Lexical().extract(texts)
    metric = ran_score("")
    references = [Input(row["uid"], text, labels={"ran-21": labels}) for row, text, labels in zip(rows, texts, truth, strict=True)]
    candidates = [Input(row["uid"], text, labels={"ran-21": labels}) for row, text, labels in zip(rows, texts, said, strict=True)]
    return metric.rows(references, candidates), [int(row["uid"]) for row in rows]


def macro(rows: Array) -> float:
    scores = ran_score("").score(rows.sum(axis=0))
    return float(np.mean([scores[f"f1:{finding}"] for finding in COVERED]))


def test_real_reports(counted: tuple[Array, list[int]]) -> None:
    rows, _ = counted
    scores = ran_score("").score(rows.sum(axis=0))
    # 0.934 on 1,807 other reports of the same collection before this version, 0.947 on these.
    assert macro(rows) >= 0.955
    assert min(scores["f1:Atelectasis"], scores["f1:Lung Lesion"]) >= 0.88
    poor = {name: float(scores[f"f1:{name}"]) for name in COVERED if scores[f"f1:{name}"] < 0.87}
    assert poor == {}


def test_no_fifth_of_the_reports_carries_the_score(counted: tuple[Array, list[int]]) -> None:
    rows, uids = counted
    fold = np.array(uids) % FOLDS
    without = [macro(rows[fold != left_out]) for left_out in range(FOLDS)]
    assert max(without) - min(without) < 0.01


@pytest.mark.parametrize(("language", "least"), [("english", 0.91), ("chinese", 0.82)])
def test_reports_that_a_model_rewrote_or_translated(shared: Path, language: str, least: float) -> None:
    with (shared / "openi" / "reports_dev_paraphrased.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    truth = np.array([[float(row[name]) if row[name] else np.nan for name in RAN_21] for row in rows])
    found = f1(truth, lexical([row[language] for row in rows]))
    # 0.890 and 0.592 before this version.
    assert float(found[[RAN_21.index(name) for name in COVERED]].mean()) >= least


def test_chinese_sentences_of_others() -> None:
    with CHINESE.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    counts = np.zeros((len(RAN_21), 3))
    lexical = Lexical()
    for row in rows:
        truth = set(row["findings"].split(";"))
        labels = lexical.label(row["text"])
        for index, name in enumerate(RAN_21):
            said = labels.report is ReportStatus.OK and labels.values[index] == 1
            counts[index] += (said and name in truth, said and name not in truth, not said and name in truth)
    hits, false, missed = counts.T
    assert len(rows) >= 300
    # 0.923 on the first reading, before any fault was mended.
    assert float((2 * hits / (2 * hits + false + missed)).mean()) >= 0.97
