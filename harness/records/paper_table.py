"""What the paper reported, as a read-only layer: Table 5, with the two exchanged columns put right.

The proof that micro precision and micro recall are exchanged is in `docs/notes-on-the-paper.md`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


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


@cache
def reported() -> tuple[Reported, ...]:
    """The seven systems in the printed order, corrected."""
    data = json.loads(files("harness.records").joinpath("reported.json").read_text(encoding="utf-8"))
    rows = []
    for row in data["rows"]:
        accuracy, under_precision, under_recall, *rest = row["values"]
        rows.append(Reported(row["system"], accuracy, under_recall, under_precision, *rest))
    return tuple(rows)


def source() -> str:
    """Where the values are printed."""
    return str(json.loads(files("harness.records").joinpath("reported.json").read_text(encoding="utf-8"))["source"])


def implied_prevalence(accuracy: float, precision: float, recall: float) -> float:
    """Share of positive reference decisions that pooled accuracy, precision and recall fix.

    With prevalence q, true positives are recall x q, false positives recall x q x (1 - precision) / precision and false negatives
    (1 - recall) x q; the last two together are 1 - accuracy.
    """
    return (1 - accuracy) / (recall * (1 - precision) / precision + 1 - recall)
