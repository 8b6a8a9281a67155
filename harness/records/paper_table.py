"""What the paper reported, as a read-only layer: Table 5, with the two exchanged columns corrected, and what is known of Tables 2 to 4.

What both show, and how that is known, is in `docs/notes-on-the-paper.md`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from harness.types import Json


@dataclass(frozen=True, slots=True)
class Reported:
    """One row of the paper's Table 5."""

    system: str
    micro_accuracy: float
    micro_precision: float
    """Printed under `micro recall`."""
    micro_recall: float
    """Printed under `micro precision`."""
    micro_f1: float
    macro_precision: float
    """Printed under `Accuracy`; whether it is exchanged with macro recall cannot be shown."""
    macro_recall: float
    ran_score: float
    """Macro F1."""

    @property
    def as_printed(self) -> tuple[float, ...]:
        """The seven values in the order of the printed table."""
        return (
            self.micro_accuracy,
            self.micro_recall,
            self.micro_precision,
            self.micro_f1,
            self.macro_precision,
            self.macro_recall,
            self.ran_score,
        )


@dataclass(frozen=True, slots=True)
class Extraction:
    """One label of the tables about the extractor."""

    finding: str
    f1_before: float
    """Before the prompts were revised."""
    f1_after: float
    f1_chexbert: float | None
    """None where CheXbert has no such label."""
    positives_before: tuple[int, ...]
    """How many of the 300 reports have the label by the reference, as accuracy, precision and recall before revision imply; several where
    several fit, none where it was not worked out."""
    positives_after: tuple[int, ...]

    @property
    def one_standard(self) -> bool | None:
        """Whether one reference can have so many positives before and after; None where that was not worked out."""
        if not self.positives_before or not self.positives_after:
            return None
        return not set(self.positives_before).isdisjoint(self.positives_after)


@cache
def _data() -> Json:
    found: Json = json.loads(files("harness.records").joinpath("reported.json").read_text(encoding="utf-8"))
    return found


@cache
def extraction() -> tuple[Extraction, ...]:
    """The 21 labels in the printed order."""
    rows = []
    for row in _data()["extraction"]["rows"]:
        before, after, *chexbert = row["f1"]
        positives = [tuple(numbers or ()) for numbers in row["positives"]]
        rows.append(Extraction(row["finding"], before, after, chexbert[0] if chexbert else None, *positives))
    return tuple(rows)


@cache
def reported() -> tuple[Reported, ...]:
    """The seven systems in the printed order, corrected."""
    rows = []
    for row in _data()["rows"]:
        accuracy, under_precision, under_recall, *rest = row["values"]
        rows.append(Reported(row["system"], accuracy, under_recall, under_precision, *rest))
    return tuple(rows)


def source() -> str:
    """Where the values are printed."""
    return str(_data()["source"])


def implied_prevalence(accuracy: float, precision: float, recall: float) -> float:
    """Share of positive reference decisions that pooled accuracy, precision and recall fix.

    With prevalence q, true positives are recall x q, false positives recall x q x (1 - precision) / precision and false negatives
    (1 - recall) x q; the last two together are 1 - accuracy.
    """
    return (1 - accuracy) / (recall * (1 - precision) / precision + 1 - recall)
