"""From two sides to a record: counts, digests, invalid cohorts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.errors import InputError, StoreError
from harness.findings import RAN_21
from harness.metrics import metric
from harness.records import record
from harness.scoring import evaluation
from harness.scoring.evaluation import Evaluation
from harness.types import Grade, Labels, ReportStatus, Rows, Status, SystemCard

OK = (Status.OK,) * 21


def labels(seed: int, studies: int = 40) -> dict[str, Labels]:
    rng = np.random.default_rng(seed)
    return {f"s{index:02d}": Labels(tuple((rng.random(21) < 0.3).astype(int).tolist()), OK) for index in range(studies)}


def scored(candidate: dict[str, Labels], reference: dict[str, Labels] | None = None, name: str = "A") -> Evaluation:
    sides = evaluation.from_labels(predictions=candidate, references=reference or labels(0))
    return evaluation.evaluate(sides, [metric("ran-score")], card=SystemCard(name))


def test_order_and_name_do_not_change_the_digest_and_a_label_does() -> None:
    candidate = labels(1)
    one = scored(candidate).record
    permuted = scored(dict(reversed(candidate.items())), dict(reversed(labels(0).items())), name="B").record
    assert one.digest == permuted.digest
    flipped = {**candidate, "s03": Labels((1 - (candidate["s03"].values[0] or 0), *candidate["s03"].values[1:]), OK)}
    assert scored(flipped).record.digest != one.digest


def test_missing_studies_stay_and_are_counted() -> None:
    candidate = labels(0)
    del candidate["s07"]
    made = scored(candidate)
    assert made.rows[0].studies == tuple(sorted(labels(0)))
    assert made.record.counts.missing == 1 and made.record.counts.readable == 39
    assert str(made.record.counts).startswith("39 of 40; 1 missing")
    assert made.record.unranked == "self-scored" and not replace(made.record, grade=Grade.SCORED_HERE).unranked


def test_unknown_studies_are_named() -> None:
    with pytest.raises(InputError, match="study 'zz'"):
        scored({**labels(0), "zz": labels(0)["s01"]})


def test_failures_are_counted_and_above_two_percent_nothing_is_ranked() -> None:
    candidate = labels(0)
    candidate["s00"] = Labels((None,) * 21, (Status.FAILED,) * 21)
    made = replace(scored(candidate).record, grade=Grade.SCORED_HERE)
    assert made.counts.failed == 21 and made.counts.decisions == 40 * 21
    assert made.counts.lost_share == 0.025 and made.unranked == "2.5% of the decisions have no answer"
    candidate["s00"] = Labels((None, -1, *([0] * 19)), OK)
    counts = scored(candidate).record.counts
    assert (counts.unparseable, counts.uncertain) == (1, 1)


def test_failed_references_invalidate_the_cohort_with_the_list_of_studies() -> None:
    reference = labels(0)
    reference["s05"] = Labels((None,) * 21, (Status.UNPARSEABLE,) * 21)
    with pytest.raises(InputError, match=r"21 of 840.*cannot be scored[\s\S]*study 's05'"):
        scored(labels(1), reference)


def test_open_reference_cells_are_left_out_and_counted_and_invalidate_nothing() -> None:
    reference = {study: Labels((None, -1, *item.values[2:]), OK) for study, item in labels(0).items()}
    assert scored(labels(1), reference).record.counts.left_out == 80


def test_attainable_maximum_is_below_one_where_a_finding_has_no_positives() -> None:
    reference = {study: Labels((0, *item.values[1:]), OK) for study, item in labels(0).items()}
    result = scored(labels(1), reference).record.metrics[0]
    assert result.attainable == pytest.approx(20 / 21)


def test_a_record_survives_its_file_and_knows_what_it_is() -> None:
    made = scored(labels(1)).record
    again = record.from_json(record.to_json(made))
    assert again == made
    with pytest.raises(StoreError, match="Update ranscore"):
        record.from_json({**record.to_json(made), "schema": 99})
    with pytest.raises(InputError, match="the record cannot be read"):
        record.from_json({"schema": 1})


def test_rows_survive_their_file_and_a_changed_one_is_refused() -> None:
    made = scored(labels(1))
    data = record.rows_bytes(made.rows)
    (table,) = record.rows_from_bytes(data, made.record.rows)
    np.testing.assert_array_equal(table.values, made.rows[0].values)
    changed = record.rows_bytes([Rows(table.metric, table.columns, table.studies, table.values + 1)])
    with pytest.raises(StoreError, match="not those of the record"):
        record.rows_from_bytes(changed, made.record.rows)
    with pytest.raises(StoreError, match="cannot be read"):
        record.rows_from_bytes(b"PK broken", made.record.rows)


def test_every_unreadable_report_is_counted_by_its_kind() -> None:
    candidate = labels(0)
    for study, status in zip(sorted(candidate), (ReportStatus.EMPTY, ReportStatus.UNSUPPORTED, ReportStatus.MISSING), strict=False):
        candidate[study] = replace(candidate[study], report=status)
    counts = scored(candidate).record.counts
    assert (counts.empty, counts.unsupported, counts.missing, counts.readable) == (1, 1, 1, 37)
    assert counts.decisions == 37 * len(RAN_21)


def test_an_unsure_no_finding_is_counted_apart_from_flags_and_changes_no_digest() -> None:
    candidate = labels(0)
    plain = scored(candidate).record
    for study, flags in zip(sorted(candidate), (("unsure",), ("unsure", "role marker"), ("json",)), strict=False):
        candidate[study] = replace(candidate[study], flags=flags)
    made = scored(candidate).record
    assert (made.counts.unsure, made.counts.flagged) == (2, 2)
    assert "2 with an unsure No Finding" in str(made.counts)
    assert made.digest == plain.digest
