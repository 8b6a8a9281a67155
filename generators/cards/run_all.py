"""A card: every system on one cohort, one after the other. What is done is not done again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from generators.bounds.floors import BOUNDS, made
from generators.catalogue import Options, System, catalogue, title
from generators.running import loop
from generators.running.batching import LocalGenerator
from generators.weights import find, random_ones
from harness.errors import Problem, StoreError, UnavailableError
from harness.formats.written_by import RANDOM
from harness.records import store
from harness.records.record import Record, identity
from harness.records.store import Store
from harness.scoring.inputs import reports_of
from harness.scoring.scorer import Scorer
from harness.signature import digest as digest_of
from harness.storage import files
from harness.storage.stored import Source, exists, read_object, tell
from harness.types import Cohort, Grade, Study, SystemCard

DOORS = frozenset({"replay", "command", "openai", "rexrank", "transformers"})
"""Adapters: systems that need settings before they can run. A card runs one only if it is named."""

BATCH = 8
"""Studies at a time, where batching is exact."""


@dataclass(frozen=True, slots=True)
class Task:
    """One system of a card."""

    system: System
    options: Options

    @property
    def name(self) -> str:
        """What its record is called."""
        return title(self.system, self.options)

    @property
    def file(self) -> str:
        """The name of its files, without ending."""
        return self.name.replace(RANDOM, "-random")


@dataclass(frozen=True, slots=True)
class Card:
    """The folder of a card, and how its systems are scored."""

    folder: Path
    cohort: Cohort
    studies: tuple[Study, ...]
    """Those that get a report; the others count as missing."""
    scorer: Scorer

    @property
    def store(self) -> Store:
        """Its records."""
        return Store(self.folder / "store")


@dataclass(frozen=True, slots=True)
class Done:
    """One system with its result on a card."""

    record: Record
    before: bool
    """Whether it was done before this run."""
    resumed: int = 0
    """Reports that were there before this run."""
    failed: int = 0


def names() -> list[str]:
    """The systems of a card where none were named, beside the bounds: all whose weights are here."""
    return [
        system.name
        for system in catalogue().values()
        if not (system.name in BOUNDS or system.name in DOORS)
        and not system.unavailable
        and all(item.optional or find(system.name, item, {}) for item in system.weights)
    ]


def refuse_random(task: Task) -> None:
    """On a card of released weights there are no others.

    Raises:
        UnavailableError: A system's weights are those of `generators.tiny`.
    """
    found = random_ones(task.system.name, task.system.weights, task.options.weights)
    what = f"the weights here for {task.system.name} are random numbers by `generators.tiny`, not what was released"
    if found:
        raise UnavailableError([Problem(what, "Remove them, or give --tiny", str(path)) for path in found])


def run(card: Card, task: Task) -> Done:
    """One system: reports, then its record.

    Raises:
        RanscoreError: It cannot run, or its reports were begun with other weights, settings or studies.
    """
    stamp = card.folder / "done" / f"{task.file}.json"
    inputs = _inputs(card, task)
    for record in _standing(card.store, stamp, inputs):
        return Done(record, before=True)
    generator = made(task.system, task.options, card.cohort)
    ids = tuple(study.id for study in card.studies)
    options = task.options
    name = title(task.system, options, card.cohort)
    plan = loop.Plan(name, generator.digest, card.cohort.manifest.digest, ids, options.device, options.precision)
    out = card.folder / "reports" / f"{task.file}.jsonl"
    out.parent.mkdir(parents=True, exist_ok=True)
    outcome = loop.run(LocalGenerator(generator, BATCH), card.cohort, card.studies, out, plan)
    who = SystemCard(name, version=generator.digest[:12], role=task.system.role, sections=task.system.writes)
    found = card.scorer.score(reports_of(out, card.cohort), who, Grade.REGENERATED, store.now())
    texts = {item.study: item.text for item in found.sides.candidates if item.status != "missing"}
    # First what the record will be called, then the record: a kill between the two leaves a note without a record, which counts for nothing.
    files.write(stamp, json.dumps({"inputs": inputs, "record": identity(found.record)}) + "\n")
    card.store.add(found.record, found.rows, texts, found.sides.patients)
    return Done(found.record, before=False, resumed=outcome.resumed, failed=outcome.failed)


def _standing(kept: Store, stamp: Path, inputs: str) -> Iterator[Record]:
    """The record that was made from these inputs, if it is in the store."""
    if not exists(stamp):
        return
    try:
        known = read_object(stamp, Source(str(stamp), "the note of what was scored", "It is written again"))
    except StoreError as error:
        return tell(error)
    if known.get("inputs") == inputs:
        yield from (item.record for item in kept.standing() if item.id == known.get("record"))


def _inputs(card: Card, task: Task) -> str:
    """Digest of all that can change a record, without loading a model: of weights their names, sizes and times."""
    weights = {item.name: find(task.system.name, item, task.options.weights) for item in task.system.weights}
    scorer, options = card.scorer, task.options
    return digest_of(
        [
            metadata.version("ranscore"),
            task.name,
            card.cohort.manifest.digest,
            [study.id for study in card.studies],
            {name: _fingerprint(path) for name, path in weights.items() if path},
            [options.device, options.precision, options.seed, dict(options.settings)],
            [[metric.name, metric.version, metric.recipe] for metric in scorer.metrics],
            [extractor.digest for extractor in scorer.extractors],
        ]
    )


def _fingerprint(path: Path) -> list[list[str]]:
    listed: Sequence[Path] = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
    return [[str(item.relative_to(path)), str(item.stat().st_size), str(item.stat().st_mtime_ns)] for item in listed]
