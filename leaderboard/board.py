"""The board as data: rows, columns and places, from records and their snapshot. Pure; every renderer and page reads this."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.records.paper_table import reported, source
from harness.records.record import CohortCard, MetricResult, Record
from harness.records.snapshot import MetricSnapshot, Place, Snapshot
from harness.records.store import Stored, newest
from harness.signature import digest as digest_of
from harness.signature import kind_of, spec_of
from harness.types import Grade, Role, SystemCard

AS_READERS = "as-readers"
"""The metric of the column that shows the score as readers would give it."""
REPORTED_COHORT = "MIMIC-CXR, 3,000 images (as reported)"


@dataclass(frozen=True, slots=True)
class Column:
    """One score of the board."""

    key: str
    """`metric:recipe/part`: what addresses and exports call it."""
    label: str
    metric: str
    """The metric's signature up to what the extractor and the cohort add."""
    part: str
    higher_is_better: bool = True


@dataclass(frozen=True, slots=True)
class Cell:
    """One score of one row."""

    value: float
    interval: tuple[float, float] | None = None
    best: bool = False
    """Not significantly worse than the best ranked system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRow:
    """One line of the board."""

    id: str
    """The record's id; empty for what a paper reported."""
    name: str
    version: str
    organisation: str
    link: str
    role: Role
    grade: Grade
    cells: Mapping[str, Cell]
    """By column key; a score that the record does not hold is absent."""
    place: Place | None = None
    why_unranked: str = ""
    coverage: str = ""
    created: str = ""
    open_weights: str = "unknown"
    trained_on_cohort: str = "unknown"
    section: str = ""
    attainable: float | None = None
    digest: str = ""
    signature: str = ""
    submissions: int = 0
    """How many records this organisation, or this system where none is named, has had scored on this cohort."""
    note: str = ""
    length: str = ""
    """Mean length of its reports, and of the references; empty where the snapshot does not say."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Board:
    """Everything that is comparable: one cohort, one signature of the score that ranks."""

    cohort: CohortCard
    signature: str
    """The signature of the metric that ranks."""
    extractor: str
    official: bool
    columns: tuple[Column, ...]
    rows: tuple[BoardRow, ...]
    """Best first; floors, ceilings and whatever else has no rank are where their score puts them."""
    detectable: float | None = None
    """How far apart two systems must be, in the score that ranks, to be distinguished in most cases."""
    gap: str = ""
    """The same as a sentence, or the reason why there is no such number; empty where fewer than two systems are ranked."""
    snapshot: str = ""
    """The snapshot's signature; empty where there is none yet."""
    unsafe: tuple[str, ...] = ()
    """Names of the systems whose reports the extractor reads better or worse than those of the others."""
    notes: tuple[str, ...] = field(default=())
    facts: tuple[str, ...] = ("evidence", "coverage")
    """What is shown of a row beside its scores, of `leaderboard.exports.tables.FACTS`."""

    @property
    def key(self) -> str:
        """What addresses call this board: safe in file names."""
        name = re.sub(r"[^a-z0-9]+", "-", self.cohort.name.lower()).strip("-")[:40]
        return f"{name or 'cohort'}-{digest_of([self.cohort.digest, self.signature])[:8]}"

    def __repr__(self) -> str:
        return f"<Board {self.key!r}: {len(self.rows)} rows, {len(self.columns)} scores, signature {self.signature}>"

    def pick(self, rows: Sequence[str], columns: Sequence[str], facts: Sequence[str]) -> Board:
        """What a reader has on the screen: some rows in some order, some columns; unknown names are left out.

        Args:
            rows: Ids of rows in the order in which they are shown.
            columns: Keys of columns.
            facts: Names from `leaderboard.exports.tables.FACTS`.
        """
        known = {row.id: row for row in self.rows}
        return replace(
            self,
            rows=tuple(known[name] for name in rows if name in known),
            columns=tuple(column for column in self.columns if column.key in columns),
            facts=tuple(facts),
        )


