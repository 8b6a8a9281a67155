"""A look for what could name a patient, on this machine, before anything is stored. It warns; it does not prove that a text is clean."""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.errors import Problem
from harness.formats.complaints import Complaints

_MONTHS = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
# Every repetition is bounded and blanks are made one before: whatever is written, a search takes time in proportion to the text.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "a date",
        re.compile(
            rf"\b(?:\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.](?:19|20)\d\d|\d{{1,2}}/\d{{1,2}}/\d\d"
            rf"|(?:{_MONTHS})\.? \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d\d|\d{{1,2}}\.? (?:{_MONTHS})\.?,? (?:19|20)\d\d)\b"
            r"|(?:19|20)\d\d ?年 ?\d{1,2} ?月",
            re.IGNORECASE,
        ),
    ),
    (
        "a record number",
        re.compile(
            r"\b(?:mrn|medical record|record no|accession|patient id|hospital no|ssn|nhs no|dob)\b\W{0,5}(?:number|no|#)?\W{0,3}[A-Z]{0,3}\d{2}"
            r"|\b\d{7,12}\b|\b\d{3}-\d{2}-\d{4}\b|(?:病历号|住院号|检查号|门诊号)\W{0,3}\w{0,20}\d{3}",
            re.IGNORECASE,
        ),
    ),
    (
        "a name",
        re.compile(
            r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.? [A-Z][a-z]|\b(?:[Pp]atient(?:'s)? [Nn]ame|NAME|Name|[Dd]ictated by|[Ss]igned by"
            r"|[Ee]lectronically signed by|[Dd]iscussed with|[Rr]eferred by)(?: ?: ?| )[A-Z][a-z]{1,30} [A-Z][a-z]|(?:患者|姓名) ?[:：] ?[\u4e00-\u9fff]{2}"
        ),
    ),
    (
        "an address or a number to call",
        # Before the @ one character is enough: further ones do not change the answer.
        re.compile(r"[\w.+-]@[\w.-]{1,200}\.[A-Za-z]{2}|\(\d{3}\) ?\d{3}-\d{4}|\b\d{3}-\d{3}-\d{4}\b|(?<!\d)1[3-9]\d{9}(?!\d)"),
    ),
)


def warnings(reports: Mapping[str, str], file: str) -> tuple[Problem, ...]:
    """Where the reports hold something like a date, a record number, a name or an address; the words themselves are not quoted.

    Args:
        reports: By study id.
        file: As the user named it.
    """
    complaints = Complaints(file)
    for study, report in reports.items():
        text = " ".join(report.split())
        for kind, pattern in _PATTERNS:
            if pattern.search(text):
                complaints.warn(kind, f"the report holds what looks like {kind}", "Remove it if it could be a person's", study=study)
    return complaints.warnings
