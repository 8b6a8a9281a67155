"""A study: which items are read, by how many readers, in which order, with which words, and by which rule. Frozen by its digest."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256

from harness.cohorts import normalised
from harness.errors import InputError, Problem, StoreError
from harness.signature import digest as digest_of
from harness.types import Access, Json, Section
from validation.readers import questions
from validation.readers.questions import Form

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What is read: one study's report, or the report of one system about it."""

    id: str
    study: str
    patient: str
    text: str
    """Keyed hash of the text that is read, see `text_hash`."""
    system: str = ""
    """Id of the record whose report it is; empty for the original report."""
    system_name: str = ""
    stratum: str = ""
    """Why it was drawn: the rarest finding that the extractor saw in it; empty for a simple random draw."""
    weight: float = 1.0
    """How many studies it stands for: the inverse of its chance to be drawn."""

    @property
    def row(self) -> str:
        """Its id in the label file of a standard: that of the study, and for a generated report the item's id behind it."""
        return f"{self.study}@{self.id}" if self.system else self.study


@dataclass(frozen=True, slots=True)
class Showing:
    """One place of a reader's sheet."""

    item: str
    swapped: bool = False
    """True for a pair whose generated report comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortRef:
    """The cohort that the texts come from."""

    name: str
    digest: str
    section: Section
    access: Access
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """How the items were chosen."""

    how: str
    """`random`, `rare` or `listed`."""
    part: str
    """The part of the cohort: `test`, `dev` or `train`."""
    of: int
    """How many studies could have been drawn."""
    seed: str = ""
    extractor: str = ""
    """Name and digest of the extractor whose labels decided; empty for the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingStudy:
    """One frozen study."""

    form: Form
    cohort: CohortRef
    draw: Draw
    salt: str
    """Key of the text hashes, hex."""
    items: tuple[Item, ...]
    """Sorted by id."""
    orders: Mapping[str, tuple[Showing, ...]]
    """By reader what is shown, in order; an item that comes twice is read twice, for agreement of a reader with herself."""
    at_least: int
    """So many equal answers decide."""
    with_reference: bool = False
    """Whether a rating shows the original report beside the generated one."""
    threshold: str = ""
    """What an extractor must reach on this standard, in the words of whoever decided it."""
    decided_by: str = ""
    """Who decided rule, questions and threshold, and how, as free text."""

    @property
    def kind(self) -> str:
        """`findings`, `pairs` or `rating`."""
        return self.form.kind

    @property
    def readers(self) -> tuple[str, ...]:
        """Their aliases, in order."""
        return tuple(self.orders)

    @property
    def digest(self) -> str:
        """SHA-256 over everything; the order of the items does not matter, that of a sheet does."""
        return digest_of(to_json(self))

    def item(self, name: str) -> Item:
        """An item by its id."""
        return next(item for item in self.items if item.id == name)

    def first_showings(self, reader: str) -> dict[str, int]:
        """By item the position (from 1) at which a reader sees it first: this answer counts."""
        first: dict[str, int] = {}
        for position, shown in enumerate(self.orders[reader], 1):
            first.setdefault(shown.item, position)
        return first

    def repeats(self, reader: str) -> dict[str, int]:
        """By item the position at which a reader sees it for the second time."""
        first = self.first_showings(reader)
        return {shown.item: at for at, shown in enumerate(self.orders[reader], 1) if first[shown.item] != at}


def text_hash(salt: str, texts: Sequence[str]) -> str:
    """The keyed hash of what is read: it tells whether a text was changed, to whoever has the text."""
    joined = "\0".join(normalised(text) for text in texts)
    return hmac.new(bytes.fromhex(salt), joined.encode(), sha256).hexdigest()[:32]


def to_json(study: ReadingStudy) -> Json:
    """A study as JSON, without text of a report."""
    return {
        "schema": SCHEMA,
        "form": questions.to_json(study.form),
        "cohort": asdict(study.cohort),
        "draw": asdict(study.draw),
        "salt": study.salt,
        "items": [asdict(item) for item in sorted(study.items, key=lambda item: item.id)],
        "orders": {reader: [[shown.item, shown.swapped] for shown in order] for reader, order in study.orders.items()},
        "rule": {"at_least": study.at_least, "of": len(study.orders)},
        "with_reference": study.with_reference,
        "threshold": study.threshold,
        "decided_by": study.decided_by,
    }


def from_json(data: Json, file: str = "") -> ReadingStudy:
    """A study from JSON.

    Raises:
        StoreError: It is of a newer schema.
        InputError: It is no study, or it was changed.
    """
    try:
        if data["schema"] > SCHEMA:
            raise StoreError(Problem(f"its schema is {data['schema']}, this program reads up to {SCHEMA}", "Update ranscore", file))
        cohort, items = data["cohort"], tuple(Item(**item) for item in data["items"])
        study = ReadingStudy(
            form=questions.from_json(data["form"]),
            cohort=CohortRef(**{**cohort, "section": Section(cohort["section"]), "access": Access(cohort["access"])}),
            draw=Draw(**data["draw"]),
            items=tuple(sorted(items, key=lambda item: item.id)),
            orders={
                str(reader): tuple(Showing(str(item), bool(swapped)) for item, swapped in order) for reader, order in data["orders"].items()
            },
            at_least=int(data["rule"]["at_least"]),
            **{key: data[key] for key in ("salt", "with_reference", "threshold", "decided_by")},
        )
        known = {item.id for item in items}
        if len(known) != len(items) or any(shown.item not in known for order in study.orders.values() for shown in order):
            raise ValueError("items and sheets do not belong together")
        return study
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"it is not a study of readers ({type(error).__name__})"
        raise InputError(Problem(what, "Restore the file from a backup, or make the study again", file)) from None
