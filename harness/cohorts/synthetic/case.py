"""One invented study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.types import Study


@dataclass(frozen=True, slots=True)
class Case:
    """One invented study: what is true of it, before anybody words or draws it."""

    study: Study
    present: frozenset[str]
    """Its findings, without No Finding."""
    prior: frozenset[str] | None
    """The findings of the patient's previous study; None where there is none."""
    sides: Mapping[str, str]
    """By finding `right` or `left`: the report says what the film shows."""
