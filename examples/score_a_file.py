"""Score a file of reports: `python examples/score_a_file.py`."""

from __future__ import annotations

from pathlib import Path

from ranscore import score

HERE = Path(__file__).parent

evaluation = score(predictions=HERE / "predictions.csv", references=HERE / "references.csv", access="open")

ran_score = evaluation.record.metrics[0]
low, high = ran_score.interval
print(f"Ran Score {ran_score.value:.3f} [{low:.3f}, {high:.3f}] on {evaluation.record.counts}")
for finding in ("Pleural Effusion", "Pneumothorax", "Support Devices"):
    print(f"  F1 of {finding}: {ran_score.parts[f'f1:{finding}']:.3f}")
