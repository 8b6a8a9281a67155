"""Ran Score where scikit-learn's functions and plain lists are used: `python examples/with_other_libraries.py`."""

from __future__ import annotations

import numpy as np

from harness.ran_score import ran_score
from ranscore import score_reports

# Decisions as scikit-learn has them: one row a study, one column for each of the 21 findings.
y_true = np.eye(21)
y_pred = np.eye(21)
y_pred[3] = 0
print(f"macro F1 of decisions: {ran_score(y_true, y_pred):.3f}")

# Lists of reports, pair by pair, as `evaluate.load("harness/hf_evaluate/ran_score")` takes them.
parts, intervals = score_reports(
    predictions=["The heart is enlarged. No effusion.", "Clear lungs."], references=["Cardiomegaly. Clear lungs.", "Clear lungs."]
)
print(f"macro F1 of reports: {parts['macro-f1']:.3f}; F1 of Cardiomegaly: {parts['f1:Cardiomegaly']:.3f}")
