"""A cohort's Table 1, computed from the scored studies."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from harness.cohorts import load_manifest, manifests
from harness.config.home import home
from harness.errors import RanscoreError
from harness.findings import RAN_21
from harness.types import Cohort, Json, Manifest, Status, Study

_WITHOUT_BLANKS = frozenset({"zh", "ja", "th"})
"""Languages that put no blanks between words: their length is counted in characters."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How a quantity is distributed."""

    known: int
    """Studies for which it is known; the others are 0 where this is 0."""
    median: float = 0.0
    lower: float = 0.0
    """First quartile."""
    upper: float = 0.0
    """Third quartile."""


@dataclass(frozen=True, slots=True)
class Prevalence:
    """How often one finding is present."""

    finding: str
    present: int
    decided: int
    """Studies whose label is 1 or 0; uncertain and open ones are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOne:
    """What a paper would print about a cohort; holds counts, and no text."""

    name: str
    source: str
    section: str
    access: str
    language: str
    digest: str
    studies: int
    patients: int
    parts: Mapping[str, int]
    """Studies of each part that there is, scored or not."""
    age: Spread
    """In years."""
    sex: Mapping[str, int]
    """By `F`, `M` and `unknown`."""
    length: Spread
    """The length of the scored section."""
    unit: str
    """What the length counts: words, or characters in a language that puts no blanks between words."""
    linked: Mapping[str, int]
    """Scored studies for which a frontal film, a lateral film, an earlier study is listed."""
    films: bool
    """Whether the listed films are in a folder of this machine."""
    strata: Mapping[str, Mapping[str, int]]
    prevalence: tuple[Prevalence, ...]
    """Empty where nobody labelled the cohort."""

    def to_json(self) -> Json:
        """As JSON."""
        return asdict(self)


def describe(cohort: Cohort) -> TableOne:
    """Compute a cohort's Table 1."""
    manifest, scored = cohort.manifest, cohort.scored
    characters = manifest.language in _WITHOUT_BLANKS
    sex = Counter(study.sex or "unknown" for study in scored)
    return TableOne(
        name=manifest.name,
        source=manifest.source,
        section=manifest.section.value,
        access=manifest.access.value,
        language=manifest.language,
        digest=manifest.digest,
        studies=len(scored),
        patients=len({study.patient for study in scored}),
        parts=_parts(manifest),
        age=_spread([study.age for study in scored if study.age is not None]),
        sex={name: sex[name] for name in ("F", "M", "unknown") if sex[name]},
        length=_spread([length(cohort.reference(study.id), characters) for study in scored]),
        unit="characters" if characters else "words",
        linked={name: sum(bool(getattr(study, name)) for study in scored) for name in ("frontal", "lateral", "prior")},
        films=cohort.images is not None,
        strata=_strata(scored),
        prevalence=_prevalence(cohort),
    )


def without_blanks(language: str) -> bool:
    """Whether a language puts no blanks between words."""
    return language in _WITHOUT_BLANKS


def built() -> dict[str, Manifest | RanscoreError]:
    """The cohorts in RANSCORE_HOME by folder name; for a damaged one what is wrong with it."""
    found: dict[str, Manifest | RanscoreError] = {}
    for path in manifests(home() / "cohorts"):
        try:
            found[path.parent.name] = load_manifest(path)
        except RanscoreError as error:
            found[path.parent.name] = error
    return found


def _parts(manifest: Manifest) -> dict[str, int]:
    counts = Counter(study.part for study in manifest.studies)
    return {part: counts[part] for part in ("test", "dev", "train", "context") if counts[part]}


def _spread(values: Sequence[float]) -> Spread:
    if not values:
        return Spread(0)
    lower, median, upper = (float(value) for value in np.percentile(values, (25, 50, 75)))
    return Spread(len(values), median, lower, upper)


def length(text: str, characters: bool) -> int:
    """Words of a text, or its letters and digits."""
    if characters:
        return sum(unicodedata.category(letter)[0] in "LN" for letter in text)
    return len(text.split())


def _strata(scored: Sequence[Study]) -> dict[str, dict[str, int]]:
    names = sorted({name for study in scored for name in study.strata})
    return {name: dict(sorted(Counter(study.strata.get(name) or "unknown" for study in scored).items())) for name in names}


def _prevalence(cohort: Cohort) -> tuple[Prevalence, ...]:
    known = [cohort.labels[study.id] for study in cohort.scored if study.id in cohort.labels]
    if not known:
        return ()
    rows = []
    for index, finding in enumerate(RAN_21):
        values = [label.values[index] for label in known if label.statuses[index] is Status.OK]
        rows.append(Prevalence(finding, sum(value == 1 for value in values), sum(value in (0, 1) for value in values)))
    return tuple(rows)
