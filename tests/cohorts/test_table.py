"""Cohorts from tables in every format and language; the texts are invented."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cohorts import load, save
from harness.cohorts.table import from_table, guess_language
from harness.errors import InputError
from harness.findings import FINDINGS, RAN_21
from harness.types import Access, Section, Status, Text


def file(folder: Path, content: str, name: str = "refs.csv") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def test_id_and_report_are_enough(tmp_path: Path) -> None:
    cohort = from_table(file(tmp_path, "study_id,report\n10,Invented text.\n9,More.\n"))
    assert [study.id for study in cohort.scored] == ["10", "9"] and [study.patient for study in cohort.scored] == ["10", "9"]
    assert cohort.manifest.access is Access.CREDENTIALED, "text without a word on its access is credentialed"
    assert (cohort.manifest.name, cohort.manifest.language, cohort.manifest.section) == ("refs", "en", Section.BOTH)
    assert cohort.reference("10") == "Invented text." and not cohort.labels


def test_one_content_gives_one_digest_in_every_format(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    rows = [{"study_id": 7, "findings": "One.", "age": 61.0}, {"study_id": 8, "findings": "Two.", "age": None}]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "refs.parquet")
    lines = "\n".join(map(json.dumps, reversed(rows)))
    cohorts = [
        from_table(file(tmp_path, "study_id,findings,age\n7,One.,61\n8,  Two. ,\n")),
        from_table(file(tmp_path, lines, "refs.jsonl")),
        from_table(tmp_path / "refs.parquet"),
    ]
    assert len({cohort.manifest.digest for cohort in cohorts}) == 1
    assert all([study.age for study in cohort.scored] == [61, None] for cohort in cohorts)
    assert cohorts[0].manifest.section is Section.FINDINGS


def test_the_section_decides_what_is_scored_and_the_digest(tmp_path: Path) -> None:
    path = file(tmp_path, "uid,findings,impression\na1,Seen.,Meant.\n")
    cohorts = {section: from_table(path, section=section) for section in Section}
    assert {section: cohort.reference("a1") for section, cohort in cohorts.items()} == {
        Section.FINDINGS: "Seen.",
        Section.IMPRESSION: "Meant.",
        Section.BOTH: "Seen.\nMeant.",
    }
    assert len({cohort.manifest.digest for cohort in cohorts.values()}) == 3
    assert from_table(path).manifest.digest == cohorts[Section.BOTH].manifest.digest
    assert from_table(file(tmp_path, "uid,report\na1,Meant.\n"), section=Section.IMPRESSION).texts["a1"] == Text(impression="Meant.")
    assert from_table(path, access=Access.OPEN).manifest.digest != from_table(path).manifest.digest


def test_chinese_reports_are_recognised(tmp_path: Path) -> None:
    cohort = from_table(file(tmp_path, "study_id,report,sex,age\n一1,两肺清晰，未见CT异常。,女,45岁\n"))
    assert (cohort.manifest.language, cohort.scored[0].sex, cohort.scored[0].age) == ("zh", "F", 45)
    assert guess_language(["Clear lungs 肺"]) == guess_language([""]) == "en"


def test_every_other_column_is_read(tmp_path: Path) -> None:
    content = (
        "StudyInstance,Patient_ID,Report,Images,View,Age,Gender,Split,prior,Indication\n"
        "s1,p1,Old text.,a/1.png,PA,060Y,male,train,,Cough\n"
        "s2,p1,New text.,a/2.png; a/3.png,LATERAL;PA,61.5,F,test,s1,\n"
    )
    cohort = from_table(file(tmp_path, content), columns={"id": "studyInstance"}, images=tmp_path)
    old, new = cohort.manifest.studies
    assert (old.part, old.patient, old.age, old.sex) == ("train", "p1", 60, "M") and cohort.texts["s1"].indication == "Cough"
    assert (new.frontal, new.lateral, new.prior, new.age, new.sex) == ("a/3.png", "a/2.png", "s1", 61.5, "F")
    assert [study.id for study in cohort.scored] == ["s2"] and cohort.images == tmp_path


def test_finding_columns_become_labels_in_either_spelling(tmp_path: Path) -> None:
    header = ",".join(finding.column for finding in FINDINGS)
    content = f"study_id,report,{header}\ns1,Text.,1,0,-1,{','.join(['0'] * 18)}\ns2,Text.,,0,0,{','.join(['0.0'] * 18)}\n"
    cohort = from_table(file(tmp_path, content))
    assert cohort.labels["s1"].values[:3] == (1, 0, -1) and cohort.labels["s2"].values[0] is None
    assert set(cohort.labels["s2"].statuses) == {Status.OK}
    save(cohort, tmp_path / "built")
    assert load(tmp_path / "built") == cohort


def test_everything_wrong_comes_at_once_with_line_and_remedy_and_without_text(tmp_path: Path) -> None:
    content = (
        "study_id,report,age,sex,split,image,prior,Edema\n"
        "s1,Private words.,old,F,test,1.png,,1\n"
        "s1,Private words.,5,F,test,1.png,,1\n"
        ",Private words.,5,F,test,1.png,,1\n"
        "s2,Private words.,5,Private words,test,1.png,,1\n"
        "s3,Private words.,5,F,exam,1.png,,1\n"
        "s4,Private words.,5,F,test,../1.png,,1\n"
        "s5,Private words.,5,F,test,1.png,s99,1\n"
        "s6,Private words.,500,F,test,1.png,,Private words\n"
    )
    with pytest.raises(InputError) as caught:
        from_table(file(tmp_path, content))
    assert sorted(problem.line or 0 for problem in caught.value.problems) == [2, 3, 4, 5, 6, 7, 8, 9, 9]
    assert all(problem.file.endswith("refs.csv") and problem.remedy for problem in caught.value.problems)
    assert "Private" not in str(caught.value)


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ("report,age", "there is no column of study ids"),
        ("study_id,age", "there is no column report, and none called findings or impression"),
        ("study_id,impression", "there is no column findings"),
    ],
)
def test_missing_columns_are_named(tmp_path: Path, header: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        from_table(file(tmp_path, f"{header}\na1,b\n"), section=Section.FINDINGS)
    with pytest.raises(InputError, match="there is no column named for patient"):
        from_table(file(tmp_path, "id,report\na1,b\n"), columns={"patient": "who"})


def test_a_study_without_text_is_told_and_not_scored(tmp_path: Path) -> None:
    notes: list[str] = []
    cohort = from_table(
        file(tmp_path, "study_id,findings,impression\ns1,,Well.\ns2,Clear.,\n"), section=Section.FINDINGS, tell=notes.append
    )
    assert [study.id for study in cohort.scored] == ["s2"]
    assert notes == ["1 of 2 studies have no text in the scored section (findings) and are not scored: s1"]
    with pytest.raises(InputError, match="nothing would be scored"):
        from_table(file(tmp_path, "study_id,report\ns1, \n"))


def test_the_labelled_indiana_reports_load(shared: Path) -> None:
    notes: list[str] = []
    cohort = from_table(shared / "openi/reports_dev.csv", access=Access.OPEN, tell=notes.append)
    assert len(cohort.manifest.studies) == len(cohort.labels) == 2044 and len(cohort.scored) == 2036
    assert notes[0].endswith("taken out of 2 reports"), "one <BR> and one entity"
    assert notes[1].startswith("8 of 2044 studies have no text")
    # Counted with pandas: rows whose No Finding is 1, and cells that nobody decided.
    assert sum(label.values[RAN_21.index("No Finding")] == 1 for label in cohort.labels.values()) == 769
    assert sum(value is None for label in cohort.labels.values() for value in label.values) == 2915
