"""Batches: one by one where they are not exact, halved for good where memory runs out, parted for once where one study is bad."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch

from generators.catalogue import Options
from generators.rgrg import system, tiny
from generators.running.batching import LocalGenerator, fit
from harness.cohorts.synthetic.cohort import build
from harness.errors import UnavailableError
from harness.types import Generated, Section, StudyInput

STUDIES = [StudyInput(f"s{number:02d}") for number in range(20)]


@dataclass
class Counting:
    """Writes the id; notes the size of every batch it was given."""

    error: Exception
    largest: int = 100
    """Batches beyond it raise."""
    bad: str = ""
    """A study with which a batch raises."""
    name: str = "counting"
    digest: str = ""
    needs: frozenset[str] = frozenset()
    writes: Section = Section.BOTH
    exact_batches: bool = True
    sizes: list[int] = field(default_factory=list)

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        self.sizes.append(len(studies))
        if len(studies) > self.largest or self.bad in {study.id for study in studies}:
            raise self.error
        return [Generated(study.id, study.id) for study in studies]


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:125] . DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("MPS backend out of memory"),
    ],
)
def test_out_of_memory_halves_the_batch_for_good(error: Exception) -> None:
    generator = Counting(error, largest=3)
    assert [made.report for made in LocalGenerator(generator, 8).write(STUDIES)] == [study.id for study in STUDIES]
    # 8 do not fit and 4 do not; no batch is larger than 2 from then on.
    assert generator.sizes == [8, 4] + [2] * 10


def test_what_torch_really_raises_is_taken_for_it() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50)
    generator = Counting(caught.value, largest=4)
    assert len(list(LocalGenerator(generator, 8).write(STUDIES[:16]))) == 16
    assert generator.sizes == [8, 4, 4, 4, 4]


def test_one_bad_study_parts_its_own_batch_alone() -> None:
    generator = Counting(ValueError("quotes text, out of memory of it"), bad="s05")
    made = list(LocalGenerator(generator, 8).write(STUDIES))
    assert [item.study for item in made] == [study.id for study in STUDIES]
    assert [item.failure for item in made if item.failure] == ["ValueError"] and made[5].failure
    assert generator.sizes == [8] + [1] * 8 + [8, 4]


def test_a_study_that_is_too_large_alone_is_a_failure_and_the_next_ones_are_written() -> None:
    made = list(LocalGenerator(Counting(torch.OutOfMemoryError(), bad="s01"), 4).write(STUDIES[:4]))
    assert [item.failure for item in made] == ["", "OutOfMemoryError", "", ""]


def test_what_is_about_the_run_ends_it() -> None:
    with pytest.raises(UnavailableError):
        list(LocalGenerator(Counting(UnavailableError("no server"), largest=0), 8).write(STUDIES))


def test_what_no_file_may_hold_is_taken_off_or_a_failure() -> None:
    assert fit(Generated("s", "\u200bClear\x07.\n", substituted=("lateral: zeros",))) == Generated("s", "Clear.\n", "", ("lateral: zeros",))
    assert fit(Generated("s", "<b>big</b>")).failure == "what it wrote is no report: markup"
    # Taken off before it is looked at: what hides in control characters is found.
    assert fit(Generated("s", "<\x00script>")) == Generated("s", failure="what it wrote is no report: markup")


def test_a_system_without_exact_batches_writes_in_batches_of_eight_what_it_writes_one_by_one(tmp_path: Path) -> None:
    tiny.write(tmp_path)
    weights = {name: tmp_path / name for name in ("checkpoint", "vocabulary")}
    generator = system.load(Options(weights, settings={"size": "tiny"}))
    cohort = build(studies=3, seed=1, train=0, dev=0, images=tmp_path / "films")
    studies = [StudyInput(study.id, frontal=tmp_path / "films" / study.images[0].path) for study in cohort.scored]
    asked: list[int] = []

    @dataclass
    class Watched:
        """The real system, with the sizes of what it is asked."""

        name: str = generator.name
        digest: str = generator.digest
        needs: frozenset[str] = generator.needs
        writes: Section = generator.writes
        exact_batches: bool = generator.exact_batches

        def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
            asked.append(len(studies))
            return generator.generate(studies)

    alone = [fit(made) for study in studies for made in generator.generate([study])]
    assert list(LocalGenerator(Watched(), 8).write(studies)) == alone and all(made.report for made in alone)
    assert asked == [1, 1, 1]
