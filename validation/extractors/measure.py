"""Extractors against a standard: counts, ratios with intervals, paired tests. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from harness.findings import COMPARABLE_14, RAN_21
from harness.metrics.findings_f1 import COUNTS, FindingsF1
from harness.signature import digest as digest_of
from harness.statistics import paired
from harness.statistics.agreement import clopper_pearson, mcnemar
from harness.statistics.intervals import Interval, Pseudo, intervals, pseudo
from harness.statistics.proportions import korn_graubard
from harness.types import Array, Json
from validation.extractors.candidates import ABSENT, FLOOR, NONE, PRESENT, Candidate, Codes, letters, truth
from validation.extractors.reference import SOURCES, ReadItem, Reference
from validation.extractors.results import (
    FEW,
    KINDS,
    Average,
    Discordance,
    ExtractorPair,
    ExtractorResult,
    FindingResult,
    Gap,
    Ratio,
    SourcePart,
    StandardCard,
    Validation,
)

AVERAGES = ("21", "14", "10")


def validate(reference: Reference, candidates: Sequence[Candidate], created: str = "") -> tuple[Validation, Json]:
    """Compare extractors with a standard.

    Args:
        reference: The standard.
        candidates: In the order of the tables.
        created: When, for the file.

    Returns:
        The result, and the decisions by item as the file beside it holds them.
    """
    right = truth(reference)
    samples = [sample for source in SOURCES if (sample := _sample(reference.items, right, source)) is not None]
    results = tuple(
        ExtractorResult(
            title=one.title,
            name=one.name,
            digest=one.digest,
            official=one.official,
            by=one.by,
            statuses=one.statuses,
            parts=tuple(_part(sample, one) for sample in samples),
        )
        for one in candidates
    )
    pairs = tuple(_pair(sample, one, other) for sample in samples for one, other in _compared(candidates))
    kept = decisions(reference, right, candidates)
    card = StandardCard(
        name=reference.name,
        digest=reference.digest,
        study=reference.study.digest if reference.study else "",
        cohort=reference.cohort,
        cohort_name=reference.cohort_name,
        access=reference.access,
        items=len(reference.items),
        weighted=reference.weighted,
        part=reference.part,
        threshold=reference.study.threshold if reference.study else "",
    )
    return Validation(standard=card, extractors=results, pairs=pairs, decisions=digest_of(kept), created=created), kept


def decisions(reference: Reference, right: Codes, candidates: Sequence[Candidate]) -> Json:
    """The decisions by item: one character a finding, `-` for none; items by number, never by study."""
    return {
        "standard": reference.digest,
        "findings": list(RAN_21),
        "items": [item.id if reference.study else str(number) for number, item in enumerate(reference.items, 1)],
        "readers": letters(right),
        "extractors": {one.title: letters(one.codes) for one in candidates},
    }


@dataclass(frozen=True, slots=True)
class Sample:
    """The items of one source."""

    source: str
    indices: NDArray[np.int64]
    right: Codes
    """Their true decisions."""
    owners: NDArray[np.int64]
    """Number of each item's patient."""
    weights: Array
    """With mean 1."""

    @property
    def patients(self) -> int:
        """How many."""
        return int(self.owners.max()) + 1

    @property
    def plain(self) -> bool:
        """Whether each item is another patient's and all weigh the same: then counts are binomial."""
        return self.patients == len(self.owners) and bool(np.ptp(self.weights) < 1e-12)


def _sample(items: Sequence[ReadItem], right: Codes, source: str) -> Sample | None:
    indices = np.array([index for index, item in enumerate(items) if item.source == source], dtype=np.int64)
    if not len(indices):
        return None
    names = [items[index].patient for index in indices]
    number = {name: place for place, name in enumerate(sorted(set(names)))}
    weights = np.array([items[index].weight for index in indices])
    owners = np.array([number[name] for name in names], dtype=np.int64)
    return Sample(source, indices, right[indices], owners, weights / weights.mean())


def cells(right: Codes, codes: Codes) -> Array:
    """tp, fp, fn, tn of each item and finding; a decision without an answer is wrong, and what readers left open counts nowhere.

    Returns:
        Shape (items, findings, 4).
    """
    present, absent = right == PRESENT, right == ABSENT
    kinds = (
        present & (codes == PRESENT),
        absent & (codes != ABSENT),
        present & (codes != PRESENT),
        absent & (codes == ABSENT),
    )
    return np.stack(kinds, axis=-1).astype(np.float64)


def _metric(findings: Sequence[str]) -> FindingsF1:
    return FindingsF1("validation", "ran-21", tuple(findings))


def _table(sample: Sample, own: Array, findings: Sequence[str]) -> Array:
    """Weighted totals by patient of some findings."""
    columns = [RAN_21.index(name) for name in findings]
    chosen = (own[:, columns] * sample.weights[:, None, None]).reshape(len(own), len(columns) * len(COUNTS))
    table = np.zeros((sample.patients, chosen.shape[1]))
    np.add.at(table, sample.owners, chosen)
    return table


