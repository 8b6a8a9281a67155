"""The Indiana collection in its XML and CSV layouts, written here with invented reports; the real texts where they are at hand."""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.cohorts import load, openi
from harness.cohorts.table import from_table
from harness.errors import InputError
from harness.types import Access, Cohort, Section
from ranscore.commands import main

XML = """<?xml version="1.0" encoding="utf-8"?>
<eCitation>
   <meta type="rr"/>
   <uId id="CXR{uid}"/>
   <pmcId id="{uid}"/>
   <MedlineCitation>
      <Article PubModel="Electronic">
         <Abstract>
            <AbstractText Label="COMPARISON">None.</AbstractText>
            <AbstractText Label="INDICATION">Invented &amp; short</AbstractText>
            <AbstractText Label="FINDINGS">{findings}</AbstractText>
            <AbstractText Label="IMPRESSION">{impression}</AbstractText>
         </Abstract>
      </Article>
   </MedlineCitation>
   <MeSH><major>normal</major></MeSH>
   {films}
</eCitation>
"""
SPLIT = openi.official_test()
FILM = '<parentImage id="{name}"><figureId>F1</figureId><caption>PA and lateral</caption></parentImage>'


def texts() -> dict[str, tuple[str, str]]:
    """The whole test split and eighty other studies, one of them without findings."""
    numbers = [*SPLIT, *(str(number) for number in range(10_000, 10_080))]
    invented = {uid: (f"Invented  findings {uid}.", f"Invented impression {uid}.") for uid in numbers}
    return {**invented, "10000": ("", "Only an impression.")}


def films(uid: str) -> list[str]:
    """A frontal and a lateral film, as the archive names them: the study's name in the split, and a number."""
    name = SPLIT.get(uid, f"CXR{uid}_IM-0001")
    return [f"{name}-1001", f"{name}-2001"]


def write_xml(folder: Path, reports: Mapping[str, tuple[str, str]]) -> Path:
    folder.mkdir(parents=True)
    for uid, (findings, impression) in reports.items():
        shown = "\n   ".join(FILM.format(name=name) for name in films(uid))
        (folder / f"{uid}.xml").write_text(XML.format(uid=uid, findings=findings, impression=impression, films=shown), encoding="utf-8")
    return folder


