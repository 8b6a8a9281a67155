"""The words that readers see: taken from the cohort and the store each time, checked against the study, and kept nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness import cohorts
from harness.errors import InputError, Problem, RefusedError
from harness.records.store import Store
from harness.types import Access, Cohort
from validation.readers.study import Item, ReadingStudy, text_hash

AGREEMENT = "I may show these reports to the readers under the data use agreement"
"""What somebody types before text of a credentialed cohort goes into a sheet."""
Texts = Mapping[str, tuple[str, ...]]
"""By item its texts: the original report, the generated report, or both in this order."""


def permit(access: Access, agreement: str) -> None:
    """Let text out to readers.

    Raises:
        RefusedError: It is credentialed, and the sentence was not typed.
    """
    if access is Access.CREDENTIALED and agreement != AGREEMENT:
        what = "the reports of this cohort are credentialed: whoever reads them needs the right to, under the data use agreement"
        raise RefusedError(Problem(what, f"If every reader has it, say --agree {AGREEMENT!r}"))


def of_item(kind: str, with_reference: bool, original: str, generated: str) -> tuple[str, ...]:
    """What is shown of an item of a kind of study."""
    if kind == "findings":
        return (generated or original,)
    if kind == "rating" and not with_reference:
        return (generated,)
    return (original, generated)


def load(study: ReadingStudy, store: Store) -> dict[str, tuple[str, ...]]:
    """The texts of all items.

    Args:
        study: Whose.
        store: Holds the generated reports.

    Raises:
        UsageError: The cohort is not on this machine.
        InputError: A text is not there, or is not the one that was frozen.
    """
    cohort = cohorts.load(study.cohort.name)
    generated = {system: reports_of(store, system) for system in {item.system for item in study.items} if system}
    found: dict[str, tuple[str, ...]] = {}
    problems = []
    for item in study.items:
        texts = _texts(study, item, cohort, generated.get(item.system, {}))
        if texts is None or text_hash(study.salt, texts) != item.text:
            what = "its text is not here" if texts is None else "its text is not the one that was frozen"
            problems.append(Problem(what, "Build the cohort as it was, or make a new study", study=item.study))
        else:
            found[item.id] = texts
    if problems:
        more = len(problems) - 20
        raise InputError([*problems[:20], *([Problem(f"and {more} more studies")] if more > 0 else [])])
    return found


def _texts(study: ReadingStudy, item: Item, cohort: Cohort, generated: Mapping[str, str]) -> tuple[str, ...] | None:
    if item.study not in cohort.texts or (item.system and item.study not in generated):
        return None
    return of_item(study.kind, study.with_reference, cohort.reference(item.study), generated.get(item.study, ""))


def reports_of(store: Store, system: str) -> dict[str, str]:
    """The reports of a record of the store.

    Raises:
        InputError: The store does not keep them.
    """
    stored = store.find(system)
    reports = store.reports(stored)
    if reports is None:
        what = f"the store keeps no reports of {stored.record.system.name}"
        raise InputError(Problem(what, "Score its reports file again with --store", str(store.root)))
    return reports


def shown(texts: Texts, study: ReadingStudy, reader: str) -> Sequence[tuple[str, ...]]:
    """What a reader sees, in her order, each pair in the order drawn for her."""
    return [tuple(reversed(texts[one.item])) if one.swapped else texts[one.item] for one in study.orders[reader]]
