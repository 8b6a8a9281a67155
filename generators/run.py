"""The run loop: studies through a generator into a reports file, resumable after a kill at any instant."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from generators.inputs import check_films, inputs
from harness import files, reports
from harness.errors import InputError, Problem, RefusedError, UnavailableError, UsageError
from harness.progress import progress
from harness.reports import CONTROL
from harness.types import Cohort, Generated, Generator, Json, Study


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

    def as_json(self) -> Json:
        """What stands in the run's sidecar; device and precision are recorded, the rest must be equal to continue."""
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


def run(generator: Generator, cohort: Cohort, studies: Sequence[Study], out: Path, plan: Plan, batch: int = 1) -> Outcome:
    """Write a report for each study, one line each, in order; continue where an earlier run stopped.

    Args:
        out: JSONL; beside it stands `OUT.run.json` with the plan.
        batch: Studies at a time; used only where batches are exact.

    Raises:
        InputError: Films are missing or damaged; all are named before the first is read by the generator.
        RefusedError: The file was begun by another system, version or cohort.
    """
    done = begin(out, plan)
    left = studies[len(done) :]
    check_films(cohort, left, generator.needs)
    size = batch if generator.exact_batches else 1
    with out.open("a", encoding="utf-8") as stream:
        bar = progress(_generated(generator, cohort, left, size), f"Writing reports with {generator.name}", len(left))
        for made in bar:
            done.append(made)
            _append(stream, made)
    failed = sum(bool(item.failure) for item in done)
    return Outcome(len(done) - failed, failed, len(studies) - len(left), sum(bool(item.substituted) for item in done))


def begin(out: Path, plan: Plan) -> list[Generated]:
    """What an earlier run of the same plan has written; a line that a kill cut short is taken off.

    Raises:
        RefusedError: The file belongs to another plan, or has no plan beside it.
    """
    beside = sidecar(out)
    if not out.exists():
        files.write(beside, json.dumps(plan.as_json(), indent=1) + "\n")
        return []
    recorded = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
    same = {key: recorded.get(key) == value for key, value in json.loads(json.dumps(plan.as_json())).items() if key not in ("device",)}
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
    return [_read(line, out, number) for number, line in enumerate(whole.decode().splitlines(), 1)]


def sidecar(out: Path) -> Path:
    """Where the plan of a run stands."""
    return out.with_name(out.name + ".run.json")


def _append(stream: IO[str], made: Generated) -> None:
    # Models that fall back to bytes can write control characters, and a reports file may hold none.
    line = {"study_id": made.study, "report": CONTROL.sub("", made.report)}
    extra = {"failure": made.failure} if made.failure else {}
    if made.substituted:
        extra["substituted"] = "; ".join(made.substituted)
    stream.write(json.dumps({**line, **extra}, ensure_ascii=False) + "\n")
    stream.flush()
    os.fsync(stream.fileno())


def _read(line: str, out: Path, number: int) -> Generated:
    try:
        item = json.loads(line)
        return Generated(
            item["study_id"], item["report"], item.get("failure", ""), tuple(filter(None, item.get("substituted", "").split("; ")))
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(Problem("the line is not one of a run", "Remove the file and start again", str(out), number)) from error


def _generated(generator: Generator, cohort: Cohort, studies: Sequence[Study], size: int) -> Iterator[Generated]:
    """Batch by batch; out of memory halves the batch, and a study that fails alone is a recorded failure."""
    start = 0
    while start < len(studies):
        batch = studies[start : start + size]
        try:
            made = list(generator.generate(inputs(cohort, batch, generator.needs)))
        except (UnavailableError, RefusedError, UsageError):
            raise  # about the run, not about a study: what is written stays, and the same command continues
        except Exception as error:  # any fault of a model or a film is one study's failure, not the run's end
            if len(batch) == 1:
                made = [Generated(batch[0].id, failure=fault(error))]
            else:
                size = max(1, len(batch) // 2)
                continue
        if [item.study for item in made] != [study.id for study in batch]:
            raise AssertionError(f"{generator.name} did not answer the studies it was given")
        yield from map(fit, made)
        start += len(batch)


def fit(made: Generated) -> Generated:
    """A report that no reports file may hold (markup, 20,000 characters) is a failure of its study; else the whole file were refused."""
    if kinds := [kind for kind, _, _ in reports.faults(made.report)]:
        return Generated(made.study, failure=f"what it wrote is no report: {', '.join(kinds)}", substituted=made.substituted)
    return made


def fault(error: Exception) -> str:
    """What may be kept of a fault: its kind, never its message, which can quote text."""
    return f"{type(error).__name__}"
