"""One bench from pairs to a result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.extractors import extractor
from harness.scoring.scorer import every_metric, extractors_for, make_metrics
from harness.types import Access, Metric
from validation.bench import known, measures, pairs, results, scoring
from validation.bench.pairs import Pair
from validation.bench.results import BenchResult


def run(
    chosen: Sequence[Pair],
    *,
    metrics: Sequence[str | Metric] | None = None,
    seed: int | None = None,
    created: str = "",
    kept: Path | None = None,
    passed_on: bool = True,
    access: Access = Access.OPEN,
) -> BenchResult:
    """Score pairs with metrics and measure what each sees.

    Args:
        chosen: Pairs of one language and one source.
        metrics: Names, `name:recipe`, or metrics; by default all that can run here.
        seed: Of generated pairs.
        created: UTC time.
        kept: Folder for scores, so that a run that was stopped continues; None keeps none.
        passed_on: Whether the texts may be in the result, as examples.
        access: Of the texts: with credentialed ones no extractor is asked outside this machine.
    """
    language = chosen[0].language
    digest = pairs.digest(chosen)
    used, unavailable = make_metrics(metrics or every_metric(language), "", language)
    scores = scoring.score_all(chosen, used, extractors_for(used, extractor("lexical"), access), kept, digest)
    measured = measures.measure(chosen, [*scores, *known.sentinels(chosen)])
    return BenchResult(
        language,
        chosen[0].source,
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
