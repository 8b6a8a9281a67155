"""What somebody who optimises a metric would write, and what each metric pays for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.extractors import extractor
from harness.scoring.scorer import default_metrics, extractors_for, make_metrics
from harness.types import Access, Input, Labels, Metric
from validation.bench.drafts import BenchWords, bench_words
from validation.bench.kinds import SAME
from validation.bench.pairs import BenchPair, generate
from validation.bench.scoring import labels_of, spec

_REPORTS = 100
_SPARE = 30
"""Pairs that one report gives at most."""
_TIMES = 8


@dataclass(frozen=True, slots=True)
class Gallery:
    """By strategy and metric a score over the same references."""

    language: str
    seed: int
    reports: int
    scores: Mapping[str, Mapping[str, float]]


STRATEGIES: Mapping[str, str] = {
    "the reference": "the reference itself, for comparison",
    "boilerplate": "one normal report for everybody",
    "all findings": "every finding is stated",
    "hedging": "every finding is called possible",
    "repetition": f"the normal report, {_TIMES} times over",
    "copied prior": "the report of another study",
    "very long": "the normal report and every finding denied",
    "very short": "one sentence",
}
"""By name what is written for every study."""
_WRITTEN: Mapping[str, Mapping[str, str]] = {
    "en": {"hedge": "Possible {}.", "short": "No acute abnormality."},
    "zh": {"hedge": "不除外{}。", "short": "未见急性异常。"},
}


def gallery(language: str = "en", seed: int = 0, metrics: Sequence[str | Metric] | None = None, reports: int = _REPORTS) -> Gallery:
    """Score every strategy.

    Args:
        language: `en` or `zh`.
        seed: Seed of the references, which are those of the generated pairs.
        metrics: By default those of the board.
        reports: How many references.
    """
    same = [pair for pair in generate(reports * _SPARE, seed, language) if pair.kind == SAME.name][:reports]
    used, _ = make_metrics(metrics or default_metrics("", language), "", language)
    extractors = extractors_for(used, extractor("lexical"), Access.OPEN)
    written = {name: [_write(name, language)(pair.reference, other.reference) for pair, other in _with_next(same)] for name in STRATEGIES}
    made = [
        BenchPair(pair.id, pair.id, SAME.name, pair.reference, text)
        for texts in written.values()
        for pair, text in zip(same, texts, strict=True)
    ]
    labels = labels_of(made, extractors)
    references = [Input(pair.id, pair.reference, labels=labels[pair.reference]) for pair in same]
    fitted = [metric.fit(references) for metric in used]
    return Gallery(language, seed, len(same), {name: _scores(references, texts, labels, fitted) for name, texts in written.items()})


def _scores(
    references: Sequence[Input], texts: Sequence[str], labels: Mapping[str, dict[str, Labels]], metrics: Sequence[Metric]
) -> dict[str, float]:
    candidates = [Input(item.study, text, labels=labels[text]) for item, text in zip(references, texts, strict=True)]
    return {spec(metric): float(metric.score(metric.rows(references, candidates).sum(axis=0))[metric.headline]) for metric in metrics}


def _with_next(same: Sequence[BenchPair]) -> list[tuple[BenchPair, BenchPair]]:
    return list(zip(same, [*same[1:], same[0]], strict=True))


def _write(name: str, language: str) -> Callable[[str, str], str]:
    """From the reference and the reference of another study to what is submitted."""
    known, written = bench_words(language), _WRITTEN[language]
    normal = _normal(known)
    nouns = [names[0] for names in known.table.nouns.values()]
    fixed = {
        "boilerplate": normal,
        "all findings": known.space.join(stated for stated, _ in known.flips.values()),
        "hedging": known.space.join(written["hedge"].format(noun) for noun in nouns),
        "repetition": known.space.join([normal] * _TIMES),
        "very long": known.space.join([normal, *(denied for _, denied in known.flips.values())]),
        "very short": written["short"],
    }
    if name == "the reference":
        return lambda reference, other: reference
    if name == "copied prior":
        return lambda reference, other: other
    return lambda reference, other: fixed[name]


def _normal(known: BenchWords) -> str:
    """A sentence for each place that denies most."""
    denials = [phrase for phrase in known.table.phrases if phrase.denies and not (phrase.asserts or phrase.before or phrase.needs)]
    places = dict.fromkeys(phrase.place for phrase in denials)
    chosen = [max((phrase for phrase in denials if phrase.place == place), key=lambda phrase: len(phrase.denies)) for place in places]
    return known.space.join(phrase.say[0] for phrase in chosen)
