"""The paper's tables of extractors, out of label files that are made to give their counts, to the last printed digit."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from statsmodels.stats.proportion import proportion_confint

from harness.findings import COMPARABLE_14, RAN_21
from harness.records.paper_table import extraction
from harness.statistics.agreement import counts_of
from ranscore.commands import main
from tests.validation.extractors.conftest import cells, write_columns
from validation.extractors import results, tables

REPORTS = 300


def whole_counts(f1: float, positives: tuple[int, ...]) -> tuple[int, int, int]:
    """Whole counts of 300 reports that print an F1: true positives, false positives, false negatives."""

    fits = []
    for number in positives or range(1, 140):
        for right in range(number + 1):
            about = round(2 * right / f1) - number
            for seen in range(max(right, 1, about - 2), about + 3):
                if f"{2 * right / (number + seen):.3f}" == f"{f1:.3f}" and seen <= REPORTS - number + right:
                    fits.append((abs(number - seen), number, right, seen))
    _, number, right, seen = min(fits)
    return right, seen - right, number - right


def files(
    folder: Path, name: str, values: Mapping[str, tuple[float, tuple[int, ...]]]
) -> tuple[Path, Path, dict[str, tuple[int, int, int]]]:
    """A standard and an extractor as label files."""
    counts = {finding: whole_counts(*given) for finding, given in values.items()}
    columns = {finding: cells(*count, REPORTS) for finding, count in counts.items()}
    standard = write_columns(folder / f"{name}-readers.csv", {finding: both[0] for finding, both in columns.items()})
    extractor = write_columns(folder / f"{name}.csv", {finding: both[1] for finding, both in columns.items()})
    return standard, extractor, counts


def run(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(["extractor", "validate", *map(str, words)]) == 0
    return capsys.readouterr().out


def bracket(k: int, n: int) -> str:
    """A printed accuracy; the interval is statsmodels'."""
    low, high = proportion_confint(k, n, method="beta")
    return f"{k / n:.3f} [{low:.3f}, {high:.3f}]"


@pytest.mark.parametrize("when", ["before", "after"])
def test_table_4_comes_out_of_its_counts(when: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """F1 of the 21 labels as printed; the mean of 21 before revision is the printed 0.753, that of 14 after it the printed 0.956."""
    rows = extraction()
    values = {row.finding: (getattr(row, f"f1_{when}"), getattr(row, f"positives_{when}")) for row in rows}
    standard, extractor, counts = files(tmp_path, when, values)
    printed = {
        row["finding"]: row
        for row in csv.DictReader(io.StringIO(run(capsys, "--standard", standard, "--extractor", extractor, "--format", "csv")))
        if row["extractor"] == when
    }
    for row in rows:
        own = printed[row.finding]
        assert f"{float(own['f1']):.3f}" == f"{getattr(row, f'f1_{when}'):.3f}"
        tp, fp, fn = counts[row.finding]
        assert (int(own["tp"]), int(own["fp"]), int(own["fn"])) == (tp, fp, fn)
        accuracy = f"{float(own['accuracy']):.3f} [{float(own['accuracy low']):.3f}, {float(own['accuracy high']):.3f}]"
        assert accuracy == bracket(REPORTS - fp - fn, REPORTS)
        # The way back, by the function that found the counts behind the paper's own cells.
        right, precision, recall = (round(float(own[kind]), 3) for kind in ("accuracy", "precision", "recall"))
        assert (tp, fp, fn) in {
            (item.true_positives, item.false_positives, item.false_negatives) for item in counts_of(right, precision, recall, REPORTS)
        }
    over, mean = {"before": ("all 21 findings", 0.753), "after": ("the 14 of CheXpert", 0.956)}[when]
    assert float(printed[f"macro over {over}"]["f1"]) == pytest.approx(mean, abs=0.0005)


def test_chexbert_stands_beside_on_its_14_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row for row in extraction() if row.f1_chexbert is not None]
    values = {row.finding: (row.f1_chexbert or 0.0, ()) for row in rows}
    standard, extractor, _ = files(tmp_path, "chexbert", values)
    with extractor.open(newline="") as stream:
        given = list(csv.DictReader(stream))
    spelled = {name.lower(): name for name in given[0]}
    with extractor.open("w", newline="") as stream:  # as CheXbert's own labels: 14 columns, and blank for not mentioned
        writer = csv.writer(stream)
        writer.writerow(["study_id", *COMPARABLE_14])
        writer.writerows([row["study_id"], *("1" if row[spelled[name.lower()]] == "1" else "" for name in COMPARABLE_14)] for row in given)
    out = run(capsys, "--standard", standard, "--extractor", extractor, "--format", "json")
    validation = json.loads(out)
    own = next(item for item in validation["extractors"] if item["title"] == "chexbert, uncertain present")
    printed = {item["finding"]: item["f1"]["value"] for item in own["parts"][0]["findings"]}
    assert {name: f"{value:.3f}" for name, value in printed.items()} == {row.finding: f"{row.f1_chexbert:.3f}" for row in rows}
    average = own["parts"][0]["averages"][0]
    assert (average["name"], f"{average['macro']['f1']['value']:.3f}") == (
        "14",
        "0.797",
    )  # the mean of the 14 printed values; 0.798 in the text


