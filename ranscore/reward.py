"""Scores of single reports as rewards for training, in the form that TRL's trainers call.

```python
from ranscore.reward import reward_function

trainer = GRPOTrainer(model, reward_funcs=[reward_function(), reward_function("rouge-l")], train_dataset=dataset, ...)
```

The data set has a column `references`. Each completion is a text or a list of messages, of which the last one's text is scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from harness.errors import InputError, Problem, UsageError
from harness.extractors import extractor as make_extractor
from harness.findings import RAN_21
from harness.metrics import metric as make_metric
from harness.metrics.findings_f1 import FindingsF1, candidate_decisions, ratio, reference_decisions
from harness.quiet import Quiet
from harness.types import Array, Extractor, Input, Labels, Metric, ReportStatus, Status

REMEMBERED = 100_000
"""References whose labels are remembered; then the memory starts empty."""


@dataclass(frozen=True, slots=True, repr=False)
class Reward(Quiet):
    """One reward in `[0, 1]` for each report (another metric: on that metric's scale), as a function that a trainer calls."""

    metric: Metric
    part: str
    extractor: Extractor | None
    """Who labels the reports; None where the metric reads text alone."""
    weights: Array | None = None
    """How much the decisions of each finding count."""
    _known: dict[str, Labels] = field(default_factory=dict, repr=False)

    @property
    def __name__(self) -> str:
        """What a trainer's log calls it."""
        return f"{self.metric.name}/{self.part}".replace(" ", "-")

    def __call__(self, completions: Sequence[Any], references: Sequence[str | None], **_: Any) -> list[float | None]:
        """The reward of each completion.

        Args:
            completions: Texts, or lists of messages (`{"role": ..., "content": ...}`).
            references: The reference report of each; None where there is none.
            _: The other columns of the data set, which are not read.

        Returns:
            In order. None where there is no reference, where the reference says nothing about a chest, or where no decision about the
            completion is known because the model server failed: nothing is learned from these.

        Raises:
            InputError: There are not as many references as completions, or a completion is neither a text nor a list of messages.
        """
        if len(completions) != len(references):
            what = f"there are {len(references)} references and {len(completions)} completions"
            raise InputError(Problem(what, "Give the data set a column references with one report a row"))
        written = [text_of(item, place) for place, item in enumerate(completions)]
        pairs = [(place, text) for place, text in enumerate(references) if text and text.strip()]
        rewards: list[float | None] = [None] * len(written)
        if pairs:
            for (place, _text), value in zip(
                pairs, self._scored([text for _, text in pairs], [written[at] for at, _ in pairs]), strict=True
            ):
                rewards[place] = value
        return rewards

    def _scored(self, references: Sequence[str], candidates: Sequence[str]) -> list[float | None]:
        truth, said = self._labels(references, remember=True), self._labels(candidates, remember=False)
        known = [_usable(one) and not _unknown(other) for one, other in zip(truth, said, strict=True)]
        values = self._values(
            [_input(*item) for item in zip(references, truth, strict=True)], [_input(*item) for item in zip(candidates, said, strict=True)]
        )
        return [float(value) if sure else None for value, sure in zip(values, known, strict=True)]

    def _labels(self, texts: Sequence[str], *, remember: bool) -> list[Labels | None]:
        """The labels of each text; equal texts are labelled once."""
        if self.extractor is None:
            return [None] * len(texts)
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        found = dict(zip(new, self.extractor.extract(new), strict=True)) if new else {}
        labels: list[Labels | None] = [found[text] if text in found else self._known[text] for text in texts]
        if remember:
            if len(self._known) > REMEMBERED:
                self._known.clear()
            self._known.update((text, item) for text, item in found.items() if not _unknown(item))
        return labels

    def _values(self, references: Sequence[Input], candidates: Sequence[Input]) -> Array:
        if self.weights is not None and isinstance(self.metric, FindingsF1):
            return self._weighted(references, candidates)
        rows = self.metric.rows(references, candidates)
        values = np.asarray(self.metric.score(rows)[self.part])
        return values if self.metric.higher_is_better else -values

    def _weighted(self, references: Sequence[Input], candidates: Sequence[Input]) -> Array:
        """2 tp / (2 tp + fp + fn) of each study, each count times its finding's weight."""
        vocabulary = "ran-21"
        truth = np.array([reference_decisions(item.labels[vocabulary]) for item in references])
        said = np.array([candidate_decisions(item.labels[vocabulary], len(RAN_21)) for item in candidates])
        hit, wrong = (truth == 1) & said, ((truth == 1) & ~said) | ((truth == 0) & said)
        return ratio(2 * hit @ self.weights, 2 * hit @ self.weights + wrong @ self.weights)


def reward_function(
    metric: str | Metric = "ran-score",
    *,
    part: str = "",
    extractor: Extractor | str = "lexical",
    corpus: Sequence[str] = (),
    balanced: bool = False,
    **options: Any,
) -> Reward:
    """A function `(completions, references, **columns) -> [reward or None, ...]`, as TRL's trainers call it.

    Args:
        metric: A name, `name:recipe`, or a metric; each row is scored alone.
        part: Which score of the metric. By default the one that the board shows; for Ran Score and CheXbert F1 `micro-f1`, the F1 over the findings of one report.
        extractor: Who labels both sides: a name with its options, or an extractor.
        corpus: The references of the training part: needed by metrics that count words in a corpus (CIDEr), and by `balanced`.
        balanced: Weights for Ran Score: weigh each finding with one over its frequency in `corpus`, so that rare findings count as they do in the macro average.
        options: What the extractor's factory takes: `pack`, `endpoint`, `model`, ...

    Raises:
        UsageError: There is no such metric or part, or `balanced` has no corpus.
        UnavailableError: Weights or a server are not here.
    """
    made = make_metric(metric) if isinstance(metric, str) else metric
    reads = made.reads & {"ran-21", "chexpert-14"}
    by = _extractor("chexbert" if "chexpert-14" in reads else extractor, options) if reads else None
    drawn = Reward(made, part or ("micro-f1" if isinstance(made, FindingsF1) else made.headline), by)
    labels = drawn._labels(list(corpus), remember=True)
    if corpus:
        drawn = replace(drawn, metric=made.fit([_input(text, item) for text, item in zip(corpus, labels, strict=True)]))
    _check_part(drawn)
    if not balanced:
        return drawn
    if not corpus or "ran-21" not in reads:
        raise UsageError(
            Problem("balanced weighs the findings of Ran Score by a corpus", "Give corpus=[reference, ...] and the metric ran-score")
        )
    return replace(drawn, weights=_weights([item for item in labels if item and item.report is ReportStatus.OK]))


def text_of(completion: Any, place: int = 0) -> str:
    """The report in a completion: the text itself, or the text of the last message.

    Raises:
        InputError: It is neither.
    """
    if isinstance(completion, Sequence) and not isinstance(completion, str) and completion and isinstance(completion[-1], Mapping):
        completion = completion[-1].get("content")
    if isinstance(completion, list):  # a message in parts
        completion = "".join(str(part.get("text", "")) for part in completion if isinstance(part, Mapping))
    if not isinstance(completion, str):
        raise InputError(
            Problem(f"completion {place} is neither a text nor a list of messages", "Give texts, or messages with role and content")
        )
    return completion


def _extractor(chosen: Extractor | str, options: Mapping[str, Any]) -> Extractor:
    return make_extractor(chosen, **options) if isinstance(chosen, str) else chosen


def _check_part(drawn: Reward) -> None:
    known = drawn.metric.score(np.zeros((1, len(drawn.metric.columns))))
    if drawn.part not in known:
        short = ", ".join(name for name in known if ":" not in name)
        raise UsageError(f"{drawn.metric.name} has no part {drawn.part!r}; there are {short}")


def _weights(labels: Sequence[Labels]) -> Array:
    """One over the share of reports with each finding, where one report more has each; the mean is 1."""
    counts = np.array([reference_decisions(item) for item in labels]).reshape(-1, len(RAN_21)).clip(0).sum(axis=0)
    weights = (len(labels) + 1) / (counts + 1)
    return np.asarray(weights / weights.mean())


def _usable(labels: Labels | None) -> bool:
    """Whether a reference decides anything: a metric on text needs no labels."""
    return labels is None or (labels.report is ReportStatus.OK and not _unknown(labels))


def _unknown(labels: Labels | None) -> bool:
    """Whether every decision failed: a server that is down says nothing about a report."""
    return labels is not None and bool(labels.statuses) and all(status is Status.FAILED for status in labels.statuses)


def _input(text: str, labels: Labels | None) -> Input:
    if labels is None:
        return Input("", text)
    return Input("", text, labels.report, {"chexpert-14" if len(labels.values) == 14 else "ran-21": labels})