def boards(stored: Sequence[Stored], snapshots: Mapping[tuple[str, str], Snapshot] | None = None, today: str = "") -> tuple[Board, ...]:
    """One board for each cohort and signature, the one with most systems first.

    Args:
        snapshots: By cohort digest and signature of the metric that ranks.
        today: ISO date, for the systems that are anonymous until a date; empty where nothing is hidden.
    """
    groups: dict[tuple[str, str], list[Stored]] = {}
    for item in (anonymous(item, today) for item in stored):
        if item.record.metrics:
            groups.setdefault((item.record.cohort.digest, item.record.metrics[0].signature), []).append(item)
    known = snapshots or {}
    made = [_board(group, known.get(key)) for key, group in groups.items() if any(not item.withdrawn for item in group)]
    return tuple(sorted(made, key=lambda board: (-len(board.rows), board.cohort.name, board.signature)))


def anonymous(item: Stored, today: str) -> Stored:
    """A record without the names that its submitter wants hidden until a later date."""
    card = item.record.system
    if not today or not card.anonymous_until or card.anonymous_until[:10] <= today:
        return item
    # Two versions of one hidden system stay one system.
    name = f"anonymous-{digest_of([card.name, card.organisation])[:6]}"
    hidden = SystemCard(
        name,
        version=card.version,
        organisation="",
        link="",
        open_weights=card.open_weights,
        trained_on_cohort=card.trained_on_cohort,
        sections=card.sections,
        role=card.role,
        anonymous_until=card.anonymous_until,
    )
    return replace(item, record=replace(item.record, system=hidden))


def _board(group: Sequence[Stored], snapshot: Snapshot | None) -> Board:
    standing = newest(group)
    first = standing[0].record
    columns = (*_columns(item.record for item in standing), *_corrected(snapshot))
    counted = Counter(_team(item.record) for item in group if item.record.system.role is Role.SYSTEM)
    ranks = snapshot.metric(first.metrics[0].signature) if snapshot else None
    rows = [
        _row(item, columns, _places(item, columns, snapshot), counted[_team(item.record)], _why_unranked(item, ranks)) for item in standing
    ]
    rows = [replace(row, cells={**row.cells, **_as_readers(row.id, columns, snapshot)}, length=_length(row.id, snapshot)) for row in rows]
    extractor = first.extractors[0] if first.extractors else None
    return Board(
        cohort=first.cohort,
        signature=first.metrics[0].signature,
        extractor=extractor.title if extractor else "",
        official=bool(extractor and extractor.official),
        columns=columns,
        rows=tuple(sorted(rows, key=lambda row: _order(row, columns[0].key))),
        detectable=(ranks.detectable.get(columns[0].part) or None) if ranks else None,
        gap=ranks.gap(columns[0].part, columns[0].label) if ranks else "",
        snapshot=snapshot.signature if snapshot else "",
        unsafe=tuple(row.name for row in rows if snapshot and snapshot.as_readers and row.id in snapshot.as_readers.unsafe),
    )


def _places(item: Stored, columns: Sequence[Column], snapshot: Snapshot | None) -> dict[str, Place]:
    """By column key the place of the record under that score."""
    if snapshot is None:
        return {}
    found = {}
    for column in columns:
        result = next((result for result in item.record.metrics if kind_of(result.signature) == column.metric), None)
        metric = snapshot.metric(result.signature) if result else None
        if metric and (place := metric.places.get(column.part, {}).get(item.id)):
            found[column.key] = place
    return found


def _corrected(snapshot: Snapshot | None) -> tuple[Column, ...]:
    """The column of what readers would score, where pairs were read."""
    known = snapshot.as_readers if snapshot else None
    part = known.part if known else ""
    return (Column(f"{AS_READERS}/{part}", "as readers would score", AS_READERS, part),) if known and known.systems else ()


def _as_readers(name: str, columns: Sequence[Column], snapshot: Snapshot | None) -> dict[str, Cell]:
    known = snapshot.as_readers.system(name) if snapshot and snapshot.as_readers else None
    return {
        column.key: Cell(found.value, (found.low, found.high))
        for column in columns
        if column.metric == AS_READERS and known and (found := known.parts.get(column.part))
    }


def _length(name: str, snapshot: Snapshot | None) -> str:
    known = snapshot.lengths.systems.get(name) if snapshot and snapshot.lengths else None
    return f"{known.words:.0f} of {known.reference_words:.0f}" if known else ""


def _team(record: Record) -> str:
    return record.system.organisation or record.system.name


