"""The registry of metrics: a name and a recipe stand for an object, imported only when it is asked for."""

from __future__ import annotations

from harness.errors import UnavailableError
from harness.registry import Registry
from harness.types import Metric

REGISTRY = Registry(
    "metric",
    {
        "ran-score": "harness.metrics.findings_f1:ran_score",
        "bleu": "harness.metrics.bleu:bleu",
        "rouge-l": "harness.metrics.rouge:rouge_l",
        "cider": "harness.metrics.cider:cider",
        "cider-d": "harness.metrics.cider:cider_d",
        "meteor-1.5": "harness.metrics.meteor:meteor_15",
        "meteor-nltk": "harness.metrics.meteor:meteor_nltk",
        "chexbert-f1": "harness.metrics.chexbert_f1:chexbert_f1",
        "radgraph-f1": "harness.metrics.radgraph_f1:radgraph_f1",
        "bertscore": "harness.metrics.bertscore:bertscore",
        "sembscore": "harness.metrics.sembscore:sembscore",
        "cxr-bert": "harness.metrics.cxr_bert:cxr_bert",
        "radeval-bertscore": "harness.metrics.radeval_bertscore:radeval_bertscore",
        "ratescore": "harness.metrics.ratescore:ratescore",
        "temporal-f1": "harness.metrics.temporal_f1:temporal_f1",
        "judge": "harness.metrics.judges:own_judge",
        "green": "harness.metrics.judges:green_judge",
        "crimson": "harness.metrics.judges:crimson_judge",
        "radcliq": "harness.metrics.radcliq:radcliq",
    },
)
"""By metric name the factory `module:function`; a factory takes the recipe (empty for its default) and returns a metric."""

UNAVAILABLE: dict[str, str] = {
    "srr-bert": "the layout of its weights and its sentence rule are not read here yet",
    "fineradscore": "its formula is not published",
}
"""Metrics of the field that are not computed here, each with the reason."""


def metric(spec: str) -> Metric:
    """Make the metric that `name` or `name:recipe` stands for.

    Raises:
        UsageError: There is no such metric or recipe.
        UnavailableError: It needs weights or a package that is not here.
    """
    name, _, recipe = spec.partition(":")
    if name in UNAVAILABLE:
        raise UnavailableError(f"{name} is not computed here: {UNAVAILABLE[name]}")
    made: Metric = REGISTRY.find(name)(recipe)
    return made
