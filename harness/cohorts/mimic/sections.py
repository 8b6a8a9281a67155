"""Find the sections of a MIMIC-CXR report.

The reports were dictated over years by many people: headings vary and are misspelt, findings often stand in a paragraph without one, a wet
read or an addendum surrounds the report proper. Written from the layout of the files; no rule depends on what a report says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from harness.types import Section, Text


@dataclass(frozen=True, slots=True)
class Report:
    """The sections of one report, and how its findings were found."""

    text: Text
    combined: bool = False
    """One section holds findings and impression together; it stands in `text.findings`."""
    untitled: bool = False
    """The findings stand in paragraphs without a heading of their own."""

    def has(self, section: Section) -> bool:
        """Whether the report has this section; for `BOTH` findings and impression, each with a heading or in a combined section."""
        wanted = {
            Section.FINDINGS: bool(self.text.findings),
            Section.IMPRESSION: bool(self.text.impression),
            Section.BOTH: bool(self.text.findings) and (self.combined or bool(self.text.impression)),
        }
        return wanted[section]


def parse(report: str) -> Report:
    """Split a report into its sections.

    Only the report proper counts: what stands under a wet read or an addendum was written before or after it. Lines of a paragraph are
    joined by a blank, paragraphs by a line break. A section that occurs twice is joined. Recommendations and notifications that have a
    heading of their own belong to no section.
    """
    found: dict[str, list[str]] = {}
    kind, fresh = "untitled", True
    for paragraph in _paragraphs(_proper(report)):
        for piece in _BREAKS.split(paragraph):
            named, rest = _heading(piece, kind)
            if named:
                kind, fresh = named, True
                piece = rest
            elif kind in _CONTEXT and not fresh:
                kind = "untitled"
            words = " ".join(piece.split())
            if words:
                found.setdefault(kind, []).append(words)
        fresh = kind not in found
    return _report(
        {name: "\n".join(parts) for name, parts in found.items()}, [text for text in found.get("untitled", []) if _is_prose(text)]
    )


def _report(found: dict[str, str], untitled: list[str]) -> Report:
    context = {name: found.get(name, "") for name in ("indication", "history", "technique", "comparison")}
    findings, combined, impression = (found.get(name, "") for name in ("findings", "combined", "impression"))
    whole = "\n".join(part for part in (findings, combined) if part)
    if whole:
        return Report(Text(whole, impression, **context), combined=bool(combined))
    return Report(Text("\n".join(untitled), impression, **context), untitled=bool(untitled))


_CONTEXT = frozenset({"indication", "history", "technique", "comparison", "other"})
"""Sections of one paragraph: the next paragraph without a heading is the report's own."""

_BANNER = re.compile(r"^[ \t]*((?:FINAL|PRELIMINARY|INTERIM|PROVISIONAL)[ \t]+(?:REPORT|ADDENDUM)|WET[ \t]+READ|ADDENDUM)\b[^\n]*$", re.M)
_RULE = re.compile(r"^[ \t]*(?:_{12,}|-{12,}|={12,})[ \t]*$", re.M)
"""A drawn line; three underscores are a removed name or date and stay."""


