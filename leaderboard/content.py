"""What pages read of a store: loaded once, again when something landed, in one place for all visitors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

from harness import cohorts
from harness.config.home import home
from harness.errors import InputError, RanscoreError, StoreError
from harness.records import rexrank_tables
from harness.records import snapshot as snapshots
from harness.records.as_readers import AsReaders
from harness.records.lengths import Lengths
from harness.records.ranks import patients_of
from harness.records.record import CohortCard, Record
from harness.records.rexrank_tables import ReXrankRow
from harness.records.snapshot import MetricSnapshot, Snapshot
from harness.records.store import Store, Stored, now
from harness.records.store import at as store_at
from harness.signature import kind_of
from harness.storage.stored import exists, tell
from harness.types import Access, Cohort, Manifest, Rows
from leaderboard import standards, validations
from leaderboard.board import Board, Column, anonymous, boards
from validation.bench import results as benches
from validation.bench.results import BenchResult
from validation.extractors.results import Validation


@dataclass(frozen=True, slots=True)
class Content:
    """One state of a store."""

    boards: tuple[Board, ...]
    stored: Mapping[str, Stored]
    """By record id, the withdrawn ones too; systems that are anonymous for now are so here."""
    snapshots: Mapping[tuple[str, str], Snapshot]
    """By cohort digest and signature of the metric that ranks."""
    stamp: str
    """Changes with the content."""

    def board(self, key: str) -> Board | None:
        """The board of this key; the first one where there is none."""
        return next((board for board in self.boards if board.key == key), self.boards[0] if self.boards else None)

    def board_of(self, system: str) -> Board | None:
        """The board on which a record is."""
        return next((board for board in self.boards if any(row.id == system for row in board.rows)), None)

    def record(self, name: str) -> Record | None:
        """A record by its id."""
        return self.stored[name].record if name in self.stored else None

    def as_readers(self, board: Board) -> AsReaders | None:
        """What is known of the extractor's error on a board."""
        snapshot = self.snapshots.get((board.cohort.digest, board.signature))
        return snapshot.as_readers if snapshot else None

    def lengths(self, board: Board) -> Lengths | None:
        """What is known of the length of a board's reports."""
        snapshot = self.snapshots.get((board.cohort.digest, board.signature))
        return snapshot.lengths if snapshot else None

    def tests(self, board: Board, column: Column) -> MetricSnapshot | None:
        """Places and pairs of one score."""
        snapshot = self.snapshots.get((board.cohort.digest, board.signature))
        for row in board.rows if snapshot else ():
            for result in self.stored[row.id].record.metrics:
                if kind_of(result.signature) == column.metric:
                    return snapshot.metric(result.signature) if snapshot else None
        return None


