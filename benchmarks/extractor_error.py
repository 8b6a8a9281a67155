"""Does the score as readers would give it hold the truth? Simulated cohorts, extractor and readers. Run by: python -m benchmarks.extractor_error.

    python -m benchmarks.extractor_error                        # every cell, 500 cohorts: see the page docs/evidence/extractor_error.md
    python -m benchmarks.extractor_error --cohorts 100 --sizes 590 --errors independent
    python -m benchmarks.extractor_error --picture docs/images/extractor_error.svg

Studies have the findings of the synthetic cohort, 1.6 studies a patient. The extractor has for each finding the F1 that the paper prints
after revision of the prompts, with false and missed labels in equal numbers; *No Finding* follows by its rule. The truth of a system is its score
on a million studies without any error of an extractor. Readers make no error.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.statistics import ALONE, HEADLINE
from harness.cohorts.synthetic.labels import PREVALENCE, Matrix, label_matrix, perturb, with_no_finding
from harness.findings import NO_FINDING, RAN_21
from harness.records.paper_table import extraction
from harness.statistics import prediction_powered, read_strata
from harness.statistics.intervals import Pseudo, intervals
from harness.statistics.paired import compare
from harness.statistics.prediction_powered import ReadSample
from harness.storage.progress import progress
from harness.types import Array

SYSTEMS: dict[str, tuple[float, float]] = {
    "near perfect": (0.95, 0.05),
    "very good": (0.90, 0.10),
    "good": (0.85, 0.20),
    "fair": (0.73, 0.27),
    "careful": (0.55, 0.02),
    "bold": (0.90, 0.80),
    "middling": (0.50, 0.50),
    "poor": (0.30, 0.50),
    "silent": (0.15, 0.02),
}
"""Recall, and invented findings per true one."""
ERRORS = ("independent", "shared", "differing", "correlated")
"""Half of the errors are on both reports alike; every second system is read worse; the errors of a report go together."""
WORSE = 0.12
"""What the sensitivity loses on the reports of every second system in `differing`."""
TOGETHER = 0.5
"""The correlation of the errors of one report in `correlated`."""
SIZES, READ = (590, 3000), (100, 300, 600)
ABNORMAL = [name for name in RAN_21 if name != NO_FINDING]
PLACES = [RAN_21.index(name) for name in ABNORMAL]
F1 = {row.finding: row.f1_after for row in extraction()}
SENSITIVITY = np.array([F1[name] for name in ABNORMAL])
RATES = np.array([PREVALENCE[name] for name in ABNORMAL])
INVENTED = RATES * (1 - SENSITIVITY) / (1 - RATES)
PAIR = ("fair", "careful")
"""The two systems whose order is asked for: the better one is read as it is, the worse one worse, or the other way round."""


def luck(rng: np.random.Generator, studies: int, together: float) -> Array:
    """Uniform numbers that decide errors, shape (studies, 20)."""
    from scipy.special import ndtr

    if not together:
        return rng.random((studies, len(ABNORMAL)))
    common, own = rng.standard_normal((studies, 1)), rng.standard_normal((studies, len(ABNORMAL)))
    return np.asarray(ndtr(np.sqrt(together) * common + np.sqrt(1 - together) * own))


def read_by_extractor(truth: Matrix, chance: Array, worse: float = 0.0) -> Matrix:
    """What the extractor says of reports with known findings."""
    own = truth[:, PLACES]
    return with_no_finding(own ^ np.where(own, chance < 1 - SENSITIVITY + worse, chance < INVENTED))


def cells(original: Matrix, generated: Matrix) -> Array:
    """Rows of Ran Score."""
    kinds = (original & generated, ~original & generated, original & ~generated, ~original & ~generated)
    return np.stack(kinds, axis=-1).reshape(len(original), -1).astype(np.float64)


@dataclass(frozen=True)
class Drawn:
    """One cohort: by system the rows by the extractor and by readers, study by study."""

    extractor: dict[str, Array]
    readers: dict[str, Array]
    owners: NDArray[np.int64]
    """The number of each study's patient; the studies of a patient are together."""
    order: NDArray[np.int64]
    """The studies in the order in which they are read."""

    def summed(self, values: Array) -> Array:
        """By patient."""
        return np.add.reduceat(values, np.flatnonzero(np.diff(self.owners, prepend=-1)), axis=0)

    def sample(self, name: str, read: int) -> ReadSample:
        """A system's sample with so many read pairs."""
        at = np.sort(self.order[:read])
        chosen = np.zeros((len(self.order), 1))
        chosen[at] = 1.0
        own, theirs = self.extractor[name], self.readers[name]
        return ReadSample(
            extractor=self.every[name],
            studies=self.studies,
            read=self.summed(theirs * chosen),
            same=self.summed(own * chosen),
            pairs=np.repeat(self.summed(chosen), own.shape[1], axis=1),
            decisions=read_strata.decisions(own[at], theirs[at], np.ones(read), self.owners[at]),
        )

    @cached_property
    def every(self) -> dict[str, Array]:
        """By system the extractor's rows by patient."""
        return {name: self.summed(own) for name, own in self.extractor.items()}

    @cached_property
    def studies(self) -> Array:
        """How many studies each patient has."""
        return self.summed(np.ones((len(self.owners), 1)))[:, 0]


