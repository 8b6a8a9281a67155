"""`ranscore label --evidence`: the rule and the words behind every decision."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.extractors.lexical import Lexical
from harness.findings import RAN_21
from harness.labelling.evidence import write
from ranscore.commands import main

TEXTS = {
    "a": "The heart is enlarged.\nNo pneumothorax. Cannot exclude edema.",
    "b": "Please upload the film.",
    "c": "Free air under the diaphragm, question of an opacity.",
}


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    path = tmp_path / "reports.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("study_id", "report"), *TEXTS.items()])
    return path


def test_every_decision_has_its_rule_and_words(reports: Path, tmp_path: Path) -> None:
    out = tmp_path / "why.jsonl"
    assert write(reports, out, Lexical(), access_open=True) == 3 * len(RAN_21)
    decisions = {(item["study_id"], item["finding"]): item for item in map(json.loads, out.read_text(encoding="utf-8").splitlines())}
    assert len(decisions) == 3 * len(RAN_21)
    for item in decisions.values():
        assert all(TEXTS[item["study_id"]][word["start"] : word["end"]] == word["text"] for word in item["words"])
    rules = {finding: (decisions["a", finding]["value"], decisions["a", finding]["rule"]) for finding in RAN_21}
    assert rules["Cardiomegaly"] == (1, "asserted")
    assert rules["Enlarged Cardiomediastinum"] == (1, "implied by Cardiomegaly")
    assert rules["Pneumothorax"] == (0, "negated")
    assert rules["Edema"] == (0, "cannot be excluded")
    assert rules["Fracture"] == (0, "not named")
    assert rules["No Finding"] == (0, "another finding is present")
    assert {item["status"] for item in decisions.values() if item["study_id"] == "b"} == {"empty"}
    assert decisions["c", "No Finding"]["value"] == 1 and decisions["c", "No Finding"]["flags"] == ["unsure"]


def test_the_command_writes_csv_that_only_its_owner_reads(reports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "why.csv"
    assert main(["label", str(reports), "-o", str(tmp_path / "labels.csv"), "--evidence", str(out)]) == 0
    assert "63 decisions" in capsys.readouterr().out
    assert out.stat().st_mode & 0o077 == 0
    with out.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["finding"] == "Cardiomegaly" and row["study_id"] == "a"]
    assert [(row["value"], row["rule"], row["words"]) for row in rows] == [("1", "asserted", "heart"), ("1", "asserted", "enlarged")]


def test_what_cannot_be_written_is_refused_before_anything_is_labelled(reports: Path, tmp_path: Path) -> None:
    for name in ("why.txt", "reports.csv"):
        assert main(["label", str(reports), "-o", str(tmp_path / "labels.csv"), "--evidence", str(tmp_path / name)]) == 2
    assert not (tmp_path / "labels.csv").exists()

    class Mute(Lexical):
        explains = False

    with pytest.raises(UsageError, match="keeps no evidence"):
        write(reports, tmp_path / "why.csv", Mute())
