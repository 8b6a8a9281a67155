"""CheXpert Plus and ReXGradient in their released column layouts: splits, priors, draws; damage and renamed columns named by line."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from harness import cohorts
from harness.errors import InputError
from ranscore.commands import main

COLUMNS = [
    "path_to_image",
    "frontal_lateral",
    "ap_pa",
    "deid_patient_id",
    "patient_report_date_order",
    "report",
    "section_narrative",
    "section_clinical_history",
    "section_history",
    "section_comparison",
    "section_technique",
    "section_procedure_comments",
    "section_findings",
    "section_impression",
    "section_end_of_impression",
    "section_summary",
    "section_accession_number",
    "age",
    "sex",
    "race",
    "ethnicity",
    "interpreter_needed",
    "insurance_type",
    "recent_bmi",
    "deceased",
    "split",
]
"""Of the table of 2024-04-01, as public programs that read it name them."""


def film(patient: int, study: int, view: int, side: str = "Frontal", **changed: str) -> dict[str, str]:
    split = "valid" if patient > 90 else "train"
    made = dict.fromkeys(COLUMNS, "") | {
        "path_to_image": f"{split}/patient{patient:05}/study{study}/view{view}_{side.lower()}.jpg",
        "frontal_lateral": side,
        "ap_pa": "AP" if side == "Frontal" else "",
        "deid_patient_id": f"patient{patient:05}",
        "patient_report_date_order": str(study),
        "section_findings": f"Findings of {patient}, {study}:\nthe heart is large.",
        "section_impression": f"IMPRESSION {patient}",
        "section_history": "Cough",
        "section_clinical_history": "nan",
        "age": "61.0",
        "sex": "Female",
        "split": split,
    }
    return made | changed


def chexpert(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def released(tmp_path: Path) -> list[dict[str, str]]:
    rows = [film(patient, study, 1) for patient in (1, 2, 3, 91, 92) for study in (1, 2)]
    rows.append(film(91, 2, 2, "Lateral"))
    rows.append(film(93, 1, 1, "Lateral"))
    rows.append(film(94, 1, 1, section_findings=""))
    return rows


def test_the_released_part_is_scored_with_its_priors_and_nothing_else_is_kept(tmp_path: Path, released: list[dict[str, str]]) -> None:
    path = chexpert(tmp_path / "df.csv", released)
    assert main(["cohort", "build", "chexpert-plus", "--file", str(path)]) == 0
    made = cohorts.load("chexpert-plus")
    assert [study.id for study in made.scored] == [f"patient{patient:05}_study{study}" for patient in (91, 92) for study in (1, 2)]
    second = next(study for study in made.scored if study.id == "patient00091_study2")
    assert second.prior == "patient00091_study1" and second.patient == "patient00091" and second.age == 61.0 and second.sex == "F"
    assert second.frontal.endswith("view1_frontal.jpg") and second.lateral.endswith("view2_lateral.jpg")
    assert made.reference(second.id) == "Findings of 91, 2:\nthe heart is large." and made.texts[second.id].history == "Cough"
    assert made.manifest.access == "credentialed" and len(made.texts) == 4
    assert dict(second.strata) == {"official split": "valid"}


def test_a_draw_takes_one_study_a_patient_and_no_other_patient_changes_it(tmp_path: Path, released: list[dict[str, str]]) -> None:
    def drawn(rows: list[dict[str, str]], name: str) -> set[str]:
        path = chexpert(tmp_path / f"{name}.csv", rows)
        told = ["cohort", "build", "chexpert-plus", "--file", str(path), "--draw", "3", "--name", name, "--section", "both"]
        assert main(told) == 0
        return {study.id for study in cohorts.load(name).scored}

    one = drawn(released, "one")
    assert len({name.partition("_")[0] for name in one}) == len(one) == 3
    gone = {name.partition("_")[0] for name in one}
    fewer = [row for row in released if row["deid_patient_id"] in gone]
    assert drawn([*fewer, released[-1]], "two") == one


@pytest.mark.parametrize(
    ("place", "changes", "message"),
    [
        (3, {"path_to_image": "view1.jpg"}, r"df\.csv:5: the row names no study"),
        (3, {"deid_patient_id": ""}, r"df\.csv:5: the row names no study or no patient"),
        (
            4,
            {"patient_report_date_order": "first"},
            r"df\.csv:6, study 'patient00003_study1': its patient_report_date_order is not a number",
        ),
        (
            1,
            {"deid_patient_id": "patient00007", "path_to_image": "train/patient00001/study1/view2_frontal.jpg"},
            r"df\.csv:3.*another patient",
        ),
        (0, {"path_to_image": "train/patient00001/study1/../../view.jpg"}, r"df\.csv:2.*outside the folder"),
    ],
)
def test_a_damaged_row_is_named_by_its_line(
    tmp_path: Path, released: list[dict[str, str]], place: int, changes: dict[str, str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from re import search

    for row in released:
        row["section_findings"] = row["section_findings"].replace("\n", " ")
    released[place] |= changes
    assert main(["cohort", "build", "chexpert-plus", "--file", str(chexpert(tmp_path / "df.csv", released))]) == 3
    told = capsys.readouterr().err
    assert search(message, told), told
    assert "heart" not in told


@pytest.mark.parametrize("column", ["path_to_image", "section_findings", "split", "ap_pa"])
def test_a_renamed_column_is_named(tmp_path: Path, released: list[dict[str, str]], column: str) -> None:
    from harness.cohorts import hospitals

    renamed = [{f"{name}_new" if name == column else name: value for name, value in row.items()} for row in released]
    with pytest.raises(InputError, match=f"there is no column {column}: it is not chexpert-plus as released") as caught:
        hospitals.build(hospitals.CHEXPERT_PLUS, {"": chexpert(tmp_path / "df.csv", renamed)})
    assert [problem.line for problem in caught.value.problems] == [1]


def rexgradient(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)) if path.suffix == ".jsonl" else json.dumps(rows))
    return path


def exam(patient: int, study: int, date: int, **changed: Any) -> dict[str, Any]:
    made = {
        "id": f"pGRDN{patient}_a{study}_s",
        "StudyInstanceUid": f"1.2.{patient}.{study}",
        "AccessionNumber": f"GRDN{study}",
        "PatientSex": "M",
        "PatientAge": "045Y",
        "StudyDate": date,
        "StudyDescription": "XR CHEST 2 VIEWS",
        "Indication": "Cough",
        "Comparison": "None",
        "Findings": f"Clear lungs in {patient}.",
        "Impression": "Normal.",
    }
    return made | changed


@pytest.mark.parametrize("kind", ["json", "jsonl"])
def test_rexgradient_has_a_table_for_each_split(tmp_path: Path, kind: str) -> None:
    test = rexgradient(
        tmp_path / f"test.{kind}", [exam(1, 2, 20200105), exam(2, 1, 20190101, PatientAge="008M"), exam(3, 1, 20190101, Findings=None)]
    )
    train = rexgradient(tmp_path / f"train.{kind}", [exam(1, 1, 20200101), exam(9, 1, 20200101)])
    assert main(["cohort", "build", "rexgradient", "--test", str(test), "--train", str(train)]) == 0
    made = cohorts.load("rexgradient")
    assert {study.id: study.prior for study in made.scored} == {"1.2.1.2": "1.2.1.1", "1.2.2.1": ""}
    assert {study.id: study.age for study in made.scored} == {"1.2.1.2": 45.0, "1.2.2.1": pytest.approx(8 / 12)}
    assert made.manifest.access == "credentialed" and made.reference("1.2.1.2") == "Clear lungs in 1."
    assert made.texts["1.2.1.2"].indication == "Cough" and set(made.texts) == {"1.2.1.2", "1.2.2.1", "1.2.1.1"}
