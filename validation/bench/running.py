"""One bench from pairs to a result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.extractors import extractor
from harness.scoring.scorer import every_metric, extractors_for, make_metrics
from harness.types import Access, Metric
from validation.bench import known, measures, pairs, results, scoring
from validation.bench.pairs import BenchPair
from validation.bench.results import BenchResult
from validation.bench.scoring import MetricScores


def run(
    chosen: Sequence[BenchPair],
    *,
    metrics: Sequence[str | Metric] | None = None,
    seed: int | None = None,
    created: str = "",
    kept: Path | None = None,
    passed_on: bool = True,
    source: str = "",
    access: Access = Access.OPEN,
) -> BenchResult:
    """Score pairs with metrics and measure what each sees.

    Args:
        chosen: Pairs of one language and one source.
        metrics: Names, `name:recipe`, or metrics; by default all that can run here.
        seed: The seed of generated pairs.
        created: UTC time.
        kept: Folder for scores, so that a run that was stopped continues; None keeps none.
        passed_on: Whether the texts may be in the result, as examples.
        source: What the result calls the pairs' source; by default what the pairs call it.
        access: Whether the texts may leave the machine: with credentialed ones no extractor is asked outside this machine.
    """
    language = chosen[0].language
    digest = pairs.digest(chosen)
    used, unavailable = make_metrics(metrics or every_metric(language), "", language)
    scores = scoring.score_all(chosen, used, extractors_for(used, extractor("lexical"), access), kept, digest)
    measured = measures.measure(chosen, [*scores, *known.sentinels(chosen)])
    return BenchResult(
        language,
        source or chosen[0].source,
        seed,
        len(chosen),
        len({pair.reference_id for pair in chosen}),
        digest,
        results.shapes(chosen),
        measured,
        unavailable,
        results.examples(chosen) if passed_on else {},
        created,
    )


def private(chosen: Sequence[BenchPair], language: str, metrics: Sequence[str | Metric] | None = None) -> tuple[MetricScores, ...]:
    """Score pairs whose texts are treated as credentialed: nothing is kept, and no extractor outside this machine is asked."""
    used, _ = make_metrics(metrics or every_metric(language), "", language)
    return scoring.score_all(chosen, used, extractors_for(used, extractor("lexical"), Access.CREDENTIALED))
