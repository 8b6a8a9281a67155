"""CheXbert F1 in every published form: one table of labels gives F1 from 0.72 to 0.84 by the recipe alone.

A recipe is `AVERAGE-SET|uU|zdZ`: which average over which observations is on the board, what an uncertain label counts as,
what 0/0 counts as. Whatever the recipe, all averages are among the parts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.errors import UsageError
from harness.findings import CHEXPERT_5, CHEXPERT_14
from harness.metrics.findings_f1 import COUNTS, FindingsF1, average, ratio, ratios
from harness.types import Array, Input, Labels, Status

DEFAULT = "micro-5|u1|zd0"
"""What f1chexbert, RadEval, the RRG24 shared task and RGRG print as their one number: the recipe that most tables can be compared by."""
PUBLISHED: dict[str, str] = {
    "f1chexbert": DEFAULT,
    "radeval": DEFAULT,
    "rrg24": DEFAULT,
    "rgrg": DEFAULT,
    "rgrg-example": "example-14|u0|zd0",
    "cvt2distilgpt2": "example-14|u0|zd0",
    "promptmrg": "example-14|u0|zd0",
    "r2gen": "macro-14|u0|zd0",
    "radialog": "macro-14|u0|zd0",
    "llm-rg4": "macro-14|u1|zd0",
    "jinghansunn": "both-14|u0|zd0",
}
"""Whose table prints which recipe as its headline; the name may be written instead of the recipe."""
AVERAGES = {
    "micro": "decisions pooled",
    "macro": "mean over observations",
    "weighted": "mean over observations, weighted by positive references",
    "example": "mean over studies",
    "both": "mean over the observations that have positive and negative references",
}
SETS: dict[str, tuple[str, ...]] = {"14": CHEXPERT_14, "5": CHEXPERT_5}
UNDEFINED = {"0": 0.0, "1": 1.0, "skip": math.nan}
KINDS = ("f1", "precision", "recall")


@dataclass(frozen=True, slots=True)
class ChexbertF1(FindingsF1):
    """Counts per observation, and per study the ratios that example-based averages need."""

    uncertain: int = 1
    """What -1 counts as, on both sides. Not mentioned counts as absent."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The counts of `FindingsF1`; then, per set, the sum of each study's ratio and the number of studies where it counts."""
        examples = (f"{kind}-{name}:{what}" for name in SETS for kind in (*KINDS, "exact") for what in ("sum", "studies"))
        return (*(f"{finding}:{count}" for finding in self.findings for count in COUNTS), *examples)

    def rows(self, references: Sequence[Input], candidates: Sequence[Input]) -> Array:
        """Counts and example-based ratios per study."""
        counts = FindingsF1.rows(self, [self._decided(item) for item in references], [self._decided(item) for item in candidates])
        cells = counts.reshape(len(counts), len(self.findings), len(COUNTS))
        examples = [self._examples(cells[:, [self.findings.index(name) for name in names]].sum(axis=1)) for names in SETS.values()]
        return np.concatenate([counts, *examples], axis=1)

    def score(self, total: Array) -> Mapping[str, Array]:
        """All averages over the 14 (without a suffix) and the 5 (`-5`), and the ratios of each observation."""
        total = np.asarray(total, dtype=np.float64)
        size = len(self.findings) * len(COUNTS)
        parts = dict(FindingsF1.score(self, total[..., :size]))
        cells = total[..., :size].reshape(*total.shape[:-1], len(self.findings), len(COUNTS))
        for name, names in SETS.items():
            suffix = "" if name == "14" else f"-{name}"
            parts.update(self._averages(cells[..., [self.findings.index(one) for one in names], :], suffix))
            for kind in (*KINDS, "exact"):
                start = self.columns.index(f"{kind}-{name}:sum")
                parts[f"example-{kind}{suffix}"] = ratio(total[..., start], total[..., start + 1])
        return parts

    def _averages(self, cells: Array, suffix: str) -> dict[str, Array]:
        tp, fp, fn, tn = (cells[..., index] for index in range(len(COUNTS)))
        each, pooled = ratios(cells, self.undefined), ratios(cells.sum(axis=-2), self.undefined)
        both = ((tp + fn > 0) & (fp + tn > 0)).astype(np.float64)
        parts = {f"both-f1{suffix}": average(each["f1"], both)}
        for kind in KINDS:
            parts[f"macro-{kind}{suffix}"] = average(each[kind])
            parts[f"micro-{kind}{suffix}"] = np.nan_to_num(pooled[kind])
            parts[f"weighted-{kind}{suffix}"] = average(each[kind], tp + fn)
        return parts

    def _examples(self, cells: Array) -> Array:
        """Per study: each ratio (0 where it is left out) and whether it counts; then whether all decisions are right, and 1."""
        each = ratios(cells, self.undefined)
        columns = [part for kind in KINDS for part in (np.nan_to_num(each[kind]), ~np.isnan(each[kind]))]
        exact = cells[:, COUNTS.index("fp")] + cells[:, COUNTS.index("fn")] == 0
        return np.stack([*columns, exact, np.ones(len(cells))], axis=1).astype(np.float64)

    def _decided(self, item: Input) -> Input:
        labels = item.labels.get(self.vocabulary)
        return item if labels is None else replace(item, labels={self.vocabulary: self._plain(labels)})

    def _plain(self, labels: Labels) -> Labels:
        told = {-1: self.uncertain, None: 0}
        values = tuple(
            told.get(value, value) if status is Status.OK else value for value, status in zip(labels.values, labels.statuses, strict=True)
        )
        return replace(labels, values=values)


def chexbert_f1(recipe: str) -> ChexbertF1:
    """CheXbert F1 by a recipe (`macro-14|u0|zd0`; what is left out is as in the default) or by a publisher's name (`radeval`).

    Raises:
        UsageError: There is no such recipe.
    """
    parts = PUBLISHED.get(recipe, recipe).split("|") if recipe else []
    chosen = dict(zip(("headline", "u", "zd"), DEFAULT.split("|"), strict=True))
    for part in parts:
        kind = "zd" if part.startswith("zd") else "u" if part[:1] == "u" else "headline"
        chosen[kind] = part
    over, _, name = chosen["headline"].partition("-")
    if over not in AVERAGES or name not in SETS or chosen["u"] not in ("u0", "u1") or chosen["zd"][2:] not in UNDEFINED:
        raise UsageError(
            f"chexbert-f1 has no recipe {recipe!r}: write AVERAGE-SET|uU|zdZ, such as {DEFAULT}, with AVERAGE of {', '.join(AVERAGES)};"
            f" SET of {', '.join(SETS)}; U of 0, 1; Z of {', '.join(UNDEFINED)}; or one of {', '.join(PUBLISHED)}"
        )
    return ChexbertF1(
        "chexbert-f1",
        "chexpert-14",
        CHEXPERT_14,
        "|".join(chosen.values()),
        headline=f"{over}-f1" + ("" if name == "14" else f"-{name}"),
        undefined=UNDEFINED[chosen["zd"][2:]],
        uncertain=int(chosen["u"][1:]),
    )
