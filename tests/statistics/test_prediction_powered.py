"""What readers would score: the two ends where nothing is estimated, closed forms, and independent packages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from harness.errors import UsageError
from harness.metrics.findings_f1 import FindingsF1
from harness.statistics import prediction_powered, read_strata
from harness.statistics.intervals import moments, pseudo
from harness.statistics.prediction_powered import TUNED, ReadSample
from harness.types import Array, Input
from tests.statistics.conftest import Draw


@dataclass(frozen=True)
class Mean:
    """The mean of a value over studies."""

    name: str = "mean"
    version: int = 1
    recipe: str = ""
    reads: frozenset[str] = frozenset({"ran-21"})
    columns: tuple[str, ...] = ("value", "studies")
    headline: str = "mean"
    higher_is_better: bool = True
    limits: tuple[float, float] = (-np.inf, np.inf)
    fit_digest: str = ""

    def fit(self, references: Sequence[Input]) -> Mean:
        return self

    def rows(self, references: Sequence[Input], candidates: Sequence[Input]) -> Array:
        raise NotImplementedError

    def score(self, total: Array) -> Mapping[str, Array]:
        return {"mean": total[..., 0] / total[..., 1]}


def sample(extractor: Array, readers: Array, read: Sequence[int], *, by_kind: bool = True) -> ReadSample:
    """One study a patient; those at some places were read."""
    at = np.array(list(read))
    chosen = np.zeros((len(extractor), 1))
    chosen[at] = 1.0
    decided = read_strata.decisions(extractor[at], readers[at], np.ones(len(at)), at) if by_kind else None
    return ReadSample(
        extractor=extractor,
        studies=np.ones(len(extractor)),
        read=readers * chosen,
        same=extractor * chosen,
        pairs=np.repeat(chosen, extractor.shape[1], axis=1),
        decisions=decided,
    )


@pytest.fixture(scope="module")
def both(draw: Draw) -> tuple[Array, Array]:
    """Rows of 120 studies by an extractor and by readers."""
    tables, _ = draw({"extractor": (0.8, 0.05), "readers": (0.7, 0.1)})
    return tables["extractor"].values, tables["readers"].values


@pytest.mark.parametrize("by_kind", [True, False])
def test_without_an_error_it_is_the_plain_score(ran: FindingsF1, both: tuple[Array, Array], by_kind: bool) -> None:
    extractor, _ = both
    found = sample(extractor, extractor, range(0, 120, 3), by_kind=by_kind)
    assert prediction_powered.slope(ran, found) == pytest.approx(1.0, abs=1e-12)
    plain = ran.score(extractor.sum(axis=0))
    for part, item in prediction_powered.estimate(ran, found).items():
        assert item.value == pytest.approx(float(plain[part]), abs=1e-12)
        assert item.low <= item.value <= item.high


@pytest.mark.parametrize("power", [TUNED, None, 0.0, 0.4, 1.0])
def test_where_all_pairs_are_read_it_is_the_readers_score(ran: FindingsF1, both: tuple[Array, Array], power: float | None) -> None:
    extractor, readers = both
    found = sample(extractor, readers, range(120))
    plain = ran.score(readers.sum(axis=0))
    for part, item in prediction_powered.estimate(ran, found, power=power).items():
        assert item.value == pytest.approx(float(plain[part]), abs=1e-12)
    chosen = prediction_powered.tuned(ran, found) if power == TUNED else power
    estimated, own = prediction_powered.pseudo(ran, found, chosen), pseudo(ran, readers)
    assert np.allclose(estimated.values, own.values, atol=1e-9)


def test_two_findings_in_closed_form() -> None:
    # 40 studies. By the extractor: tp 10, fp 2, fn 4 of A; tp 6, fp 6, fn 0 of B. The 20 read pairs have half of each, and in them the
    # readers turn one false positive and one miss of A into agreement, and one hit of B into a false positive.
    metric = FindingsF1("two", "ran-21", ("A", "B"))
    kinds = {"A": "t" * 10 + "p" * 2 + "n" * 4 + "-" * 24, "B": "t" * 6 + "p" * 6 + "-" * 28}
    cells = np.stack([[[float(kind == one) for one in "tpn-"] for kind in kinds[name]] for name in ("A", "B")], axis=1)
    readers = cells.copy()
    read = [*range(0, 16, 2), *range(16, 40, 2)]
    readers[10, 0], readers[12, 0], readers[0, 1] = [0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0]
    found = sample(cells.reshape(40, 8), readers.reshape(40, 8), read)
    # lambda 1: T = sum + 40 / 20 * change. A: tp 10 + 2, fp 2 - 2, fn 4 - 2; B: tp 6 - 2, fp 6 + 2, fn 0.
    assert metric.score(found.totals(1.0)[0])["f1:A"] == pytest.approx(2 * 12 / (2 * 12 + 0 + 2), abs=1e-12)
    assert metric.score(found.totals(1.0)[0])["f1:B"] == pytest.approx(2 * 4 / (2 * 4 + 8), abs=1e-12)
    assert metric.score(found.totals(1.0)[0])["micro-f1"] == pytest.approx(2 * 16 / (2 * 16 + 8 + 2), abs=1e-12)
    # lambda 0: twice what was read. A: tp 5 + 1, fp 1 - 1, fn 2 - 1; B: tp 3 - 1, fp 3 + 1.
    assert metric.score(found.totals(0.0)[0])["macro-f1"] == pytest.approx((12 / 13 + 4 / 8) / 2, abs=1e-12)


def test_kinds_of_decisions_in_closed_form() -> None:
    # 40 pairs of one finding, by the extractor 20 true positives and 20 true negatives, 10 of each read. Readers make 2 false positives of the
    # positives. Two findings, so that the pairs that are added have other shares than the finding's own: B has no error in its 10 read hits.
    metric = FindingsF1("two", "ran-21", ("A", "B"))
    hit, miss = [1.0, 0, 0, 0], [0, 0, 0, 1.0]
    extractor = np.array([[*hit, *hit]] * 20 + [[*miss, *miss]] * 20)
    readers = extractor.copy()
    readers[[0, 2], :4] = [0, 1.0, 0, 0]
    found = sample(extractor, readers, range(0, 40, 2))
    pooled = (8 + 10 + 2) / (20 + 2)
    right = (8 + 2 * pooled) / 12, (10 + 2 * pooled) / 12
    assert found.totals(None)[0] == pytest.approx(
        [8 + 10 * right[0], 2 + 10 * (1 - right[0]), 0, 20, 10 + 10 * right[1], 10 * (1 - right[1]), 0, 20], abs=1e-12
    )
    assert metric.score(found.totals(None)[0])["f1:A"] == pytest.approx(2 * (8 + 10 * right[0]) / (20 + 8 + 10 * right[0]), abs=1e-12)


def test_weights_count_in_the_shares_of_what_was_not_read() -> None:
    hit, wrong = [1.0, 0, 0, 0], [0, 1.0, 0, 0]
    extractor, readers = np.array([hit] * 40), np.array([hit] * 30 + [wrong] * 10)
    at = np.arange(15, 40)
    weighted = read_strata.decisions(extractor[at], readers[at], np.where(at < 30, 2.0, 1.0), at)
    # 15 hits of weight 2 and 10 errors of weight 1, made to have the mean 1: 18.75 and 6.25; all are of one finding, so the added pairs are alike.
    pooled = (18.75 + 2) / 27
    share = (18.75 + 2 * pooled) / 27
    assert read_strata.totals(extractor, weighted)[0] == pytest.approx([15 + 15 * share, 10 + 15 * (1 - share), 0, 0], abs=1e-12)


def test_too_few_read_pairs_are_refused(both: tuple[Array, Array]) -> None:
    with pytest.raises(UsageError, match="19 patients"):
        sample(*both, range(19))


def test_studies_copied_under_their_patient_change_nothing(ran: FindingsF1, both: tuple[Array, Array]) -> None:
    once = sample(*both, range(0, 120, 2))
    thrice = ReadSample(3 * once.extractor, 3 * once.studies, 3 * once.read, 3 * once.same, 3 * once.pairs)
    for part in ("macro-f1", "micro-f1", "f1:Cardiomegaly"):
        value, again = (prediction_powered.pseudo(ran, item, 1.0).one(part)[0] for item in (once, thrice))
        assert again == pytest.approx(value, abs=1e-9)


GENERATOR = np.random.default_rng(20261201)
TRUTH = np.round(GENERATOR.normal(0.6, 0.2, 60), 3)
SAID = np.round(0.7 * TRUTH + GENERATOR.normal(0.2, 0.1, 60), 3)
"""60 values, and what an instrument says of them; the first 25 are read."""


def mean_sample() -> ReadSample:
    ones = np.ones(60)
    return sample(np.stack([SAID, ones], axis=1), np.stack([TRUTH, ones], axis=1), range(25), by_kind=False)


# ppi-python 0.2.3 (scratch environment, Python 3.11), ppi_mean_pointestimate and ppi_mean_ci(TRUTH[:25], SAID[:25], SAID[25:], lam=...),
# the width of the interval divided by 2 * 1.959963984540054. glide-py 0.11.0, PPIMeanEstimator().estimate(power_tuning=False), has the same mean
# 0.5900114285714285 at lambda 1, and std 0.03445795906517353 (ddof=1).
MEANS = [(0.0, 0.57636, 0.041933), (0.5, 0.58318571, 0.030447), (1.0, 0.59001143, 0.033871)]


@pytest.mark.parametrize(("power", "mean", "error"), MEANS)
def test_a_mean_is_that_of_ppi_python_and_of_glide(power: float, mean: float, error: float) -> None:
    # Their second sample is the 35 unread values, ours all 60: lambda is larger by 60 / 35.
    known = prediction_powered.pseudo(Mean(), mean_sample(), power * 60 / 35)
    assert known.value[0] == pytest.approx(mean, abs=1e-8)
    centre, own, _ = moments(known.values)
    assert centre[0] == pytest.approx(mean, abs=1e-3)
    # Leaving one of n out gives the variance n / (n - 1) times that of their formula without a correction, n = 25.
    assert own[0] == pytest.approx(error * np.sqrt(25 / 23.5), rel=0.03)
    if power == 1.0:
        assert known.value[0] == pytest.approx(0.5900114285714285, abs=1e-12)
        assert own[0] == pytest.approx(0.03445795906517353, rel=0.03)


def test_lambda_of_a_mean_is_the_slope_of_the_read_pairs() -> None:
    assert prediction_powered.tuned(Mean(), mean_sample()) == pytest.approx(float(np.polyfit(SAID[:25], TRUTH[:25], 1)[0]), rel=1e-6)
