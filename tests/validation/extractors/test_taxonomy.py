"""What reports assert, grouped: planted entities come back, the 21 findings have groups, words of few reports are no examples."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from harness.extractors import extractor
from harness.findings import NO_FINDING, RAN_21
from harness.types import Access
from ranscore.commands import main
from tests.validation.readers.conftest import cohort_of
from validation.extractors import taxonomy
from validation.extractors.taxonomy import NONE

PLANTED = ("hiatal hernia", "thoracic scoliosis", "degenerative spine changes", "gynecomastia", "eventration of the diaphragm")


def synthetic(studies: int = 150) -> dict[str, str]:
    made = cohort_of(studies, seed=5)
    return {study.id: made.reference(study.id) for study in made.manifest.studies}


def test_findings_that_are_in_the_reports_have_groups_of_their_own() -> None:
    made = cohort_of(200, seed=5)
    reports = {study.id: made.reference(study.id) for study in made.manifest.studies if study.part == "test"}
    found = taxonomy.explore("synthetic", reports, extractor("lexical")).found
    common = [
        name
        for index, name in enumerate(RAN_21)
        if name != NO_FINDING and sum(made.labels[study].values[index] == 1 for study in reports if study in made.labels) >= 10
    ]
    assert len(common) >= 10
    assert len(set(found) & set(common)) >= 0.9 * len(common), set(common) - set(found)


def test_what_is_planted_comes_back_as_what_no_finding_takes_in() -> None:
    reports = synthetic()
    names = sorted(reports)
    for place, words in enumerate(PLANTED):
        for name in names[place::10]:
            reports[name] += f" There is {words}."
    made = taxonomy.explore("planted", reports, extractor("lexical"))
    outside = [group for group in made.groups if group.finding == NONE]
    recalled = [words for words in PLANTED if any(taxonomy.normal(words) in group.examples for group in outside)]
    assert len(recalled) >= 4, recalled
    for words in recalled:
        group = next(group for group in outside if taxonomy.normal(words) in group.examples)
        planted = {name for name in names if f"There is {words}." in reports[name]}
        assert group.reports >= len(planted) and group.share == pytest.approx(group.reports / len(reports))


def test_spellings_come_together_and_other_things_do_not() -> None:
    terms = ["pleural effusion", "pleural effusions", "pleural effusoin", "hiatal hernia", "hiatus hernia", "pacemaker"]
    groups = taxonomy.grouped(terms).tolist()
    assert groups[0] == groups[1] == groups[2] != groups[3] and groups[3] == groups[4] != groups[5]


def test_words_that_one_report_alone_says_are_no_example() -> None:
    reports = {"a": "Quixotrophic hiatal hernia.", "b": "Small pleural effusion.", "c": "Pleural effusion."}
    made = taxonomy.explore("few", reports, extractor("lexical"))
    assert "quixotrophic" not in taxonomy.as_csv(made) + taxonomy.as_page(made)
    assert any(group.examples == ("pleural effusion",) and group.reports == 2 for group in made.groups)
    assert taxonomy.explore("nothing", {"a": "The lungs are clear."}, extractor("lexical")).groups == ()


def test_the_command_writes_a_table_and_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohort_of(60, seed=5)
    assert main(["taxonomy", "explore", "--cohort", "small", "-o", str(tmp_path)]) == 0
    assert "of the abnormal statements" in capsys.readouterr().out
    rows = list(csv.DictReader((tmp_path / "taxonomy.csv").read_text().splitlines()))
    assert rows and int(rows[0]["reports"]) >= int(rows[-1]["reports"])
    assert "<script" not in (tmp_path / "taxonomy.html").read_text()


def test_words_of_a_credentialed_cohort_need_the_agreement_and_are_not_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohort_of(60, access=Access.CREDENTIALED)
    words = ["taxonomy", "explore", "--cohort", "small", "-o", str(tmp_path / "out")]
    assert main(words) == 5 and not (tmp_path / "out").exists()
    assert main([*words, "--agree", taxonomy.AGREEMENT]) == 0
    terms = [row["group"] for row in csv.DictReader((tmp_path / "out" / "taxonomy.csv").read_text().splitlines()) if " " in row["group"]]
    said = capsys.readouterr()
    assert terms and not [term for term in terms if term in said.out]
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "out").iterdir())


def test_real_reports_have_groups_for_nearly_every_finding(shared: Path) -> None:
    with (shared / "openi" / "reports_dev.csv").open(newline="", encoding="utf-8") as stream:
        reports = {row["uid"]: f"{row['findings']}\n{row['impression']}" for row in csv.DictReader(stream)}
    made = taxonomy.explore("open-i", reports, extractor("lexical"))
    assert len(made.found) >= 17 and 0 < made.outside_share < 0.5
