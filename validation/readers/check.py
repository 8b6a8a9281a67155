"""Verifying a study from its files alone: every digest, every signature, and the standard computed again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from harness.errors import InputError, RanscoreError, UnavailableError
from harness.records.store import Store
from harness.signature import digest as digest_of
from harness.types import Json
from validation.readers import signing, standard, texts
from validation.readers.folder import Folder
from validation.readers.study import ReadingStudy


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One thing that was checked."""

    what: str
    good: bool | None
    """None where it could not be checked here."""
    note: str = ""


def check(folder: Folder, store: Store) -> tuple[CheckResult, ...]:
    """Check everything that is there; what is not there is said.

    Raises:
        UsageError: There is no study.
    """
    try:
        study = folder.study()
    except InputError as error:
        return (CheckResult("study", False, _first(error)),)
    return (CheckResult("study", True, study.digest), *_rest(folder, study, store))


def _rest(folder: Folder, study: ReadingStudy, store: Store) -> Iterator[CheckResult]:
    yield _texts(study, store)
    try:
        counting = folder.counting()
        yield CheckResult("sheets", True, f"{len(folder.hand_ins())} submissions of {len(counting)} readers")
    except InputError as error:
        yield CheckResult("sheets", False, _first(error))
        return
    if not (folder.path / "standard.json").is_file():
        yield CheckResult("standard", None, "not settled")
    else:
        yield from _standard(folder, study)
    yield from _signatures(folder, study)


def _texts(study: ReadingStudy, store: Store) -> CheckResult:
    try:
        texts.load(study, store)
    except InputError as error:
        return CheckResult("texts", False, _first(error))
    except RanscoreError:
        return CheckResult("texts", None, f"the cohort {study.cohort.name} is not on this machine")
    return CheckResult("texts", True, f"{len(study.items)} texts are those that were frozen")


def _standard(folder: Folder, study: ReadingStudy) -> Iterator[CheckResult]:
    try:
        data = standard.load(folder.path)
    except InputError as error:
        yield CheckResult("standard", False, _first(error))
        return
    used = {sheet.digest: sheet for sheet in folder.hand_ins()}
    missing = [digest for digest in data["sheets"] if digest not in used]
    if missing or data["study"] != study.digest:
        yield CheckResult(
            "standard",
            False,
            "it rests on another study" if data["study"] != study.digest else f"{len(missing)} of its sheets are not here",
        )
        return
    again = standard.settle(study, {used[digest].reader: used[digest] for digest in data["sheets"]}, data["looks"])
    yield CheckResult("standard", again.digest == data["digest"], data["digest"])
    yield _looks(folder, data)
    yield CheckResult("agreement", close(again.data["agreement"], data["agreement"]), "computed again from the sheets")
    path = folder.path / standard.table_name(study.kind)
    same = path.is_file() and digest_of(path.read_text(encoding="utf-8")) == data["answers"]
    yield CheckResult(path.name, same, "is the table of the standard" if same else "is not the table of the standard")
    later = sum(1 for reader, sheet in folder.counting().items() if sheet.digest not in data["sheets"])
    if later:
        yield CheckResult("later submissions", None, f"{later} readers submitted again after the standard was settled")


def _looks(folder: Folder, data: Json) -> CheckResult:
    if folder.looks() < data["looks"]:
        return CheckResult("early looks", False, f"the standard counts {data['looks']}, {folder.looks()} are noted here")
    return CheckResult("early looks", True, f"{data['looks']} before all sheets were in")


def close(one: object, other: object) -> bool:
    """Whether two tables are equal up to the last digits."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(close(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(close, one, other))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)
    return one == other


def _signatures(folder: Folder, study: ReadingStudy) -> Iterator[CheckResult]:
    known = {sheet.digest: f"sheet of {sheet.reader}, number {sheet.number}" for sheet in folder.hand_ins()}
    try:
        if (folder.path / "standard.json").is_file():
            known[str(standard.load(folder.path)["digest"])] = "standard"
        for item in signing.read(folder):
            good = item.valid and item.of in known
            yield CheckResult(
                "signature",
                good,
                f"{known.get(item.of, 'nothing that is here')}, key {item.key}" if item.valid else f"{item.file} is not valid",
            )
    except (UnavailableError, InputError) as error:
        yield CheckResult("signature", None, _first(error))


def _first(error: RanscoreError) -> str:
    return str(error.problems[0])
