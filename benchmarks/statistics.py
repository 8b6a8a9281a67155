"""How true the intervals, tests and ranks are, by simulation on cohorts whose truth is known. How fast: `statistics_speed.py`.

    python -m benchmarks.statistics --data FOLDER          # everything: about two hours on one core
    python -m benchmarks.statistics coverage methods order # only these

Synthetic cohorts have the prevalences, correlations and repeated patients of the synthetic cohort; systems are made by their recall and
their invented findings per true one. The truth of a system is its score on a million studies. FOLDER holds the public reports that
`statistics_real.py` makes populations of; without it `coverage` is of synthetic cohorts alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from benchmarks.statistics_real import Population, in_patients, populations
from harness.cohorts.synthetic.labels import Matrix, label_matrix, perturb, with_no_finding
from harness.findings import NO_FINDING
from harness.metrics.findings_f1 import COUNTS, FindingsF1, ran_score, ratio
from harness.optional import Proportion
from harness.statistics.intervals import METHODS, Interval, Pseudo, basic, bca, intervals, percentile, pseudo
from harness.statistics.paired import Differences, compare, least_detectable, swap_tests
from harness.statistics.resample import RandomSource, weighted, weights
from harness.storage.progress import progress
from harness.types import Array

RAN = ran_score("")
HEADLINE = RAN.headline


class Alone(FindingsF1):
    """Ran Score with no part beside macro F1 and what it is the mean of: the same interval in a third of the time."""

    def score(self, total: Array) -> Mapping[str, Array]:
        """F1 of each finding, and the mean."""
        tp, fp, fn, _ = np.moveaxis(np.asarray(total).reshape(*np.shape(total)[:-1], len(self.findings), len(COUNTS)), -1, 0)
        each = ratio(2 * tp, 2 * tp + fp + fn)
        return {HEADLINE: each.mean(axis=-1), **{f"f1:{finding}": each[..., place] for place, finding in enumerate(self.findings)}}

    def proportions(self) -> dict[str, Proportion]:
        """The proportions of F1."""
        return {part: kind for part, kind in FindingsF1.proportions(self).items() if part.startswith("f1:")}

    def averages(self) -> dict[str, tuple[str, ...]]:
        """Macro F1."""
        return {HEADLINE: FindingsF1.averages(self)[HEADLINE]}


ALONE = Alone(RAN.name, RAN.vocabulary, RAN.findings)
Rates = tuple[float, ...]
"""Recall, invented findings per true one, and optionally a rate at which every absent finding is invented, however rare it is."""
SYSTEMS: dict[str, Rates] = {
    "almost perfect": (0.99, 0.005),
    "near perfect": (0.97, 0.02),
    "good": (0.85, 0.20),
    "middling": (0.65, 0.40),
    "poor": (0.30, 0.60),
    "silent": (0.15, 0.02),
    "careful": (0.55, 0.02),
    "bold": (0.90, 0.80),
    "constant normal": (0.0, 0.0),
}
SIZES = (590, 3000)
COVERED = (300, 590, 2000, 3000)
LARGE = 2000
"""From here on half as many cohorts are drawn: they take most of the time, and the intervals are hardly in doubt."""


def counts(truth: Matrix, said: Matrix, patients: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Array:
    """Totals by patient, as `Rows` and `patient_totals` would give."""
    cells = np.stack([truth & said, ~truth & said, truth & ~said, ~truth & ~said], axis=-1).reshape(len(truth), -1)
    return np.add.reduceat(cells.astype(np.float64), np.flatnonzero(np.diff(patients, prepend=-1)), axis=0)


def cohort(studies: int, seed: tuple[int, ...], systems: Mapping[str, Rates], per_patient: float = 1.6) -> dict[str, Array]:
    """One simulated cohort: every system's totals by patient."""
    truth, patients = label_matrix(studies, seed, per_patient)
    rng = np.random.default_rng([*seed, 1])
    return {name: counts(truth, says(truth, rates, rng), patients) for name, rates in systems.items()}


