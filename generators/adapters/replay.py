"""Reports that exist already: any reports file as a system, so that it goes the same way as one that is run here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from generators.catalogue import Options, System
from generators.weights import Weights
from harness.errors import UsageError
from harness.formats import reports
from harness.signature import digest
from harness.types import Generated, Section, StudyInput


@dataclass(frozen=True, slots=True)
class Replay:
    """A table of reports."""

    reports: Mapping[str, str] = field(repr=False)
    writes: Section
    digest: str
    name: str = "replay"
    needs: frozenset[str] = frozenset()
    exact_batches: bool = True

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        """Look the reports up; a study without one is a failure."""
        return [
            Generated(study.id, self.reports[study.id])
            if study.id in self.reports
            else Generated(study.id, failure="the file has no row for the study")
            for study in studies
        ]


def make(options: Options) -> Replay:
    """Read the file.

    Raises:
        InputError: Everything that is wrong with the file.
        UsageError: `writes` names no section.
    """
    named = options.settings.get("writes", "both")
    if named not in set(Section):
        raise UsageError(f"writes is {', '.join(Section)}, not {named!r}")
    table = reports.read(options.weights["reports"]).reports
    return Replay(table, Section(named), digest(["replay", 1, named, sorted(table.items())]))


SYSTEM = System(
    name="replay",
    make="generators.adapters.replay:make",
    summary="a reports file that exists already",
    writes=Section.BOTH,
    needs=frozenset(),
    weights=(Weights("reports", "a reports file (CSV, JSONL, JSON, Parquet)", "any size", "yours", "wherever it was made"),),
    settings={"writes": "findings, impression or both (default)"},
)
