"""Places and pairwise results of one board: made where the rows are, readable where they are not.

A snapshot holds no row, no text and no study id, so that a public board of a hidden cohort can show ranks. `harness.records.ranks` makes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from math import inf, isfinite
from pathlib import Path
from typing import Any

from harness.errors import StoreError
from harness.records import stamps
from harness.records.as_readers import AsReaders
from harness.records.lengths import Lengths
from harness.signature import digest as digest_of
from harness.statistics.paired import FEW, holm
from harness.storage import files
from harness.storage.shaped import ShapeError, build
from harness.storage.stored import TOO_NEW, Source, each, read_object, reading, schema_of, seal
from harness.types import Json

SCHEMA = 1
OPTIONAL = ("as_readers", "lengths")
"""Fields that are written only where there is something in them."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One system less another, under one part of one metric."""

    difference: float
    low: float
    """The lower end of the interval at the snapshot's alpha; minus infinity where it is not known."""
    high: float
    p: float
    """Two-sided, by the deciding test."""
    adjusted: float | None = None
    """Holm's p over the findings that are tested together; None for a score that stands alone."""

    def reversed(self) -> Pair:
        """The second system less the first."""
        return Pair(-self.difference, -self.high, -self.low, self.p, self.adjusted)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ranked system is under one part."""

    rank: int
    """1 + the number of ranked systems that are significantly better."""
    low: int
    """Best place it may have: the rank itself."""
    high: int
    """Worst place it may have: the number of ranked systems less those that are significantly worse."""
    best: bool
    """Not significantly worse than the ranked system of the best score."""


@dataclass(frozen=True, slots=True)
class Tests:
    """Every pair of systems under one part: the upper triangle of a matrix, row by row in the order of the metric's systems."""

    difference: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    p: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MetricSnapshot:
    """One metric's places and pairs."""

    name: str
    signature: str
    headline: str
    higher_is_better: bool
    systems: tuple[str, ...]
    """Ids of the records whose rows took part, sorted."""
    ranked: tuple[str, ...]
    """Ids of those records that are ranked."""
    places: Mapping[str, Mapping[str, Place]]
    """By part, by record id."""
    tests: Mapping[str, Tests]
    """By part; the findings' parts are `f1:<finding>`, and only those with enough positives."""
    detectable: Mapping[str, float]
    """By part the least detectable difference between those ranked systems that differ in ten patients or more; absent where none do."""

    def __repr__(self) -> str:
        return f"<MetricSnapshot {self.signature}: {len(self.systems)} systems, {len(self.ranked)} ranked>"

    def gap(self, part: str, label: str) -> str:
        """One sentence on how far apart two systems must be to be distinguished; empty where fewer than two are ranked.

        Args:
            part: The part of the score to compare.
            label: What the reader calls the score.
        """
        least = self.detectable.get(part)
        if len(self.ranked) < 2:
            return ""
        if not least:
            return (
                f"The ranked systems differ in fewer than {FEW} patients: how far apart two systems must be cannot be estimated from them."
            )
        number = f"{least:z.3f}" if least >= 0.0005 else f"{least:.1g}"
        return f"Two systems like the ranked ones must be about {number} {label} apart to be distinguished."

    def pair(self, part: str, first: str, second: str) -> Pair | None:
        """The first record less the second, or None where the snapshot does not hold the pair."""
        if part not in self.tests or first == second or not {first, second} <= set(self.systems):
            return None
        one, other = self.systems.index(first), self.systems.index(second)
        low, high = min(one, other), max(one, other)
        at = low * (2 * len(self.systems) - low - 1) // 2 + high - low - 1
        tests = self.tests[part]
        pair = Pair(tests.difference[at], tests.low[at], tests.high[at], tests.p[at])
        return pair if one < other else pair.reversed()

    def findings(self, first: str, second: str) -> dict[str, Pair]:
        """The first record less the second for each tested finding, with Holm's p over all of them."""
        pairs = {part: pair for part in self.tests if part.startswith("f1:") and (pair := self.pair(part, first, second))}
        adjusted = holm({part: pair.p for part, pair in pairs.items()})
        return {
            part.removeprefix("f1:"): Pair(pair.difference, pair.low, pair.high, pair.p, adjusted[part]) for part, pair in pairs.items()
        }


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Snapshot:
    """Everything statistical that a board shows."""

    cohort: str
    """The cohort's digest."""
    board: str
    """Signature of the metric that ranks."""
    metrics: tuple[MetricSnapshot, ...]
    alpha: float = 0.05
    method: str = ""
    """How intervals and tests are made."""
    draws: int = 0
    """0: the published method is not random."""
    seed: int = 0
    without_rows: tuple[str, ...] = ()
    """Ids of valid records that could not take part, because their rows are not here."""
    created: str = ""
    """UTC, ISO 8601; not part of the digest."""
    program: str = field(default="", compare=False)
    schema: int = SCHEMA
    as_readers: AsReaders | None = None
    """What is known of the extractor's error; it changes no place and no pair."""
    lengths: Lengths | None = None
    """How long the reports are, and the scores at the references' length; None where nobody asked."""

    def __repr__(self) -> str:
        return f"<Snapshot {self.digest[:12]} ({self.signature}): {len(self.metrics)} metrics>"

    @property
    def signature(self) -> str:
        """What must be equal for two snapshots to be comparable."""
        own = f"cohort:{self.cohort[:12]}|{self.method}|alpha:{self.alpha:g}|draws:{self.draws}|seed:{self.seed}"
        return f"{own}|{self.as_readers.key}" if self.as_readers and self.as_readers.key else own

    @property
    def key(self) -> str:
        """Which board it belongs to, as file names call it."""
        return digest_of([self.cohort, self.board])[:16]

    @property
    def digest(self) -> str:
        """What a citation names: changes with any place, pair or signature, not with the clock."""
        data = to_json(self)
        return digest_of({name: value for name, value in data.items() if name not in {"created", "program", "digest"}})

    def metric(self, signature: str) -> MetricSnapshot | None:
        """The metric of this signature."""
        return next((item for item in self.metrics if item.signature == signature), None)


