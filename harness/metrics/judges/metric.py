"""A judge as a metric: a row is the counts of one study, and how it came about; an answer that cannot be read is counted, never scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from harness.extractors.llm.endpoint import permit
from harness.metrics.judges.asking import Judge
from harness.metrics.means import both_written
from harness.types import Access, Array, Input, Status

STATUSES = (Status.OK, Status.UNPARSEABLE, Status.REFUSED, Status.FAILED)


@dataclass(frozen=True, slots=True)
class JudgeMetric:
    """Means over the studies whose answers were read."""

    judge: Judge = field(repr=False)
    access: Access = Access.CREDENTIALED
    """The access of the texts that will be judged."""
    higher_is_better: bool = True
    reads: frozenset[str] = frozenset({"text"})

    @property
    def name(self) -> str:
        """The pack's."""
        return self.judge.pack.name

    @property
    def recipe(self) -> str:
        """The pack's."""
        return self.judge.pack.recipe

    @property
    def version(self) -> int:
        """The pack's."""
        return self.judge.pack.version

    @property
    def limits(self) -> tuple[float, float]:
        """The pack's."""
        return self.judge.pack.limits

    @property
    def headline(self) -> str:
        """The pack's first column."""
        return self.judge.pack.columns[0]

    @property
    def columns(self) -> tuple[str, ...]:
        """The pack's, then one for each status, then 1."""
        return (*self.judge.pack.columns, *(status.value for status in STATUSES), "studies")

    @property
    def fit_digest(self) -> str:
        """Pack and model, so that answers of two models are never ranked together."""
        return self.judge.digest.partition(":")[2]

    def permitted(self, access: Access) -> JudgeMetric:
        """The same for texts of that access.

        Raises:
            RefusedError: Such texts must not be sent to one of the servers.
        """
        permit(self.judge.endpoints, access)
        return replace(self, access=access)

    def fit(self, references: Sequence[Input]) -> JudgeMetric:
        """Nothing is frozen."""
        return self

    def rows(self, references: Sequence[Input], candidates: Sequence[Input]) -> Array:
        """Counts of each study. A pair with a blank side is not asked and scores 0, as for the other metrics; it shifts nobody.

        Raises:
            RefusedError: Texts of this access must not be sent to one of the servers.
            UnavailableError: No server answers; what was answered is kept.
        """
        permit(self.judge.endpoints, self.access)
        texts = ([item.text for item in references], [item.text for item in candidates])
        columns = self.columns
        values = np.zeros((len(references), len(columns)))
        values[:, columns.index(Status.OK.value)] = 1.0
        values[:, -1] = 1.0
        places = both_written(*texts)
        for place, judged in zip(places, self.judge.judge([(texts[0][place], texts[1][place]) for place in places]), strict=True):
            counts = self.judge.pack.row(judged.read) if judged.status is Status.OK else {}
            status = {each.value: float(each is judged.status) for each in STATUSES}
            for column, value in {**counts, **status}.items():
                values[place, columns.index(column)] = value
        return values

    def score(self, total: Array) -> Mapping[str, Array]:
        """Means over the studies that were read, then the share of all studies with each status; 0 where there is none."""
        total = np.asarray(total, dtype=np.float64)
        own, count = len(self.judge.pack.columns), len(STATUSES)
        read, studies = total[..., own], total[..., -1]
        means = {name: _share(total[..., place], read) for place, name in enumerate(self.judge.pack.columns)}
        return means | {status.value: _share(total[..., own + place], studies) for place, status in enumerate(STATUSES[:count])}


def _share(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=whole > 0)