def cohort(studies: int, errors: str, seed: int) -> Drawn:
    """Draw one."""
    truth, patients = label_matrix(studies, [seed, studies, 1])
    rng = np.random.default_rng([seed, studies, 2])
    together = TOGETHER if errors == "correlated" else 0.0
    first = luck(rng, studies, together)
    original = read_by_extractor(truth, first)
    extractor, readers = {}, {}
    for place, (name, rates) in enumerate(SYSTEMS.items()):
        said = perturb(truth, *rates, rng)
        second = luck(rng, studies, together)
        if errors == "shared":
            second = np.where(rng.random(second.shape) < 0.5, first, second)
        worse = WORSE if errors == "differing" and place % 2 == 1 else 0.0
        extractor[name] = cells(original, read_by_extractor(said, second, worse))
        readers[name] = cells(truth, said)
    return Drawn(extractor, readers, patients, rng.permutation(studies))


def truths() -> dict[str, float]:
    """By system the score on a million studies."""
    totals = {name: np.zeros(len(RAN_21) * 4) for name in SYSTEMS}
    for part in range(20):
        truth, _ = label_matrix(50_000, [7, part])
        rng = np.random.default_rng([7, part, 1])
        for name, rates in SYSTEMS.items():
            totals[name] += cells(truth, perturb(truth, *rates, rng)).sum(axis=0)
    return {name: float(ALONE.score(total)[HEADLINE]) for name, total in totals.items()}


Row = tuple[float, ...]
"""One system in one cohort with n read pairs: value, low, high, low and high of people alone, the readers' score of all pairs, as computed."""


def of_cohort(job: tuple[int, str, int]) -> dict[str, list[list[float]]]:
    """Every system and number of read pairs of one cohort, and the tests of its pairs."""
    studies, errors, seed = job
    drawn, rows = cohort(studies, errors, seed), dict[str, list[list[float]]]()
    for read in READ:
        if read > studies:
            continue
        known: dict[str, Pseudo] = {}
        for name in SYSTEMS:
            sample = drawn.sample(name, read)
            left = prediction_powered.pseudo(ALONE, sample, None)
            found = prediction_powered.estimate(ALONE, sample, known=left)[HEADLINE]
            at = sample.pairs.any(axis=1)
            alone = intervals(ALONE, sample.read[at])[HEADLINE]
            every, computed = (float(ALONE.score(side[name].sum(axis=0))[HEADLINE]) for side in (drawn.readers, drawn.extractor))
            rows.setdefault(f"{read}|{name}", []).append([found.value, found.low, found.high, *alone, every, computed])
            place = left.names.index(HEADLINE)
            known[name] = Pseudo((HEADLINE,), left.value[[place]], left.values[[place]])
        for one, other in combinations(SYSTEMS, 2):
            item = compare(known[one], known[other])[HEADLINE]
            rows.setdefault(f"{read}|{one}|{other}", []).append([float(item.value), float(item.low), float(item.high), float(item.p)])
    return rows


def kept_at(folder: Path, errors: str, studies: int, seeds: range) -> Path:
    """The file of some cohorts."""
    return folder / f"{errors}-{studies}-{seeds.start}-{seeds.stop}.json"


