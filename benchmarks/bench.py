"""The bench of metrics against known truth: do its intervals cover, does it separate equal metrics, how long does it take?

`python -m benchmarks.bench en`, `... zh`, `... cost 2000` print the rows of docs/evidence/bench.md.
"""

from __future__ import annotations

import resource
import sys
import time
from statistics import NormalDist

from harness.scoring.scorer import default_metrics
from validation.bench import known, measures, pairs, running
from validation.bench.estimates import Estimate
from validation.bench.kinds import EditGroup, group_of
from validation.bench.pairs import BenchPair

SEEDS = 200
PAIRS = 500
SIGMA = 0.6
COST = 0.3
"""What a harmless edit takes from the invented metric; an error takes 1."""


def invented(pair: BenchPair) -> float:
    group = group_of(pair.kind)
    return 1.0 - pair.errors - COST * (group in (EditGroup.HARMLESS, EditGroup.DEBATED))


def covers(item: Estimate, truth: float) -> bool:
    assert item.low is not None and item.high is not None
    return item.low <= truth <= item.high


def coverage(language: str) -> None:
    auc = NormalDist().cdf((1 - COST) / (SIGMA * 2**0.5))
    truths = {"discrimination": auc, "attributes": auc, "discrimination_all": auc, "robustness": 1 - COST}
    hits = dict.fromkeys(truths, 0)
    apart = 0
    for seed in range(SEEDS):
        chosen = pairs.generate(PAIRS, seed, language)
        plain = known.of_pairs("plain", chosen, invented)
        two = [known.noisy(f"{seed}-{name}", plain, SIGMA) for name in ("one", "two")]
        one, other = measures.measure(chosen, two)
        for name, truth in truths.items():
            hits[name] += covers(getattr(one, name), truth)
        apart += other.tests["discrimination"][1] < 0.05
    for name, truth in truths.items():
        print(f"| {language} | {name} | {truth:.3f} | {100 * hits[name] / SEEDS:.1f} % |")
    print(f"| {language} | two equal metrics separated | - | {100 * apart / SEEDS:.1f} % |")


def cost(count: int) -> None:
    began = time.perf_counter(), time.process_time()
    result = running.run(pairs.generate(count, 0, "en"), metrics=default_metrics("", "en"), seed=0)
    wall, processor = time.perf_counter() - began[0], time.process_time() - began[1]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {count:,} | {len(result.metrics)} | {wall:.0f} | {processor:.0f} | {memory:.0f} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["cost"]:
        cost(int(sys.argv[2]))
    else:
        coverage(sys.argv[1])
