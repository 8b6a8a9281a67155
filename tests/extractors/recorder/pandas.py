"""Stands in for pandas where a script of the authors is run: whatever table it opens, it gets the reports of the test."""

from __future__ import annotations

import json
import os
from pathlib import Path


class Table:
    """The little that the scripts use of a data frame."""

    columns = ("study_id", "id", "report")

    def __init__(self, reports: list[str]) -> None:
        self.iloc = [{"study_id": number, "id": number, "report": report} for number, report in enumerate(reports)]

    def __len__(self) -> int:
        return len(self.iloc)


def read_csv(*_: object, **__: object) -> Table:
    return Table(json.loads(Path(os.environ["REPORTS"]).read_text(encoding="utf-8")))
