"""Sections of reports in the layouts that MIMIC-CXR has; all report text here is invented."""

from __future__ import annotations

import pytest

from harness.cohorts.mimic.sections import Report, parse
from harness.types import Section, Text

USUAL = """\
                                 FINAL REPORT
 EXAMINATION:  CHEST (PA AND LAT)
 
 INDICATION:  ___ year old with cough  // any
 infiltrate?
 
 TECHNIQUE:  Two views.
 
 COMPARISON:  ___
 
 FINDINGS: 
 
 Both lungs are
 well filled.  Heart of usual size.
 
 BONES:  An old rib fracture.
 
 IMPRESSION: 
 
 1. No infiltrate.
 2. Old rib fracture.
 
 RECOMMENDATION(S):  None.
 
 NOTIFICATION:  Told by telephone.
"""  # noqa: W291,W293


def text(report: str) -> Text:
    return parse(report).text


def test_the_usual_report_gives_all_its_sections() -> None:
    assert parse(USUAL) == Report(
        Text(
            findings="Both lungs are well filled. Heart of usual size.\nBONES: An old rib fracture.",
            impression="1. No infiltrate. 2. Old rib fracture.",
            indication="___ year old with cough // any infiltrate?",
            technique="Two views.",
            comparison="___",
        )
    )


@pytest.mark.parametrize(
    "heading",
    [
        "FINDINGS:",
        "Findings:",
        "FINDING:",
        "FIDINGS:",
        "FINDGINGS:",
        "CHEST FINDINGS:",
        "FINDINGS",
        "FINDINGS.",
        "  FINDINGS  :",
        "RADIOGRAPHIC FINDINGS:",
    ],
)
def test_a_findings_heading_may_be_spelt_in_many_ways(heading: str) -> None:
    assert text(f"FINAL REPORT\n {heading} \n Clear lungs.\n\n IMPRESSION: Well.\n") == Text("Clear lungs.", "Well.")


@pytest.mark.parametrize(
    "heading",
    ["IMPRESSION:", "Impression:", "IMPRESSIONS:", "IMPRESSOIN:", "IMPESSION:", "CONCLUSION:", "SUMMARY:", "IMPRESSION AND RECOMMENDATIONS:", "IMPRESSION/RECOMMENDATION:", "OPINION:", "IMPRESSION", "FINAL IMPRESSION:"],
)  # fmt: skip
def test_an_impression_heading_may_be_spelt_in_many_ways(heading: str) -> None:
    assert text(
        f"FINAL REPORT\n FINDINGS: Clear lungs.\n\n {heading} Well.\n"
        if ":" in heading
        else f"FINDINGS: Clear lungs.\n\n {heading}\n Well.\n"
    ) == Text("Clear lungs.", "Well.")


@pytest.mark.parametrize(
    ("heading", "section"),
    [
        ("REASON FOR EXAMINATION", "indication"),
        ("CLINICAL INDICATION", "indication"),
        ("CLINICAL HISTORY", "history"),
        ("HISTORY", "history"),
        ("CLINICAL INFORMATION", "history"),
        ("COMPARISONS", "comparison"),
        ("COMPARISON STUDY", "comparison"),
        ("TECHNIQUE", "technique"),
    ],
)
def test_context_sections_are_told_apart(heading: str, section: str) -> None:
    found = text(f"FINAL REPORT\n {heading}: some words\n\n FINDINGS: Clear.\n\n IMPRESSION: Well.\n")
    assert getattr(found, section) == "some words"
    assert (found.findings, found.impression) == ("Clear.", "Well.")


@pytest.mark.parametrize("heading", ["FINDINGS AND IMPRESSION", "FINDINGS/IMPRESSION", "IMPRESSION AND FINDINGS", "FINDINGS & IMPRESSION"])
def test_findings_and_impression_in_one_section_are_kept_once(heading: str) -> None:
    report = parse(f"FINAL REPORT\n {heading}: Clear lungs, nothing new.\n")
    assert report == Report(Text("Clear lungs, nothing new."), combined=True)
    assert report.has(Section.BOTH) and not report.has(Section.IMPRESSION)


