"""`ranscore validate` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import cohorts
from harness.config.home import home
from harness.types import Access, Section, Study, Text
from ranscore.commands import main


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_sound_file_is_said_to_be_sound(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "references.csv").write_text("study_id,report\ns1,Clear lungs.\ns2,Large heart.\n")
    (here / "a.csv").write_text("study_id,report\ns1,Clear.\ns2,Effusion.\n")
    assert main(["validate", "a.csv", "--references", "references.csv", "--open"]) == 0
    assert capsys.readouterr().out == "a.csv: all 2 studies have a report; it can be scored\n"
    assert main(["validate", "a.csv"]) == 0
    assert "2 reports can be read; name a cohort" in capsys.readouterr().out


def test_a_built_cohort_is_checked_by_its_manifest_alone(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    studies = [Study("s1", "p1"), Study("s2", "p2"), Study("s3", "p3", part="train")]
    texts = {study.id: Text(findings="Clear.") for study in studies}
    made = cohorts.make("tiny", studies, texts, section=Section.FINDINGS, access=Access.OPEN, language="en", source="made up")
    cohorts.save(made, home() / "cohorts" / "tiny")
    (home() / "cohorts" / "tiny" / "text.jsonl").unlink()
    (here / "a.csv").write_text("study_id,report\ns1,Clear.\ns3,Clear too.\n")
    assert main(["validate", "a.csv", "--cohort", "tiny"]) == 3
    output = capsys.readouterr()
    assert "warning: a.csv, study 's2': the study has no row" in output.out
    assert output.err.startswith("ranscore: a.csv:3, study 's3': the study is not one that the cohort scores.")


def test_json_is_one_document_with_every_problem(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "a.csv").write_text("study_id,report\ns1,<b>Clear</b>\ns1,Clear.\n")
    assert main(["validate", "a.csv", "--json"]) == 3
    document = json.loads(capsys.readouterr().out)
    assert document["valid"] is False and document["missing"] is None
    assert [(problem["line"], problem["study"]) for problem in document["problems"]] == [(2, "s1"), (3, "s1")]


def test_no_such_file_and_two_cohorts_are_told_apart(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "nowhere.csv"]) == 3
    assert "nowhere.csv: there is no such file" in capsys.readouterr().err
    assert main(["validate", "a.csv", "--cohort", "a", "--references", "b"]) == 2