def cell(studies: int, errors: str, seeds: range, jobs: int, folder: Path | None) -> dict[str, Array]:
    """The cohorts of one size and structure of errors; those that were kept in a folder are read."""
    found: dict[str, list[list[float]]] = {}
    place = kept_at(folder, errors, studies, seeds) if folder else None
    if place and place.is_file():
        return {key: np.array(values) for key, values in json.loads(place.read_text()).items()}
    with ProcessPoolExecutor(jobs) as pool:
        listed = [(studies, errors, seed) for seed in seeds]
        for rows in progress(pool.map(of_cohort, listed, chunksize=4), f"{errors}, {studies}", len(listed), unit="cohort"):
            for key, values in rows.items():
                found.setdefault(key, []).extend(values)
    if place:
        place.write_text(json.dumps(found))
    return {key: np.array(values) for key, values in found.items()}


@dataclass(frozen=True)
class Line:
    """What one cell of the table says."""

    studies: int
    errors: str
    read: int
    system: str
    truth: float
    computed: float
    """As computed with the extractor, mean."""
    value: float
    """As readers would score, mean."""
    covers: float
    width: float
    alone: float
    """Width from the read pairs alone, by the published interval."""
    alone_covers: float
    bias: float
    """Against what readers of all pairs would print, as a share of the standard error."""

    def failures(self) -> list[str]:
        """What of the targets this cell misses."""
        missed = [] if 0.93 <= self.covers <= 0.98 else [f"covers {self.covers:.1%}"]
        missed += [f"{self.width / self.alone:.2f} of the width"] if self.read == 300 and self.width > 0.6 * self.alone else []
        return [*missed, f"bias {self.bias:+.2f} SE"] if abs(self.bias) >= 0.2 else missed


def line(key: str, values: Array, studies: int, errors: str, truth: float) -> Line:
    """Summarise one system and number of read pairs."""
    read, system = key.split("|")
    value, low, high, alone_low, alone_high, every, computed = values.T
    return Line(
        studies,
        errors,
        int(read),
        system,
        truth,
        float(computed.mean()),
        float(value.mean()),
        float(np.mean((low <= truth) & (truth <= high))),
        float(np.mean(high - low)),
        float(np.mean(alone_high - alone_low)),
        float(np.mean((alone_low <= truth) & (truth <= alone_high))),
        float((value - every).mean() / value.std(ddof=1)),
    )


def orders(values: dict[str, Array], truth: dict[str, float]) -> list[str]:
    """For two systems: how often the truly better one is ahead, as computed and as readers would score, and what p promises."""
    lines = []
    for read in READ:
        right = []
        for key, found in values.items():
            number, *names = key.split("|")
            if int(number) == read and len(names) == 2 and abs(truth[names[0]] - truth[names[1]]) > 1e-3:
                better = np.sign(truth[names[0]] - truth[names[1]])
                right.append(np.stack([np.sign(found[:, 0]) == better, 1 - found[:, 3] / 2, found[:, 3] < 0.05], axis=1))
        if right:
            every = np.concatenate(right)
            sure = every[every[:, 2] > 0]
            key = f"{read}|{PAIR[0]}|{PAIR[1]}"
            one, other = (values[f"{read}|{name}"][:, 6] for name in PAIR)
            better = np.sign(truth[PAIR[0]] - truth[PAIR[1]])
            lines.append(
                f"n = {read}: order right in {every[:, 0].mean():.1%}, p promises {every[:, 1].mean():.1%}; where p < 0.05 right in {sure[:, 0].mean():.2%};"
                f" {PAIR[0]} and {PAIR[1]}: as computed right in {np.mean(np.sign(one - other) == better):.1%},"
                f" as readers would score in {np.mean(np.sign(values[key][:, 0]) == better):.1%}"
            )
    return lines


