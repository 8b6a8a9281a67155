"""Rank a few systems on one cohort, in memory: scores, floors, ceiling, pairwise tests, ranks, and a sentence about each system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from generators.bounds.floors import BOUNDS, bound
from harness.errors import InputError, Problem, UsageError, problems_of
from harness.formats.written_by import name_of
from harness.records import ranks
from harness.records.comparison import known
from harness.records.plotted import Point
from harness.records.record import identity, short
from harness.records.result_table import Presented, ResultTable, Value
from harness.records.snapshot import MetricSnapshot, Snapshot
from harness.records.store import Stored
from harness.records.summary import FEW_POSITIVES
from harness.scoring import floors, inputs, seeds
from harness.scoring.evaluation import Evaluation
from harness.scoring.scorer import Scorer, scorer
from harness.storage.progress import progress
from harness.types import Access, Cohort, Extractor, Grade, Metric, ReportSet, Role, Section, SystemCard
from leaderboard.board import Board, BoardRow, boards

LOOKED_UP = ("constant-normal", "all-findings", "shuffled-references", "references")
"""The floors and the ceiling that are made without a film."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Ranking(Presented):
    """Systems with ranks, floors and the ceiling on one cohort. It shows no report."""

    board: Board
    snapshot: Snapshot
    evaluations: Mapping[str, Evaluation] = field(repr=False)
    """By record id what was scored, floors and ceiling too."""
    runs: Mapping[str, tuple[float, ...]]
    """By record id of a system with several seeds the score of each."""

    def __repr__(self) -> str:
        shown = [f"{row.place.rank} {short(row.name, 24)}" for row in self.systems if row.place]
        more = f", {len(shown) - 5} more" if len(shown) > 5 else ""
        return f"<Ranking on {short(self.board.cohort.name, 30)!r}: {', '.join(shown[:5])}{more}>"

    def _repr_html_(self) -> str:
        lines = "".join(f"<li>{escape(line)}</li>" for line in self.sentences())
        return f"{self.table().to_html()}<ul>{lines}</ul>"

    @property
    def systems(self) -> tuple[BoardRow, ...]:
        """The rows that are neither floor nor ceiling, best first."""
        return tuple(row for row in self.board.rows if row.role is Role.SYSTEM)

    @property
    def tests(self) -> MetricSnapshot:
        """The tests of the score that ranks."""
        found = self.snapshot.metric(self.snapshot.board)
        assert found is not None
        return found

    def table(self) -> ResultTable:
        """One row a system, floor or ceiling: rank with its interval, the first score with its interval, the other scores."""
        first, *others = self.board.columns
        header = ("rank", "rank interval", "system", "kind", first.label, "low", "high", *(column.label for column in others))
        rows = []
        for row in self.board.rows:
            cell, place = row.cells[first.key], row.place
            low, high = cell.interval or (None, None)
            rest: list[Value] = [row.cells[column.key].value if column.key in row.cells else None for column in others]
            ranked: tuple[Value, ...] = (place.rank, f"{place.low}-{place.high}") if place else (None, "")
            rows.append((*ranked, _title(row), row.role.value, cell.value, low, high, *rest))
        return ResultTable(name="ranking", caption=self.caption, header=header, rows=tuple(rows))

    @property
    def caption(self) -> str:
        """What must be under any copy: cohort, extractor, signatures."""
        from leaderboard.exports.tables import caption

        return caption(self.board)

    def findings(self) -> ResultTable:
        """F1 of each finding in every row of the ranking, with the number of positive references; empty where no score reads findings."""
        shown = [(row, self.evaluations[row.id].record.metrics[0].parts) for row in self.board.rows]
        parts = shown[0][1]
        names = [part.partition(":")[2] for part in parts if part.startswith("positives:")]
        rows: list[tuple[Value, ...]] = [
            (name, round(parts[f"positives:{name}"]), *(own[f"f1:{name}"] for _, own in shown)) for name in names
        ]
        header = ("finding", "positives", *(_title(row) for row, _ in shown))
        caption = f"F1 of each finding; of one with fewer than {FEW_POSITIVES} positives nothing is claimed alone. {self.caption}"
        return ResultTable(name="findings", caption=caption, header=header, rows=tuple(rows))

    def pairs(self) -> ResultTable:
        """Every pair of rows under the score that ranks: difference, interval, p."""
        rows: list[tuple[Value, ...]] = []
        for at, one in enumerate(self.board.rows):
            for other in self.board.rows[at + 1 :]:
                if pair := self.tests.pair(self.tests.headline, one.id, other.id):
                    rows.append((_title(one), _title(other), pair.difference, known(pair.low), known(pair.high), pair.p))
        level = 100 * (1 - self.snapshot.alpha)
        caption = f"First less second in {self.board.columns[0].label}, {level:g} % intervals. {self.board.gap} {self.caption}"
        return ResultTable(name="pairs", caption=caption, header=("first", "second", "difference", "low", "high", "p"), rows=tuple(rows))

    def points(self) -> tuple[Point, ...]:
        """The first score of every row; floors and ceiling are grey."""
        found = [(row, row.cells[self.board.columns[0].key]) for row in self.board.rows]
        ends = [(row, cell.value, cell.interval or (cell.value, cell.value)) for row, cell in found]
        return tuple(
            Point(name=_title(row), value=value, low=low, high=high, quiet=row.role is not Role.SYSTEM) for row, value, (low, high) in ends
        )

    def sentences(self) -> tuple[str, ...]:
        """One sentence about each system, best first."""
        return tuple(self._sentence(row) for row in self.systems)

    def _sentence(self, row: BoardRow) -> str:
        first = self.board.columns[0]
        best = f" of at most {row.attainable:z.3f}" if row.attainable is not None else ""
        rank = f"rank {row.place.rank} ({row.place.low} to {row.place.high})" if row.place else f"no rank ({row.why_unranked})"
        told = [f"{_title(row)}: {rank}, {first.label} {row.cells[first.key].value:z.3f}{best}"]
        if row.id in self.runs:
            told.append("its runs " + ", ".join(f"{value:z.3f}" for value in self.runs[row.id]))
        told.append(floors.place("it", self._against(row, Role.FLOOR), self.snapshot.alpha).removeprefix("it "))
        told += self._others(row)
        if floors.is_silent(self.evaluations[row.id].rows[0]):
            told.append("asserts nothing but No Finding")
        return "; ".join(told) + "."

    def _against(self, row: BoardRow, role: Role) -> list[tuple[str, Any]]:
        """By name of each other row of a role this one less that one; floors are named by what they are."""
        others = [other for other in self.board.rows if other.role is role]
        if role is Role.FLOOR:
            others.sort(key=lambda other: LOOKED_UP.index(other.name))
        found = [(other, self.tests.pair(self.tests.headline, row.id, other.id)) for other in others]
        return [(BOUNDS[other.name][1] if role is Role.FLOOR else _title(other), pair) for other, pair in found if pair]

    def _others(self, row: BoardRow) -> list[str]:
        """How it compares with the other systems: better than, worse than, not distinguished from."""
        sign = 1 if self.tests.higher_is_better else -1
        groups: dict[str, list[str]] = {"better than": [], "worse than": [], "cannot be distinguished from": []}
        for name, pair in self._against(row, Role.SYSTEM):
            real = pair.p < self.snapshot.alpha
            kind = "cannot be distinguished from" if not real else "better than" if sign * pair.difference > 0 else "worse than"
            groups[kind].append(name)
        return [f"{kind} {', '.join(names)}" for kind, names in groups.items() if names]


