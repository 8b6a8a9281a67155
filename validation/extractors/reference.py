"""The standard that extractors are compared with: its items, their weights, and the readers' labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness import cohorts
from harness.errors import InputError, Problem, UsageError
from harness.formats import label_files
from harness.quiet import Quiet
from harness.records.store import Store
from harness.signature import digest as digest_of
from harness.types import Access, Labels
from validation.readers import folder, standard, texts
from validation.readers.study import ReadingStudy

ORIGINAL, GENERATED = "original", "generated"
SOURCES = (ORIGINAL, GENERATED)
"""Who wrote a report: a radiologist, or a system."""
LABEL_FILES = (".csv", ".jsonl", ".json", ".parquet")
ALL_SHOWN = 20
"""Problems of one kind that are listed; more are counted."""


@dataclass(frozen=True, slots=True)
class ReadItem:
    """One report that readers labelled."""

    id: str
    study: str
    patient: str
    source: str = ORIGINAL
    """One of `SOURCES`."""
    weight: float = 1.0
    """How many studies of the cohort it represents."""

    @property
    def row(self) -> str:
        """Its id in a file of labels: that of the study, and for a generated report the item's id behind it."""
        return self.study if self.source == ORIGINAL else f"{self.study}@{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Reference(Quiet):
    """A frozen standard, ready to be compared with."""

    name: str
    digest: str
    """The digest of the standard; for a label file the digest of its labels."""
    items: tuple[ReadItem, ...] = field(repr=False)
    labels: Mapping[str, Labels] = field(repr=False)
    """By item id the readers' labels of the 21 findings."""
    access: Access = Access.CREDENTIALED
    cohort: str = ""
    """Digest of the cohort; empty where nobody knows."""
    cohort_name: str = ""
    part: str = ""
    """The part of the standard that these items are; empty for all of it."""
    study: ReadingStudy | None = field(default=None, repr=False)
    """None where the standard is a label file: nothing is known about how its labels were decided."""

    @property
    def weighted(self) -> bool:
        """Whether the items represent different numbers of studies."""
        return len({item.weight for item in self.items}) > 1


def load(name: str | Path) -> Reference:
    """A standard by its name, its folder, or a label file that takes its place.

    Raises:
        UsageError: There is no such standard.
        InputError: It is not settled, was changed, or is no standard of findings.
    """
    path = Path(name)
    if path.suffix.lower() in LABEL_FILES and path.is_file():
        return of_labels(path.stem, label_files.read(path))
    try:
        place = folder.find(name)
    except UsageError as error:
        hint = "Name a study that was settled, its folder, or a label file (.csv, .jsonl, .parquet)"
        raise UsageError([Problem(problem.what, hint) for problem in error.problems]) from None
    study, settled = place.study(), standard.load(place.path)
    if settled["study"] != study.digest:
        raise InputError(Problem("the standard is of another study than the one beside it", "Restore both files", str(place.path)))
    labels = standard.labels_of(place.path)
    items = tuple(ReadItem(item.id, item.study, item.patient, GENERATED if item.system else ORIGINAL, item.weight) for item in study.items)
    return Reference(
        name=place.name,
        digest=settled["digest"],
        items=items,
        labels={item.id: labels[item.row] for item in study.items},
        access=study.cohort.access,
        cohort=study.cohort.digest,
        cohort_name=study.cohort.name,
        study=study,
    )


def of_labels(name: str, labels: Mapping[str, Labels], patients: Mapping[str, str] | None = None) -> Reference:
    """A standard from labels alone; its access is unknown, so it counts as credentialed.

    Args:
        name: What to call it.
        labels: By study.
        patients: By study; a study that is not named is its own patient.
    """
    owner = patients or {}
    items = tuple(ReadItem(study, study, owner.get(study, study)) for study in sorted(labels))
    return Reference(name=name, digest=digest_of(label_files.dumps(labels)), items=items, labels=dict(labels))


def reports(reference: Reference, store: Store, cohort: str = "") -> dict[str, str]:
    """By item the report that was read.

    Args:
        reference: The standard.
        store: Holds the generated reports.
        cohort: The cohort of the studies of a label file; a standard names its own.

    Raises:
        UsageError: The texts of a label file are wanted and no cohort is named, or it is not on this machine.
        InputError: A text is missing, or is not the one that was frozen.
    """
    if reference.study is not None:
        every = texts.load(reference.study, store)
        return {item.id: every[item.id][0] for item in reference.items}
    if not cohort:
        raise UsageError(
            f"the standard {reference.name} is a label file, which holds no reports: name their cohort with --cohort, or compare label files"
        )
    loaded = cohorts.load(cohort)
    missing = [item.study for item in reference.items if item.study not in loaded.texts]
    if missing:
        listed = [Problem(f"the cohort {cohort} has no such study", "Name the cohort that was labelled", study=name) for name in missing]
        raise InputError(listed[:ALL_SHOWN])
    return {item.id: loaded.reference(item.study) for item in reference.items}
