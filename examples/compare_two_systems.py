"""Which of two systems is better, and for which finding: `python examples/compare_two_systems.py`."""

from __future__ import annotations

from pathlib import Path

from harness.records.comparison import verdict
from ranscore import compare, score

HERE = Path(__file__).parent

first, second = (
    score(predictions=HERE / name, references=HERE / "references.csv", access="open", metrics=["ran-score", "bleu"])
    for name in ("predictions.csv", "other.csv")
)
comparison = compare(first=first, second=second)
for metric in comparison.metrics:
    print(verdict(comparison, metric))
for line in comparison.metrics[0].findings:
    if line.pair and line.pair.adjusted is not None and line.pair.adjusted < comparison.alpha:
        print(f"  {line.part.removeprefix('f1:')}: {line.first:.3f} and {line.second:.3f}")
