"""`ranscore validate` as a user meets it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import cohorts
from harness.config.home import home
from harness.formats.complaints import code_of
from harness.storage import stored
from harness.types import Access, Section, Study, Text
from ranscore.commands import main
from submissions import intake, privacy_screen


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
    told = [(problem["code"], problem["line"], problem["study"]) for problem in document["problems"]]
    assert told == [("markup", 2, "s1"), ("id-twice", 3, "s1")]


def test_no_such_file_and_two_cohorts_are_told_apart(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "nowhere.csv"]) == 3
    assert "nowhere.csv: there is no such file" in capsys.readouterr().err
    assert main(["validate", "a.csv", "--cohort", "a", "--references", "b"]) == 2


def codes() -> Iterator[str]:
    """Every code that the program can give a problem."""
    root = Path(__file__).parents[2]
    for path in (
        path for room in ("harness", "submissions", "validation", "leaderboard", "ranscore") for path in (root / room).rglob("*.py")
    ):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(value=owner, attr="add" | "warn"), args=[ast.Constant(value=str(kind)), _, *_]):
                    if "complaints" in ast.unparse(owner):
                        yield code_of(kind)
                case ast.Yield(value=ast.Tuple(elts=[ast.Constant(value=str(kind)), _, _])) if path.name == "report_text.py":
                    yield code_of(kind)
                case ast.keyword(arg="code", value=ast.Constant(value=str(code))) if code:
                    yield code
    yield from (code_of(kind) for kind, _ in privacy_screen._PATTERNS)
    yield from (intake.MAY_NAME, stored.TOO_NEW)


def test_the_table_of_codes_names_every_code_and_no_other() -> None:
    page = (Path(__file__).parents[2] / "docs" / "format.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `([a-z0-9-]+)` \|", page.partition("### Codes")[2].partition("\n## ")[0], re.MULTILINE)
    assert len(table) == len(set(table))
    assert set(table) == set(codes())
