"""The run loop: studies through a generator into a reports file, resumable after a kill at any instant."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import IO, Protocol

from generators.running.inputs import check_films, inputs
from harness.errors import InputError, Problem, RefusedError
from harness.formats.written_by import sidecar
from harness.storage import files, report_lines
from harness.storage.progress import progress
from harness.storage.stored import Source, exists, parse, read_object, shaped
from harness.types import Access, Cohort, Generated, Json, Study, StudyInput

LIBRARIES = ("numpy", "pillow", "torch", "transformers")
RECORDED = {"device", "libraries"}
"""What is written beside the reports, and may differ where a run is continued."""


def versions() -> dict[str, str]:
    """The installed version of each library of `LIBRARIES` that is here."""
    return {name: metadata.version(name) for name in LIBRARIES if importlib.util.find_spec({"pillow": "PIL"}.get(name, name))}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does; a file that was begun under another plan is not continued."""

    system: str
    generator: str
    """Digest."""
    cohort: str
    """Digest."""
    studies: tuple[str, ...]
    """In the order in which they are written."""
    device: str
    precision: str
    libraries: Mapping[str, str] = field(default_factory=versions)
    """By library that a text can depend on its version."""

    def as_json(self) -> Json:
        """The content of the file beside the reports; device and libraries are recorded, all else must be equal to continue."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    written: int
    failed: int
    resumed: int
    """How many were there already."""
    substituted: int


def chosen(cohort: Cohort, limit: int | None = None, shard: tuple[int, int] = (0, 1)) -> tuple[Study, ...]:
    """The studies of a run: the scored ones by id, every n-th of them for a shard, the first of those for a limit.

    Args:
        shard: (i, n): the i-th of n, counted from 0.
    """
    index, count = shard
    return cohort.scored[index::count][:limit]


class Writer(Protocol):
    """A generator where it runs: in this process, or in others."""

    @property
    def name(self) -> str:
        """What commands call the generator."""
        ...

    @property
    def digest(self) -> str:
        """The digest of the generator."""
        ...

    @property
    def needs(self) -> frozenset[str]:
        """What the generator asks to see."""
        ...

    def write(self, studies: Iterable[StudyInput]) -> Iterator[Generated]:
        """One answer a study, in order, each fit for a reports file."""
        ...


def run(writer: Writer, cohort: Cohort, studies: Sequence[Study], out: Path, plan: Plan) -> Outcome:
    """Write a report for each study, one line each, in order; continue where an earlier run stopped.

    Args:
        out: JSONL; beside it is `OUT.run.json` with the plan.

    Raises:
        InputError: Films are missing or damaged; all are named before the first is read by the generator.
        RefusedError: The file was begun by another system, version or cohort.
    """
    private = cohort.manifest.access is Access.CREDENTIALED
    done = begin(out, plan, private)
    left = studies[len(done) :]
    check_films(cohort, left, writer.needs)
    made = writer.write(inputs(cohort, left, writer.needs))
    with files.appending(out, private=private) as stream:
        for item in progress(made, f"Writing reports with {writer.name}", len(left)):
            done.append(item)
            _append(stream, item)
    failed = sum(bool(item.failure) for item in done)
    return Outcome(len(done) - failed, failed, len(studies) - len(left), sum(bool(item.substituted) for item in done))


def begin(out: Path, plan: Plan, private: bool = False) -> list[Generated]:
    """What an earlier run of the same plan, or of its first studies alone, has written; a line that a kill cut short is taken off.

    Args:
        out: The reports file.
        plan: Who writes which studies.
        private: Whether nobody but its owner may read what is written.

    Raises:
        RefusedError: The file belongs to another plan, or has no plan beside it.
    """
    beside = sidecar(out)
    if not out.exists():
        files.write(beside, json.dumps(plan.as_json(), indent=1) + "\n", private=private)
        return []
    source = Source(str(beside), "the plan of the run", "Name another file, or remove this one and the reports beside it", InputError)
    recorded = read_object(beside, source) if exists(beside) else {}
    same = {key: recorded.get(key) == value for key, value in json.loads(json.dumps(plan.as_json())).items() if key not in RECORDED}
    before = recorded.get("studies")
    longer = isinstance(before, list) and len(before) < len(plan.studies) and before == list(plan.studies[: len(before)])
    same["studies"] = same["studies"] or longer
    if not all(same.values()):
        other = ", ".join(key for key, equal in same.items() if not equal)
        raise RefusedError(
            Problem(f"it was begun by another run (other {other})", "Name another file, or remove this one and its .run.json", str(out))
        )
    data = out.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if whole != data:
        with out.open("r+b") as stream:
            stream.truncate(len(whole))
    # By bytes: a report may hold characters, such as U+2028, at which text is split into lines too.
    done = [_read(line, out, number) for number, line in enumerate(whole.splitlines(), 1)]
    if [item.study for item in done] != list(plan.studies[: len(done)]):
        what = "its studies are not the first ones of this run: lines were taken out or moved"
        raise RefusedError(Problem(what, "Name another file, or remove this one and its .run.json", str(out)))
    if longer:
        files.write(beside, json.dumps(plan.as_json(), indent=1) + "\n", private=private)
    return done


def _append(stream: IO[str], made: Generated) -> None:
    extra = {"failure": made.failure} if made.failure else {}
    if made.substituted:
        extra["substituted"] = "; ".join(made.substituted)
    stream.write(report_lines.line(made.study, made.report, **extra))
    stream.flush()
    os.fsync(stream.fileno())


def _read(line: bytes, out: Path, number: int) -> Generated:
    source = Source(f"{out}:{number}", "the line of a run", "Remove the file and start again", InputError)
    found = shaped(_Line, parse(line, source), source)
    return Generated(found.study_id, found.report, found.failure, tuple(filter(None, found.substituted.split("; "))))


@dataclass(frozen=True, slots=True)
class _Line:
    study_id: str
    report: str = field(repr=False)
    failure: str = ""
    substituted: str = ""