def picture(lines: list[Line]) -> str:
    """Every system with 300 read pairs: the truth, the score as computed, and what 300 read pairs make of it, as SVG."""
    shown = sorted((item for item in lines if item.errors == lines[0].errors), key=lambda item: -item.truth)
    height, left, width = 40 * len(shown) + 90, 140, 520

    def at(value: float) -> float:
        return round(left + width * value, 1)

    parts = [f'<rect width="700" height="{height}" fill="#ffffff"/>']
    for place, item in enumerate(shown):
        y = 50 + 40 * place
        half = item.width / 2
        parts.append(f'<text x="{left - 12}" y="{y + 4}" text-anchor="end">{item.system}</text>')
        parts.append(f'<line x1="{left}" x2="{left + width}" y1="{y}" y2="{y}" stroke="#e3e8eb"/>')
        ends = at(max(item.truth - item.alone / 2, 0)), at(min(item.truth + item.alone / 2, 1))
        parts.append(f'<line x1="{ends[0]}" x2="{ends[1]}" y1="{y + 9}" y2="{y + 9}" stroke="#c9a227" stroke-width="3"/>')
        ends = at(item.value - half), at(item.value + half)
        parts.append(f'<line x1="{ends[0]}" x2="{ends[1]}" y1="{y}" y2="{y}" stroke="#0b6e8a" stroke-width="3"/>')
        parts.append(f'<circle cx="{at(item.value)}" cy="{y}" r="4" fill="#0b6e8a"/>')
        parts.append(f'<rect x="{at(item.computed) - 4}" y="{y - 4}" width="8" height="8" fill="#b3412e"/>')
        parts.append(f'<line x1="{at(item.truth)}" x2="{at(item.truth)}" y1="{y - 11}" y2="{y + 11}" stroke="#1b2328" stroke-width="2"/>')
    foot = 50 + 40 * len(shown)
    parts += [f'<text x="{at(step / 5)}" y="{foot + 4}" text-anchor="middle">{step / 5:.1f}</text>' for step in range(6)]
    legend = (
        "black line: the truth; red square: as computed with the extractor",
        "blue: as readers would score, with its mean interval; yellow: people alone",
    )
    parts += [f'<text x="{left}" y="{14 + 16 * place}">{text}</text>' for place, text in enumerate(legend)]
    title = "<title>Ran Score of nine simulated systems: truth, as computed, and as readers would score with 300 read pairs</title>"
    style = "<style>text{font:13px system-ui,sans-serif;fill:#1b2328}</style>"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 {height}" role="img">{title}{style}{"".join(parts)}</svg>\n'


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", type=int, default=500)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--errors", default=",".join(ERRORS))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--step", type=int, default=125, help="how many cohorts are kept in one file")
    parser.add_argument("--keep", type=Path, help="keep the cohorts in this folder, so that a run can be continued")
    parser.add_argument("--kept", action="store_true", help="draw no cohort: summarise those that are kept in --keep")
    parser.add_argument("--picture", type=Path, help="draw the picture of docs/error.md")
    arguments = parser.parse_args()
    truth, lines = truths(), list[Line]()
    for errors in arguments.errors.split(","):
        for studies in map(int, arguments.sizes.split(",")):
            steps = [range(first, min(first + arguments.step, arguments.cohorts)) for first in range(0, arguments.cohorts, arguments.step)]
            if arguments.kept:
                steps = [seeds for seeds in steps if kept_at(arguments.keep, errors, studies, seeds).is_file()]
            kept = [cell(studies, errors, seeds, arguments.jobs, arguments.keep) for seeds in steps]
            values = {key: np.concatenate([part[key] for part in kept]) for key in kept[0]}
            made = [line(key, found, studies, errors, truth[key.split("|")[1]]) for key, found in values.items() if key.count("|") == 1]
            lines += made
            show(made, len(next(iter(values.values()))))
            print("\n".join(orders(values, truth)), flush=True)
    failed = [item for item in lines if item.failures()]
    print(f"{len(lines) - len(failed)} of {len(lines)} cells meet every target.")
    if arguments.picture:
        arguments.picture.write_text(picture([item for item in lines if item.studies == max(SIZES) and item.read == 300]))


def show(lines: list[Line], cohorts: int) -> None:
    """Print the lines of one size and structure."""
    print(f"\n{lines[0].errors}, {lines[0].studies} studies, {cohorts} cohorts\n")
    print("| n | system | truth | as computed | as readers | covers | width | people alone | of it | their coverage | bias/SE | misses |")
    print("| --- " * 12 + "|")
    for item in sorted(lines, key=lambda item: (item.read, -item.truth)):
        numbers = f"{item.truth:.3f} | {item.computed:.3f} | {item.value:.3f} | {item.covers:.1%} | {item.width:.3f} | {item.alone:.3f}"
        more = f"{item.width / item.alone:.2f} | {item.alone_covers:.1%} | {item.bias:+.2f} | {', '.join(item.failures())}"
        print(f"| {item.read} | {item.system} | {numbers} | {more} |", flush=True)


if __name__ == "__main__":
    main()
