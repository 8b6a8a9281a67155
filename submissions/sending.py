"""What is checked on this machine before a reports file goes to a board on another one.

Nothing is sent to a cohort that the page does not know or does not call open, unless the data-use sentence is agreed to; a dry run sends no
report of such a cohort at all.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path

from harness import cohorts
from harness.config.home import home
from harness.errors import InputError, Problem, RefusedError
from harness.storage.stored import Source, content, each, exists
from harness.types import Access, Json, Manifest, Section, SystemCard
from submissions import sandbox
from submissions import system_card as cards
from submissions.intake import DATA_USE
from submissions.policy import Policy
from submissions.sandbox import Checked

LARGEST = 256 << 20
"""Bytes of a file that is sent, whatever the page allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a page says of a cohort before anything is sent."""

    cohort: str
    digest: str
    access: Access
    section: Section
    studies: int
    ids_sha256: str
    max_bytes: int
    ids: tuple[str, ...] | None = None
    """The ids of the scored studies; None where the cohort is not open."""

    @property
    def agrees(self) -> bool:
        """Whether the ids are as many as the page says, and have the hash that it says."""
        return self.ids is None or (len(set(self.ids)), digest_of_ids(self.ids)) == (self.studies, self.ids_sha256)


@dataclass(frozen=True, slots=True)
class Ready:
    """A file that may be sent."""

    content: bytes = field(repr=False)
    checked: Checked
    closed: bool
    """Whether its text may go to another machine only under the data-use agreement."""


def prepare(path: Path, facts: Facts, card: SystemCard, today: date, *, agreed: bool, looked: bool, dry_run: bool) -> Ready:
    """Read and check a file here.

    Args:
        path: The reports.
        facts: What the page says of the cohort.
        card: Who made them.
        today: The date with which the end of anonymity is compared.
        agreed: Whether the data-use sentence is agreed to.
        looked: Whether the warnings of the privacy screen were found harmless.
        dry_run: Whether the file is only to be checked.

    Raises:
        InputError: Something is wrong with the file or the card; holds every problem.
        RefusedError: The data-use sentence is not agreed to, or the reports may name patients.
    """
    data = _read(path, min(facts.max_bytes, LARGEST))
    manifest = _built_here(facts)
    ids = [study.id for study in manifest.studies if study.part == "test"] if manifest else facts.ids
    checked = sandbox.check(data, path.name, ids, facts.section, Policy(max_bytes=len(data)), screened=True)
    problems = [*checked.problems, *cards.problems(card, today)]
    if ids is None and not checked.problems and digest_of_ids(checked.reports) != facts.ids_sha256:
        problems.append(_other_ids(facts, path))
    if problems:
        raise InputError(problems)
    closed = facts.access is not Access.OPEN or _is_closed_here(facts, manifest, checked.reports)
    if closed and not agreed and not dry_run:
        what = f"the text of the cohort {facts.cohort!r} is credentialed, and nothing was sent. The sentence to agree to: {DATA_USE}"
        raise RefusedError(Problem(what, "If it is true, add --data-use"))
    if checked.private and not looked and not dry_run:
        raise RefusedError(
            [*checked.private, Problem("the reports may name patients, and nothing was sent", "Look; if they do not, add --harmless")]
        )
    return Ready(data, checked, closed)


def _read(path: Path, most: int) -> bytes:
    source = Source(str(path), "the file", "Name a file", InputError)
    if exists(path) and path.is_file() and path.stat().st_size > most:
        what = f"it holds {path.stat().st_size:,} bytes; {most:,} are allowed"
        raise InputError(Problem(what, "Keep only the columns that are read", str(path)))
    return content(path, source, most)


def _built_here(facts: Facts) -> Manifest | None:
    """The cohort of this digest, where it is built on this machine."""
    return next((manifest for manifest in _manifests() if manifest.digest == facts.digest), None)


def _manifests() -> list[Manifest]:
    return list(each(cohorts.manifests(home() / "cohorts"), cohorts.load_manifest))


def _is_closed_here(facts: Facts, manifest: Manifest | None, ids: Collection[str]) -> bool:
    """Whether this machine knows better than the page: a cohort of its digest, its name or the file's ids is credentialed here."""
    if manifest is not None:
        return manifest.access is not Access.OPEN
    closed = [item for item in _manifests() if item.access is not Access.OPEN]
    return any(item.name == facts.cohort or {study.id for study in item.studies} >= set(ids) for item in closed)


def digest_of_ids(ids: Collection[str]) -> str:
    """The hash by which a page names the ids of a cohort without listing them."""
    return sha256("".join(f"{study}\n" for study in sorted(ids)).encode()).hexdigest()


def _other_ids(facts: Facts, path: Path) -> Problem:
    what = f"its ids are not those of the {facts.studies} studies of {facts.cohort!r}, which the page does not list"
    return Problem(
        what, "Write one row for each study, with an empty report where there is none, or build the cohort on this machine", str(path)
    )


def kept_here(ready: Ready) -> Json:
    """What a dry run says that sends nothing."""
    notes = [*map(str, ready.checked.warnings), *map(str, ready.checked.private)]
    return {"warnings": [*notes, "It was checked on this machine alone; nothing was sent."], "reports": len(ready.checked.reports)}