def groups(sample: Sample, covers: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """By name the findings of each average that an extractor decides completely."""
    positives = dict(zip(RAN_21, (sample.right == PRESENT).sum(axis=0).tolist(), strict=True))
    every = {"21": RAN_21, "14": COMPARABLE_14, "10": tuple(name for name in covers if positives[name] >= FEW)}
    return {name: group for name, group in every.items() if group and len(covers) > 1 and set(group) <= set(covers)}


def _part(sample: Sample, one: Candidate) -> SourcePart:
    own = cells(sample.right, one.codes[sample.indices])
    metric = _metric(one.covers)
    table = _table(sample, own, one.covers)
    values, ends = metric.score(table.sum(axis=0)), intervals(metric, table)
    findings = tuple(_finding(sample, own, one, name, values, ends) for name in one.covers)
    averages = tuple(_average(sample, own, name, group) for name, group in groups(sample, one.covers).items())
    return SourcePart(sample.source, len(own), sample.patients, findings, averages)


def _finding(
    sample: Sample, own: Array, one: Candidate, name: str, values: Mapping[str, Array], ends: Mapping[str, Interval]
) -> FindingResult:
    tp, fp, fn, tn = (int(count) for count in own[:, RAN_21.index(name)].sum(axis=0))
    ratios = {kind: Ratio(float(values[f"{kind}:{name}"]), *ends[f"{kind}:{name}"]) for kind in KINDS}
    if sample.plain and tp + fp + fn + tn:
        # Independent reports of equal weight: the exact interval, as the paper prints it.
        ratios["accuracy"] = Ratio(ratios["accuracy"].value, *clopper_pearson(tp + tn, tp + fp + fn + tn))
    left_out = int((sample.right[:, RAN_21.index(name)] == NONE).sum())
    return FindingResult(finding=name, tp=tp, fp=fp, fn=fn, tn=tn, left_out=left_out, statuses=one.by_finding.get(name, {}), **ratios)


def _average(sample: Sample, own: Array, name: str, group: Sequence[str]) -> Average:
    metric, table = _metric(group), _table(sample, own, group)
    values, ends = metric.score(table.sum(axis=0)), intervals(metric, table)

    def of(which: str) -> dict[str, Ratio]:
        return {kind: Ratio(float(values[f"{which}-{kind}"]), *ends[f"{which}-{kind}"]) for kind in KINDS}

    return Average(name, tuple(group), of("macro"), {kind: _pooled(metric, table, kind, own) for kind, own in of("micro").items()})


def _pooled(metric: FindingsF1, table: Array, kind: str, ratio: Ratio) -> Ratio:
    """A micro ratio; where all trials hit, or none, with the exact interval, because leaving out patients then shows no variance."""
    if 0 < ratio.value < 1:
        return ratio
    named = metric.proportions()
    members = [named[f"{kind}:{name}"] for name in metric.findings]
    place = {name: index for index, name in enumerate(metric.columns)}
    hits = table[:, [place[name] for item in members for name in item.hits]].sum(axis=1)
    trials = table[:, [place[name] for item in members for name in item.trials]].sum(axis=1)
    low, high = korn_graubard(hits, trials)
    return Ratio(ratio.value, min(members[0].rising(low), ratio.value), max(members[0].rising(high), ratio.value))


def _compared(candidates: Sequence[Candidate]) -> list[tuple[Candidate, Candidate]]:
    """The pairs that are tested: of extractors that share more than one finding, the floor left out."""
    chosen = [one for one in candidates if one.title != FLOOR and len(one.covers) > 1]
    return list(combinations(chosen, 2))


def _pair(sample: Sample, one: Candidate, other: Candidate) -> ExtractorPair:
    shared = [name for name in one.covers if name in other.covers]
    left, right = (cells(sample.right, item.codes[sample.indices]) for item in (one, other))
    return ExtractorPair(
        one.title,
        other.title,
        sample.source,
        discordances(left, right, shared),
        _gaps(sample, left, right, [name for name in groups(sample, shared).get("10", ()) if name in shared]),
        {name: _macro(sample, left, right, group) for name, group in groups(sample, shared).items()},
    )


def discordances(left: Array, right: Array, shared: Sequence[str]) -> dict[str, Discordance]:
    """McNemar's exact test of each finding, with Holm's correction over the findings.

    Args:
        left: Cells of the first extractor, as `cells` gives them.
        right: Cells of the second extractor.
        shared: The findings.
    """
    counts = {}
    for name in shared:
        column = RAN_21.index(name)
        good, better = (own[:, column, [COUNTS.index("tp"), COUNTS.index("tn")]].sum(axis=1) > 0 for own in (left, right))
        decided = left[:, column].sum(axis=1) > 0
        counts[name] = (int((good & ~better & decided).sum()), int((better & ~good & decided).sum()))
    p = {name: mcnemar(*count) for name, count in counts.items()}
    corrected = paired.holm(p)
    return {name: Discordance(*counts[name], p[name], corrected[name], mcnemar(0, sum(counts[name]))) for name in shared}


def _pseudo(sample: Sample, own: Array, group: Sequence[str]) -> Pseudo:
    return pseudo(_metric(group), _table(sample, own, group))


def _gaps(sample: Sample, left: Array, right: Array, group: Sequence[str]) -> dict[str, Gap]:
    """The paired test of the F1 of each finding, with Holm's correction over the findings."""
    if not group:
        return {}
    compared = paired.compare(_pseudo(sample, left, group), _pseudo(sample, right, group))
    found = {name: compared[f"f1:{name}"] for name in group}
    corrected = paired.holm({name: float(item.p) for name, item in found.items()})
    return {name: _gap(item, corrected[name]) for name, item in found.items()}


def _macro(sample: Sample, left: Array, right: Array, group: Sequence[str]) -> Gap:
    item = paired.compare(_pseudo(sample, left, group), _pseudo(sample, right, group))["macro-f1"]
    return _gap(item, float(item.p))


def _gap(item: paired.Differences, holm: float) -> Gap:
    value, low, high = (float(np.clip(end, -1.0, 1.0)) for end in (item.value, item.low, item.high))
    return Gap(value, low, high, float(item.p), holm)
