"""Studies through a generator, batch by batch: what fails alone is one study's failure, and what it wrote is made fit for a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from harness.errors import RefusedError, UnavailableError, UsageError
from harness.formats.report_text import CONTROL, faults
from harness.types import Generated, Generator, StudyInput

ABOUT_THE_RUN = (UnavailableError, RefusedError, UsageError)
"""Not about a study: these end the run; what is written stays, and the same command continues."""


@dataclass(slots=True)
class LocalGenerator:
    """A generator in this process, with the size of its batches."""

    generator: Generator
    size: int = 1
    """Studies at a time, 1 where batches are not exact. Where memory runs out it is halved for good: what did not fit once will not later."""

    def __post_init__(self) -> None:
        if not self.generator.exact_batches:
            self.size = 1

    @property
    def name(self) -> str:
        """What commands call the generator."""
        return self.generator.name

    @property
    def digest(self) -> str:
        """The digest of the generator."""
        return self.generator.digest

    @property
    def needs(self) -> frozenset[str]:
        """What the generator asks to see."""
        return self.generator.needs

    def write(self, studies: Iterable[StudyInput]) -> Iterator[Generated]:
        """One answer a study, in order.

        Raises:
            UnavailableError: A server or a file that the whole run needs is not there; so with the other errors about the run.
        """
        yield from map(fit, self._each(studies))

    def _each(self, studies: Iterable[StudyInput]) -> Iterator[Generated]:
        waiting = iter(studies)
        while batch := list(islice(waiting, self.size)):
            yield from self._batch(batch)

    def _batch(self, batch: Sequence[StudyInput]) -> list[Generated]:
        try:
            made = list(self.generator.generate(batch))
        except ABOUT_THE_RUN:
            raise
        except Exception as error:  # any fault of a model or a film is one study's failure, not the run's end
            if len(batch) == 1:
                return [Generated(batch[0].id, failure=fault(error))]
            if full := out_of_memory(error):
                self.size = len(batch) // 2
        else:
            if [item.study for item in made] != [study.id for study in batch]:
                raise AssertionError(f"{self.name} did not answer the studies it was given")
            return made
        # Out here the fault is forgotten, and with its frames the tensors that filled the memory.
        return list(self._each(batch)) if full else [item for study in batch for item in self._batch([study])]


def out_of_memory(error: Exception) -> bool:
    """Whether a smaller batch may help. Torch has a class for its devices' memory, and only words for that of the machine."""
    torch = sys.modules.get("torch")
    if isinstance(error, MemoryError) or (torch is not None and isinstance(error, torch.OutOfMemoryError)):
        return True
    said = str(error) if isinstance(error, RuntimeError) else ""
    return "out of memory" in said or "can't allocate memory" in said


def fit(made: Generated) -> Generated:
    """An answer that a reports file may hold.

    Control and invisible characters, which a model can spell in bytes, are taken off. A report that cannot be had so (markup, 20,000
    characters) is a failure of its study; else the whole file were refused.
    """
    report = CONTROL.sub("", made.report)
    if kinds := [kind for kind, _, _ in faults(report)]:
        return Generated(made.study, failure=f"what it wrote is no report: {', '.join(kinds)}", substituted=made.substituted)
    return replace(made, report=report)


def fault(error: Exception) -> str:
    """What may be kept of a fault: its kind, never its message, which can quote text."""
    return type(error).__name__
