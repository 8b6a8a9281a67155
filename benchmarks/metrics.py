"""How fast the text metrics are, beside their peers in the same run on the same words, with equal values.

    python -m benchmarks.metrics                          # 3,000 pairs of the synthetic cohort
    python -m benchmarks.metrics reports.csv findings     # 3,000 pairs drawn from a column of a table of real reports

Half of the candidates are other studies' reports, half are changed copies. Every figure is the median of five turns, one after the other,
in wall seconds. Scores start from text, ours with empty caches. The tests start from counts per study on either side.
"""

from __future__ import annotations

import csv
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from pycocoevalcap.bleu.bleu import Bleu as CocoBleu
from pycocoevalcap.cider.cider import Cider as CocoCider
from pycocoevalcap.rouge.rouge import Rouge as CocoRouge
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import bleu as sacrebleu
from sacrebleu.significance import PairedTest

from harness.cohorts.synthetic.cohort import build
from harness.metrics import metric
from harness.metrics.text import ngrams, tokens
from harness.statistics.paired import swap_tests
from harness.statistics.resample import RandomSource
from harness.types import Input

PAIRS, TURNS, TRIALS = 3000, 5, 10_000
Texts = Sequence[str]
Values = list[float]


def references(arguments: Sequence[str]) -> list[str]:
    """3,000 reference texts: of the synthetic cohort, or drawn with a seed from a table."""
    if not arguments:
        cohort = build(PAIRS, seed=0)
        return [" ".join(cohort.texts[study.id].findings.split()) for study in cohort.scored]
    path, column = arguments
    with Path(path).open(encoding="utf-8", newline="") as stream:
        texts = [" ".join(row[column].split()) for row in csv.DictReader(stream)]
    return random.Random(0).choices([text for text in texts if text], k=PAIRS)


def candidates(texts: Texts, seed: int) -> list[str]:
    """Half the reports of other studies, half copies with one word in twenty dropped and the sentences in another order."""
    chance = random.Random(seed)

    def copy(text: str) -> str:
        sentences = text.split(". ")
        chance.shuffle(sentences)
        return " ".join(word for word in ". ".join(sentences).split() if chance.random() > 0.05) or text

    return [chance.choice(texts) if chance.random() < 0.5 else copy(text) for text in texts]


def forget() -> None:
    """Empty the caches, so that every turn prepares its texts."""
    for kept in (tokens.words_of, ngrams.numbered, ngrams.orders):
        kept.cache_clear()


def inputs(texts: Texts) -> list[Input]:
    """One side."""
    return [Input(str(number), text) for number, text in enumerate(texts)]


def ours(specs: Sequence[str], truth: Texts, said: Texts) -> Values:
    """Headlines and parts of some metrics, from raw text."""
    forget()
    first, second, values = inputs(truth), inputs(said), Values()
    for spec in specs:
        made = metric(spec).fit(first)
        values += [float(value) for value in made.score(made.rows(first, second).sum(axis=0)).values()]
    return values


def cocos(makers: Sequence[Callable[[], object]], truth: Texts, said: Texts) -> Values:
    """The same by pycocoevalcap."""
    golden, tested = ({number: [text] for number, text in enumerate(side)} for side in (truth, said))
    values = Values()
    for make in makers:
        found = make().compute_score(golden, tested, **({"verbose": 0} if make is coco_bleu else {}))[0]  # type: ignore[attr-defined]
        values += [float(value) for value in np.atleast_1d(found)]
    return values


def coco_bleu() -> object:
    """BLEU-1 to BLEU-4."""
    return CocoBleu(4)


def rouges(truth: Texts, said: Texts) -> Values:
    """ROUGE-L by rouge-score, stemmed."""
    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    return [statistics.fmean(scorer.score(first, second)["rougeL"].fmeasure for first, second in zip(truth, said, strict=True))]


def sacre_test(truth: Texts, first: Texts, second: Texts) -> Callable[[], Values]:
    """The p of the difference in BLEU by sacrebleu's approximate randomisation; its counts are made here, the test runs when called."""
    named: list[tuple[str, Texts]] = [("first", first), ("second", second)]
    test = PairedTest(named, {"BLEU": sacrebleu.BLEU(tokenize="none", force=True)}, [truth], "ar", TRIALS)

    def run() -> Values:
        found = test()[1]["BLEU"][1]
        return [float(getattr(found, "p_value", None) or 1.0)]

    return run


def our_test(truth: Texts, first: Texts, second: Texts) -> Callable[[], Values]:
    """The same on rows: p for BLEU-1 to BLEU-4 at once; BLEU-4's is returned."""
    made, golden = metric("bleu:coco|raw"), inputs(truth)
    tables = [made.rows(golden, inputs(side)) for side in (first, second)]
    return lambda: [next(swap_tests(made, tables, TRIALS, RandomSource("benchmark")))[2]["bleu-4"]]


def turns(*works: Callable[[], Values]) -> list[tuple[float, Values]]:
    """Median seconds of each, taken in turn, and what each returned."""
    spent: list[list[float]] = [[] for _ in works]
    values = [work() for work in works]
    for _ in range(TURNS):
        for index, work in enumerate(works):
            start = time.perf_counter()
            work()
            spent[index].append(time.perf_counter() - start)
    return [(statistics.median(times), value) for times, value in zip(spent, values, strict=True)]


def report(name: str, ours: tuple[float, Values], peer: tuple[float, Values]) -> None:
    """One line: seconds, ratio, and how far the values are apart."""
    apart = max(abs(first - second) for first, second in zip(ours[1], peer[1], strict=True))
    print(f"{name:48} {ours[0]:8.3f} {peer[0]:8.3f} {peer[0] / ours[0]:6.1f}x   {apart:.1e}", flush=True)


def main(arguments: Sequence[str]) -> None:
    """Measure everything."""
    truth = references(arguments)
    first, second = candidates(truth, 1), candidates(truth, 2)
    words = sum(len(text.split()) for text in truth) / PAIRS
    print(f"{PAIRS} pairs, {words:.1f} words a reference, {len(set(truth))} different references\n")
    print(f"{'':48} {'ours s':>8} {'peer s':>8} {'faster':>7}   values apart")
    all_specs = ("bleu:coco|raw", "rouge-l:coco|raw", "cider:coco|raw")
    all_peers = (coco_bleu, CocoRouge, CocoCider)
    works = turns(lambda: ours(all_specs, truth, first), lambda: cocos(all_peers, truth, first))
    report("BLEU-1..4 + ROUGE-L + CIDEr, pycocoevalcap", *works)
    for spec, peer, name in zip(all_specs, all_peers, ("BLEU-1..4", "ROUGE-L", "CIDEr"), strict=True):
        works = turns(partial(ours, (spec,), truth, first), partial(cocos, (peer,), truth, first))
        report(f"{name} alone, pycocoevalcap", *works)
    report("ROUGE-L stemmed, rouge-score", *turns(lambda: ours(("rouge-l:f1|words|stem",), truth, first), lambda: rouges(truth, first)))
    works = turns(our_test(truth, first, second), sacre_test(truth, first, second))
    report(f"randomisation of BLEU, {TRIALS} trials, sacrebleu", *works)
    print("\n(The last column of the test is the difference of two random p values; ours tests BLEU-1 to BLEU-4 in this time.)")


if __name__ == "__main__":
    main(sys.argv[1:])