def test_tables_2_and_3_print_the_exact_interval_of_their_own_number_of_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every accuracy from 276 to 300 of 300, and of 150: those of the Chinese table, whose printed brackets are of 300."""
    for n, errors in ((300, range(25)), (150, range(12))):
        several = []
        for turn in (0, 1):
            counts = {name: (9, errors[(index + 21 * turn) % len(errors)], 0) for index, name in enumerate(RAN_21)}
            columns = {name: cells(*count, n) for name, count in counts.items()}
            several.append(write_columns(tmp_path / f"model-{turn}.csv", {name: both[1] for name, both in columns.items()}))
            standard = write_columns(tmp_path / f"readers-{n}.csv", {name: both[0] for name, both in columns.items()})
        out = run(capsys, "--standard", standard, "--extractor", *several, "--format", "latex")
        table = out.partition("toprule")[2].partition("bottomrule")[0]
        rows = [line.rstrip("\\ ").split(" & ") for line in table.splitlines() if line.count("&") == 3][1:]
        assert [row[0] for row in rows] == [*RAN_21, "mean"]
        for index, row in enumerate(rows[:-1]):
            wrong = [errors[(index + 21 * turn) % len(errors)] for turn in (0, 1)]
            assert row[1:3] == [bracket(n - number, n) for number in wrong]


def test_always_absent_has_the_accuracy_that_the_paper_prints_for_a_rare_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """4 positives of 300: 0.987 [0.966, 0.996] without reading a word."""
    columns = {"Fracture": cells(4, 0, 0, REPORTS)}
    standard = write_columns(tmp_path / "readers.csv", {name: both[0] for name, both in columns.items()})
    out = run(capsys, "--standard", standard, "--extractor", f"{standard},title=perfect")
    line = next(line for line in out.splitlines() if line.strip().startswith("Fracture"))
    assert re.findall(r"[\d.]+ \[[\d., ]+\]", line) == ["1.000 [0.988, 1.000]", "0.987 [0.966, 0.996]"]


def test_the_file_is_what_was_printed_and_says_when_it_was_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    standard, extractor, _ = files(tmp_path, "before", {row.finding: (row.f1_before, row.positives_before) for row in extraction()})
    out = run(capsys, "--standard", standard, "--extractor", extractor, "-o", tmp_path / "kept")
    path = Path(out.splitlines()[-1].partition(":")[0])
    validation = results.load(path)
    assert validation.digest in out and validation == results.load(path.parent)
    assert "s0001" not in path.read_text() + (path.parent / "decisions.json").read_text()
    assert run(capsys, "--standard", standard, "--extractor", extractor, "-o", tmp_path / "kept").splitlines()[-1] == out.splitlines()[-1]
    assert len(list((tmp_path / "kept").iterdir())) == 1
    path.write_text(path.read_text().replace('"tp": 4,', '"tp": 5,', 1))
    with pytest.raises(Exception, match="changed"):
        results.load(path)
    assert tables.as_csv(validation).count("\n") > 40
