"""Cohorts from a small tree in MIMIC-CXR's layout, written here with invented patients and reports."""

from __future__ import annotations

import csv
import gzip
import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.cohorts import load, save
from harness.cohorts.mimic import cohort as mimic
from harness.errors import InputError, UsageError
from harness.types import Access, Cohort, Section, Study
from ranscore.commands import main

SMALL = {"test": 4, "development": 2, "taxonomy": 4}
REPORT = """\
                                 FINAL REPORT
 EXAMINATION:  CHEST (PA AND LAT)

 INDICATION:  Invented patient {patient}.

 FINDINGS:

 Invented findings of study {study}.

 IMPRESSION:

 Invented impression of study {study}.
"""
NO_IMPRESSION = " FINAL REPORT\n FINDINGS: Only invented findings of {study}.\n"
COLUMNS = (
    "dicom_id", "subject_id", "study_id", "PerformedProcedureStepDescription", "ViewPosition", "Rows", "Columns",
    "StudyDate", "StudyTime", "ProcedureCodeSequence_CodeMeaning", "ViewCodeSequence_CodeMeaning", "PatientOrientationCodeSequence_CodeMeaning",
)  # fmt: skip


class Copy:
    """A PhysioNet copy on disk, patient by patient."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.reports = root / "mimic-cxr/2.1.0"
        self.jpg = root / "mimic-cxr-jpg/2.1.0"
        self.films: list[dict[str, str]] = []
        self.splits: list[dict[str, str]] = []

    def study(
        self,
        patient: int,
        study: int,
        *,
        when: str = "21800506 213014.531",
        views: Sequence[str] = ("LATERAL", "AP", "PA"),
        report: str | None = REPORT,
        split: str = "train",
        procedure: str = "CHEST (PA AND LAT)",
        code: str = "",
        suffix: str = ".jpg",
    ) -> None:
        folder = f"files/p{str(patient)[:2]}/p{patient}/s{study}"
        if report is not None:
            path = self.reports / f"{folder}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(report.format(patient=patient, study=study), encoding="utf-8")
        for number, view in enumerate(views):
            film = f"{study:08x}-0000000{number}-aaaaaaaa-bbbbbbbb-cccccccc"
            path = self.jpg / folder / f"{film}{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"film")
            date, time = when.split()
            values = (film, patient, study, procedure, view, 3056, 2544, date, time, procedure.lower(), code, "Erect")
            self.films.append(dict(zip(COLUMNS, map(str, values), strict=True)))
            self.splits.append({"dicom_id": film, "study_id": str(study), "subject_id": str(patient), "split": split})

    def write(self) -> Path:
        self.jpg.mkdir(parents=True, exist_ok=True)
        for name, columns, rows in (
            ("metadata", COLUMNS, self.films),
            ("split", ("dicom_id", "study_id", "subject_id", "split"), self.splits),
        ):
            with gzip.open(self.jpg / f"mimic-cxr-2.0.0-{name}.csv.gz", "wt", newline="") as stream:
                writer = csv.DictWriter(stream, columns)
                writer.writeheader()
                writer.writerows(rows)
        return self.root


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """Twelve patients whose second study counts, and some that the paper's rules leave out."""
    copy = Copy(tmp_path / "physionet.org/files")
    for number in range(12):
        patient, study = 10_000_000 + number, 50_000_000 + 10 * number
        copy.study(patient, study, when="21800101 90000.0", report=NO_IMPRESSION, split="test" if number < 2 else "train")
        copy.study(patient, study + 1, when="21800202 90000.0", split="test" if number < 2 else "train")
    copy.study(19_000_001, 59_000_001, procedure="ABDOMEN (SUPINE ONLY)")
    copy.study(19_000_002, 59_000_002, views=("LATERAL",))
    copy.study(19_000_003, 59_000_003, report=None)
    copy.study(19_000_004, 59_000_004, report=NO_IMPRESSION)
    return copy


def part(cohort: Cohort, name: str) -> list[Study]:
    return [study for study in cohort.manifest.studies if study.part == name]


