"""What the commands say of the files they read: label files of both kinds, the faults of all files at once, cleaning."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from sklearn.metrics import f1_score

from harness.findings import CHEXPERT_14, NO_FINDING, RAN_21
from ranscore.commands import main


def labels(path: Path, columns: tuple[str, ...], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerows([["study_id", *columns], *[[f"s{place}", *row] for place, row in enumerate(rows, 1)]])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_label_files_of_chexperts_14_are_scored_as_such(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = [[int((row * 7 + column * 3) % 5 == 0) for column in range(14)] for row in range(30)]
    said = [[value if (row + column) % 6 else 1 - value for column, value in enumerate(cells)] for row, cells in enumerate(known)]
    labels(here / "known.csv", CHEXPERT_14, known)
    labels(here / "said.csv", CHEXPERT_14, said)
    assert main(["score", "--labels", "said.csv", "--reference-labels", "known.csv", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    (result,) = record["metrics"]
    assert result["name"] == "chexbert-f1" and record["counts"]["studies"] == 30
    assert result["parts"]["macro-f1"] == pytest.approx(f1_score(known, said, average="macro", zero_division=0), abs=1e-12)
    assert result["parts"]["micro-f1"] == pytest.approx(f1_score(known, said, average="micro"), abs=1e-12)


def test_a_missing_no_finding_of_the_14_follows_chexperts_rule(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = tuple(name for name in CHEXPERT_14 if name != NO_FINDING)
    device = [int(name == "Support Devices") for name in columns]
    labels(here / "13.csv", columns, [device, [0] * 13])
    given = [[*cells, 1] for cells in ([int(name == "Support Devices") for name in CHEXPERT_14[:-1]], [0] * 13)]
    labels(here / "14.csv", CHEXPERT_14, given)
    assert main(["score", "--labels", "13.csv", "--reference-labels", "14.csv", "--json"]) == 0
    parts = json.loads(capsys.readouterr().out)["metrics"][0]["parts"]
    assert parts["f1:No Finding"] == 1.0


def test_14_against_21_is_refused_with_the_reason(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels(here / "14.csv", CHEXPERT_14, [[0] * 14])
    labels(here / "21.csv", RAN_21, [[0] * 21])
    assert main(["score", "--labels", "14.csv", "--reference-labels", "21.csv"]) == 3
    shown = capsys.readouterr().err
    assert "14.csv" in shown and "chexpert-14" in shown and "ran-21" in shown and "Give both files the same columns" in shown


def test_what_is_wrong_with_both_label_files_comes_at_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels(here / "said.csv", RAN_21[1:], [[0] * 20])
    labels(here / "known.csv", tuple(name for name in RAN_21 if name != "Edema"), [[0] * 20])
    assert main(["score", "--labels", "said.csv", "--reference-labels", "known.csv"]) == 3
    shown = capsys.readouterr().err
    assert "said.csv:1: there is no column 'Atelectasis'" in shown and "known.csv:1: there is no column 'Edema'" in shown


@pytest.mark.parametrize("command", ["score", "validate"])
def test_what_is_wrong_with_reports_and_references_comes_at_once(command: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "r.csv").write_text("study_id,report\ns1,The heart is large.\ns1,Twice.\n")
    (here / "p.csv").write_text("study_id,report\ns1,<script>alert(1)</script>\n,No id.\n")
    assert main([command, "p.csv", "--references", "r.csv"]) == 3
    shown = capsys.readouterr().err
    assert "r.csv:3, study 's1': the study has a row already" in shown
    assert "p.csv:2, study 's1': the report holds markup" in shown and "p.csv:3: the row has no study id" in shown


def test_a_no_finding_that_disagrees_is_told_of_both_files(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = [[0] * 21]
    labels(here / "said.csv", RAN_21, wrong)
    labels(here / "known.csv", RAN_21, [[int(name in (NO_FINDING, "Edema")) for name in RAN_21]])
    assert main(["score", "--labels", "said.csv", "--reference-labels", "known.csv"]) == 0
    shown = capsys.readouterr().err
    assert "said.csv, study 's1': No Finding is 0, its rule gives 1. It was taken as given" in shown
    assert "known.csv, study 's1': No Finding is 1, its rule gives 0" in shown


def test_reference_labels_without_labels_are_not_passed_over(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "p.csv").write_text("study_id,report\ns1,Clear lungs.\n")
    labels(here / "known.csv", RAN_21, [[0] * 21])
    assert main(["score", "p.csv", "--references", "p.csv", "--reference-labels", "known.csv"]) == 2
    assert "--reference-labels belongs to --labels" in capsys.readouterr().err


DIRTY = (
    "study_id,report\ns1,Small left effusion.</think>\ns2,The heart is large.<br>Clear lungs.\ns3,\u200bNo pneumothorax.\ns4,Clear lungs.\n"
)
PLAIN = "study_id,report\ns1,Small left effusion.\ns2,The heart is large. Clear lungs.\ns3,No pneumothorax.\ns4,Clear lungs.\n"


def test_clean_takes_out_stray_markup_and_counts_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "dirty.csv").write_text(DIRTY)
    (here / "plain.csv").write_text(PLAIN)
    against = ["--references", "plain.csv", "--open", "--metrics", "ran-score", "--json"]
    assert main(["score", "dirty.csv", *against]) == 3
    assert "or add --clean to `ranscore score`" in capsys.readouterr().err
    assert main(["score", "dirty.csv", "--clean", *against, "--store", "store"]) == 0
    shown = capsys.readouterr()
    cleaned = json.loads(shown.out)
    assert cleaned["counts"]["cleaned"] == 3 and "3 cleaned" in cleaned["counts"]["coverage"]
    assert "dirty.csv:3, study 's2': stray markup or control characters were taken out of the report" in shown.err
    assert main(["score", "plain.csv", *against]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["counts"]["cleaned"] == 0 and cleaned["metrics"][0]["parts"] == plain["metrics"][0]["parts"]
    assert cleaned["digest"] != plain["digest"]


def test_references_are_cleaned_and_what_is_accepted_as_reference_is_accepted_as_candidate(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "dirty.csv").write_text(DIRTY)
    (here / "plain.csv").write_text(PLAIN)
    assert main(["score", "dirty.csv", "--references", "dirty.csv", "--open", "--metrics", "ran-score", "--clean"]) == 0
    capsys.readouterr()
    assert main(["score", "plain.csv", "--references", "dirty.csv", "--open", "--metrics", "ran-score"]) == 0
    assert "taken out of 3 reports" in capsys.readouterr().err
    assert main(["cohort", "build", "table", "--file", "dirty.csv", "--open", "--out", "c"]) == 0
    assert main(["label", "dirty.csv", "-o", "labels.csv"]) == 0


@pytest.mark.parametrize("odd", ['"="', '"=1+1"', "nan", "<b>", "x" * 20_001, "```"])
def test_a_text_that_is_refused_on_one_side_is_refused_on_the_other(odd: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "odd.csv").write_text(f"study_id,report\ns1,{odd}\n")
    (here / "plain.csv").write_text("study_id,report\ns1,Clear lungs.\n")
    codes = [
        main(["score", *files, "--metrics", "ran-score"])
        for files in (["odd.csv", "--references", "plain.csv"], ["plain.csv", "--references", "odd.csv"])
    ]
    assert codes == [3, 3]
