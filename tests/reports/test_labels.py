"""Label files: what a cell means, the rule of No Finding, the exact round trip."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import InputError, UsageError
from harness.findings import CHEXPERT_14, FINDINGS, NO_FINDING, RAN_21
from harness.formats import label_files
from harness.types import Labels, ReportStatus, Status

DECISIONS = st.sampled_from([(1, Status.OK), (0, Status.OK), (-1, Status.OK), (None, Status.OK)]) | st.sampled_from(
    [(None, status) for status in Status if status is not Status.OK]
)
IDS = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=30)


def made(vocabulary: tuple[str, ...]) -> st.SearchStrategy[Labels]:
    def put(decisions: list[tuple[int | None, Status]], report: ReportStatus) -> Labels:
        return Labels(tuple(value for value, _ in decisions), tuple(status for _, status in decisions), report)

    return st.builds(put, st.lists(DECISIONS, min_size=len(vocabulary), max_size=len(vocabulary)), st.sampled_from(ReportStatus))


@given(table=st.dictionaries(IDS, made(RAN_21), min_size=1, max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
def test_what_is_written_is_read_again(tmp_path: Path, table: dict[str, Labels]) -> None:
    label_files.write(tmp_path / "a.csv", table)
    assert label_files.read(tmp_path / "a.csv") == table


def test_the_other_vocabulary_goes_round_as_well(tmp_path: Path) -> None:
    table = {"s1": Labels((1, 0, -1, None, *[0] * 10), (Status.OK,) * 14), "s2": Labels((None,) * 14, (Status.REFUSED,) * 14)}
    label_files.write(tmp_path / "a.csv", table, "chexpert-14")
    assert label_files.read(tmp_path / "a.csv", "chexpert-14") == table
    assert (tmp_path / "a.csv").read_text().splitlines()[0] == "study_id,status," + ",".join(CHEXPERT_14)


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("1", (1, Status.OK)),
        (" 1.0 ", (1, Status.OK)),
        (1, (1, Status.OK)),
        (0.0, (0, Status.OK)),
        ("0", (0, Status.OK)),
        ("-1", (-1, Status.OK)),
        (-1.0, (-1, Status.OK)),
        ("", (None, Status.OK)),
        (None, (None, Status.OK)),
        (float("nan"), (None, Status.OK)),
        ("Unparseable", (None, Status.UNPARSEABLE)),
        ("refused", (None, Status.REFUSED)),
        ("failed", (None, Status.FAILED)),
        ("ERROR", (None, Status.FAILED)),
        ("nan", (None, Status.FAILED)),
        ("inf", (None, Status.FAILED)),
        ("2", (None, Status.FAILED)),
        (0.5, (None, Status.FAILED)),
        ("no", (None, Status.FAILED)),
        ([1], (None, Status.FAILED)),
    ],
)
def test_what_a_cell_means(cell: object, meant: tuple[int | None, Status]) -> None:
    assert label_files.decision(cell) == meant


def test_a_missing_no_finding_follows_the_rule() -> None:
    others = [name for name in RAN_21 if name != NO_FINDING]
    place = RAN_21.index(NO_FINDING)

    def rule(**changed: object) -> int | None:
        return label_files.from_rows({**dict.fromkeys(others, "0"), **changed}).values[place]

    assert rule() == 1
    assert rule(Edema="1") == 0
    assert rule(Edema="") is None and rule(Edema="-1") is None and rule(Edema="ERROR") is None
    assert rule(Edema="ERROR", Fracture="1") == 0
    assert rule(**{NO_FINDING: "0"}) == 0, "a given one is taken as given"


def test_a_device_counts_against_no_finding_in_the_paper_and_not_in_chexpert() -> None:
    def rule(names: tuple[str, ...], vocabulary: str) -> int | None:
        cells = {name: int(name == "Support Devices") for name in names if name != NO_FINDING}
        return label_files.from_rows(cells, vocabulary).values[names.index(NO_FINDING)]

    assert rule(RAN_21, "ran-21") == 0
    assert rule(CHEXPERT_14, "chexpert-14") == 1


def test_disagreement_with_the_rule_is_a_warning_that_names_the_study() -> None:
    clear = label_files.from_rows(dict.fromkeys(RAN_21, 0))
    right = label_files.from_rows({name: int(name == NO_FINDING) for name in RAN_21})
    assert label_files.warnings({"s1": clear, "s2": right}, file="a.csv") == (
        "a.csv, study 's1': No Finding is 0, its rule gives 1. It was taken as given",
    )


def test_either_spelling_any_case_and_any_format_give_the_same_labels(tmp_path: Path) -> None:
    cells = {finding.column.upper(): index % 2 for index, finding in enumerate(FINDINGS)}
    row = {"study_id": "s1", **cells}
    (tmp_path / "a.csv").write_text(",".join(row) + "\n" + ",".join(map(str, row.values())) + "\n")
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "a.json").write_text(json.dumps([row]))
    pq.write_table(pa.table({name: [value] for name, value in row.items()}), tmp_path / "a.parquet")
    read = [label_files.read(tmp_path / f"a.{suffix}") for suffix in ("csv", "jsonl", "json", "parquet")]
    assert read[0]["s1"].values == tuple(index % 2 for index in range(21))
    assert read.count(read[0]) == 4


def test_everything_wrong_with_a_label_file_comes_at_once(tmp_path: Path) -> None:
    columns = [name for name in RAN_21 if name != "Edema"]
    lines = ["study_id,status,Edemaa," + ",".join(columns), "s1,ok" + ",0" * 21, "s1,odd" + ",0" * 21, "," + ",0" * 21, "s9,0"]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    with pytest.raises(InputError) as caught:
        label_files.read(tmp_path / "a.csv")
    told = [(problem.line, problem.what) for problem in caught.value.problems]
    assert told == [
        (5, "fields: 2 in this row, 23 in the header"),
        (1, "column 3 is neither study_id, status nor a finding"),
        (1, "there is no column 'Edema'"),
        (3, "the study has a row already"),
        (4, "the row has no study id"),
    ]
    assert "Rename it to 'Edema'" in str(caught.value)


def test_a_wrong_status_and_a_wrong_vocabulary_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("study_id,status," + ",".join(RAN_21) + "\ns1,gone" + ",0" * 21 + "\n")
    with pytest.raises(InputError, match="none of ok, missing, empty, unsupported"):
        label_files.read(tmp_path / "a.csv")
    with pytest.raises(UsageError, match="no vocabulary 'icd-10'"):
        label_files.read(tmp_path / "a.csv", "icd-10")


def test_columns_are_recognised_with_and_without_no_finding() -> None:
    assert label_files.has_columns(["uid", *(name.upper() for name in RAN_21 if name != NO_FINDING)])
    assert not label_files.has_columns(RAN_21[:-1])


def test_real_labels_are_read_row_by_row(shared: Path) -> None:
    import csv

    with (shared / "openi" / "reports_dev.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    read = [label_files.from_rows(row) for row in rows]
    positives = sum(item.values[RAN_21.index("Cardiomegaly")] == 1 for item in read)
    assert positives == sum(row["Cardiomegaly"] == "1" for row in rows) > 100
    assert {status for item in read for status in item.statuses} == {Status.OK}