def _proper(report: str) -> str:
    """The report proper: the final report, else what stands under no banner, else whatever there is."""
    text = _RULE.sub("", report.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n").replace("\x00", ""))
    marks = list(_BANNER.finditer(text))
    blocks = {"": text[: marks[0].start()] if marks else text}
    ends = [*(mark.start() for mark in marks), len(text)][1:]
    for mark, end in zip(marks, ends, strict=True):
        name = " ".join(mark[1].split())
        after = text[mark.end(1) if name in ("WET READ", "ADDENDUM") else mark.end() : end]
        blocks[name] = "\n\n".join(part for part in (blocks.get(name, ""), after) if part)
    for name in ("FINAL REPORT", "", "PRELIMINARY REPORT", "INTERIM REPORT", "PROVISIONAL REPORT", "FINAL ADDENDUM", "WET READ"):
        if blocks.get(name, "").strip():
            return blocks[name]
    return ""


_HEAD = re.compile(r"[ \t]*([A-Z](?:[A-Za-z0-9 ,/&()'._-]|:(?=\d)){2,70}?)[ \t]*:(?!\d)")
_LONE = re.compile(r"[ \t]*(FINDINGS|IMPRESSION|CONCLUSION)S?[ \t]*(?:[.;-][ \t]+|[.;-]?[ \t]*$)")
"""The main headings are also written without a colon, alone on a line or before a full stop."""
_BREAKS = re.compile(r"(?<=[a-z0-9.?!_)])[ \t]+(?=(?:FINDINGS|IMPRESSION|COMPARISON|INDICATION|TECHNIQUE|CONCLUSION)S?:)")
"""Where one heading follows another's text on the same line."""


def _paragraphs(text: str) -> list[str]:
    """Paragraphs; a line that begins with a known heading begins a paragraph too."""
    paragraphs: list[list[str]] = [[]]
    for line in text.split("\n"):
        head = _HEAD.match(line)
        if not line.strip() or _LONE.match(line) or (head and _known(head[1])):
            paragraphs.append([])
        if line.strip():
            paragraphs[-1].append(line)
    return ["\n".join(lines) for lines in paragraphs if lines]


def _heading(piece: str, kind: str) -> tuple[str, str]:
    """The section that a paragraph's heading opens and the text after it; an empty name where it has no heading of ours.

    A heading that nobody knows ("LUNGS:") stays in the findings or the impression that it stands in; elsewhere it is a title.
    """
    if lone := _LONE.match(piece.split("\n", 1)[0]):
        return _known(lone[1]), piece[lone.end() :]
    head = _HEAD.match(piece)
    if not head:
        return "", piece
    if name := _known(head[1]):
        return name, piece[head.end() :]
    if kind in ("findings", "impression", "combined") or not head[1].isupper():
        return "", piece
    return ("untitled", piece[head.end() :]) if _VIEWS.search(head[1]) else ("", piece)


_VIEWS = re.compile(r"\b(?:CHEST|VIEWS?|RADIOGRAPHS?|FRONTAL|LATERAL|PORTABLE|AP|PA|SUPINE|UPRIGHT|FILMS?)\b")
_WORDS: tuple[tuple[str, str], ...] = (
    ("PROVISIONAL", "other"),
    ("PFI", "other"),
    ("ADDENDUM", "other"),
    ("FINDINGS", "findings"),
    ("FINDING", "findings"),
    ("IMPRESSION", "impression"),
    ("IMPRESSIONS", "impression"),
    ("CONCLUSION", "impression"),
    ("CONCLUSIONS", "impression"),
    ("SUMMARY", "impression"),
    ("OPINION", "impression"),
    ("INDICATION", "indication"),
    ("INDICATIONS", "indication"),
    ("REASON", "indication"),
    ("HISTORY", "history"),
    ("CLINICAL", "history"),
    ("TECHNIQUE", "technique"),
    ("COMPARISON", "comparison"),
    ("COMPARISONS", "comparison"),
    ("COMPARED", "comparison"),
    ("EXAM", "other"),
    ("EXAMINATION", "other"),
    ("EXAMINATIONS", "other"),
    ("STUDY", "other"),
    ("PROCEDURE", "other"),
    ("RECOMMENDATION", "other"),
    ("RECOMMENDATIONS", "other"),
    ("NOTIFICATION", "other"),
    ("NOTIFICATIONS", "other"),
)
"""What a heading's words make it, the first that applies; misspelt long words are taken for their neighbours."""
_LONG = tuple(word for word, _ in _WORDS if len(word) >= 8)


@lru_cache(4096)
def _known(heading: str) -> str:
    """The section that a heading names; empty where it is none of ours."""
    words = re.findall(r"[A-Z]+", heading.upper())
    if len(words) > 6 or not (heading.isupper() or len(words) <= 3):
        return ""
    meant = {close[0] if len(word) >= 6 and (close := get_close_matches(word, _LONG, 1, 0.82)) else word for word in words}
    kinds = [kind for word, kind in _WORDS if word in meant]
    if not kinds:
        return ""
    if "findings" in kinds and "impression" in kinds and kinds[0] != "other":
        return "combined"
    return kinds[0]


def _is_prose(text: str) -> bool:
    """Whether an untitled paragraph says something, and is not a title in capitals."""
    return not text.isupper() and any(letter.islower() for letter in text)
