"""`ranscore cohort` from the outside, and Table 1."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from harness.cohorts import load, make
from harness.cohorts.describe import describe
from harness.cohorts.table import COLUMNS, from_table
from harness.config.home import home
from harness.findings import RAN_21
from harness.types import Access, Labels, Section, Status, Study, Text
from ranscore.commands import main, parser
from ranscore.commands.cohort_builders import BUILDERS, COLUMN_KEYS, usual_name


def file(folder: Path, content: str, name: str = "refs.csv") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def test_table_one_counts_the_scored_studies() -> None:
    ages = [40.0, 50.5, 61.0, None]
    studies = [
        Study(f"s{number}", f"p{number // 2}", age=age, sex="F" if number else "", strata={"official split": "test" if number else "train"}, frontal="f", prior="s0" if number == 1 else "")
        for number, age in enumerate(ages)
    ]  # fmt: skip
    studies.append(Study("t0", "p9", part="train", age=99.0, sex="M"))
    texts = {study.id: Text("word " * (index + 1), "end") for index, study in enumerate(studies)}
    ok = (Status.OK,) * 21
    labels = {study.id: Labels((1, 0, -1, None, *(0,) * 17), ok) for study in studies[1:]}
    cohort = make("t", studies, texts, section=Section.BOTH, access=Access.OPEN, language="en", source="invented", labels=labels)
    one = describe(cohort)
    assert (one.studies, one.patients, one.parts) == (4, 2, {"test": 4, "train": 1})
    assert (one.age.known, one.age.median) == (3, 50.5)
    # The quartiles as numpy gives them for the three known ages.
    assert (one.age.lower, one.age.upper) == tuple(np.percentile([40, 50.5, 61], [25, 75]))
    assert one.sex == {"F": 3, "unknown": 1}
    assert (one.length.median, one.unit) == (3.5, "words")
    assert one.linked == {"frontal": 4, "lateral": 0, "prior": 1}
    assert one.strata == {"official split": {"test": 3, "train": 1}}
    assert [(row.finding, row.present, row.decided) for row in one.prevalence[:4]] == [
        (RAN_21[0], 3, 3), (RAN_21[1], 0, 3), (RAN_21[2], 0, 0), (RAN_21[3], 0, 0),
    ]  # fmt: skip


def test_chinese_reports_are_measured_in_characters(tmp_path: Path) -> None:
    one = describe(from_table(file(tmp_path, "study_id,report\ns1,两肺清晰。\n")))
    assert (one.length.median, one.unit) == (4, "characters") and one.prevalence == ()


def test_a_table_is_built_shown_and_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file(tmp_path, "uid,findings,impression,Edema\ns1,Invented words.,End.,1\ns2,Others.,End.,0\n")
    assert main(["cohort", "build", "table", "--file", str(path), "--section", "findings", "--open"]) == 0
    out, err = capsys.readouterr()
    assert "refs-findings" in out and "50.0%" in out and "Invented" not in out + err
    assert str(home() / "cohorts" / "refs-findings") in err
    cohort = load("refs-findings")
    assert cohort.manifest.section is Section.FINDINGS and cohort.manifest.access is Access.OPEN
    assert main(["cohort", "show", "refs-findings", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == json.loads(json.dumps(describe(cohort).to_json())) and shown["digest"] == cohort.manifest.digest
    assert main(["cohort", "show"]) == 0
    assert cohort.manifest.digest[:12] in capsys.readouterr().out
    assert main(["cohort", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"name": "refs-findings", "studies": 2, "section": "findings", "access": "open", "digest": cohort.manifest.digest[:12]}
    ]


def test_the_list_names_what_can_be_built_and_what_is_damaged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cohort", "show"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in BUILDERS)
    (home() / "cohorts" / "broken").mkdir(parents=True)
    file(home() / "cohorts" / "broken", "{", "manifest.json")
    assert main(["cohort", "show"]) == 0
    assert "the cohort's manifest cannot be read" in capsys.readouterr().err


def test_a_column_may_have_any_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file(tmp_path, "Accession,Befund,Patientin\na1,Invented.,p1\n")
    words = ["cohort", "build", "table", "--file", str(path), "--id-column", "Accession", "--report-column", "befund"]
    assert main([*words, "--patient-column", "Patientin", "--language", "de", "--name", "de", "-o", str(tmp_path / "de")]) == 0
    cohort = load(tmp_path / "de")
    assert (cohort.manifest.name, cohort.manifest.language, cohort.scored[0].patient) == ("de", "de", "p1")
    assert cohort.manifest.access is Access.CREDENTIALED
    assert tuple(COLUMNS) == COLUMN_KEYS


def test_the_synthetic_cohort_is_built_and_again_over_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["cohort", "build", "synthetic", "--studies", "4", "--images", "none", "--name", "tiny", "-o", str(tmp_path / "tiny")]
    assert main(words) == 0
    first = load(tmp_path / "tiny")
    assert first.manifest.name == "tiny" and len(first.scored) == 4 and len(first.labels) == len(first.manifest.studies)
    assert main([*words, "--seed", "1"]) == 0
    assert load(tmp_path / "tiny").manifest.digest != first.manifest.digest


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("mimic-cxr --physionet x", "mimic-cxr"),
        ("mimic-cxr-findings --physionet x --draw development --seed 2", "mimic-cxr-findings-development-seed-2"),
        ("mimic-cxr --physionet x --ids list/official.txt --seed 2", "mimic-cxr-official"),
        ("mimic-cxr-test --physionet x --section findings", "mimic-cxr-test-findings"),
        ("open-i-590 --archive x", "open-i-590"),
        ("open-i --archive x --seed 3 --section both", "open-i-both-seed-3"),
        ("table --file folder/refs.csv", "refs"),
        ("synthetic --language zh", "synthetic-zh"),
    ],
)
def test_a_cohort_is_named_by_the_choices_that_make_it(words: str, name: str) -> None:
    assert usual_name(parser().parse_args(["cohort", "build", *words.split()])) == name


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file(tmp_path, "study_id,report\ns1,Invented.\n")
    assert main(["cohort", "build", "table", "--file", str(path), "-o", str(tmp_path)]) == 2
    assert "something else than a cohort" in capsys.readouterr().err and [other.name for other in tmp_path.iterdir()] == ["refs.csv"]
    assert main(["cohort", "build", "table", "--file", str(path), "-o", str(path)]) == 2
    assert main(["cohort", "build", "table", "--file", str(path), "--name", "../x"]) == 2


def test_errors_have_their_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cohort", "show", "nowhere"]) == 2
    assert main(["cohort", "build", "mimic-cxr", "--physionet", str(tmp_path)]) == 3
    assert main(["cohort", "build", "mimic-cxr", "--physionet", str(tmp_path), "--sizes", "1,2"]) == 2
    assert main(["cohort", "build", "open-i-590"]) == 3
    assert main(["cohort", "build", "open-i", "--archive", str(tmp_path)]) == 3
    assert "Traceback" not in capsys.readouterr().err
