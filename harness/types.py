"""The words of the project, on one screen: everything that passes from one room to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.quiet import Quiet

Array = NDArray[np.float64]
Span = tuple[int, int]
"""Start and end of some words in a text, in characters."""


class Status(StrEnum):
    """How one decision (one finding of one report) came about."""

    OK = "ok"
    UNPARSEABLE = "unparseable"
    REFUSED = "refused"
    FAILED = "failed"


class ReportStatus(StrEnum):
    """What a report is as a whole."""

    OK = "ok"
    MISSING = "missing"
    """No row in the file."""
    EMPTY = "empty"
    """No text, or no statement about a chest in it."""
    UNSUPPORTED = "unsupported"
    """A language that the extractor does not read."""


class Access(StrEnum):
    """Whether text may leave the machine."""

    OPEN = "open"
    CREDENTIALED = "credentialed"


class Section(StrEnum):
    """Which reference section a cohort scores."""

    FINDINGS = "findings"
    IMPRESSION = "impression"
    BOTH = "both"


class Grade(StrEnum):
    """How good the evidence behind a record is, weakest first."""

    REPORTED = "reported"
    SELF_SCORED = "self-scored"
    LOCAL = "scored on this machine"
    """By the owner of the store that holds it; ranked there, unless the store is that of a public board."""
    SCORED_HERE = "scored here"
    REGENERATED = "re-generated"


class Role(StrEnum):
    """What a row of the board is: only systems are ranked."""

    SYSTEM = "system"
    FLOOR = "floor"
    CEILING = "ceiling"


@dataclass(frozen=True, slots=True)
class Labels:
    """The decisions of one report, in the order of one vocabulary."""

    values: tuple[int | None, ...]
    """1 present, 0 absent, -1 uncertain (label files and CheXbert only), None no answer or blank."""
    statuses: tuple[Status, ...] = field(repr=False)
    """One per value. A blank cell of a label file is (None, OK); garbage in it is (None, FAILED)."""
    report: ReportStatus = ReportStatus.OK
    evidence: tuple[tuple[Span, ...], ...] = field(default=(), repr=False)
    """For each finding the words that decided it; empty where the extractor cannot say."""
    flags: tuple[str, ...] = ()
    """What the extractor noticed about the text as a whole (instruction-like text, role markers, an unsure *No Finding*)."""
    rules: tuple[str, ...] = field(default=(), repr=False)
    """For each finding the rule that decided it, in words; empty where the extractor cannot say."""


class Extractor(Protocol):
    """Turns report text into decisions."""

    @property
    def name(self) -> str:
        """What commands and signatures call it."""
        ...

    @property
    def vocabulary(self) -> str:
        """`ran-21` or `chexpert-14` (see `harness.findings.VOCABULARIES`)."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 over model, pack, decoding and parser: whatever can change a decision."""
        ...

    def extract(self, texts: Sequence[str]) -> Sequence[Labels]:
        """Label texts, in order. A failure is a status, never an exception for one text."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class Input(Quiet):
    """One side of one study as a metric sees it."""

    study: str
    text: str = field(repr=False)
    """Empty where the report is missing or empty; the row is still scored."""
    status: ReportStatus = ReportStatus.OK
    labels: Mapping[str, Labels] = field(default_factory=dict)
    """By vocabulary."""


class Metric(Protocol):
    """A score made from one row of sufficient statistics per study; intervals, paired tests and ranks follow from the rows."""

    @property
    def name(self) -> str:
        """What commands and signatures call it."""
        ...

    @property
    def version(self) -> int:
        """Raised whenever a score can change."""
        ...

    @property
    def recipe(self) -> str:
        """What distinguishes this variant among those of the same name; goes into the signature."""
        ...

    @property
    def reads(self) -> frozenset[str]:
        """Subset of `text`, `ran-21` and `chexpert-14`."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the row's columns."""
        ...

    @property
    def headline(self) -> str:
        """The key of `score` that is on the board."""
        ...

    @property
    def higher_is_better(self) -> bool:
        """False for a distance."""
        ...

    @property
    def limits(self) -> tuple[float, float]:
        """The ends of the scale, infinite where there are none: no interval goes beyond them."""
        ...

    @property
    def fit_digest(self) -> str:
        """Digest of what `fit` froze; empty where nothing is frozen."""
        ...

    def fit(self, references: Sequence[Input]) -> Metric:
        """Freeze what depends on the cohort (CIDEr's idf); stays fixed under resampling."""
        ...

    def rows(self, references: Sequence[Input], candidates: Sequence[Input]) -> Array:
        """One row a study, shape (studies, columns); both sides hold the same studies in the same order."""
        ...

    def score(self, total: Array) -> Mapping[str, Array]:
        """Headline and parts from summed rows.

        Args:
            total: Shape (..., columns): any number of resampled totals at once.

        Returns:
            By part name an array of shape (...). An undefined ratio is 0.
        """
        ...


@dataclass(frozen=True, slots=True)
class Rows:
    """The sufficient statistics of one system under one metric."""

    metric: str
    """The metric's name."""
    columns: tuple[str, ...] = field(repr=False)
    studies: tuple[str, ...] = field(repr=False)
    """Sorted by id; the same for all systems of a cohort."""
    values: Array = field(repr=False)
    """Shape (studies, columns)."""


@dataclass(frozen=True, slots=True)
class Image:
    """One film of a study."""

    id: str
    path: str
    """Relative to the cohort's image root, with forward slashes."""
    view: str = ""
    """`PA`, `AP`, `LATERAL`, another view's name, or empty where nobody knows."""