def test_findings_may_stand_in_paragraphs_without_a_heading() -> None:
    report = parse(
        "FINAL REPORT\n PORTABLE CHEST OF ___\n\n COMPARISON: None.\n\n The tube ends\n above the carina.\n\n Small effusion.\n\n IMPRESSION: Tube well placed.\n"
    )
    assert report == Report(
        Text("The tube ends above the carina.\nSmall effusion.", "Tube well placed.", comparison="None."), untitled=True
    )


@pytest.mark.parametrize("title", ["AP CHEST", "PA AND LATERAL VIEWS OF THE CHEST", "SINGLE FRONTAL VIEW", "AP CHEST, 5:36 A.M. ON ___"])
def test_the_name_of_the_view_may_stand_for_the_findings_heading(title: str) -> None:
    assert text(f"FINAL REPORT\n INDICATION: Line placement.\n\n {title}: Line in place.\n\n IMPRESSION: Good.\n") == Text(
        "Line in place.", "Good.", "Line placement."
    )


def test_a_titled_findings_section_wins_over_untitled_paragraphs() -> None:
    assert text("FINAL REPORT\n Two views were read.\n\n FINDINGS: Clear.\n\n IMPRESSION: Well.\n").findings == "Clear."


def test_a_wet_read_before_the_final_report_does_not_count() -> None:
    assert (
        text("WET READ: ___ 9:35 PM\n  Large effusion.\n" + "_" * 78 + "\n" + USUAL).findings
        == "Both lungs are well filled. Heart of usual size.\nBONES: An old rib fracture."
    )


def test_a_wet_read_alone_is_read() -> None:
    assert text("WET READ: ___ 9:35 PM\n\n FINDINGS: Clear.\n\n IMPRESSION: Well.\n") == Text("Clear.", "Well.")


@pytest.mark.parametrize("before", [True, False])
def test_an_addendum_is_not_part_of_the_report_proper(before: bool) -> None:
    addendum, final = (
        " FINAL ADDENDUM\n\n ADDENDUM:  A nodule was overlooked.\n",
        " FINAL REPORT\n FINDINGS: Clear.\n\n IMPRESSION: Well.\n",
    )
    rule = "_" * 60 + "\n"
    assert text(addendum + rule + final if before else final + rule + addendum) == Text("Clear.", "Well.")
    assert text(" FINAL REPORT\n FINDINGS: Clear.\n\n IMPRESSION: Well.\n\n ADDENDUM:  A nodule was overlooked.\n") == Text(
        "Clear.", "Well."
    )


def test_several_headings_on_one_line_are_parted() -> None:
    assert text("FINAL REPORT\n INDICATION: Cough. COMPARISON: None. FINDINGS: Clear. IMPRESSION: Well.\n") == Text(
        "Clear.", "Well.", "Cough.", comparison="None."
    )


def test_a_provisional_impression_is_not_the_impression() -> None:
    assert text(
        "FINAL REPORT\n FINDINGS: Clear.\n\n PROVISIONAL FINDINGS IMPRESSION (PFI): Full of fluid.\n\n IMPRESSION: Well.\n"
    ) == Text("Clear.", "Well.")


def test_an_ordinary_colon_does_not_end_a_section() -> None:
    found = text(
        "FINAL REPORT\n FINDINGS: Lines:\n right internal jugular: tip in the cava.\n Heart: large.\n HEART: LARGE.\n\n IMPRESSION: Well.\n"
    )
    assert found.findings == "Lines: right internal jugular: tip in the cava. Heart: large. HEART: LARGE."


@pytest.mark.parametrize("report", ["", "\n\n", "FINAL REPORT\n", "\x00", "____________________"])
def test_nothing_gives_nothing(report: str) -> None:
    assert parse(report) == Report(Text())


def test_windows_line_ends_and_form_feeds_are_read() -> None:
    assert parse(USUAL.replace("\n", "\r\n")) == parse(USUAL) == parse(USUAL.replace(" IMPRESSION", "\f IMPRESSION"))


def test_a_hostile_report_is_parsed_in_no_time() -> None:
    for report in (
        "A" * 200_000,
        "A " * 100_000,
        "A:" * 100_000,
        " " * 200_000 + "x",
        "\n" * 200_000,
        "FINDINGS: " * 20_000,
        "A B,C" * 50_000 + ":",
    ):
        found = parse(report).text
        assert len(found.findings) + len(found.impression) <= len(report)
