"""What each report missed and invented, as CSV."""

from __future__ import annotations

import csv
import io

from harness.findings import RAN_21
from harness.metrics.findings_f1 import candidate_decisions, reference_decisions
from harness.scoring.evaluation import Evaluation


def per_study(evaluation: Evaluation, vocabulary: str = "ran-21") -> str:
    """Each study's missed and invented findings as CSV; holds no report text."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["study_id", "status", "missed", "invented"])
    names = RAN_21
    for reference, candidate in zip(evaluation.sides.references, evaluation.sides.candidates, strict=True):
        truth = reference_decisions(reference.labels[vocabulary])
        said = candidate_decisions(candidate.labels.get(vocabulary), len(names))
        missed = [name for name, present, asserted in zip(names, truth, said, strict=True) if present == 1 and not asserted]
        invented = [name for name, present, asserted in zip(names, truth, said, strict=True) if present == 0 and asserted]
        writer.writerow([reference.study, candidate.status.value, "; ".join(missed), "; ".join(invented)])
    return stream.getvalue()