def test_the_papers_rules_choose_the_studies(copy: Copy) -> None:
    cohort = mimic.build(copy.write().parent, sizes=SMALL)
    drawn = [study for study in cohort.manifest.studies if study.part != "context"]
    assert [len(part(cohort, name)) for name in ("test", "dev", "train")] == [4, 2, 4]
    assert len({study.patient for study in drawn}) == len(drawn)
    assert all(study.id.endswith("1") and study.patient.startswith("1000") for study in drawn)
    assert cohort.manifest.access is Access.CREDENTIALED and cohort.manifest.section is Section.BOTH
    study = cohort.scored[0].id
    assert cohort.reference(study) == f"Invented findings of study {study}.\nInvented impression of study {study}."
    assert cohort.texts[study].indication == f"Invented patient {cohort.scored[0].patient}."


def test_films_and_earlier_studies_are_linked(copy: Copy) -> None:
    cohort = mimic.build(copy.write(), sizes=SMALL)
    study = cohort.scored[0]
    views = {image.id: image.view for image in study.images}
    assert [image.view for image in study.images] == ["PA", "AP", "LATERAL"]
    assert (views[study.frontal], views[study.lateral]) == ("PA", "LATERAL")
    assert cohort.images is not None
    assert all((cohort.images / image.path).read_bytes() == b"film" for image in study.images)
    assert study.prior == str(int(study.id) - 1)
    (prior,) = (other for other in cohort.manifest.studies if other.id == study.prior)
    assert prior.part == "context" and prior.frontal and prior.patient == study.patient
    assert cohort.texts[prior.id].findings == f"Only invented findings of {prior.id}."


