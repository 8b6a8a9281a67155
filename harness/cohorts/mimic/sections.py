"""The sections of a MIMIC-CXR report as a cohort holds them, from the project's one reader of sections."""

from __future__ import annotations

from dataclasses import dataclass

from harness.formats import sections
from harness.types import Section, Text


@dataclass(frozen=True, slots=True)
class Report:
    """The sections of one report, and how its findings were named."""

    text: Text
    combined: bool = False
    """One section holds findings and impression together; it is in `text.findings`."""
    untitled: bool = False
    """The findings are paragraphs without a heading of their own."""

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

    Lines of a paragraph are joined by a blank, paragraphs by a line break. A section that occurs twice is joined. What has no heading is
    findings; a wet read, an addendum, recommendations and notifications belong to no section.
    """
    text = report.replace("\x00", "")
    parts = sections.parts(text)

    def of(*kinds: str) -> str:
        return sections.text_of(text, [part for part in parts if part.kind in kinds])

    context = {kind: of(kind) for kind in ("indication", "history", "technique", "comparison")}
    titled, combined = of(sections.FINDINGS), of(sections.COMBINED)
    findings = of(sections.FINDINGS, sections.COMBINED, sections.UNTITLED)
    untitled = bool(findings) and not titled and not combined
    return Report(Text(findings, of(sections.IMPRESSION), **context), combined=bool(combined), untitled=untitled)
