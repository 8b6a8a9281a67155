"""Ran Score for `evaluate`: a thin module around `harness.ran_score`, which must be installed (`pip install ranscore`).

`evaluate` copies this file and reads its imports line by line, so it holds one import a line and nothing else of note.
"""

from typing import Any

import datasets
import evaluate

DESCRIPTION = """
Ran Score: macro F1 over 21 findings of chest X-ray reports (a finding that is never there and never said counts 0).
The configuration `reports` (default) takes texts and labels both sides with an extractor; `labels` takes 21 decisions a study.
"""
INPUTS = """
predictions: the generated reports, or lists of 21 decisions (1, 0, -1) in the order of harness.findings.RAN_21.
references: the original reports or their decisions, pair by pair.
extractor: who labels the reports; `lexical`, embedded and without a model, by default.
Returns ran_score, its 95 % interval as low and high (absent with one study), and every part: micro-f1, f1:Edema, ...
"""


class RanScore(evaluate.Metric):  # type: ignore[misc]
    """Ran Score."""

    def _info(self) -> evaluate.MetricInfo:
        decision = datasets.Value("string") if self.config_name in ("default", "reports") else datasets.Sequence(datasets.Value("int8"))
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="Ran Score: a LLM-based Evaluation Score for Radiology Report Generation.",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": decision, "references": decision}),
        )

    def _compute(self, predictions: list[Any], references: list[Any], extractor: str = "lexical") -> dict[str, float]:
        from harness import ran_score as ran

        if self.config_name in ("default", "reports"):
            parts, ends = ran.score_reports(predictions=predictions, references=references, extractor=extractor)
        else:
            said, truth = ran.from_array(predictions, "predictions"), ran.from_array(references, "references")
            parts, ends = ran.scores_of(predictions=said, references=truth)
        interval = dict(zip(("low", "high"), ends["macro-f1"], strict=True)) if "macro-f1" in ends else {}
        return {"ran_score": parts["macro-f1"], **interval, **parts}
