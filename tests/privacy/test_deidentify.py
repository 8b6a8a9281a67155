"""De-identification: what is found of 300 planted texts, whether surrogates hold together, and that a person has to read the lists."""

from __future__ import annotations

import csv
import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import permutations
from pathlib import Path
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import cohorts
from harness.cohorts import deidentified
from harness.cohorts.deidentified import CHECKED
from harness.config.home import home
from harness.formats import privacy
from harness.formats.privacy import dates
from harness.formats.privacy.spans import find
from harness.formats.privacy.surrogates import Surrogates
from harness.types import Cohort
from ranscore.commands import main
from tests.privacy import planting, second_planting
from tests.privacy.planting import Report
from tests.privacy.written import LATER, WRITTEN

KEY = bytes(range(32))
PLANTED = planting.reports(300, 2026)


@pytest.mark.parametrize("listed", [PLANTED, second_planting.reports(300, 1)], ids=["first", "second"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_planted_is_found(language: str, listed: list[Report]) -> None:
    """The figures are in docs/evidence/deidentification.md; the floors here are what they may not fall below."""
    missed, total = [], 0
    for report in listed:
        if report.language == language:
            covered = {at for span in find(report.text) for at in range(span.start, span.end)}
            for item in report.planted:
                start = report.text.index(item.words)
                total += 1
                if not all(at in covered or not report.text[at].isalnum() for at in range(start, start + len(item.words))):
                    missed.append((item.kind, item.words, report.text))
    assert total > 400
    print(f"{language}: {total - len(missed)} of {total} found; missed: {[item[:2] for item in missed]}")
    assert len(missed) <= 0.01 * total, missed


CLINICAL = [
    "Right IJ central venous catheter ends in the mid SVC. Status post CABG and AVR. Dobhoff tube in the stomach.",
    "Old fractures of ribs 4-7, T8/9 and L1-2. Heart size is 15/28 cm. Grade 2/6 murmur. Pneumonia in 1/2 of the lobe.",
    "Ghon complex. Hampton hump. Kerley B lines. Swan-Ganz catheter. Bochdalek hernia. Port-A-Cath tip at the cavoatrial junction.",
    "Per Fleischner guidelines follow-up in 6-12 months. 2000 ml drained. FiO2 100. ETT 4.5 cm above the carina. 24 hour follow up.",
    "LUNGS ARE CLEAR WITH PATCHY RETICULATION. NO PLEURAL EFFUSION OR PNEUMOTHORAX.",
    "双肺纹理增多、紊乱,右下肺可见斑片状高密度影,边界不清。心影增大,主动脉结钙化。两侧肋膈角锐利。",
    "左侧第4-6肋骨陈旧性骨折。气管居中,纵隔未见移位。建议结合临床及CT检查。高年资医师复核。左主支气管通畅。",
]


@pytest.mark.parametrize("text", CLINICAL)
def test_clinical_words_stay(text: str) -> None:
    assert [text[span.start : span.end] for span in find(text)] == []


FORMS = ["%m/%d/%Y", "%Y-%m-%d", "%B %d, %Y", "%d %b %Y", "%d-%b-%Y", "%Y.%m.%d", "%b. %d, %Y", "%Y年%m月%d日"]


@given(st.dates(date(1950, 1, 1), date(2049, 12, 31)), st.integers(-1500, 1500), st.sampled_from(FORMS))
@settings(max_examples=300, deadline=None)
def test_a_moved_date_is_that_date_in_the_same_form(day: date, days: int, form: str) -> None:
    text = f"Compared with {day.strftime(form)}, no change."
    found = dates.find(text)
    assert len(found) == 1 and text[found[0].start : found[0].end] == day.strftime(form)
    assert (found[0].year, found[0].month, found[0].day) == (day.year, day.month, day.day)
    new = day + timedelta(days=days)
    moved = dates.moved(found[0], days, 2000)
    again = dates.find_in(moved, False)[0]
    assert (again.year, again.month, again.day) == (new.year, new.month, new.day)
    bare = [re.sub(r"(?<!\d)0", "", text) for text in (moved, new.strftime(form))]
    assert bare[0] == bare[1] or (day.month == 5 and "%B" in form), (
        "but for leading zeros, which a day such as 12 does not show, and May, which is short and long"
    )


@pytest.mark.parametrize(
    ("words", "days", "expected"),
    [
        ("二〇一九年十二月三日", 30, "二〇二〇年一月二日"),
        ("3rd of March 2021", -2, "1st of March 2021"),
        ("MARCH 3, 2021", 30, "APRIL 2, 2021"),
        ("3/4/2021", 1, "3/5/2021"),
        ("25/12/2020", 8, "02/01/2021"),
        ("2021年3月", 20, "2021年4月"),
        ("12-JAN-20", 20, "01-FEB-20"),
        ("12JAN2020", 20, "01FEB2020"),
        ("20201128", 5, "20201203"),
        ("Sep '10", -20, "Aug '10"),
        ("1.13.09", 30, "2.12.09"),
        ("March 5 of 2012", 30, "April 4 of 2012"),
    ],
)
def test_every_form_is_kept(words: str, days: int, expected: str) -> None:
    assert dates.moved(dates.find_in(words, False)[0], days, 2000) == expected


def test_numeric_dates_are_read_day_first_only_where_the_file_says_so() -> None:
    assert dates.reads_day_first(["25/12/2020", "3/4/2021"]) and not dates.reads_day_first(["25/12/2020", "12/25/2020"])
    assert dates.find("3/4/2021", day_first=True)[0].month == 4 and dates.find("3/4/2021")[0].month == 3


def table(path: Path, listed: list[Report] = PLANTED) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["study_id", "patient", "report", "age", "image", "Edema"])
        for report in listed:
            writer.writerow([report.id, report.patient, report.text, 95, f"{report.id}.png", 1])
    return path


def build(tmp_path: Path, *more: str) -> int:
    return main(
        [
            "cohort",
            "build",
            "table",
            "--file",
            str(tmp_path / "in.csv"),
            "--name",
            "own",
            "--section",
            "findings",
            "--deidentify",
            str(tmp_path / "kept"),
            *more,
        ]
    )


@pytest.fixture
def built(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Cohort:
    table(tmp_path / "in.csv")
    assert build(tmp_path) == 5
    assert build(tmp_path, "--checked", CHECKED) == 0
    capsys.readouterr()
    return cohorts.load("own")


def test_it_is_not_done_until_somebody_read_the_lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table(tmp_path / "in.csv")
    for more in ([], ["--checked", CHECKED + "!"], ["--checked", "yes"]):
        assert build(tmp_path, *more) == 5
        said = "".join(capsys.readouterr())
        assert "nobody has read" in said and CHECKED in said
        assert not (home() / "cohorts" / "own").exists()
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {
        "key.json",
        "replacements.csv",
        "remaining.csv",
        "codes.csv",
        "also.txt",
    }
    assert all((path.stat().st_mode & 0o077) == 0 for path in (tmp_path / "kept").iterdir())
    assert (tmp_path / "kept").stat().st_mode & 0o077 == 0
    assert build(tmp_path, "--checked", CHECKED) == 0
    # Another report came in: the list that was read is not the list of this file.
    more_reports = [*PLANTED, Report("CXR-99999", "P-1", "en", "Discussed with Dr. Zebulon Applegarth on 5/6/2017.", ())]
    table(tmp_path / "in.csv", more_reports)
    assert build(tmp_path, "--checked", CHECKED) == 5
    assert "Zebulon Applegarth" in (tmp_path / "kept" / "replacements.csv").read_text()
    assert build(tmp_path, "--checked", CHECKED) == 0


def test_the_first_run_alone_cannot_be_called_checked(tmp_path: Path) -> None:
    table(tmp_path / "in.csv")
    assert build(tmp_path, "--checked", CHECKED) == 5, "nobody can have read a list that was not there"


def test_nothing_planted_is_left_in_the_cohort(built: Cohort) -> None:
    folder = home() / "cohorts" / "own"
    whole = "\n".join(path.read_text(encoding="utf-8") for path in folder.iterdir() if path.is_file())
    left = sorted(
        {item.words for report in PLANTED for item in report.planted if re.search(rf"(?<!\w){re.escape(item.words)}(?!\w)", whole)}
    )
    assert len(left) <= 0.01 * sum(len(report.planted) for report in PLANTED), left
    ids = {report.id for report in PLANTED} | {report.patient for report in PLANTED}
    assert not [name for name in ids if name in whole]
    assert all(study.age == 90 and not study.images for study in built.manifest.studies)
    assert len(built.labels) == len(PLANTED) and "does not prove" in built.manifest.source


def test_one_surrogate_for_one_name_and_another_for_another(tmp_path: Path, built: Cohort) -> None:
    with (tmp_path / "kept" / "replacements.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for kind in ("name", "number"):
        listed = [(row["original"].strip(), row["surrogate"]) for row in rows if row["kind"] == kind]
        assert len({original.lower() for original, _ in listed}) <= len({surrogate.lower() for _, surrogate in listed}) + 1
    names = {row["original"]: row["surrogate"] for row in rows if row["kind"] == "name"}
    together = 0
    for name, surrogate in names.items():
        if re.fullmatch(r"[A-Z][a-z]+ [A-Z][a-z]+", name):
            own, family = name.split()[1], surrogate.split()[1]
            others = [made for other, made in names.items() if re.match(rf"{own}(?:, |$)", other, re.IGNORECASE)]
            together += len(others)
            assert all(made.split(", ")[0].lower() == family.lower() for made in others), (name, others)
    assert together > 20
    words = {word.lower() for report in PLANTED for word in re.findall(r"[^\W\d_]+", report.text)}
    made = {
        word.lower()
        for row in rows
        if row["kind"] == "name" and row["original"].isascii()
        for word in re.findall(r"[A-Za-z]{3,}", row["surrogate"])
    }
    assert not made & words, "no surrogate is a word of the file"


def codes(tmp_path: Path) -> dict[str, str]:
    with (tmp_path / "kept" / "codes.csv").open() as stream:
        return {row["id"]: row["code"] for row in csv.DictReader(stream) if row["of"] == "study"}


def test_dates_of_a_patient_keep_their_order_and_distance(tmp_path: Path, built: Cohort) -> None:
    code, moves = codes(tmp_path), {}
    for patient in {report.patient for report in PLANTED}:
        before, after = [], []
        for report in (item for item in PLANTED if item.patient == patient):
            day = next(item.day for item in report.planted if item.day)
            text = built.reference(code[report.id])
            found = [item for item in dates.find(text) if item.day]
            assert found, text
            before.append(day)
            after.append(date(found[0].year or 0, found[0].month or 0, found[0].day or 0))
        distance = {new - old for old, new in zip(before, after, strict=True)}
        assert len(distance) == 1, (before, after)
        moves[patient] = distance.pop().days
        assert [date for _, date in sorted(zip(after, before, strict=True))] == sorted(before)
    assert all(days % 7 == 0 and days < 0 for days in moves.values()) and len(set(moves.values())) > 50


def reach(found: dates.Found) -> tuple[date, date]:
    """The first and the last day that a date with a year may mean."""
    year = found.year or 0
    first = date(year, found.month or 1, found.day or 1)
    if found.month and found.day:
        return first, first
    following = date(year + (not found.month or found.month == 12), (found.month or 12) % 12 + 1, 1)
    return first, following - timedelta(days=1)


def test_no_date_order_changes_whatever_forms_a_patients_dates_have(tmp_path: Path) -> None:
    table(tmp_path / "in.csv", second_planting.reports(300, 1))
    assert build(tmp_path) == 5
    by_patient: dict[str, list[tuple[dates.Found, dates.Found]]] = {}
    with (tmp_path / "kept" / "replacements.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row["kind"] == "date" and row["surrogate"] != "[date]":
                old, new = (dates.find_in(row[name], False) for name in ("original", "surrogate"))
                assert old and new, row
                by_patient.setdefault(row["patient"], []).append((old[0], new[0]))
    strict = 0
    for (one, moved), (other, other_moved) in (pair for listed in by_patient.values() for pair in permutations(listed, 2)):
        if one.year and other.year and reach(one)[1] < reach(other)[0]:
            strict += 1
            assert reach(moved)[0] <= reach(other_moved)[1], "an earlier date is not later now"
        if one.year is None is other.year and dates.order(one) < dates.order(other):
            assert dates.order(moved) <= dates.order(other_moved)
    assert strict > 40


def test_dates_without_a_year_keep_their_order_or_are_masked() -> None:
    texts = [f"Prior film from {month}/{day}. No change." for month, day in ((1, 3), (3, 9), (8, 20), (12, 28))]
    found = [dates.find(text)[0] for text in texts]
    for patient in range(40):
        days = deidentified.shift(f"p{patient}", found, 2015, Surrogates(KEY))
        if days:
            moved = [dates.order_after(item, days, 2015) for item in found]
            assert moved == sorted(moved)


def test_a_person_may_keep_a_word_change_a_surrogate_and_add_what_was_missed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = [Report("CXR-1", "P-1", "en", "Discussed with Dr. Maeve Castellanos. Harvested from zorblax by telephone.", ())]
    table(tmp_path / "in.csv", listed)
    assert build(tmp_path) == 5
    path = tmp_path / "kept" / "replacements.csv"
    path.write_text(re.sub(r"(Maeve Castellanos),[^,]*,(\d+),yes", r"\1,Somebody Else,\2,yes", path.read_text()))
    (tmp_path / "kept" / "also.txt").write_text("zorblax\n")
    assert build(tmp_path, "--checked", CHECKED) == 5, "the new word has to be read, too"
    assert "Somebody Else" in path.read_text(), "what a person wrote stays"
    assert build(tmp_path, "--checked", CHECKED) == 0
    text = next(iter(cohorts.load("own").texts.values())).findings
    assert "Somebody Else" in text and "zorblax" not in text and "Castellanos" not in text
    path.write_text(path.read_text().replace(",yes", ",no"))
    assert build(tmp_path, "--checked", CHECKED) == 0
    assert "Maeve Castellanos" in next(iter(cohorts.load("own").texts.values())).findings


def test_what_remains_is_listed_for_a_person(tmp_path: Path) -> None:
    table(
        tmp_path / "in.csv",
        [Report("CXR-1", "P-1", "en", "The film amused Grimbleworth yesterday. The lungs are clear. Code 4471 applies.", ())],
    )
    assert build(tmp_path) == 5
    listed = (tmp_path / "kept" / "remaining.csv").read_text()
    assert "Grimbleworth" in listed and "4471" in listed and "The" not in listed.split()


def test_a_name_that_is_sure_in_one_report_is_replaced_in_all_but_where_it_is_a_plain_word(tmp_path: Path) -> None:
    texts = [
        "Discussed with Dr. Grimbleworth. Signed by Dr. White.",
        "Shadows that amused Grimbleworth. White count is high, and GRIMBLEWORTH agrees. The lungs are white.",
        "审核医师:司徒若曦。",
        "两肺清晰,司徒若曦认为正常。",
    ]
    table(tmp_path / "in.csv", [Report(f"CXR-{number}", f"P-{number}", "en", text, ()) for number, text in enumerate(texts)])
    assert build(tmp_path) == 5 and build(tmp_path, "--checked", CHECKED) == 0
    whole = " ".join(text.findings for text in cohorts.load("own").texts.values())
    assert "grimbleworth" not in whole.lower() and "司徒若曦" not in whole and "Dr. White" not in whole
    assert "White count" in whole and "are white" in whole


def test_lists_that_a_spreadsheet_opens_run_nothing(tmp_path: Path) -> None:
    table(tmp_path / "in.csv", [Report("CXR-1", "P-1", "en", "Call +44 20 7946 0958 with questions. The lungs are clear.", ())])
    assert build(tmp_path) == 5
    assert ",'+44 20 7946 0958," in (tmp_path / "kept" / "replacements.csv").read_text()
    assert build(tmp_path, "--checked", CHECKED) == 0
    assert "7946 0958" not in next(iter(cohorts.load("own").texts.values())).findings


def test_the_key_is_kept_apart_and_decides_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table(tmp_path / "in.csv", PLANTED[:20])
    out = tmp_path / "cohort"
    assert main(["cohort", "build", "table", "--file", str(tmp_path / "in.csv"), "--deidentify", str(out / "key"), "-o", str(out)]) == 2
    assert main(["cohort", "build", "table", "--file", str(tmp_path / "in.csv"), "--checked", CHECKED]) == 2
    assert build(tmp_path) == 5
    first = (tmp_path / "kept" / "replacements.csv").read_text()
    assert build(tmp_path) == 5
    assert (tmp_path / "kept" / "replacements.csv").read_text() == first, "the same key gives the same surrogates"
    (tmp_path / "kept" / "key.json").write_text(json.dumps({"key": "11" * 32}))
    (tmp_path / "kept" / "replacements.csv").unlink()
    assert build(tmp_path) == 5
    assert (tmp_path / "kept" / "replacements.csv").read_text() != first
    (tmp_path / "kept" / "key.json").write_text("{}")
    assert build(tmp_path) == 3
    said = "".join(capsys.readouterr())
    assert not [item.words for report in PLANTED[:20] for item in report.planted if item.kind == "name" and item.words in said]


def test_ids_of_the_table_are_replaced_inside_texts_too(tmp_path: Path) -> None:
    table(tmp_path / "in.csv", [Report("CXR-70001", "P-48210", "en", "Film CXR-70001 of P-48210 shows clear lungs.", ())])
    assert build(tmp_path) == 5
    assert build(tmp_path, "--checked", CHECKED) == 0
    cohort = cohorts.load("own")
    study = cohort.manifest.studies[0]
    assert study.id in cohort.texts[study.id].findings and study.patient in cohort.texts[study.id].findings


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    for info in pkgutil.iter_modules(privacy.__path__, f"{privacy.__name__}."):
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            stack = [value]
            while stack:
                item = stack.pop()
                if isinstance(item, re.Pattern):
                    yield f"{info.name}.{name}", item
                elif isinstance(item, tuple):
                    stack += list(item)


def repeats(tree: Any) -> Iterator[int]:
    """The upper bounds of all repetitions of a parsed pattern."""
    for operation, argument in tree:
        if operation in (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT):
            yield int(argument[1])
            yield from repeats(argument[2])
        elif isinstance(argument, tuple):
            for part in argument:
                if isinstance(part, _parser.SubPattern):
                    yield from repeats(part)
                elif isinstance(part, list):
                    for inner in part:
                        if isinstance(inner, _parser.SubPattern):
                            yield from repeats(inner)


def test_every_repetition_of_every_rule_is_bounded() -> None:
    """Whatever is written, a search takes time in proportion to the text."""
    listed = list(patterns())
    assert len(listed) > 25
    for name, pattern in listed:
        assert all(bound <= 200 for bound in repeats(_parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE))), name


@pytest.mark.parametrize(
    ("written", "total", "missed"),
    [
        (WRITTEN, 90, ["Halvorsen", "3/9"]),
        (LATER, 109, ["Larches", "Ottershaw", "窦国栋", "Marisol", "Haruki", "Hexworth"]),
    ],
    ids=["first", "later"],
)
def test_what_was_written_by_hand_is_found_but_for_a_few(written: list[tuple[str, list[str]]], total: int, missed: list[str]) -> None:
    left = []
    for text, planted in written:
        covered = {at for span in find(text) for at in range(span.start, span.end)}
        for words in planted:
            start = text.index(words)
            if not all(at in covered or not text[at].isalnum() for at in range(start, start + len(words))):
                left.append(words)
    assert sum(len(planted) for _, planted in written) == total
    assert left == missed, "docs/evidence/deidentification.md names what is missed"
