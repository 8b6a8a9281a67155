"""An extractor: a finding is present where its name is in the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.findings import NO_FINDING, RAN_21
from harness.signature import digest
from harness.types import Labels, ReportStatus, Status


@dataclass(frozen=True, slots=True)
class Keywords:
    """Reads the names of findings only: an example, not an instrument."""

    name: str = "keywords"
    vocabulary: str = "ran-21"
    digest: str = digest(["keywords", 1, RAN_21])

    def extract(self, texts: Sequence[str]) -> Sequence[Labels]:
        """Label texts, in order."""
        return [self._labels(text.lower()) for text in texts]

    def _labels(self, text: str) -> Labels:
        present = {finding for finding in RAN_21 if finding.lower() in text}
        values = tuple(int(not present) if finding == NO_FINDING else int(finding in present) for finding in RAN_21)
        return Labels(values, (Status.OK,) * len(RAN_21), ReportStatus.OK if text.strip() else ReportStatus.EMPTY)


def make(**options: Any) -> Keywords:
    """The extractor; it takes no options."""
    return Keywords()
