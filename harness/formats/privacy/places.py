"""English places: hospitals, streets, towns with their state and code, known cities."""

from __future__ import annotations

import re

from harness.formats.privacy.gazetteer import words
from harness.formats.privacy.span import Span

_CAP = r"(?:(?:St|Ste|Mt|Ft|Dr|Rev)\.|[A-Z][A-Za-z'’-]{1,24})"
_KINDS = (
    r"Hospitals?|Medical Cent(?:er|re)|Health Cent(?:er|re)|Medical Group|Clinic|Infirmary|Hospice|Sanatorium|Health System|Healthcare|Nursing Home|"
    r"Care Home|Rehabilitation(?: Cent(?:er|re))?|Imaging(?: Cent(?:er|re))?|University|College|School|Institute|Cancer Cent(?:er|re)|Surgery Cent(?:er|re)|"
    r"Urgent Care|Assisted Living|Manor|Veterans Affairs|General|Memorial|Radiology Associates|Prison|Jail|Church|Airport"
)
_STREETS = r"Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Way|Court|Ct|Place|Pl|Terrace|Close|Square|Sq|Highway|Hwy|Parkway|Pkwy|Crescent|Row|Gardens|Circle|Trail"
_STATES = "AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC"
_RULES: tuple[re.Pattern[str], ...] = (
    # The place's own words; "St." and "of" may be among them. The kind stays in the report.
    re.compile(rf"(?P<own>(?:{_CAP} (?:of |the |and |& )?){{1,4}})(?P<kind>{_KINDS})\b"),
    re.compile(rf"\b(?P<kind>University|Hospital|College|Institute|Church) of (?P<own>{_CAP}(?: {_CAP}){{0,2}})"),
    re.compile(rf"(?<!\d)(?P<own>\d{{1,5}}[A-Z]? (?:[NSEW]\.? )?(?:{_CAP} ){{1,5}})(?:{_STREETS})\b\.?"),
    re.compile(rf"(?P<own>{_CAP}(?: {_CAP}){{0,2}}, (?:{_STATES})(?: \d{{5}}(?:-\d{{4}})?)?)(?![A-Za-z])"),
    re.compile(r"(?P<own>(?i:\bP\.? ?O\.? Box) \d{1,6})"),
    re.compile(r"(?<![A-Z0-9])(?P<own>[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2})(?![A-Z0-9])"),
)
_TOWN = re.compile(
    r"\b(?i:(?:lives?|living) (?:alone |together )?(?:in|at|near)|resid(?:es?|ing) (?:in|at)|resident of|transferred from|moved (?:to|from)|travel(?:led|ed|s)? (?:to|from|in)|born in|visiting|visited|native of|city of|town of|returned from|admitted from|referred from|flew (?:in )?from|works? (?:at|for)|employed (?:at|by)) "
    rf"(?P<own>{_CAP}(?: {_CAP}){{0,2}})"
)
# After a weaker word one capitalised word may be a disease.
_ELSEWHERE = re.compile(
    rf"\b(?:from|near|(?:imaged |seen |admitted |done |performed |obtained )?at|admitted to|outside) (?P<own>{_CAP}(?: {_CAP}){{1,2}})"
)


def find(text: str) -> list[Span]:
    """Spans of the words that name a place."""
    found = []
    for rule in _RULES:
        for match in rule.finditer(text):
            start = match.start("own") + _lead(match["own"])
            end = match.start("own") + len(match["own"].rstrip())
            if end > start:
                found.append(Span("place", start, end))
    plain = words("common") | words("eponyms")
    for rule in (_TOWN, _ELSEWHERE):
        for match in rule.finditer(text):
            own = [word.lower().rstrip(".") in plain for word in match["own"].split()]
            if not all(own) and (rule is _TOWN or not own[0]):
                found.append(Span("place", *match.span("own")))
    cities = words("cities")
    found += [Span("place", *match.span()) for match in re.finditer(r"\b[A-Z][a-z]{3,14}\b", text) if match[0].lower() in cities]
    return found


def _lead(own: str) -> int:
    """How many characters of words of reports come before the place's own words ("The", "From", "Compared")."""
    at = 0
    for word in own.split(" "):
        if not word or word.lower().strip(".,") not in words("common") | {"from", "at", "the", "outside"}:
            break
        at += len(word) + 1
    return min(at, len(own))
