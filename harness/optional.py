"""What a metric, an extractor or a generator may offer beyond its protocol in `harness.types`; whoever asks uses `isinstance`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Proportion:
    """A part of a metric that is a rising function of one proportion."""

    hits: tuple[str, ...]
    """Columns whose sum is the number of hits."""
    trials: tuple[str, ...]
    """Columns whose sum is the number of trials."""
    rising: Callable[[float], float]
    """From the share of hits to the part's value."""
    undefined: float = 0.0
    """The part's value where nothing was tried; NaN where it is then left out of averages."""


@runtime_checkable
class ByFinding(Protocol):
    """A metric whose parts are made from counts of decisions: its intervals know that rare findings hide uncertainty."""

    @property
    def findings(self) -> tuple[str, ...]:
        """The findings; each has the part `f1:<finding>`."""
        ...

    def proportions(self) -> Mapping[str, Proportion]:
        """By part: the parts that are a function of one proportion."""
        ...

    def averages(self) -> Mapping[str, tuple[str, ...]]:
        """By part its members: the parts that are the mean of parts in `proportions`."""
        ...


@runtime_checkable
class Official(Protocol):
    """An extractor that can be the paper's."""

    @property
    def official(self) -> bool:
        """Whether it is the one that the paper describes: its model and its prompts."""
        ...


@runtime_checkable
class AsksModel(Protocol):
    """An extractor whose labels are the answers of a language model."""

    @property
    def by(self) -> str:
        """Which pack is asked of which model, in words."""
        ...

    @property
    def unnamed(self) -> int:
        """Answers so far whose server did not say which model gave them."""
        ...


@runtime_checkable
class Chunked(Protocol):
    """An extractor that works best on a certain number of reports at a time."""

    @property
    def chunk(self) -> int:
        """How many reports one call should hold."""
        ...


@runtime_checkable
class Explains(Protocol):
    """An extractor that can keep evidence."""

    @property
    def explains(self) -> bool:
        """Whether its labels hold, for each decision, the rule and the words."""
        ...


def official(extractor: object) -> bool:
    """Whether an extractor is the paper's; one that does not say is not."""
    return isinstance(extractor, Official) and extractor.official


def asked(extractor: object) -> tuple[str, int]:
    """Which pack an extractor asks of which model, and how many answers named no model; nothing for one that asks none."""
    return (extractor.by, extractor.unnamed) if isinstance(extractor, AsksModel) else ("", 0)


@runtime_checkable
class Cautioned(Protocol):
    """A generator with something to say beside every report of it."""

    @property
    def caution(self) -> str:
        """One sentence on why its reports may mean nothing; empty where there is no reason."""
        ...


def caution(generator: object) -> str:
    """What must be said beside a generator's reports; mostly nothing."""
    return generator.caution if isinstance(generator, Cautioned) else ""