def write_csv(folder: Path, reports: Mapping[str, tuple[str, str]]) -> tuple[Path, Path]:
    with (folder / "indiana_reports.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["uid", "MeSH", "Problems", "image", "indication", "comparison", "findings", "impression"])
        for uid, (findings, impression) in reports.items():
            table.writerow([uid, "normal", "normal", "PA and lateral", "Invented & short", "None.", findings, impression])
    with (folder / "indiana_projections.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["uid", "filename", "projection"])
        for uid in reports:
            frontal, lateral = (f"{name.removeprefix('CXR')}.dcm.png" for name in films(uid))
            table.writerows([[uid, lateral, "Lateral"], [uid, frontal, "Frontal"]])
    return folder / "indiana_reports.csv", folder / "indiana_projections.csv"


def parts(cohort: Cohort) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for study in cohort.manifest.studies:
        found.setdefault(study.part, set()).add(study.id)
    return found


def test_the_split_has_590_studies_and_no_number_twice() -> None:
    assert len(openi.official_test()) == len(set(openi.official_test().values())) == 590
    assert openi.official_test()["3030"] == "CXR3030_IM-1405"


def test_archive_folder_and_csv_files_give_one_cohort(tmp_path: Path) -> None:
    folder = write_xml(tmp_path / "xml/ecgen-radiology", texts())
    with tarfile.open(tmp_path / "NLMCXR_reports.tgz", "w:gz") as archive:
        archive.add(folder, "ecgen-radiology")
    reports, projections = write_csv(tmp_path, texts())
    built = [
        openi.build(archive=tmp_path / "NLMCXR_reports.tgz"),
        openi.build(archive=tmp_path / "xml"),
        openi.build(reports=reports, projections=projections),
        openi.build(reports=reports),
    ]
    assert len({cohort.manifest.digest for cohort in built}) == 1
    assert all(parts(cohort) == parts(built[0]) for cohort in built)
    cohort = built[0]
    assert len(cohort.scored) == 590 and cohort.manifest.access is Access.OPEN and cohort.manifest.section is Section.FINDINGS
    assert len(parts(cohort)["train"]) + len(parts(cohort)["dev"]) == 79 and parts(cohort)["context"] == {"CXR10000"}
    assert cohort.texts["CXR3030_IM-1405"].findings == "Invented findings 3030."
    assert cohort.texts["CXR3030_IM-1405"].indication == "Invented & short"
    assert [image.path for image in cohort.scored[0].images] == [f"{name}.png" for name in films(cohort.scored[0].id[3:].partition("_")[0])]


def test_views_come_from_the_projections_and_files_from_the_folder(tmp_path: Path) -> None:
    reports, projections = write_csv(tmp_path, texts())
    study = openi.build(reports=reports, projections=projections).scored[0]
    views = {image.id: (image.view, image.path) for image in study.images}
    assert views[study.frontal] == ("FRONTAL", f"{study.frontal.removeprefix('CXR')}.dcm.png")
    assert views[study.lateral][0] == "LATERAL"
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / f"{study.frontal}.png").write_bytes(b"film")
    folder, notes = write_xml(tmp_path / "xml", texts()), list[str]()
    for archive, table in ((None, reports), (folder, None)):
        cohort = openi.build(archive=archive, reports=table, projections=projections, images=tmp_path / "films", tell=notes.append)
        found = next(image for image in cohort.scored[0].images if image.id == study.frontal)
        assert (found.view, found.path) == ("FRONTAL", f"{study.frontal}.png")
    assert f"{2 * 670 - 1} films are not in {tmp_path / 'films'}" in notes


def test_the_command_builds_both_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reports, projections = write_csv(tmp_path, texts())
    for name in ("open-i-590", "open-i"):
        assert main(["cohort", "build", name, "--reports", str(reports), "--projections", str(projections)]) == 0
    assert len(load("open-i-590").scored) == 590
    assert load("open-i").manifest == openi.build(reports=reports, projections=projections, seed=0, name="open-i").manifest
    assert "1 of 670 studies have no findings and belong to no part" in capsys.readouterr().err


def test_film_names_of_both_copies_are_one() -> None:
    assert openi._stem("CXR1_1_IM-0001-3001.png") == openi._stem("1_IM-0001-3001.dcm.png") == "CXR1_IM-0001-3001"
    assert openi._stem("CXR3646_IM-1808-0001-0001.png") == "CXR3646_IM-1808-0001-0001"


def test_every_missing_study_of_the_split_is_named(tmp_path: Path) -> None:
    kept = texts()
    del kept["3030"], kept["38"]
    kept["3957"] = ("", "Only an impression.")
    with pytest.raises(InputError) as caught:
        openi.build(reports=write_csv(tmp_path, kept)[0])
    assert {problem.study for problem in caught.value.problems} == {"CXR3030_IM-1405", "CXR38_IM-1911", "CXR3957_IM-2022"}
    assert all(problem.remedy and problem.file for problem in caught.value.problems)
    assert len(openi.build(reports=tmp_path / "indiana_reports.csv", seed=3, section=Section.IMPRESSION).manifest.studies) == 668


def test_a_seed_deals_all_studies_and_no_study_moves_another(tmp_path: Path) -> None:
    whole = openi.build(reports=write_csv(tmp_path, texts())[0], seed=1)
    fewer = dict(list(texts().items())[::2])
    half = openi.build(reports=write_csv(tmp_path, fewer)[0], seed=1)
    assert all(parts(half)[name] <= parts(whole)[name] for name in ("train", "dev", "test"))
    sizes = {name: len(ids) for name, ids in parts(whole).items()}
    assert sum(sizes.values()) == 670 and 400 < sizes["train"] < 530 and 90 < sizes["test"] < 180
    assert parts(openi.build(reports=tmp_path / "indiana_reports.csv", seed=2)) != parts(half)


def test_hostile_archives_neither_escape_nor_expand(tmp_path: Path) -> None:
    members = {
        "../../escaped.xml": XML.format(uid="7", findings="x", impression="y", films="").encode(),
        "bomb.xml": b'<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY d "&b;&b;">]><a>&d;</a>',
        "outside.xml": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        "huge.xml": b" " * 5_000_000,
        "cut.xml": b"<eCitation><uId id='CXR1'/>",
        "other.xml": b"<eCitation/>",
        "report.txt": b"not read",
    }
    (tmp_path / "in").mkdir()
    with tarfile.open(tmp_path / "in/bad.tgz", "w:gz") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("link.xml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(InputError) as caught:
        openi.build(archive=tmp_path / "in/bad.tgz")
    messages = str(caught.value)
    assert all(name in messages for name in ("bomb.xml", "outside.xml", "huge.xml", "cut.xml", "other.xml"))
    assert "root:" not in messages and len(caught.value.problems) == 5
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["bad.tgz", "in"]


def test_what_is_no_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "reports.tgz").write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read to its end"):
        openi.build(archive=tmp_path / "reports.tgz")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="there is no report of the collection in it"):
        openi.build(archive=tmp_path / "empty", seed=0)
    with pytest.raises(InputError, match="Give --archive, or --reports"):
        openi.build()


def test_wrong_lines_of_the_csv_files_are_all_named(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("uid,findings,impression\nx,a,b\n5,a,b\n5,a,b\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        openi.build(reports=tmp_path / "r.csv", seed=0)
    assert sorted(problem.line or 0 for problem in caught.value.problems) == [2, 4]
    (tmp_path / "r.csv").write_text("uid,findings,impression\n5,a,b\n", encoding="utf-8")
    (tmp_path / "p.csv").write_text("uid,filename,projection\n5,../5_IM-1-1.png,Frontal\n5,5_IM-1-1.png,Oblique\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        openi.build(reports=tmp_path / "r.csv", projections=tmp_path / "p.csv", seed=0)
    assert sorted(problem.line or 0 for problem in caught.value.problems) == [2, 3]
    (tmp_path / "r.csv").write_text("id,findings\n5,a\n", encoding="utf-8")
    with pytest.raises(InputError, match="there is no column uid"):
        openi.build(reports=tmp_path / "r.csv", seed=0)


def test_the_real_texts_give_the_digest_of_the_published_references(shared: Path) -> None:
    """Findings of the collection's own reports against the 590 references that ReXrank publishes: the same cohort."""
    real = openi.build(reports=shared / "openi/reports_dev.csv")
    references = from_table(shared / "submissions/references.csv", section=Section.FINDINGS, access=Access.OPEN)
    assert len(real.scored) == 590 and real.manifest.digest == references.manifest.digest
