"""Places and pairwise results of one board: made where the rows are, readable where they are not.

A snapshot holds no row, no text and no study id, so that a public board of a hidden cohort can show ranks. `harness.records.ranks` makes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from pathlib import Path

from harness import files
from harness.errors import Problem, StoreError
from harness.signature import digest as digest_of
from harness.statistics.paired import FEW, holm
from harness.types import Json

SCHEMA = 1
UPDATE = "Update ranscore"
"""What to do about a file by a newer program."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One system less another, under one part of one metric."""

    difference: float
    low: float
    """Of the interval at the snapshot's alpha; minus infinity where it is not known."""
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
    """Where a ranked system stands under one part."""

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


@dataclass(frozen=True, slots=True)
class MetricSnapshot:
    """One metric's places and pairs."""

    name: str
    signature: str
    headline: str
    higher_is_better: bool
    systems: tuple[str, ...]
    """Ids of the records whose rows took part, sorted."""
    ranked: tuple[str, ...]
    """Those of them that are ranked."""
    places: Mapping[str, Mapping[str, Place]]
    """By part, by record id."""
    tests: Mapping[str, Tests]
    """By part; the findings' parts are `f1:<finding>`, and only those with enough positives."""
    detectable: Mapping[str, float]
    """By part the least detectable difference between those ranked systems that differ in ten patients or more; absent where none do."""

    def gap(self, part: str, label: str) -> str:
        """One sentence on how far apart two systems must be to be told apart; empty where fewer than two are ranked.

        Args:
            part: Of the score.
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


@dataclass(frozen=True, slots=True)
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
    """Ids of standing records that could not take part, because their rows are not here."""
    created: str = ""
    """UTC, ISO 8601; not part of the digest."""
    program: str = field(default="", compare=False)
    schema: int = SCHEMA

    @property
    def signature(self) -> str:
        """What must be equal for two snapshots to be comparable."""
        return f"cohort:{self.cohort[:12]}|{self.method}|alpha:{self.alpha:g}|draws:{self.draws}|seed:{self.seed}"

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
    return data


def _short(value: float) -> float | None:
    return float(f"{value:.6g}") if isfinite(value) else None


def from_json(data: Json, file: str = "") -> Snapshot:
    """A snapshot from JSON.

    Raises:
        StoreError: It is not a snapshot, or newer than this program.
    """
    try:
        if data["schema"] > SCHEMA:
            raise StoreError(Problem(f"its schema is {data['schema']}, this program reads up to {SCHEMA}", UPDATE, file))
        metrics = tuple(_metric(item) for item in data["metrics"])
        known = {name: value for name, value in data.items() if name not in {"metrics", "without_rows", "digest"}}
        return Snapshot(metrics=metrics, without_rows=tuple(data["without_rows"]), **known)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"it is not a snapshot ({type(error).__name__})"
        raise StoreError(Problem(what, "Make it again with `ranscore snapshot`", file)) from None


def _metric(data: Json) -> MetricSnapshot:
    places = {part: {name: Place(**place) for name, place in found.items()} for part, found in data["places"].items()}
    tests = {part: _tests(found) for part, found in data["tests"].items()}
    size = len(data["systems"]) * (len(data["systems"]) - 1) // 2
    if any(len(column) != size for found in tests.values() for column in (found.difference, found.low, found.high, found.p)):
        raise ValueError("a matrix of pairs has the wrong size")
    named = {name: data[name] for name in ("name", "signature", "headline", "higher_is_better", "detectable")}
    return MetricSnapshot(places=places, tests=tests, systems=tuple(data["systems"]), ranked=tuple(data["ranked"]), **named)


def _tests(data: Json) -> Tests:
    unknown = {"low": float("-inf"), "high": float("inf")}
    return Tests(
        **{name: tuple(unknown[name] if value is None else value for value in data[name]) for name in ("difference", "low", "high", "p")}
    )


def dumps(snapshot: Snapshot) -> str:
    """A snapshot as the text of its file, its digest at the top level."""
    return json.dumps({"digest": snapshot.digest, **to_json(snapshot)}, ensure_ascii=False, separators=(",", ":")) + "\n"


def load(path: Path) -> Snapshot:
    """Read a snapshot's file.

    Raises:
        StoreError: It cannot be read.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(
            Problem(f"it cannot be read ({type(error).__name__})", "Make it again with `ranscore snapshot`", str(path))
        ) from None
    if not isinstance(data, dict):
        raise StoreError(Problem("it is not a snapshot", "Make it again with `ranscore snapshot`", str(path)))
    return from_json(data, str(path))


def save(root: Path, snapshot: Snapshot) -> Path:
    """Keep a snapshot in a store's folder; one that says the same as the newest is not kept twice.

    Args:
        root: The store's folder.
        snapshot: The time it was created sorts it among its board's; a later one must have a later time.
    """
    latest = _newest(root, snapshot.key)
    if latest and _says(latest, snapshot.digest):
        return latest
    stamp = snapshot.created.replace("-", "").replace(":", "")
    path = root / "snapshots" / f"{snapshot.key}-{stamp}-{snapshot.digest[:12]}.json"
    files.write(path, dumps(snapshot))
    return path


def _says(path: Path, digest: str) -> bool:
    """Whether a file holds this snapshot; a damaged one holds none, and making it again mends the board."""
    try:
        return load(path).digest == digest
    except StoreError as error:
        if any(problem.remedy == UPDATE for problem in error.problems):
            raise
        return False


def newest(root: Path, cohort: str, board: str) -> Snapshot | None:
    """The newest snapshot of a board in a store's folder.

    Args:
        cohort: The cohort's digest.
        board: Signature of the metric that ranks.
    """
    path = _newest(root, digest_of([cohort, board])[:16])
    return load(path) if path else None


def _newest(root: Path, key: str) -> Path | None:
    return max((root / "snapshots").glob(f"{key}-*.json"), key=lambda path: path.name, default=None)