def to_json(snapshot: Snapshot) -> Json:
    """A snapshot as JSON; an end of an interval that is not known is null, numbers have six digits."""
    data = asdict(snapshot)
    for metric in data["metrics"]:
        for tests in metric["tests"].values():
            for name, values in tests.items():
                tests[name] = [_short(value) for value in values]
        metric["detectable"] = {part: _short(value) for part, value in metric["detectable"].items()}
    # Snapshots without them keep the digest that they had before there were such fields.
    data |= {name: _shortened(data[name]) for name in OPTIONAL}
    return {name: value for name, value in data.items() if name not in OPTIONAL or value}


def _shortened(data: Any) -> Any:
    """JSON with numbers of six digits."""
    if isinstance(data, dict):
        return {name: _shortened(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [_shortened(value) for value in data]
    return _short(data) if isinstance(data, float) else data


def _short(value: float) -> float | None:
    return float(f"{value:.6g}") if isfinite(value) else None


def from_json(data: Json, file: str = "") -> Snapshot:
    """A snapshot from JSON.

    Raises:
        StoreError: It is not a snapshot, newer than this program, or was changed since it was written.
    """
    source = _source(file)
    schema_of(data, source, SCHEMA)
    with reading(source):
        content = {name: value for name, value in data.items() if name not in {"created", "program", "digest"}}
        if data.get("digest") != digest_of(content):
            raise ShapeError("it was changed since it was written")
        metrics = tuple(_metric(item) for item in data["metrics"])
        plain = {name: value for name, value in data.items() if name not in {"metrics", "digest"}}
        return replace(build(Snapshot, {**plain, "metrics": []}), metrics=metrics)


def _source(file: str) -> Source:
    return Source(file, "the snapshot", "Make it again with `ranscore snapshot`")


def _metric(data: Json) -> MetricSnapshot:
    tests = {part: _tests(build(_Columns, found)) for part, found in data["tests"].items()}
    made = replace(build(MetricSnapshot, {**data, "tests": {}}), tests=tests)
    size = len(made.systems) * (len(made.systems) - 1) // 2
    if any(len(column) != size for found in tests.values() for column in (found.difference, found.low, found.high, found.p)):
        raise ShapeError("a matrix of pairs has the wrong size")
    return made


@dataclass(frozen=True, slots=True)
class _Columns:
    """As `Tests`, an end that is not known is None."""

    difference: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    p: tuple[float, ...]


def _tests(found: _Columns) -> Tests:
    low = tuple(-inf if value is None else value for value in found.low)
    return Tests(found.difference, low, tuple(inf if value is None else value for value in found.high), found.p)


def dumps(snapshot: Snapshot) -> str:
    """A snapshot as the text of its file, its digest at the top level."""
    return json.dumps(seal({"digest": snapshot.digest, **to_json(snapshot)}), ensure_ascii=False, separators=(",", ":")) + "\n"


def load(path: Path) -> Snapshot:
    """Read a snapshot's file.

    Raises:
        StoreError: It cannot be read, is newer than this program, or was changed since it was written.
    """
    found = from_json(read_object(path, _source(str(path))), str(path))
    if not path.name.startswith(f"{found.key}-"):
        raise _source(str(path)).wrong("it is of another board than its name says")
    return found


def save(root: Path, snapshot: Snapshot) -> Path:
    """Keep a snapshot in a store's folder as the newest of its board; one that says the same as the newest is not kept twice.

    Raises:
        StoreError: The newest one is by a newer program.
    """
    there = listed(root, snapshot.key)
    if there and _says(there[0], snapshot.digest):
        return there[0]
    made = datetime.fromisoformat(snapshot.created) if snapshot.created else datetime.now(UTC)
    stamp = stamps.next_stamp((path.name for path in there), made)
    path = root / "snapshots" / f"{snapshot.key}-{stamp}-{snapshot.digest[:12]}.json"
    files.write(path, dumps(snapshot))
    return path


def _says(path: Path, digest: str) -> bool:
    """Whether a file holds this snapshot; a damaged one holds none, and making it again fixes the board."""
    try:
        return load(path).digest == digest
    except StoreError as error:
        if any(problem.code == TOO_NEW for problem in error.problems):
            raise
        return False


def newest(root: Path, cohort: str, board: str) -> Snapshot | None:
    """The newest snapshot of a board that can be read; the damaged ones are reported.

    Args:
        root: The store's folder.
        cohort: The cohort's digest.
        board: Signature of the metric that ranks.
    """
    return next(each(listed(root, digest_of([cohort, board])[:16]), load), None)


def listed(root: Path, key: str = "*") -> list[Path]:
    """The files of a board's snapshots, the newest first; of all boards by default."""
    return sorted((root / "snapshots").glob(f"{key}-*.json"), key=lambda path: (stamps.key(path.name), path.name), reverse=True)
