"""The result of a validation: what `validation.json` holds. Counts, ratios and tests; no report and no name of a study."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from harness.config.home import home
from harness.errors import InputError, Problem
from harness.signature import digest as digest_of
from harness.storage import files, stored
from harness.storage.stored import Source
from harness.types import Access, Json

FORMAT = "ranscore-validation"
SCHEMA = 1
KINDS = ("accuracy", "precision", "recall", "f1")
FEW = 10
"""With fewer positives nothing is claimed of a finding by itself."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:z.3f} [{self.low:z.3f}, {self.high:z.3f}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingResult:
    """One finding of one extractor; the counts are of the items that were read, the ratios are weighted where the draw was."""

    finding: str
    tp: int
    fp: int
    fn: int
    tn: int
    left_out: int
    """Items that the readers did not decide."""
    statuses: Mapping[str, int]
    """How many decisions are unparseable, refused, failed, uncertain or open."""
    accuracy: Ratio
    precision: Ratio
    recall: Ratio
    f1: Ratio

    @property
    def positives(self) -> int:
        """Items in which the readers see the finding."""
        return self.tp + self.fn

    @property
    def decided(self) -> int:
        """Items that the readers decided."""
        return self.tp + self.fp + self.fn + self.tn

    def ratio(self, kind: str) -> Ratio:
        """One of `KINDS`."""
        found: Ratio = getattr(self, kind)
        return found


@dataclass(frozen=True, slots=True)
class Average:
    """Averages over some findings."""

    name: str
    """`21`, `14`, or `10` for those with at least 10 positives."""
    findings: tuple[str, ...]
    macro: Mapping[str, Ratio]
    """By kind of ratio the mean over the findings."""
    micro: Mapping[str, Ratio]
    """By kind of ratio that of all decisions together."""


@dataclass(frozen=True, slots=True)
class SourcePart:
    """An extractor on the reports of one source."""

    source: str
    """`original` or `generated`."""
    items: int
    patients: int
    findings: tuple[FindingResult, ...]
    averages: tuple[Average, ...]

    def average(self, name: str) -> Average | None:
        """The averages of this name."""
        return next((item for item in self.averages if item.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractorResult:
    """One extractor."""

    title: str
    name: str
    digest: str
    """Empty for a label file and for the floor."""
    official: bool
    by: str
    statuses: Mapping[str, int]
    parts: tuple[SourcePart, ...]

    def part(self, source: str) -> SourcePart | None:
        """What it does on the reports of a source."""
        return next((item for item in self.parts if item.source == source), None)


@dataclass(frozen=True, slots=True)
class Discordance:
    """McNemar's exact test of two extractors on one finding."""

    only_first: int
    """Items that the first alone decides rightly."""
    only_second: int
    p: float
    holm: float
    """The same, corrected for the number of findings."""
    smallest: float
    """The smallest p that so many discordant items can give: above 0.05 nothing could have been shown."""


@dataclass(frozen=True, slots=True)
class Gap:
    """First extractor less second, with the paired test."""

    value: float
    low: float
    high: float
    p: float
    holm: float
    """Corrected for the number of findings; of an average the same as `p`."""


@dataclass(frozen=True, slots=True)
class ExtractorPair:
    """Two extractors on the same items."""

    first: str
    second: str
    source: str
    accuracy: Mapping[str, Discordance]
    """By finding."""
    f1: Mapping[str, Gap]
    """By finding with at least 10 positives."""
    macro: Mapping[str, Gap]
    """By average the difference of the macro F1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardCard:
    """The standard that was compared with."""

    name: str
    digest: str
    study: str
    """Digest of the study; empty where the standard is a label file."""
    cohort: str
    """Digest of the cohort; empty where it is unknown."""
    cohort_name: str
    access: Access
    items: int
    weighted: bool
    part: str = ""
    """`tune` or `held`, where it was split; empty for all of it."""
    threshold: str = ""
    """What the study asks of an extractor, in its own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """Several extractors on one standard."""

    standard: StandardCard
    extractors: tuple[ExtractorResult, ...]
    pairs: tuple[ExtractorPair, ...]
    decisions: str
    """Digest of the decisions by item, which are in a file beside."""
    created: str = field(default="", compare=False)
    """UTC, ISO 8601; not part of the digest."""

    @property
    def digest(self) -> str:
        """SHA-256 over everything but the time."""
        return digest_of({**asdict(self), "created": "", "format": FORMAT, "schema": SCHEMA})


def to_json(validation: Validation) -> Json:
    """A validation as JSON."""
    return {"format": FORMAT, "schema": SCHEMA, "digest": validation.digest, **asdict(validation)}


def from_json(data: Json, file: str = "") -> Validation:
    """A validation from JSON.

    Raises:
        StoreError: A newer program wrote it.
        InputError: It is no validation, or it was changed.
    """
    source = Source(file, "the validation", "Run `ranscore extractor validate` again", InputError)
    stored.schema_of(data, source, SCHEMA)
    given = {name: value for name, value in data.items() if name not in ("format", "schema", "digest")}
    validation = stored.shaped(Validation, given, source)
    if data.get("format") != FORMAT or data.get("digest") != validation.digest:
        raise InputError(Problem("it is no validation, or it was changed", source.remedy, file))
    return validation


def root() -> Path:
    """The folder of all validations."""
    return home() / "validations"


def save(validation: Validation, decisions: Json, folder: Path | None = None) -> Path:
    """Write a validation and the decisions beside it; equal results are one file, and nothing is ever replaced.

    Returns:
        The file.
    """
    private = validation.standard.access is Access.CREDENTIALED
    target = (folder or root()) / f"{validation.standard.name}-{validation.digest[:12]}"
    files.create(target / "decisions.json", json.dumps(decisions, ensure_ascii=False) + "\n", private=private)
    text = json.dumps(to_json(validation), ensure_ascii=False, indent=1) + "\n"
    files.create(target / "validation.json", text, private=private)
    return target / "validation.json"


def load(path: Path) -> Validation:
    """A validation from its file, or the folder of it.

    Raises:
        InputError: It is missing, is no validation, or was changed.
    """
    file = path / "validation.json" if path.is_dir() else path
    source = Source(str(file), "the validation", "Run `ranscore extractor validate` again", InputError)
    return from_json(stored.unsealed(stored.parse(stored.content(file, source), source), source), str(file))
