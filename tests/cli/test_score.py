"""`ranscore score` and `ranscore verify`, as a person types them."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.cohorts.synthetic.systems import system
from harness.formats import label_files
from harness.records.store import Store
from harness.types import Cohort
from ranscore.commands import main


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    """A small synthetic cohort."""
    return build(studies=80, seed=2)


@pytest.fixture
def here(cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with label files of both sides and the cohort."""
    monkeypatch.chdir(tmp_path)
    cohorts.save(cohort, tmp_path / "cohort")
    label_files.write(tmp_path / "reference.csv", {study.id: cohort.labels[study.id] for study in cohort.scored})
    label_files.write(tmp_path / "candidate.csv", system(cohort, "birch", 0.75, 0.3).labels)
    return tmp_path


def test_labels_become_a_record_a_table_a_sentence_and_a_row(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["score", "--labels", "candidate.csv", "--reference-labels", "reference.csv", "-o", "r.json", "--per-study", "p.csv"]
    assert main([*arguments, "--name", "Birch & Co", "--store", "store"]) == 0
    shown = capsys.readouterr().out
    assert "Pulmonary Vascular Abnormal" in shown and "Birch & Co reaches Ran Score" in shown and r"Birch \& Co & 0." in shown
    assert "* fewer than 10 positives" in shown
    record = json.loads((here / "r.json").read_text())
    assert len(record["digest"]) == 64 and record["system"]["name"] == "Birch & Co"
    assert Store(here / "store").find("Birch & Co").record.digest == record["digest"]
    rows = list(csv.DictReader((here / "p.csv").read_text().splitlines()))
    assert len(rows) == 80 and {row["status"] for row in rows} == {"ok"}
    wrong = sum(len(list(filter(None, row[kind].split("; ")))) for row in rows for kind in ("missed", "invented"))
    parts = record["metrics"][0]["parts"]
    assert wrong == round((1 - parts["micro-accuracy"]) * 80 * 21)


def test_json_is_one_document_with_the_digest_on_top(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "--labels", "candidate.csv", "--cohort", "cohort", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["cohort"]["name"] == "synthetic" and record["cohort"]["patients"] < 80 and record["digest"]


def test_a_permuted_file_gives_the_same_digest(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head, *lines = (here / "candidate.csv").read_text().splitlines()
    (here / "permuted.csv").write_text("\n".join([head, *reversed(lines)]) + "\n")
    digests = []
    for name in ("candidate.csv", "permuted.csv"):
        main(["score", "--labels", name, "--reference-labels", "reference.csv", "--json"])
        digests.append(json.loads(capsys.readouterr().out)["digest"])
    assert digests[0] == digests[1]


def test_a_cell_that_is_an_error_is_a_counted_failure(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head, first, *lines = (here / "candidate.csv").read_text().splitlines()
    cells = first.split(",")
    cells[-1] = "ERROR"
    (here / "failed.csv").write_text("\n".join([head, ",".join(cells), *lines]) + "\n")
    main(["score", "--labels", "failed.csv", "--reference-labels", "reference.csv", "--json"])
    assert json.loads(capsys.readouterr().out)["counts"]["failed"] == 1


def test_verify_says_yes_no_and_where(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inputs = ["--labels", "candidate.csv", "--reference-labels", "reference.csv"]
    main(["score", *inputs, "-o", "r.json"])
    assert main(["verify", "r.json"]) == 0 and main(["verify", "r.json", *inputs]) == 0
    capsys.readouterr()
    record = json.loads((here / "r.json").read_text())
    record["metrics"][0]["parts"]["macro-f1"] += 0.01
    (here / "r.json").write_text(json.dumps(record))
    assert main(["verify", "r.json"]) == 1
    assert "ran-score macro-f1: the record says" in capsys.readouterr().out
    assert main(["verify", "r.json", *inputs, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["same"] is False


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["score"], 2, "give a reports file, or --labels"),
        (["score", "x.csv"], 2, "say what to score against"),
        (["score", "x.csv", "--cohort", "a", "--references", "b"], 2, "not both"),
        (["score", "--labels", "candidate.csv"], 2, "needs --reference-labels"),
        (["score", "--labels", "nowhere.csv", "--reference-labels", "reference.csv"], 3, "nowhere.csv"),
        (["score", "--labels", "candidate.csv", "--cohort", "nowhere"], 2, "there is no cohort 'nowhere'"),
        (["verify", "nowhere.json"], 3, "nowhere.json: there is no such file"),
        (["verify", "candidate.csv"], 3, "candidate.csv: the record cannot be read"),
        (["nonsense"], 2, "there is no command 'nonsense'"),
    ],
)
def test_errors_name_the_file_and_the_remedy(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    assert main(arguments) == code
    assert message in capsys.readouterr().err


def test_ctrl_c_leaves_nothing_half_written(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    assert main(["score", "--labels", "candidate.csv", "--reference-labels", "reference.csv", "-o", "r.json"]) == 130
    assert sorted(path.name for path in here.iterdir()) == ["candidate.csv", "cohort", "reference.csv"]
