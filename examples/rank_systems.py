"""Rank several systems beside floors and ceiling, and write the tables of a paper: `python examples/rank_systems.py`."""

from __future__ import annotations

from pathlib import Path

from ranscore import rank

HERE = Path(__file__).parent

ranking = rank(
    systems={"System A": HERE / "predictions.csv", "System B": HERE / "other.csv"},
    references=HERE / "references.csv",
    access="open",
    metrics=["ran-score", "bleu"],
)
for sentence in ranking.sentences():
    print(sentence)
print(ranking.pairs().to_csv())
print(ranking.to_latex())