@dataclass(frozen=True, slots=True)
class Study:
    """One examination: the scored unit."""

    id: str
    patient: str
    _: KW_ONLY
    images: tuple[Image, ...] = ()
    frontal: str = ""
    """Id of the frontal image that generators read; empty where there is none."""
    lateral: str = ""
    """Id of the linked lateral image; empty where there is none."""
    prior: str = ""
    """Id of this patient's previous study; empty where there is none."""
    part: str = "test"
    """`train`, `dev`, `test`, or `context` for an earlier study that is only linked to; only `test` studies are scored."""
    age: float | None = None
    """In years."""
    sex: str = ""
    """`F`, `M`, or empty."""
    strata: Mapping[str, str] = field(default_factory=dict)
    """By stratum name (`official split`, ...) the group this study is in."""


@dataclass(frozen=True, slots=True, repr=False)
class Text(Quiet):
    """The sections of one study's original report; empty where the report has none."""

    findings: str = field(default="", repr=False)
    impression: str = field(default="", repr=False)
    indication: str = field(default="", repr=False)
    history: str = field(default="", repr=False)
    technique: str = field(default="", repr=False)
    comparison: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Manifest(Quiet):
    """A cohort without its text: what may be shared."""

    name: str
    section: Section
    access: Access
    language: str
    """`en`, `zh`, or another ISO 639-1 code."""
    source: str
    """Where the studies come from and under which licence, one line."""
    studies: tuple[Study, ...] = field(repr=False)
    """Sorted by id; all parts."""
    digest: str
    """See `harness.cohorts.cohort_digest`: over the scored studies."""


@dataclass(frozen=True, slots=True, repr=False)
class Cohort(Quiet):
    """A manifest with its text, and the labels where labels are known."""

    manifest: Manifest
    texts: Mapping[str, Text] = field(repr=False)
    """By study id, for every study of every part."""
    labels: Mapping[str, Labels] = field(default_factory=dict, repr=False)
    """Known `ran-21` labels by study id (of the scored section); empty where nobody labelled the cohort."""
    images: Path | None = None
    """The folder that image paths are relative to."""

    @property
    def scored(self) -> tuple[Study, ...]:
        """The studies of the test part, sorted by id."""
        return tuple(study for study in self.manifest.studies if study.part == "test")

    def reference(self, study: str) -> str:
        """The text that a candidate of this study is scored against."""
        text, section = self.texts[study], self.manifest.section
        if section is Section.FINDINGS:
            return text.findings
        if section is Section.IMPRESSION:
            return text.impression
        return "\n".join(part for part in (text.findings, text.impression) if part)


@dataclass(frozen=True, slots=True, repr=False)
class ReportSet(Quiet):
    """A validated reports file, joined to the ids of a cohort."""

    reports: Mapping[str, str] = field(repr=False)
    """By study id; studies without a row are absent here and counted as missing by whoever scores."""
    warnings: tuple[str, ...] = ()
    cleaned: int = 0  # how many reports had stray markup or control characters taken out


@dataclass(frozen=True, slots=True)
class SystemCard:
    """Who made the reports, as the submitter says."""

    name: str
    _: KW_ONLY
    version: str = ""
    organisation: str = ""
    link: str = ""
    open_weights: str = "unknown"
    """`yes`, `no` or `unknown`."""
    trained_on_cohort: str = "unknown"
    """`yes`, `no` or `unknown`: whether studies of this cohort were among its training data."""
    sections: Section | None = None
    """What it writes; None where nobody said."""
    role: Role = Role.SYSTEM
    anonymous_until: str = ""
    """ISO date until which name, organisation and link are hidden; empty for never."""


@dataclass(frozen=True, slots=True, repr=False)
class StudyInput(Quiet):
    """What a generator may look at for one study."""

    id: str
    _: KW_ONLY
    frontal: Path | None = None
    lateral: Path | None = None
    view: str = ""
    prior_frontal: Path | None = None
    prior_report: str = field(default="", repr=False)
    indication: str = field(default="", repr=False)
    history: str = field(default="", repr=False)
    comparison: str = field(default="", repr=False)
    reference: str = field(default="", repr=False)
    """Only filled for floors and ceilings, which ask for it by name in `needs`."""
    technique: str = field(default="", repr=False)
    prior_lateral: Path | None = None
    prior_view: str = ""
    prior_findings: str = field(default="", repr=False)
    """The sections of `prior_report`, apart."""
    prior_impression: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, repr=False)
class Generated(Quiet):
    """What a generator wrote for one study: a report or a recorded failure."""

    study: str
    report: str = field(default="", repr=False)
    failure: str = ""
    """Empty where a report was written; never holds report text."""
    substituted: tuple[str, ...] = ()
    """What replaced a missing input, such as `lateral: frontal film repeated`."""


class Generator(Protocol):
    """Writes reports from films."""

    @property
    def name(self) -> str:
        """What commands and signatures call it."""
        ...

    @property
    def needs(self) -> frozenset[str]:
        """Subset of the field names of `StudyInput`, except `id`."""
        ...

    @property
    def writes(self) -> Section:
        """The section it writes."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 over weights, code version, decoding and precision."""
        ...

    @property
    def exact_batches(self) -> bool:
        """Whether a batch gives the same text as one study at a time."""
        ...

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        """Write one report a study, in order."""
        ...


Json = dict[str, Any]
"""A JSON object, at the edge only."""
