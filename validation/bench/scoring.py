"""What metrics give each pair: one score a pair, kept in pieces, so that a run that was stopped continues."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.findings import NO_FINDING, RAN_21
from harness.signature import Signature
from harness.storage import files
from harness.storage.progress import progress
from harness.types import Array, Extractor, Input, Labels, Metric, Status
from validation.bench.pairs import BenchPair

PIECE = 500
"""Pairs that are scored and kept at once."""


@dataclass(frozen=True, slots=True)
class MetricScores:
    """One metric's scores of all pairs."""

    name: str
    signature: str
    higher_is_better: bool
    values: Array
    """Shape (pairs,), turned so that higher is better; in the order of the pairs."""


def score_all(
    pairs: Sequence[BenchPair], metrics: Sequence[Metric], extractors: Sequence[Extractor] = (), kept: Path | None = None, digest: str = ""
) -> tuple[MetricScores, ...]:
    """Score every pair with every metric.

    Args:
        pairs: What is scored.
        metrics: Each gives one score a pair by `rows` and `score`, as for a cohort.
        extractors: Who labels both sides, for metrics that read labels.
        kept: A folder for the scores; those that are there already are not computed again. None keeps nothing.
        digest: The digest of the pairs; it keeps the scores of different pairs apart.
    """
    labels = labels_of(pairs, [one for one in extractors if any(one.vocabulary in metric.reads for metric in metrics)])
    references = [Input(pair.id, pair.reference, labels=labels.get(pair.reference, {})) for pair in pairs]
    candidates = [Input(pair.id, pair.candidate, labels=labels.get(pair.candidate, {})) for pair in pairs]
    by_reference = {pair.reference_id: reference for pair, reference in zip(pairs, references, strict=True)}
    found = []
    for metric in progress(metrics, "Scoring pairs", unit="metric"):
        fitted = metric.fit(list(by_reference.values()))
        signature = signature_of(fitted, extractors)
        folder = kept / digest[:16] if kept else None
        pieces = [
            _piece(fitted, references[start : start + PIECE], candidates[start : start + PIECE], folder, f"{signature} {start}")
            for start in range(0, len(pairs), PIECE)
        ]
        values = np.concatenate(pieces) if pieces else np.zeros(0)
        found.append(MetricScores(spec(fitted), signature, fitted.higher_is_better, values if fitted.higher_is_better else -values))
    return tuple(found)


def spec(metric: Metric) -> str:
    """`name:recipe`, as commands take it."""
    return f"{metric.name}:{metric.recipe}" if metric.recipe else metric.name


def signature_of(metric: Metric, extractors: Sequence[Extractor]) -> str:
    """The signature that the metric has on a board."""
    digest = next((one.digest for one in extractors if one.vocabulary in metric.reads), "")
    return str(Signature(metric.name, metric.version, metric.recipe, digest, metric.fit_digest))


def labels_of(pairs: Sequence[BenchPair], extractors: Sequence[Extractor]) -> Mapping[str, dict[str, Labels]]:
    """By text, and by vocabulary, the labels of every report."""
    texts = list(dict.fromkeys(text for pair in pairs for text in (pair.reference, pair.candidate)))
    found: dict[str, dict[str, Labels]] = {text: {} for text in texts}
    for extractor in extractors:
        for text, made in zip(texts, extractor.extract(texts), strict=True):
            found[text][extractor.vocabulary] = made
    return found


def by_construction(pairs: Sequence[BenchPair], metric: Metric) -> Array:
    """The scores of a metric on labels that are known because the pairs were made with them.

    Raises:
        ValueError: A pair has no known labels.
    """
    sides = []
    for pair in pairs:
        if pair.truth is None or pair.stated is None:
            raise ValueError("labels by construction are known for generated pairs alone")
        sides.append([Input(pair.id, "", labels={"ran-21": known_labels(names)}) for names in (pair.truth, pair.stated)])
    return of_rows(metric, metric.rows([one for one, _ in sides], [other for _, other in sides]))


def known_labels(present: frozenset[str]) -> Labels:
    """Decisions on the 21 findings, all certain."""
    values = tuple(int(name in present or (name == NO_FINDING and not present)) for name in RAN_21)
    return Labels(values, (Status.OK,) * len(RAN_21))


def of_rows(metric: Metric, rows: Array) -> Array:
    """One score for each row: the headline; of a macro average over findings, which one pair does not define, the micro average."""
    parts = metric.score(np.asarray(rows, dtype=np.float64))
    pooled = metric.headline.replace("macro", "micro", 1)
    values = np.asarray(parts[pooled if pooled in parts else metric.headline], dtype=np.float64)
    return np.nan_to_num(np.broadcast_to(values, (len(rows),)))


def _piece(metric: Metric, references: Sequence[Input], candidates: Sequence[Input], folder: Path | None, name: str) -> Array:
    path = folder / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.json" if folder else None
    if path is not None and path.is_file():
        try:
            values = np.array(json.loads(path.read_text(encoding="utf-8")), dtype=np.float64)
        except ValueError:
            values = np.zeros(0)
        if len(values) == len(references):
            return values
    made = of_rows(metric, metric.rows(references, candidates))
    if path is not None:
        files.write(path, json.dumps(made.tolist()))
    return made
