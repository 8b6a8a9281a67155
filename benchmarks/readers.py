"""Do the readers' statistics hold? Six simulated readers, 300 reports, 200 seeds. Run by: python -m benchmarks.readers [--seeds N].

Prints how often the 95 % intervals of every agreement statistic hold the truth (its value on very many studies), for a random draw and for
a draw by rarity; whether the majority errs less than each reader; and what a draw by rarity does to the error of an extractor's macro F1.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.cohorts.synthetic.labels import label_matrix, perturb
from harness.findings import NO_FINDING, RAN_21
from harness.statistics.reader_agreement import STATISTICS, Votes, agreement, pairwise, rows, stacked, statistics
from harness.storage.progress import progress
from harness.types import Array
from validation.readers import draw
from validation.readers.rule import decide
from validation.readers.simulated import SIX, Quality
from validation.readers.tables import FEW

Flags = NDArray[np.bool_]
Codes = NDArray[np.int8]
FINDINGS = [index for index, name in enumerate(RAN_21) if name != NO_FINDING]
ITEMS, READ_TWICE, POPULATION = 300, 20, 300_000


def read(truth: Flags, quality: Quality, rng: np.random.Generator) -> Codes:
    """One reader's answers as indices of absent, present, uncertain."""
    right = rng.random(truth.shape) < np.where(truth, quality.sensitivity, quality.specificity)
    unsure = rng.random(truth.shape) < quality.unsure
    return np.where(unsure, 2, np.where(right, truth, ~truth)).astype(np.int8)


def readings(truth: Flags, rng: np.random.Generator) -> Codes:
    """All readers' answers, shape (studies, findings, readers)."""
    return np.stack([read(truth, quality, rng) for quality in SIX], axis=-1)


