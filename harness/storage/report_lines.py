"""Reports in the one form in which this program writes and keeps them: JSON Lines sorted by study id, plain ASCII."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.quiet import Quiet
from harness.storage.shaped import ShapeError, build


@dataclass(frozen=True, slots=True, repr=False)
class _Report(Quiet):
    study_id: str
    report: str = field(repr=False)


def line(study: str, report: str, **more: str) -> str:
    """One line with its end.

    Args:
        study: The study id.
        report: The text.
        more: Further columns, which a reader of reports files passes over.
    """
    return json.dumps({"study_id": study, "report": report, **more}) + "\n"


def canonical(reports: Mapping[str, str]) -> bytes:
    """All reports, by study id; equal reports give equal bytes, whatever file they came from."""
    return "".join(line(study, reports[study]) for study in sorted(reports)).encode()


def read_canonical(content: bytes) -> dict[str, str]:
    """The reports of a canonical file, by study id.

    Raises:
        ShapeError: It is not what `canonical` writes.
    """
    found: dict[str, str] = {}
    for row in content.splitlines():  # bytes: text would part at U+2028 too
        try:
            data = json.loads(row)
        except (ValueError, RecursionError):
            raise ShapeError("a line is not JSON") from None
        item = build(_Report, data)
        found[item.study_id] = item.report
    return found
