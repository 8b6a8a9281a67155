"""How fast the statistics are, in CPU seconds, beside peers in the same run.

python -m benchmarks.statistics_speed            # everything: about two minutes
python -m benchmarks.statistics_speed sacrebleu  # only this
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.statistics import HEADLINE, RAN, cohort, headline
from harness.statistics.intervals import Pseudo, jackknife_t, percentile, pseudo
from harness.statistics.paired import Differences, differences, swap_tests
from harness.statistics.resample import RandomSource, bootstrap
from harness.types import Array


def beside_scipy(draws: int = 1000) -> None:
    """The bootstrap of Ran Score beside `scipy.stats.bootstrap`, the same statistic, in one run."""
    from scipy import stats

    table = cohort(3000, (1,), {"x": (0.65, 0.40)})["x"]

    def statistic(index: Array, axis: int = -1) -> Array:
        return np.asarray(RAN.score(table[index.astype(int)].sum(axis=-2))[HEADLINE])

    def ours() -> None:
        percentile(bootstrap(RAN, [table], draws, RandomSource("scipy"))[0][HEADLINE])

    def theirs() -> None:
        rng = np.random.default_rng(0)
        stats.bootstrap((np.arange(len(table)),), statistic, n_resamples=draws, method="percentile", rng=rng, batch=20, vectorized=True)

    def published() -> None:
        jackknife_t(*headline(table).one(HEADLINE))  # type: ignore[arg-type]

    seconds = {call.__name__: _median(call) for call in (ours, theirs, published)}
    print(f"\n## Beside scipy.stats.bootstrap: Ran Score, 3,000 studies, {draws} draws, CPU seconds, median of 3\n")
    print(
        f"scipy {seconds['theirs']:.3f} s; harness.statistics.resample {seconds['ours']:.3f} s: {seconds['theirs'] / seconds['ours']:.1f} times faster"
    )
    print(f"the published interval (no draws): {seconds['published']:.4f} s", flush=True)


def beside_sacrebleu(trials: int = 10_000) -> None:
    """The swap test of BLEU beside sacrebleu's approximate randomisation, from text to p, in one run."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.significance import PairedTest, Result

    from harness.cohorts.synthetic.cohort import build
    from harness.cohorts.synthetic.systems import system
    from harness.metrics import metric
    from harness.types import Input

    made = build(studies=3000, seed=1)
    ids = [study.id for study in made.scored]
    said = [system(made, name, recall, 0.4).reports for name, recall in (("one", 0.65), ("other", 0.75))]
    originals = [made.reference(study) for study in ids]
    texts = [[reports[study] for study in ids] for reports in said]
    bleu = metric("bleu:corpus|13a")
    found: dict[str, float] = {}

    def theirs() -> None:
        paired = PairedTest([("one", texts[0]), ("other", texts[1])], {"bleu": BLEU(smooth_method="none")}, [originals], "ar", trials)
        result = list(paired()[1].values())[-1][1]
        assert isinstance(result, Result)
        found["theirs"] = float(result.p_value or 0.0)

    def ours() -> None:
        references = [Input(study, text) for study, text in zip(ids, originals, strict=True)]
        tables = [bleu.rows(references, [Input(study, text) for study, text in zip(ids, side, strict=True)]) for side in texts]
        [(_, _, p)] = swap_tests(bleu, tables, trials, RandomSource("sacrebleu"))
        found["ours"] = p["bleu-4"]

    seconds = {call.__name__: _median(call) for call in (ours, theirs)}
    print(f"\n## Beside sacrebleu: {trials} random swaps of BLEU, 3,000 pairs, from text to p, CPU seconds, median of 3\n")
    error = 1.96 * (2 * found["theirs"] * (1 - found["theirs"]) / trials) ** 0.5
    print(
        f"p: sacrebleu {found['theirs']:.4f}, harness.statistics.paired {found['ours']:.4f} (Monte-Carlo error of the difference {error:.4f})"
    )
    print(
        f"sacrebleu {seconds['theirs']:.2f} s; harness {seconds['ours']:.2f} s: {seconds['theirs'] / seconds['ours']:.1f} times faster",
        flush=True,
    )


def _median(call: Callable[[], None]) -> float:
    times = []
    for _ in range(3):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return float(np.median(times))


def speed(systems: int = 50, draws: int = 1000) -> None:
    """Ranks of 50 systems over 3,000 studies: the deciding test and, beside it, swaps of every pair."""
    tables = list(cohort(3000, (2,), {f"s{index}": (0.4 + 0.01 * index, 0.3) for index in range(systems)}).values())
    wanted = {HEADLINE, *(name for name in RAN.score(tables[0].sum(axis=0)) if name.startswith("f1:"))}
    start = time.process_time()
    left = [pseudo(RAN, table, wanted.__contains__) for table in tables]
    middle = time.process_time()
    pairs = sum(1 for _ in _pairs(left))
    end = time.process_time()
    print(f"\n## {systems} systems, 3,000 studies: {pairs} pairs, Ran Score and each of 21 findings\n")
    print(f"jackknife {middle - start:.2f} s, all pairs {end - middle:.2f} s, peak memory of the process {_peak():.2f} GB")
    start = time.process_time()
    bootstrap(RAN, tables, draws, RandomSource("speed"))
    print(f"{draws} bootstrap draws of all systems, every part: {time.process_time() - start:.2f} s, peak {_peak():.2f} GB")
    start = time.process_time()
    swapped = sum(1 for _ in swap_tests(RAN, tables, draws, RandomSource("speed")))
    print(f"{draws} swaps of each of {swapped} pairs, every part: {time.process_time() - start:.2f} s, peak {_peak():.2f} GB", flush=True)


def _pairs(left: list[Pseudo]) -> Iterator[Differences]:
    for index, one in enumerate(left):
        for other in left[index + 1 :]:
            yield differences(one.value - other.value, one.values - other.values)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


PARTS: dict[str, Callable[[], None]] = {"speed": speed, "scipy": beside_scipy, "sacrebleu": beside_sacrebleu}


if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
