"""What a snapshot knows of the extractor's error: scores as readers would give them, and warnings. It changes no rank and no record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.statistics.prediction_powered import CorrectedScore


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingShare:
    """How well the extractor reads the reports of one system, over all findings."""

    reports: int
    sensitivity: float
    specificity: float
    p: Mapping[str, float] = field(default_factory=dict)
    """`sensitivity` and `specificity` against the other systems (of the originals: against all systems), with Holm's correction."""
    differs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedSystem:
    """One system."""

    id: str
    """The record's id."""
    pairs: int
    """How many pairs of its reports people read."""
    patients: int
    parts: Mapping[str, CorrectedScore]
    """By part of the score that ranks the score as readers would give it."""
    reading: ReadingShare | None = None
    """None where the score that ranks counts no decisions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedPair:
    """One system less another, as readers would score them."""

    first: str
    second: str
    difference: float
    low: float
    high: float
    p: float

    def reversed(self) -> CorrectedPair:
        """The second less the first."""
        return CorrectedPair(first=self.second, second=self.first, difference=-self.difference, low=-self.high, high=-self.low, p=self.p)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelledSystem:
    """The range of one system's score by a model of the error."""

    id: str
    low: float
    high: float
    findings: int
    """How many findings the mean is over: those with enough positives in the validation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelledOrder:
    """How often the first of two systems is ahead under the model."""

    first: str
    second: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AsReaders:
    """The whole of it, for one board."""

    pairs: str = ""
    """Digest of the read pairs; empty where none were given."""
    listed: bool = False
    """Whether somebody chose the studies that were read, in place of a random draw."""
    part: str = ""
    """The part that `compared` is about: the headline of the score that ranks."""
    systems: tuple[CorrectedSystem, ...] = ()
    compared: tuple[CorrectedPair, ...] = ()
    """Every pair of systems once."""
    originals: ReadingShare | None = None
    validation: str = ""
    """Digest of the validation behind the ranges; empty where none was given."""
    ranges: tuple[ModelledSystem, ...] = ()
    orders: tuple[ModelledOrder, ...] = ()

    @property
    def key(self) -> str:
        """What joins the snapshot's signature."""
        named = [("readers", self.pairs), ("validation", self.validation)]
        return "|".join(f"{name}:{digest[:12]}" for name, digest in named if digest)

    def system(self, name: str) -> CorrectedSystem | None:
        """A system by its record id."""
        return next((item for item in self.systems if item.id == name), None)

    def range(self, name: str) -> ModelledSystem | None:
        """The modelled range of a record."""
        return next((item for item in self.ranges if item.id == name), None)

    def pair(self, first: str, second: str) -> CorrectedPair | None:
        """The first less the second; None where they were not compared."""
        for item in self.compared:
            if (item.first, item.second) == (first, second):
                return item
            if (item.second, item.first) == (first, second):
                return item.reversed()
        return None

    @property
    def unsafe(self) -> tuple[str, ...]:
        """The records whose reports the extractor reads better or worse than those of the other systems."""
        return tuple(item.id for item in self.systems if item.reading and item.reading.differs)


def warning(name: str) -> str:
    """What is said where the extractor reads one system differently.

    Args:
        name: The system.
    """
    return f"The extractor reads {name} differently: the order is not safe."