def population(seed: int) -> tuple[Array, Array]:
    """Every statistic on very many studies: per finding, and for all findings together."""
    totals: list[Array] = [np.zeros(0)] * len(FINDINGS)
    for part in range(6):
        truth, _ = label_matrix(POPULATION // 6, [seed, part])
        found = readings(truth[:, FINDINGS], np.random.default_rng([seed, part, 1]))
        for index in range(len(FINDINGS)):
            own = rows(found[:, index], 3).sum(axis=0)
            totals[index] = own if part == 0 else totals[index] + own
    each = np.array([list(statistics(total, 3).values()) for total in totals])
    return each, np.array(list(statistics(np.sum(totals, axis=0), 3).values()))


class Tally:
    """How often intervals hold what they should."""

    def __init__(self) -> None:
        self.counts: dict[str, list[int]] = {}

    def add(self, name: str, interval: tuple[float, float], truth: float) -> None:
        """Count one interval."""
        held = self.counts.setdefault(name, [0, 0])
        held[0] += interval[0] <= truth <= interval[1]
        held[1] += 1

    def show(self, title: str) -> None:
        """Print shares in per cent."""
        print(title)
        for name, (held, tried) in self.counts.items():
            print(f"  {name:28} {100 * held / tried:5.1f} % of {tried:,}")


def votes_of(found: Codes, patients: Sequence[str], strata: Sequence[str] = (), weights: Sequence[float] = ()) -> Votes:
    return Votes(values=found, categories=3, patients=patients, strata=strata, weights=weights)


def claimed(found: Codes) -> bool:
    """Whether anything is claimed of a finding, as `tables` decides it."""
    values = (0, 1, -1)
    decided = [decide([values[code] for code in row], 4).value for row in found.tolist()]
    return min(decided.count(0), decided.count(1)) >= FEW


def random_draw(seeds: int, each: Array, together: Array) -> None:
    """Coverage with a simple random draw of 300 studies."""
    single, overall, selves = Tally(), Tally(), Tally()
    kappa = self_kappa()
    for seed in progress(range(seeds), "Random draws", unit="seed"):
        truth, owner = label_matrix(ITEMS, [seed, 77])
        rng, patients = np.random.default_rng([seed, 5]), [str(patient) for patient in owner]
        found = readings(truth[:, FINDINGS], rng)
        every = [votes_of(found[:, index], patients) for index in range(len(FINDINGS))]
        for index, votes in enumerate(every):
            if claimed(found[:, index]):
                measure(single, votes, each[index])
        measure(overall, stacked(every), together)
        again = rng.permuted(np.tile(np.arange(ITEMS), (len(SIX), 1)), axis=1)[:, :READ_TWICE]
        twice = [read(truth[np.ix_(own, FINDINGS)], quality, rng) for own, quality in zip(again, SIX, strict=True)]
        pairs = [np.stack([found[own, :, reader].ravel(), twice[reader].ravel()], axis=1) for reader, own in enumerate(again)]
        owners = [patients[item] for own in again for item in own for _ in FINDINGS]
        own_agreement = agreement(votes_of(np.concatenate(pairs), owners))
        for name, value in kappa.items():
            selves.add(f"with oneself: {name}", own_agreement[name].interval, value)
    single.show("Random draw, one finding (those of which something is claimed)")
    overall.show("Random draw, all findings together")
    selves.show("Random draw, readers with themselves, 20 reports each")


def measure(tally: Tally, votes: Votes, truth: Array) -> None:
    for (name, item), value in zip(agreement(votes).items(), truth, strict=True):
        tally.add(name, item.interval, float(value))


def self_kappa() -> dict[str, float]:
    """Agreement of readers with themselves on very many studies."""
    total = np.zeros(0)
    for part in range(6):
        truth, _ = label_matrix(POPULATION // 6, [3, part])
        rng = np.random.default_rng([3, part, 2])
        for number, quality in enumerate(SIX):
            both = np.stack([read(truth[:, FINDINGS], quality, rng).ravel() for _ in range(2)], axis=1)
            own = rows(both, 3).sum(axis=0)
            total = own if part == 0 and number == 0 else total + own
    found = statistics(total, 3)
    return {name: float(found[name]) for name in ("raw", "cohen")}


def each_pair(seeds: int) -> None:
    """Coverage of the kappa of every pair of readers, all findings together."""
    tally, total = Tally(), np.zeros(0)
    for part in range(6):
        truth, _ = label_matrix(POPULATION // 6, [8, part])
        found = readings(truth[:, FINDINGS], np.random.default_rng([8, part, 3]))
        own = rows(found.reshape(-1, len(SIX)), 3).sum(axis=0)
        total = own if part == 0 else total + own
    from harness.statistics.reader_agreement import pair_kappas

    known = pair_kappas(total, 3)
    for seed in progress(range(seeds), "Pairs of readers", unit="seed"):
        truth, owner = label_matrix(ITEMS, [seed, 78])
        found = readings(truth[:, FINDINGS], np.random.default_rng([seed, 6])).reshape(-1, len(SIX))
        votes = votes_of(found, [str(patient) for patient in np.repeat(owner, len(FINDINGS))])
        for item, value in zip(pairwise(votes).values(), known, strict=True):
            tally.add("Cohen's kappa of a pair", item.interval, float(value))
    tally.show("Random draw, every pair of readers")


def rare_draw(seeds: int, each: Array, together: Array) -> None:
    """Coverage with 300 studies drawn by rarity from 3,000; weights and strata as a study keeps them."""
    single, overall = Tally(), Tally()
    for seed in progress(range(seeds), "Draws by rarity", unit="seed"):
        truth, owner = label_matrix(3000, [seed, 79])
        rng = np.random.default_rng([seed, 7])
        drawn, strata, _ = by_rarity(perturb(truth, 0.93, 0.05, rng), ITEMS, seed)
        places = sorted(drawn)
        found = readings(truth[np.ix_(places, FINDINGS)], rng)
        facts = ([str(owner[at]) for at in places], [strata[at] for at in places], [drawn[at] for at in places])
        every = [votes_of(found[:, index], *facts) for index in range(len(FINDINGS))]
        for index, votes in enumerate(every):
            if claimed(found[:, index]):
                measure(single, votes, each[index])
        measure(overall, stacked(every), together)
    single.show("Draw by rarity, one finding")
    overall.show("Draw by rarity, all findings together")


def by_rarity(asserted: Flags, count: int, seed: int) -> tuple[dict[int, float], dict[int, str], dict[str, str]]:
    """Weights and strata by place."""
    seen = {f"{at:05d}": [RAN_21[column] for column in np.flatnonzero(row) if column in FINDINGS] for at, row in enumerate(asserted)}
    strata = draw.strata(seen)
    weights = draw.by_rarity(strata, count, str(seed))
    return {int(name): weight for name, weight in weights.items()}, {int(name): stratum for name, stratum in strata.items()}, strata


def majority(seeds: int) -> None:
    """Errors of the majority (no decision counts as one) and of each reader (uncertain counts as one)."""
    better, shares = 0, []
    for seed in progress(range(seeds), "Majorities", unit="seed"):
        truth, _ = label_matrix(ITEMS, [seed, 80])
        found = readings(truth[:, FINDINGS], np.random.default_rng([seed, 8]))
        counts = np.stack([(found == code).sum(axis=-1) for code in range(3)], axis=-1)
        said = np.where(counts[..., 1] >= 4, 1, np.where(counts[..., 0] >= 4, 0, 2))
        errors = [(found[..., reader] != truth[:, FINDINGS]).mean() for reader in range(len(SIX))]
        own = (said != truth[:, FINDINGS]).mean()
        better += own < min(errors)
        shares.append([own, *errors])
    mean = np.mean(shares, axis=0)
    print(
        f"The majority errs less than every reader in {better} of {seeds} seeds: {mean[0]:.4f} against "
        + ", ".join(f"{x:.4f}" for x in mean[1:])
    )


def macro(truth: Flags, said: Flags, weights: Array) -> float:
    """Macro F1 over the 20 findings, weighted."""
    hit, invented, missed = (weights @ cells for cells in (truth & said, ~truth & said, truth & ~said))
    below = 2 * hit + invented + missed
    return float(np.mean(np.divide(2 * hit, below, out=np.zeros(len(hit)), where=below > 0)))


def extractor_error(draws: int, cohorts: int = 10) -> None:
    """Macro F1 of an extractor on 3,000 studies, estimated from 300: bias and spread of both draws, cohort by cohort."""
    ratios, bias = [], []
    for number in progress(range(cohorts), "Extractors", unit="cohort"):
        truth, _ = label_matrix(3000, [number, 81], 1.0)
        rng = np.random.default_rng([number, 9])
        rates = rng.uniform(0.90, 1.0, len(FINDINGS)), rng.uniform(0.0, 0.004, len(FINDINGS))
        plain = truth[:, FINDINGS]
        said = np.zeros_like(truth)
        said[:, FINDINGS] = np.where(plain, rng.random(plain.shape) < rates[0], rng.random(plain.shape) < rates[1])
        known = macro(plain, said[:, FINDINGS], np.ones(3000))
        spread = []
        for how in ("random", "rare"):
            found = []
            for seed in range(draws):
                drawn = (
                    by_rarity(said, ITEMS, seed)[0]
                    if how == "rare"
                    else {int(name): w for name, w in draw.at_random([f"{at}" for at in range(3000)], ITEMS, str(seed)).items()}
                )
                places = list(drawn)
                found.append(macro(plain[places], said[np.ix_(places, FINDINGS)], np.array(list(drawn.values()))))
            spread.append((float(np.std(found)), float(np.mean(found)) - known))
        ratios.append(spread[1][0] / spread[0][0])
        bias.append([spread[0][1], spread[1][1]])
        print(
            f"  cohort {number}: F1 {known:.3f}; random sd {spread[0][0]:.4f}, bias {spread[0][1]:+.4f}; by rarity sd {spread[1][0]:.4f}, bias {spread[1][1]:+.4f}"
        )
    print(
        f"Spread by rarity over spread at random: mean {np.mean(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}); mean bias {np.mean(bias, axis=0).round(4).tolist()}"
    )


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--only", choices=("random", "pairs", "rare", "majority", "extractor"))
    arguments = parser.parse_args()
    each, together = population(1)
    print("Truth of all findings together:", dict(zip(STATISTICS, together.round(4).tolist(), strict=True)))
    parts: dict[str, Callable[[], None]] = {
        "random": lambda: random_draw(arguments.seeds, each, together),
        "pairs": lambda: each_pair(arguments.seeds),
        "rare": lambda: rare_draw(arguments.seeds, each, together),
        "majority": lambda: majority(arguments.seeds),
        "extractor": lambda: extractor_error(arguments.seeds),
    }
    for name, part in parts.items():
        if arguments.only in (None, name):
            part()


if __name__ == "__main__":
    main()