def says(truth: Matrix, rates: Rates, rng: np.random.Generator) -> Matrix:
    """What a system of these rates asserts."""
    said = perturb(truth, rates[0], rates[1], rng)
    if len(rates) == 2:
        return said
    normal = RAN.findings.index(NO_FINDING)
    return with_no_finding(np.delete(said | (~truth & (rng.random(truth.shape) < rates[2])), normal, axis=1))


def total(truth: Matrix, said: Matrix) -> Array:
    """The summed counts, without making a row for each study."""
    cells = [(truth & said), (~truth & said), (truth & ~said), (~truth & ~said)]
    return np.stack([cell.sum(axis=0) for cell in cells], axis=-1).ravel().astype(np.float64)


def truths(systems: Mapping[str, Rates]) -> dict[str, float]:
    """Each system's score on a million studies."""
    totals: dict[str, Array] = {name: np.zeros(len(RAN.columns)) for name in systems}
    for part in range(10):
        truth, _ = label_matrix(100_000, (999, part))
        rng = np.random.default_rng((999, part, 1))
        for name, rates in systems.items():
            totals[name] += total(truth, says(truth, rates, rng))
    return {name: float(RAN.score(value)[HEADLINE]) for name, value in totals.items()}


def headline(table: Array) -> Pseudo:
    """The jackknife of Ran Score alone."""
    return pseudo(RAN, table, lambda name: name == HEADLINE)


def every_method(table: Array, factors: list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]) -> dict[str, Interval]:
    """The interval of Ran Score by each method, from draws shared by all systems."""
    value, values = headline(table).one(HEADLINE)
    drawn = np.concatenate([RAN.score(weighted(block, table))[HEADLINE] for block in factors])
    found = published(table), percentile(drawn), basic(value, drawn), bca(value, drawn, values)
    return dict(zip(METHODS, found, strict=True))


def published(table: Array) -> Interval:
    """What a record says."""
    return intervals(ALONE, table)[HEADLINE]


def methods(cohorts: int = 600) -> None:
    """How often each method's interval holds the truth."""
    true = truths(SYSTEMS)
    print(f"\n## 95 % intervals of Ran Score by method, {cohorts} synthetic cohorts with repeated patients, % that hold the truth\n")
    print(f"| studies | system | truth | mean score | {' | '.join(METHODS)} |")
    print("|---" * (len(METHODS) + 4) + "|")
    for studies in SIZES:
        held: dict[str, list[list[bool]]] = {name: [] for name in SYSTEMS}
        scores: dict[str, list[float]] = {name: [] for name in SYSTEMS}
        for seed in progress(range(cohorts), f"methods at {studies}", unit="cohort"):
            tables = cohort(studies, (studies, seed), SYSTEMS)
            factors = list(weights(len(tables["good"]), 1000, RandomSource(f"coverage {studies}", seed)))
            for name, table in tables.items():
                held[name].append([low <= true[name] <= high for low, high in every_method(table, factors).values()])
                scores[name].append(float(RAN.score(table.sum(axis=0))[HEADLINE]))
        for name in SYSTEMS:
            shares = " | ".join(f"{100 * share:.1f}" for share in np.array(held[name]).mean(axis=0))
            print(f"| {studies} | {name} | {true[name]:.4f} | {np.mean(scores[name]):.4f} | {shares} |", flush=True)


Draws = Callable[[int, int], Mapping[str, Array]]
"""From a number of studies and a seed to every system's totals by patient."""


