"""A generator: the same sentence for every study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from generators.catalogue import Options, System
from harness.signature import digest
from harness.types import Generated, Section, StudyInput


@dataclass(frozen=True, slots=True)
class AlwaysClear:
    """Looks at nothing."""

    sentence: str
    name: str = "always-clear"
    needs: frozenset[str] = frozenset()
    writes: Section = Section.FINDINGS
    exact_batches: bool = True

    @property
    def digest(self) -> str:
        """Changes with the sentence."""
        return digest(["always-clear", 1, self.sentence])

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        """One report a study, in order."""
        return [Generated(study.id, self.sentence) for study in studies]


def make(options: Options) -> AlwaysClear:
    """The generator with the settings of the command line."""
    return AlwaysClear(options.settings.get("sentence", "The lungs are clear."))


SYSTEM = System(
    name="always-clear",
    make="ranscore_example.generator:make",
    summary="writes one sentence for every study",
    writes=Section.FINDINGS,
    needs=frozenset(),
    settings={"sentence": "what it writes (default: The lungs are clear.)"},
)
