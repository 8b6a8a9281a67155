"""Do the intervals of a validation hold? Six simulated readers, three extractors of known error. Run by: python -m benchmarks.extractor_tables [--seeds N].

The truth of an interval is the extractor's ratio against the readers' majority in a population of 300,000 studies. Prints how often the 95 %
intervals hold it, for a random draw and for a draw by rarity with its weights; and how often the paired test orders two extractors
rightly, wrongly, or not at all.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from benchmarks.readers import FINDINGS, Flags, Tally, readings
from harness.cohorts.synthetic.labels import label_matrix, perturb
from harness.findings import NO_FINDING, RAN_21
from harness.metrics.findings_f1 import ratios
from harness.storage.progress import progress
from harness.types import Array, Labels, Status
from validation.extractors import measure
from validation.extractors.candidates import ABSENT, NONE, PRESENT, Candidate, Codes
from validation.extractors.reference import ReadItem, Reference
from validation.extractors.results import FEW, KINDS, Validation
from validation.readers import draw

EXTRACTORS = {"good": (0.97, 0.02), "fair": (0.94, 0.05), "poor": (0.88, 0.10)}
"""By title the share of present findings that are seen, and the invented assertions for each present one."""
ITEMS, COHORT, POPULATION, MAJORITY = 300, 3000, 300_000, 4
OK = (Status.OK,) * len(RAN_21)


def majority(truth: Flags, rng: np.random.Generator) -> Codes:
    """What six readers decide: present, absent, or nothing; *No Finding* by its rule."""
    votes = readings(truth[:, FINDINGS], rng)
    present, absent = (votes == 1).sum(axis=-1) >= MAJORITY, (votes == 0).sum(axis=-1) >= MAJORITY
    decided = np.where(present, PRESENT, np.where(absent, ABSENT, NONE)).astype(np.int8)
    codes = np.zeros(truth.shape, dtype=np.int8)
    codes[:, FINDINGS] = decided
    open_ = np.where((decided == NONE).any(axis=1), NONE, PRESENT)
    codes[:, RAN_21.index(NO_FINDING)] = np.where((decided == PRESENT).any(axis=1), ABSENT, open_)
    return codes


def said(truth: Flags, rng: np.random.Generator) -> dict[str, Codes]:
    """What each extractor says."""
    return {title: perturb(truth, *rates, rng).astype(np.int8) for title, rates in EXTRACTORS.items()}


def population(seed: int) -> dict[str, Array]:
    """By extractor the cells of each finding in a very large cohort."""
    totals = {title: np.zeros((len(RAN_21), 4)) for title in EXTRACTORS}
    for part in range(6):
        truth, _ = label_matrix(POPULATION // 6, [seed, part])
        rng = np.random.default_rng([seed, part, 1])
        right = majority(truth, rng)
        for title, codes in said(truth, rng).items():
            totals[title] += measure.cells(right, codes).sum(axis=0)
    return totals


def drawn(how: str, seed: int) -> Validation:
    """One validation of all extractors on a fresh standard."""
    truth, patients = label_matrix(COHORT, [seed, 77])
    rng = np.random.default_rng([seed, 78])
    right, given = majority(truth, rng), said(truth, rng)
    names = [f"{index:04d}" for index in range(COHORT)]
    if how == "random":
        weights = draw.at_random(names, ITEMS, str(seed))
    else:
        seen = {name: [RAN_21[place] for place in FINDINGS if row[place]] for name, row in zip(names, given["fair"], strict=True)}
        weights = draw.by_rarity(draw.strata(seen), ITEMS, str(seed))
    chosen = [names.index(name) for name in sorted(weights)]
    items = tuple(ReadItem(names[index], names[index], str(patients[index]), weight=weights[names[index]]) for index in chosen)
    values = {NONE: None, PRESENT: 1, ABSENT: 0}
    labels = {names[index]: Labels(tuple(values[int(code)] for code in right[index]), OK) for index in chosen}
    standard = Reference(name=how, digest="0" * 64, items=items, labels=labels)
    listed = [Candidate(title=title, name=title, codes=codes[chosen]) for title, codes in given.items()]
    return measure.validate(standard, listed)[0]


def intervals(validation: Validation, truth: dict[str, Array]) -> Iterator[tuple[str, tuple[float, float], float]]:
    """Every printed interval with the kind that it is counted under, and the value that it should hold."""
    for result in validation.extractors:
        whole = truth[result.title]
        each, part = ratios(whole), result.parts[0]
        for index, own in enumerate(part.findings):
            which = "finding" if own.positives >= FEW else "finding, few positives"
            for kind in KINDS:
                yield f"{which}: {kind}", (own.ratio(kind).low, own.ratio(kind).high), float(each[kind][index])
        for average in part.averages:
            columns = [RAN_21.index(name) for name in average.findings]
            pooled = ratios(whole[columns].sum(axis=0))
            for kind in KINDS:
                macro, micro = average.macro[kind], average.micro[kind]
                yield f"macro {average.name}: {kind}", (macro.low, macro.high), float(each[kind][columns].mean())
                yield f"micro {average.name}: {kind}", (micro.low, micro.high), float(pooled[kind])


def order(validation: Validation, tally: dict[str, int]) -> None:
    """Count how the test of the macro F1 orders each pair; the first of a pair is truly the better one."""
    for pair in validation.pairs:
        gap = pair.macro["21"]
        answer = "not distinguished" if gap.p >= 0.05 else "right" if gap.value > 0 else "wrong"
        key = f"{pair.first} above {pair.second}: {answer}"
        tally[key] = tally.get(key, 0) + 1


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    seeds = parser.parse_args().seeds
    truth = population(1)
    for how in ("random", "rare"):
        held, ordered = Tally(), dict[str, int]()
        for seed in progress(range(seeds), f"{how} draw", unit="standard"):
            made = drawn(how, seed)
            for kind, interval, value in intervals(made, truth):
                held.add(kind, interval, value)
            order(made, ordered)
        held.show(f"{how} draw of {ITEMS} of {COHORT}: intervals that hold the truth")
        for key in sorted(ordered):
            print(f"  {key}: {100 * ordered[key] / seeds:.1f} % of {seeds}")


if __name__ == "__main__":
    main()