def coverage(cohorts: int = 1000, data: Path | None = None) -> None:
    """How often the published interval holds the truth, by size of the cohort, system, and whether patients have several studies."""
    for kind, true, draw in _sources(data):
        for table in draw(300, 0).values():
            assert np.allclose(published(table), intervals(RAN, table)[HEADLINE], atol=1e-12)
        print(
            f"\n## {kind}: % of {cohorts} cohorts (from {LARGE:,} studies on half as many) whose 95 % interval holds the truth (truth below, above)\n"
        )
        print(f"| system | truth | {' | '.join(f'{size:,}' for size in COVERED)} | mean width at {' / '.join(map(str, COVERED))} |")
        print("|---" * (len(COVERED) + 3) + "|")
        lines: dict[str, list[tuple[float, float, float]]] = {name: [] for name in true}
        for studies in COVERED:
            ends: dict[str, list[Interval]] = {name: [] for name in true}
            for seed in progress(range(cohorts if studies < LARGE else cohorts // 2), f"{kind}, {studies}", unit="cohort"):
                for name, table in draw(studies, seed).items():
                    ends[name].append(published(table))
            for name, found in ends.items():
                low, high = np.array(found).T
                lines[name].append((float(np.mean(true[name] < low)), float(np.mean(true[name] > high)), float(np.mean(high - low))))
        for name, line in lines.items():
            shares = " | ".join(f"{100 * (1 - below - above):.1f} ({100 * below:.1f}, {100 * above:.1f})" for below, above, _ in line)
            print(f"| {name} | {true[name]:.4f} | {shares} | {' / '.join(f'{width:.3f}' for *_, width in line)} |", flush=True)


def _sources(data: Path | None) -> Iterator[tuple[str, Mapping[str, float], Draws]]:
    """Every kind of population with its truths."""
    true = truths(SYSTEMS)
    yield "Synthetic, one study a patient", true, lambda studies, seed: cohort(studies, (studies, seed), SYSTEMS, 1.0)
    yield "Synthetic, several studies a patient", true, lambda studies, seed: cohort(studies, (studies, seed), SYSTEMS)
    if data is None:
        return
    single = populations(data)
    for kind, found in (
        ("Real, one study a patient", single),
        ("Real, several studies a patient", {name: in_patients(item) for name, item in single.items()}),
    ):

        def draw(studies: int, seed: int, found: Mapping[str, Population] = found) -> dict[str, Array]:
            return {name: item.cohort(studies, np.random.default_rng((studies, seed, 11))) for name, item in found.items()}

        yield kind, {name: float(RAN.score(item.rows.sum(axis=0))[HEADLINE]) for name, item in found.items()}, draw


def decided(first: Array, second: Array) -> Differences:
    """The deciding test on Ran Score."""
    return compare(headline(first), headline(second))[HEADLINE]


def alike() -> dict[str, tuple[Rates, Rates]]:
    """Pairs of one true score; the systems of the last two err in opposite ways."""
    same: dict[str, Rates] = {
        "both near perfect": (0.97, 0.02),
        "both good": (0.85, 0.20),
        "both middling": (0.65, 0.40),
        "both poor": (0.30, 0.60),
        "both silent": (0.15, 0.02),
    }
    pairs: dict[str, tuple[Rates, Rates]] = {name: (rates, rates) for name, rates in same.items()}
    for name, rates in {"one bold, one careful": (0.80, 0.70), "one sprinkles every finding, one is careful": (0.80, 0.0, 0.04)}.items():
        pairs[name] = (rates, (recall_for(truths({"x": rates})["x"], 0.0), 0.0))
    return pairs


def equal(seeds: int = 200, more: int = 1000) -> None:
    """How often two systems of equal quality are distinguished at 0.05."""
    print("\n## Systems of equal quality distinguished at 0.05, %\n")
    print(f"| studies | pair | deciding test, {seeds} seeds | swaps (999), the same seeds | deciding test, {more} seeds |")
    print("|---|---|---|---|---|")
    for studies in SIZES:
        for number, (name, (one, other)) in enumerate(alike().items()):
            found, swapped = [], []
            for seed in progress(range(more), f"equal, {name}, {studies}", unit="cohort"):
                tables = cohort(studies, (studies, seed, 3, number), {"first": one, "second": other})
                found.append(float(decided(tables["first"], tables["second"]).p) < 0.05)
                if seed < seeds:
                    [(_, _, p)] = swap_tests(RAN, list(tables.values()), 999, RandomSource(f"equal {studies} {number}", seed))
                    swapped.append(p[HEADLINE] < 0.05)
            shares = (f"{100 * np.mean(share):.1f}" for share in (found[:seeds], swapped, found))
            print(f"| {studies} | {name} | {' | '.join(shares)} |", flush=True)


def power(seeds: int = 200) -> None:
    """How often a true gap of once and twice the printed least detectable difference is found."""
    print(f"\n## A true gap found, % of {seeds} seeds\n")
    print("| studies | printed least detectable difference | gap of once | gap of twice |\n|---|---|---|---|")
    base = (0.65, 0.40)
    for studies in SIZES:
        tables = cohort(studies, (studies, 0, 5), {"first": base, "second": base, "third": (0.62, 0.35)})
        left = [headline(table) for table in tables.values()]
        pairs = [compare(left[one], left[other])[HEADLINE] for one, other in ((0, 1), (0, 2), (1, 2))]
        least = least_detectable([float(pair.error) for pair in pairs]) or float("nan")
        shares = []
        for times in (1, 2):
            better = (recall_for(truths({"x": base})["x"] + times * least, 0.40), 0.40)
            found = [
                float(pair.p) < 0.05 and float(pair.value) > 0
                for pair in (
                    decided(*cohort(studies, (studies, seed, 6), {"a": better, "b": base}).values())
                    for seed in progress(range(seeds), f"power, {studies}", unit="cohort")
                )
            ]
            shares.append(100 * np.mean(found))
        print(f"| {studies} | {least:.4f} | {shares[0]:.1f} | {shares[1]:.1f} |", flush=True)


def recall_for(score: float, invented: float) -> float:
    """The recall that gives a true score, by bisection on one large cohort."""
    truth, _ = label_matrix(400_000, (77,))
    low, high = 0.1, 1.0
    for _ in range(12):
        middle = (low + high) / 2
        found = total(truth, perturb(truth, middle, invented, np.random.default_rng(78)))
        low, high = (middle, high) if float(RAN.score(found)[HEADLINE]) < score else (low, middle)
    return (low + high) / 2


def order(seeds: int = 100) -> None:
    """Six systems 0.05 apart at 3,000 studies: how often scores, and ranks from 1 to 6 without a tie, are in the true order."""
    print(f"\n## Six systems 0.05 apart, 3,000 studies, {seeds} seeds\n")
    print("| true scores | scores in the true order | no rank inverted | ranks 1 to 6, every pair distinguished |\n|---|---|---|---|")
    for top in (0.90, 0.80):
        steps = [top - 0.05 * index for index in range(6)]
        systems = {f"{step:.2f}": (recall_for(step, 0.20), 0.20) for step in steps}
        sorted_, kept, apart = 0, 0, 0
        for seed in progress(range(seeds), "order", unit="cohort"):
            left = [headline(table) for table in cohort(3000, (3000, seed, 9), systems).values()]
            values = [float(item.value[0]) for item in left]
            ranks = [1 + sum(_beats(other, item) for other in left if other is not item) for item in left]
            sorted_ += values == sorted(values, reverse=True)
            kept += ranks == sorted(ranks)
            apart += ranks == [1, 2, 3, 4, 5, 6]
        print(f"| {', '.join(f'{value:.3f}' for value in truths(systems).values())} | {sorted_} | {kept} | {apart} |", flush=True)


def _beats(one: Pseudo, other: Pseudo) -> bool:
    pair = compare(one, other)[HEADLINE]
    return float(pair.p) < 0.05 and float(pair.value) > 0


PARTS: dict[str, Callable[[], None]] = {"equal": equal, "power": power, "order": order, "methods": methods, "coverage": coverage}


def main() -> None:
    """Print the parts that were asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what to print (default: everything)")
    parser.add_argument("--data", type=Path, help="folder of real public reports for the part coverage")
    parser.add_argument("--cohorts", type=int, default=1000, help="cohorts a cell of the part coverage (default: 1000)")
    arguments = parser.parse_args()
    for part in arguments.parts or PARTS:
        if part == "coverage":
            coverage(arguments.cohorts, arguments.data)
        else:
            PARTS[part]()


if __name__ == "__main__":
    main()