def _columns(records: Iterable[Record]) -> tuple[Column, ...]:
    """Every score that a record of the board holds, in the order in which they were scored."""
    found: dict[str, Column] = {}
    for record in records:
        for result in record.metrics:
            for part in shown_parts(result):
                spec = kind_of(result.signature)
                key = f"{spec}/{part}"
                found.setdefault(key, Column(key, label(result, part), spec, part, result.higher_is_better))
    counts = Counter(column.label for column in found.values())
    return tuple(_told_apart(column) if counts[column.label] > 1 else column for column in found.values())


def _told_apart(column: Column) -> Column:
    """A column that shares its label with another: with its recipe."""
    recipe = spec_of(column.metric).partition(":")[2]
    return replace(column, label=f"{column.label} ({recipe})") if recipe else column


def shown_parts(result: MetricResult) -> list[str]:
    """The parts of a metric that are on the board: its headline, and what readers expect beside it."""
    beside = {"ran-score": ["micro-f1"], "bleu": ["bleu-1", "bleu-2", "bleu-3"]}.get(result.name, [])
    found = [result.headline, *(part for part in beside if part in result.parts and part != result.headline)]
    return sorted(found) if result.name == "bleu" else found


def label(result: MetricResult, part: str) -> str:
    """A column's heading."""
    if result.name == "ran-score":
        return {"macro-f1": "Ran Score", "micro-f1": "micro F1"}.get(part, part)
    names = {"bleu": "BLEU", "rouge-l": "ROUGE-L", "cider": "CIDEr", "cider-d": "CIDEr-D", "chexbert-f1": "CheXbert F1"}
    if part.startswith("bleu-"):
        return part.upper()
    return names.get(result.name, result.name.upper() if result.name.startswith("meteor") else result.name)


def _why_unranked(item: Stored, snapshot: MetricSnapshot | None) -> str:
    """Why a record without a place has none."""
    if reason := item.record.unranked:
        return reason
    left_out = snapshot is not None and item.id in snapshot.systems and item.id not in snapshot.ranked
    return item.record.grade.value if left_out else "no snapshot yet"


def _row(item: Stored, columns: Sequence[Column], places: Mapping[str, Place], submissions: int, why: str) -> BoardRow:
    record, card = item.record, item.record.system
    place = places.get(columns[0].key)
    return BoardRow(
        id=item.id,
        name=card.name,
        version=card.version,
        organisation=card.organisation,
        link=card.link,
        role=card.role,
        grade=record.grade,
        cells={column.key: cell for column in columns if (cell := _cell(record, column, places.get(column.key)))},
        place=place,
        why_unranked="" if place else why,
        coverage=str(record.counts),
        created=record.created,
        open_weights=card.open_weights,
        trained_on_cohort=card.trained_on_cohort,
        section=card.sections.value if card.sections else "",
        attainable=record.metrics[0].attainable,
        digest=record.digest,
        signature=record.metrics[0].signature,
        submissions=submissions,
    )


def _cell(record: Record, column: Column, place: Place | None) -> Cell | None:
    for result in record.metrics:
        if kind_of(result.signature) == column.metric and column.part in result.parts:
            return Cell(result.parts[column.part], result.intervals.get(column.part), bool(place and place.best))
    return None


def _order(row: BoardRow, key: str) -> tuple[bool, float, str]:
    cell = row.cells.get(key)
    return (cell is None, -(cell.value if cell else 0.0), row.name)


def is_of_paper(cohort: CohortCard) -> bool:
    """Whether what the paper reported belongs beside a cohort: only MIMIC-CXR's."""
    return "mimic" in cohort.name.lower()


def reported_rows() -> tuple[BoardRow, ...]:
    """The paper's Table 5 as rows that are never ranked, with the exchanged columns corrected."""
    note = f"{source()}; printed values, with micro precision and recall exchanged back (see the notes on the paper)"
    return tuple(
        BoardRow(
            id="",
            name=row.system,
            version="",
            organisation="",
            link="",
            role=Role.SYSTEM,
            grade=Grade.REPORTED,
            cells={"ran-score|v1/macro-f1": Cell(row.ran_score), "ran-score|v1/micro-f1": Cell(row.micro_f1)},
            why_unranked="reported",
            note=note,
        )
        for row in sorted(reported(), key=lambda row: -row.ran_score)
    )