def _title(row: BoardRow) -> str:
    return f"{row.name} {row.version}".strip()


def rank(
    *,
    systems: Mapping[str, Any] | Sequence[Path | str],
    references: Any,
    access: Access | str = Access.CREDENTIALED,
    section: Section | str | None = None,
    extractor: Extractor | str = "lexical",
    options: Mapping[str, Any] | None = None,
    metrics: Sequence[str | Metric] | None = None,
    profile: str = "",
    alpha: float = 0.05,
    cleaned: bool = False,
    columns: Mapping[str, str] | None = None,
    created: str = "",
) -> Ranking:
    """Score and rank systems on the same references, beside floors and the ceiling.

    Args:
        systems: By name the reports of each system, as `score` takes them; a tuple holds several runs (seeds) of one system. Or files alone,
            each named by its run or its file.
        references: As for `score`.
        access: As for `score`.
        section: As for `score`.
        extractor: As for `score`.
        options: As for `score`.
        metrics: As for `score`; the first ranks.
        profile: As for `score`.
        alpha: What counts as significantly better.
        cleaned: As for `score`.
        columns: As for `score`, for every file.
        created: UTC time for the records; by default none.

    Raises:
        InputError: A file is wrong; every problem of every file is named.
        UsageError: No system is given, or two have one name.
    """
    if not 0 < alpha < 1:
        raise UsageError("alpha must be between 0 and 1")
    given = _named(systems)
    if taken := [name for name in given if name in LOOKED_UP]:
        raise UsageError(
            f"{taken[0]!r} is the name of a floor or the ceiling, which are added to every ranking: give the system another name"
        )
    for value in (run for runs in given.values() for run in runs):
        inputs.check_pairs(predictions=value, references=references)
    cohort = inputs.cohort_of(references, access=access, section=section)
    read = _read(given, cohort, cleaned, columns)
    by = scorer(cohort, extractor=extractor, options=options, metrics=metrics, profile=profile)
    scored: list[Evaluation] = []
    runs: dict[str, tuple[float, ...]] = {}
    for name, reports in progress(read.items(), "Scoring the systems", unit="system"):
        each = [by.score(item, SystemCard(name), Grade.LOCAL, created) for item in reports]
        scored.append(seeds.pooled(each, by.metrics))
        if len(each) > 1:
            runs[identity(scored[-1].record)] = tuple(item.record.metrics[0].value for item in each)
    scored += [_bound(name, by, cohort, created) for name in progress(LOOKED_UP, "Scoring floors and ceiling", unit="floor")]
    return _ranked(scored, runs, alpha, created)


