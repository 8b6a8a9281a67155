"""What surrounds the answers of a model: which texts are asked about at all, and how 20 decisions become the labels of a report.

The rules here are part of the frozen protocol (see `models.PARSER_VERSION`), so they share nothing with the embedded extractor, whose
lexicon may grow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.extractors.llm.framing import flags
from harness.extractors.llm.pack import ASKED
from harness.extractors.llm.parser import FAILED, Decision
from harness.findings import NO_FINDING, RAN_21
from harness.formats.label_files import no_finding
from harness.types import Labels, ReportStatus, Status

_CLINICAL = re.compile(
    r"lung|pulmon|pleur|heart|cardi|chest|thora|effusion|pneumo|opaci|consolid|atelect|o?edema|mediastin|\bhil(?:ar|um|a)\b|aort|trache"
    r"|bronch|diaphragm|\bribs?\b|spin(?:e|al)|vertebr|clavic|fractur|nodul|\bmass|lesion|infiltrat|emphysem|\bcopd|hyperinfl|granulom"
    r"|calcif|scar|fibro|interstiti|vascul|congest|\btubes?\b|cathet|\blines?\b|\bpicc|pacemaker|devices?\b|sternotom|\bwires?\b|\bclips?\b"
    r"|stent|valve|\bport\b|surg|bon[ye]|osseous|degenerat|scolio|silhouette|contour|cavit|\bcyst|airspace|lob(?:e|ar)|basilar|bases?\b"
    r"|apic|costophren|acute|normal|remarkable|\bclear|findings?\b|radiogra|x-?ray|hernia|disease|process|infect|volume"
    r"|肺|心影|心脏|胸|纵隔|膈|肋|气管|主动脉|积液|炎|结节|肿|骨|阴影|纹理|正常|未见",
    re.IGNORECASE,
)
"""Words of the clinical vocabulary; a text without any says nothing about a chest."""


def report_status(text: str) -> ReportStatus:
    """What a text is as a whole: `empty` and `unsupported` ones are never asked about.

    A text without a clinical word of English or Chinese is unsupported where it is longer than five words or in another script (a
    report in a language whose words are not known here), else empty.
    """
    if _CLINICAL.search(text):
        return ReportStatus.OK
    words = re.findall(r"[^\W\d_]+", text)
    foreign = any(ord(char) > 0x24F for word in words for char in word)
    return ReportStatus.UNSUPPORTED if foreign or len(set(words)) > 5 else ReportStatus.EMPTY


def labels(decisions: Sequence[Decision] | None, text: str, status: ReportStatus = ReportStatus.OK) -> Labels:
    """The labels of one report.

    Args:
        decisions: One for each of `ASKED`; None where nobody could be asked.
        text: The report, for its flags.
        status: What the report is as a whole; one that is not ok has no decisions.
    """
    if status is not ReportStatus.OK:
        return Labels((None,) * len(RAN_21), (Status.OK,) * len(RAN_21), status, flags=flags(text))
    found = dict(zip(ASKED, decisions or [FAILED] * len(ASKED), strict=True))
    found[NO_FINDING] = (None, Status.OK)
    ordered = [found[name] for name in RAN_21]
    ordered[RAN_21.index(NO_FINDING)] = (no_finding(ordered), Status.OK)
    values, statuses = zip(*ordered, strict=True)
    return Labels(values, statuses, status, flags=flags(text))
