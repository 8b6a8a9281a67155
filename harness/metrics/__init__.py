"""The registry of metrics: a name and a recipe to a class, imported only when asked for."""

from __future__ import annotations

from importlib import import_module

from harness.errors import UsageError
from harness.types import Metric

REGISTRY: dict[str, str] = {
    "ran-score": "harness.metrics.findings_f1:ran_score",
    "bleu": "harness.metrics.bleu:bleu",
    "rouge-l": "harness.metrics.rouge:rouge_l",
    "cider": "harness.metrics.cider:cider",
    "cider-d": "harness.metrics.cider:cider_d",
    "meteor-1.5": "harness.metrics.meteor:meteor_15",
    "meteor-nltk": "harness.metrics.meteor:meteor_nltk",
    "chexbert-f1": "harness.metrics.chexbert_f1:chexbert_f1",
}
"""By metric name the factory `module:function`; a factory takes the recipe (empty for its default) and returns a metric."""


def metric(spec: str) -> Metric:
    """Make the metric that `name` or `name:recipe` stands for.

    Raises:
        UsageError: There is no such metric or recipe.
        UnavailableError: It needs weights or a package that is not here.
    """
    name, _, recipe = spec.partition(":")
    if name not in REGISTRY:
        raise UsageError(f"there is no metric {name!r}; there are {', '.join(REGISTRY)}")
    module, _, function = REGISTRY[name].partition(":")
    made: Metric = getattr(import_module(module), function)(recipe)
    return made