def _bound(name: str, by: Scorer, cohort: Cohort, created: str) -> Evaluation:
    return by.score(ReportSet(bound(name, cohort).reports), SystemCard(name, role=BOUNDS[name][0]), Grade.REGENERATED, created)


def _ranked(scored: Sequence[Evaluation], runs: Mapping[str, tuple[float, ...]], alpha: float, created: str) -> Ranking:
    by_id = {identity(item.record): item for item in scored}
    stored = [Stored(name, item.record) for name, item in by_id.items()]
    listed = [(item, by_id[item.id].rows) for item in stored]
    snapshot = ranks.of(listed, scored[0].sides.patients, ranks.Rules(alpha), created=created)
    (board,) = boards(stored, {(snapshot.cohort, snapshot.board): snapshot})
    return Ranking(board=board, snapshot=snapshot, evaluations=by_id, runs=dict(runs))


def _named(systems: Mapping[str, Any] | Sequence[Path | str]) -> dict[str, tuple[Any, ...]]:
    """By name the runs of each system.

    Raises:
        UsageError: There is none, or two have one name.
    """
    if isinstance(systems, Path | str) or not systems:
        raise UsageError("give at least one system: a dict {name: reports}, or a list of files")
    if isinstance(systems, Mapping):
        return {str(name): value if isinstance(value, tuple) else (value,) for name, value in systems.items()}
    found: dict[str, tuple[Any, ...]] = {}
    for path in systems:
        name = name_of(Path(path))
        if name in found:
            raise UsageError(f"two files are called {name!r}: give each a name of its own, NAME=FILE")
        found[name] = (path,)
    return found


def _read(
    given: Mapping[str, tuple[Any, ...]], cohort: Cohort, cleaned: bool, columns: Mapping[str, str] | None
) -> dict[str, list[ReportSet]]:
    """Every file, or the problems of all of them."""
    problems: list[Problem] = []
    read: dict[str, list[ReportSet]] = {name: [] for name in given}

    def one(name: str, value: Any) -> None:
        read[name].append(inputs.reports_of(value, cohort, cleaned=cleaned, columns=columns))

    for name, runs in given.items():
        for value in runs:
            problems += problems_of(lambda name=name, value=value: one(name, value))  # type: ignore[misc]
    if problems:
        raise InputError(problems)
    return read