class BoardContent:
    """A store as pages see it, with the cohorts that were built beside it or in RANSCORE_HOME."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = Lock()
        self._content: Content | None = None
        # A record's rows are read again only when nobody has looked at it for a while.
        self._rows = lru_cache(maxsize=200)(self._read_rows)
        self._cohorts: dict[str, Cohort] = {}
        self._damaged: tuple[Path, ...] = ()

    def content(self) -> Content:
        """The newest state; loading it takes the time of reading every record, and happens only after something landed.

        While one thread loads it, others get the state before.
        """
        before = self._content
        if not self._lock.acquire(blocking=before is None):
            assert before is not None
            return before
        try:
            stamp = self._stamp()
            if self._content is None or self._content.stamp != stamp:
                today = now()[:10]
                known, self._damaged = self.store.read()
                stored = tuple(anonymous(item, today) for item in known)
                snapshots = found(self.store, stored)
                self._content = Content(boards(stored, snapshots), {item.id: item for item in stored}, snapshots, stamp)
            return self._content
        finally:
            self._lock.release()

    def _stamp(self) -> str:
        """Changes when a file appears in a folder, a damaged file is restored, a standard is settled, an extractor is validated, or a day ends (anonymity ends on one)."""
        folders = _times(self.store.root / "events", self.store.root / "snapshots")
        return f"{now()[:10]} {folders} {standards.stamp(self._standards())} {validations.stamp(self._validations())} {benches.stamp(self._benches())} {_times(*self._damaged)}"

    def standards(self) -> tuple[standards.Standard, ...]:
        """The readers' standards that were settled beside the store or in RANSCORE_HOME."""
        return standards.found(self._standards())

    def _standards(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys((self.store.root.parent / "readers", home() / "readers")))

    def validations(self) -> tuple[Validation, ...]:
        """The validations of extractors that were kept beside the store or in RANSCORE_HOME, the newest first."""
        return validations.found(self._validations())

    def _validations(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys((self.store.root.parent / "validations", home() / "validations")))

    def rexrank(self, cohort: str) -> tuple[ReXrankRow, ...]:
        """ReXrank's table of a cohort's studies, beside the store or fetched by name; empty where it is not here, or damaged."""
        name = rexrank_tables.file(cohort)
        for folder in (self.store.root.parent / "reported", home() / "fetched" / "rexrank-tables") if name else ():
            if (path := folder / name).is_file():
                try:
                    return rexrank_tables.read(path)
                except InputError as error:
                    tell(error)
        return ()

    def benches(self) -> tuple[BenchResult, ...]:
        """What metrics see: results that were kept beside the store or in RANSCORE_HOME, else those of the program."""
        return benches.found(self._benches())

    def _benches(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys((self.store.root.parent / "bench", home() / "bench")))

    def rows(self, name: str) -> tuple[Rows, ...]:
        """A record's rows; empty where they are not here, or damaged."""
        try:
            return self._rows(name)
        except StoreError as error:
            tell(error)
            return ()

    def reports(self, name: str) -> dict[str, str] | None:
        """A record's reports; None where they are not here, or damaged."""
        try:
            return self.store.reports(self.content().stored[name])
        except StoreError as error:
            tell(error)
            return None

    def patients(self, cohort: CohortCard) -> Mapping[str, str] | None:
        """Whose study each one is; None where nothing that can be read says it."""
        try:
            return patients_of(self.store, cohort)
        except StoreError as error:
            tell(error)
            return None

    def _read_rows(self, name: str) -> tuple[Rows, ...]:
        record = self.content().record(name)
        return self.store.rows(record) if record else ()

    def manifest(self, digest: str) -> tuple[Path, Manifest] | None:
        """The built cohort of this digest, without its text; None where it is not on this machine."""
        for root in dict.fromkeys((self.store.root.parent / "cohorts", home() / "cohorts")):
            for path in cohorts.manifests(root):
                manifest = _manifest(path, *_times(path))
                if manifest and manifest.digest == digest:
                    return path.parent, manifest
        return None

    def open_cohort(self, digest: str) -> Cohort | None:
        """A cohort with its text, only where the text is open: that of others never reaches a page."""
        known = self._cohorts.get(digest)
        place = None if known else self.manifest(digest)
        if place and place[1].access is Access.OPEN:
            try:
                known = cohorts.load(place[0])
            except RanscoreError as error:
                tell(error)
                return None
            self._cohorts = {digest: known}
        return known


def _times(*paths: Path) -> list[int]:
    """When something last changed: folders when a file appears in them, damaged files when they are restored in their place."""
    return [path.lstat().st_mtime_ns if exists(path) else 0 for path in paths]


@lru_cache(maxsize=16)
def _manifest(path: Path, changed: int) -> Manifest | None:
    """A manifest, read once for each change of its file; a damaged one is none."""
    try:
        return cohorts.load_manifest(path)
    except InputError as error:
        tell(error)
        return None


def load(store: Store) -> tuple[Board, ...]:
    """Every board of a store; a board whose snapshot was not made yet has no ranks."""
    stored = store.all()
    return boards(stored, found(store, stored), now()[:10])


def found(store: Store, stored: Iterable[Stored]) -> dict[tuple[str, str], Snapshot]:
    """The newest snapshot of every board, by cohort digest and signature of the metric that ranks."""
    keys = sorted({(item.record.cohort.digest, item.record.metrics[0].signature) for item in stored if item.record.metrics})
    return {key: snapshot for key in keys if (snapshot := snapshots.newest(store.root, *key))}


def load_board(folder: Path | str | None = None) -> tuple[Board, ...]:
    """Every board of a store, as data: rows with scores, intervals and ranks.

    Args:
        folder: The store; by default the one in `RANSCORE_HOME`.
    """
    return load(store_at(Path(folder) if folder else Path()))