def test_an_earlier_study_is_earlier_though_the_table_drops_zeros_of_its_time(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    copy.study(10_000_001, 50_000_009, when="21800101 90000.0", report=NO_IMPRESSION)
    copy.study(10_000_001, 50_000_001, when="21800101 213014.531")
    copy.study(10_000_001, 50_000_005, when="21800101 3014.9", report=NO_IMPRESSION)
    copy.study(10_000_001, 50_000_007, when="21800101 220000", report=NO_IMPRESSION)
    copy.study(10_000_001, 50_000_008, when="21800101 210000", report=NO_IMPRESSION, views=("LATERAL",))
    (study,) = mimic.build(copy.write(), sizes={"test": 1}).scored
    assert (study.id, study.prior) == ("50000001", "50000009")


def test_the_official_split_of_every_study_is_recorded(copy: Copy) -> None:
    cohort = mimic.build(copy.write(), sizes={"test": 12})
    splits = [study.strata["official split"] for study in cohort.scored]
    assert splits.count("test") == 2 and splits.count("train") == 10
    assert {study.strata["view"] for study in cohort.scored} == {"PA"}


def test_the_draw_depends_on_the_seed_alone(copy: Copy) -> None:
    first = mimic.build(copy.write(), sizes=SMALL)
    copy.films.reverse()
    copy.splits.reverse()
    assert mimic.build(copy.write(), sizes=SMALL).manifest.digest == first.manifest.digest
    assert mimic.build(copy.write(), sizes=SMALL, seed=1).manifest.digest != first.manifest.digest
    fewer = mimic.build(copy.write(), sizes={**SMALL, "taxonomy": 0})
    assert fewer.manifest.digest == first.manifest.digest


def test_the_three_cohorts_share_no_patient(copy: Copy) -> None:
    cohorts = [mimic.build(copy.write(), draw=name, sizes=SMALL) for name in SMALL]
    patients = [{study.patient for study in cohort.scored} for cohort in cohorts]
    assert [len(group) for group in patients] == [4, 2, 4] and len(set().union(*patients)) == 10
    whole = mimic.build(copy.write(), sizes=SMALL)
    assert {study.patient for study in part(whole, "dev")} == patients[1]


def test_the_findings_track_has_the_same_studies_and_another_digest(copy: Copy) -> None:
    both, findings = (mimic.build(copy.write(), sizes=SMALL, section=section) for section in (Section.BOTH, Section.FINDINGS))
    assert both.manifest.studies == findings.manifest.studies and both.manifest.digest != findings.manifest.digest
    assert findings.reference(findings.scored[0].id) == f"Invented findings of study {findings.scored[0].id}."


def test_the_official_test_split_has_several_studies_a_patient(copy: Copy) -> None:
    copy.study(10_000_001, 50_000_012, when="21800303 1.0", split="test", views=("LATERAL",))
    notes: list[str] = []
    cohort = mimic.build(copy.write(), draw="official", section=Section.FINDINGS, tell=notes.append)
    assert [study.id for study in cohort.scored] == ["50000000", "50000001", "50000010", "50000011"]
    assert {study.id: study.prior for study in cohort.scored}["50000011"] == "50000010"
    assert part(cohort, "context") == []
    assert len(mimic.build(copy.write(), draw="official").scored) == 2
    assert notes == ["4 of the 5 studies of the official test split are in the cohort; left out: without a frontal film 1, without the scored section or report 0"]  # fmt: skip


def test_a_list_of_ids_takes_the_place_of_the_draw(copy: Copy, tmp_path: Path) -> None:
    film = f"{50_000_031:08x}-00000001-aaaaaaaa-bbbbbbbb-cccccccc"
    (tmp_path / "ids.csv").write_text(f"study_id\n50000001\ns50000011,x\n\n{film}\n", encoding="utf-8")
    cohort = mimic.build(copy.write(), ids=tmp_path / "ids.csv")
    assert [study.id for study in cohort.scored] == ["50000001", "50000011", "50000031"]
    assert cohort.scored[2].frontal == film and cohort.scored[2].strata["view"] == "AP"


def test_all_that_is_wrong_with_a_list_of_ids_comes_at_once(copy: Copy, tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text("50000001\n12\ns50000001\n50000010\n59000003\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        mimic.build(copy.write(), ids=tmp_path / "ids.txt")
    assert [(problem.line, problem.study) for problem in caught.value.problems] == [
        (2, "12"), (3, "s50000001"), (4, "50000010"), (5, "59000003"),
    ]  # fmt: skip
    assert all(problem.remedy and problem.file.endswith("ids.txt") for problem in caught.value.problems)
    (tmp_path / "ids.txt").write_text("study_id\n", encoding="utf-8")
    with pytest.raises(InputError, match="there is no id in it"):
        mimic.build(copy.root, ids=tmp_path / "ids.txt")


def test_rexranks_list_takes_only_ids_and_leaves_out_what_has_no_findings(
    copy: Copy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = tmp_path / "ReXRank_MIMICCXR_test.json"
    rows = {"50000001": "another text", "p10000001_s50000011": "a third", "59000003": ""}
    listed.write_text(json.dumps({name: {"section_findings": text, "split": "test"} for name, text in rows.items()}))
    words = ["--physionet", str(copy.write()), "--images", "none", "--list", str(listed)]
    assert main(["cohort", "build", "rexrank-mimic", *words]) == 0
    out, err = capsys.readouterr()
    assert "1 of the 3 listed studies have no findings, or are not in the copy, and are left out" in err
    made = load("rexrank-mimic")
    assert [study.id for study in made.scored] == ["50000001", "50000011"] and made.manifest.access is Access.CREDENTIALED
    assert "another text" not in str(made.texts["50000001"].findings) + out + err
    assert made.reference("50000001") == "Invented findings of study 50000001."


def test_reports_may_lie_in_their_archive(copy: Copy, tmp_path: Path) -> None:
    first = mimic.build(copy.write(), sizes=SMALL)
    with zipfile.ZipFile(copy.reports / "mimic-cxr-reports.zip", "w") as archive:
        for path in sorted(copy.reports.rglob("*.txt")):
            archive.write(path, path.relative_to(copy.reports))
            path.unlink()
    assert mimic.build(copy.root, sizes=SMALL).manifest.digest == first.manifest.digest


def test_films_may_be_dicom_or_absent(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    for number in range(3):
        copy.study(10_000_000 + number, 50_000_000 + number, suffix=".dcm")
    cohort = mimic.build(copy.write(), sizes={"test": 3}, images="dicom")
    assert cohort.images == copy.jpg and all(image.path.endswith(".dcm") for study in cohort.scored for image in study.images)
    assert mimic.build(copy.root, sizes={"test": 3}).images == copy.jpg
    assert mimic.build(copy.root, sizes={"test": 3}, images="none").images is None
    with pytest.raises(InputError, match=r"there is no film \*\.jpg under it"):
        mimic.build(copy.root, sizes={"test": 3}, images="jpg")
    (copy.jpg / next(image.path for image in cohort.scored[1].images if image.view == "PA")).unlink()
    with pytest.raises(InputError, match="its frontal film is missing") as caught:
        mimic.build(copy.root, sizes={"test": 3}, images="dicom")
    assert [problem.study for problem in caught.value.problems] == ["50000001"]
    notes: list[str] = []
    mimic.build(copy.root, sizes={"test": 3}, tell=notes.append)
    assert notes == ["1 of 3 frontal films are not in the copy"]


def test_a_view_may_stand_in_its_code_and_a_procedure_may_be_missing(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    copy.study(10_000_000, 50_000_000, views=("",), code="antero-posterior", procedure="")
    (study,) = mimic.build(copy.write(), sizes={"test": 1}).scored
    assert study.images[0].view == "AP" and study.frontal == study.images[0].id


def test_age_and_sex_come_from_the_patients_table(copy: Copy, tmp_path: Path) -> None:
    lines = ["subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod"]
    lines += [f"{10_000_000 + number},{'FM'[number % 2]},{50 + number},2178,2008 - 2010," for number in range(11)]
    (tmp_path / "patients.csv").write_text("\n".join(lines), encoding="utf-8")
    cohort = mimic.build(copy.write(), sizes={"test": 12}, patients=tmp_path / "patients.csv")
    assert [(study.age, study.sex) for study in cohort.scored[:2]] == [(52, "F"), (53, "M")]
    assert (cohort.scored[11].age, cohort.scored[11].sex) == (None, "")


def test_too_few_patients_are_an_error_with_a_remedy(copy: Copy) -> None:
    with pytest.raises(InputError, match=r"12 patients have .* 6300 are to be drawn.* --sizes"):
        mimic.build(copy.write())
    with pytest.raises(UsageError, match="no draw 'all'"):
        mimic.build(copy.root, draw="all")


def test_a_missing_or_damaged_table_is_named(copy: Copy, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no mimic-cxr-2\.0\.0-split\.csv\.gz"):
        mimic.build(tmp_path)
    copy.films[3]["subject_id"] = "../../etc"
    copy.films[5]["dicom_id"] = "../../passwd"
    with pytest.raises(InputError) as caught:
        mimic.build(copy.write(), sizes=SMALL)
    assert [problem.line for problem in caught.value.problems] == [5, 7]
    path = copy.jpg / "mimic-cxr-2.0.0-metadata.csv.gz"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"cannot be read .EOFError.*checksum"):
        mimic.build(copy.root, sizes=SMALL)
    path.write_bytes(gzip.compress(b"dicom_id,study_id\n"))
    with pytest.raises(InputError, match="no column subject_id, ViewPosition"):
        mimic.build(copy.root, sizes=SMALL)


def test_damaged_reports_are_all_named_without_their_text(copy: Copy) -> None:
    copy.write()
    for number in (0, 5):
        (copy.reports / f"files/p10/p{10_000_000 + number}/s{50_000_001 + 10 * number}.txt").write_text(
            "secret " * 200_000, encoding="utf-8"
        )
    with pytest.raises(InputError) as caught:
        mimic.build(copy.root, sizes={"test": 12})
    assert {problem.study for problem in caught.value.problems} == {"50000001", "50000051"} and "secret" not in str(caught.value)


def test_stray_bytes_do_not_stop_the_build(copy: Copy) -> None:
    copy.write()
    path = copy.reports / "files/p10/p10000000/s50000001.txt"
    path.write_bytes(path.read_bytes() + b" 10\xb0")
    assert "10°" in mimic.build(copy.root, sizes={"test": 12}).texts["50000001"].impression


def test_a_saved_cohort_comes_back_and_its_manifest_holds_no_text(copy: Copy, tmp_path: Path) -> None:
    cohort = mimic.build(copy.write(), sizes=SMALL)
    save(cohort, tmp_path / "built")
    assert load(tmp_path / "built") == cohort
    assert os.name == "nt" or (tmp_path / "built").stat().st_mode & 0o777 == 0o700
    assert "nvented" not in (tmp_path / "built/manifest.json").read_text(encoding="utf-8")


def test_the_command_builds_all_three_names_and_prints_no_text(copy: Copy, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--physionet", str(copy.write()), "--images", "jpg"]
    for name in ("mimic-cxr", "mimic-cxr-findings", "mimic-cxr-test"):
        assert main(["cohort", "build", name, *words, *([] if name.endswith("test") else ["--sizes", "4,2,4"])]) == 0
    out, err = capsys.readouterr()
    assert "official split" in out and "credentialed" in out and "nvented" not in out + err
    assert load("mimic-cxr").manifest.studies == load("mimic-cxr-findings").manifest.studies
    assert {study.strata["official split"] for study in load("mimic-cxr-test").scored} == {"test"}
