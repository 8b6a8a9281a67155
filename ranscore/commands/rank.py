"""`ranscore rank`: from a few files of reports to ranks, in one command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ranscore.commands import options
from ranscore.commands.options import Commands

if TYPE_CHECKING:
    from harness.records.store import Store
    from ranscore.ranking import Ranking


def register(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "rank",
        help="rank a few reports files: scores, floors, ceiling, pairwise tests, a sentence about each system",
        description="Score files of reports against the same references, beside the floors and the ceiling, and rank them. Nothing is kept "
        "unless --store or -o is given.",
    )
    parser.add_argument(
        "systems", nargs="+", metavar="[NAME=]FILE[,FILE...]", help="a system's reports; several files are several runs (seeds) of it"
    )
    options.cohort(parser)
    options.references(parser)
    parser.add_argument(
        "--section", choices=options.SECTIONS, help="which section of the --references is scored (default: what the file has)"
    )
    options.cohort_name(parser)
    options.columns(parser)
    options.clean(parser)
    options.extractor(parser)
    options.metrics(parser)
    parser.add_argument("--alpha", type=float, default=0.05, help="what counts as significantly better (default: 0.05)")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write the tables: FILE ends with .tex, .csv, .html, .md or .json"
    )
    options.store(parser)
    parser.add_argument("--serve", action="store_true", help="open the ranking as a page on this machine")
    options.listen(parser)
    options.json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Rank, keep, print."""
    from harness.errors import UsageError
    from ranscore import ranking_files

    if arguments.cohort and arguments.references:
        raise UsageError("give --cohort or --references, not both")
    if not arguments.cohort and not arguments.references:
        raise UsageError("say what to score against: --cohort NAME, or --references FILE")
    if arguments.output:
        ranking_files.check(arguments.output)
    made = _rank(arguments)
    if arguments.output:
        written = ranking_files.write(made, arguments.output)
    if arguments.json:
        print(ranking_files.to_json(made), end="")
    else:
        show(made)
    if arguments.output and not arguments.json:
        print(f"Written: {', '.join(map(str, written))}")
    if arguments.store is not None or arguments.serve:
        _keep_and_serve(arguments, made)
    return 0


def _rank(arguments: argparse.Namespace) -> Ranking:
    from harness.records import store
    from harness.scoring import inputs
    from harness.types import Access, Section
    from ranscore.commands.score import note
    from ranscore.ranking import rank

    systems = _systems(arguments.systems)
    access = Access.OPEN if arguments.open else Access.CREDENTIALED
    columns = options.columns_of(arguments.references, arguments) if arguments.references else {}
    cohort = inputs.cohort_of(
        arguments.cohort or arguments.references,
        access=access,
        section=Section(arguments.section) if arguments.section else None,
        columns=columns,
        name=arguments.cohort_name,
        tell=note,
    )
    return rank(
        systems=systems,
        references=cohort,
        extractor=arguments.extractor or "lexical",
        options=options.llm_options(arguments),
        metrics=arguments.metrics.split(",") if arguments.metrics else None,
        profile=arguments.profile or "",
        alpha=arguments.alpha,
        cleaned=arguments.clean,
        columns=options.named_columns(arguments) or None,
        created=store.now(),
    )


def _systems(given: list[str]) -> dict[str, tuple[Path, ...]]:
    """By name the files of each system.

    Raises:
        UsageError: Two systems have one name.
    """
    from harness.errors import UsageError
    from harness.formats.written_by import name_of

    found: dict[str, tuple[Path, ...]] = {}
    for word in given:
        name, files = ("", word) if Path(word).is_file() or "=" not in word else word.split("=", 1)
        paths = tuple(Path(each) for each in ([files] if Path(files).is_file() else files.split(",")) if each)
        called = name_of(paths[0] if paths else Path(word), name)
        if called in found:
            raise UsageError(f"two systems are called {called!r}: name them, as in first={paths[0]}")
        found[called] = paths or (Path(word),)
    return found


def show(made: Ranking) -> None:
    """The ranking for people: the table, a sentence about each system, what can be distinguished, the findings."""
    from harness.records.result_table import printed
    from ranscore.commands.show import table

    shown = made.table()
    hidden = {shown.header.index(name) for name in ("low", "high", "rank interval")}
    header = [name for at, name in enumerate(shown.header) if at not in hidden]
    rows = [[printed(value) for at, value in enumerate(_merged(row)) if at not in hidden] for row in shown.rows]
    table(header, rows, f"Ranked on {made.board.cohort.name}", 3, whole=False)
    for line in (*made.sentences(), made.board.gap, made.caption):
        if line:
            print(line)
    if (findings := made.findings()).rows:
        table(findings.header, findings.cells(), "F1 of each finding", 1, whole=False)
    print("All tests of pairs: -o FILE.csv, .tex, .html, .md or .json.")


def _merged(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row whose rank and first score carry their intervals."""
    rank, interval, name, kind, value, low, high, *rest = row
    ranked = "–" if rank is None else str(rank) if interval == f"{rank}-{rank}" else f"{rank} [{interval}]"
    score = f"{value:z.3f}" if low is None else f"{value:z.3f} [{low:z.3f}, {high:z.3f}]"
    return (ranked, interval, name, kind, score, low, high, *rest)


def _keep_and_serve(arguments: argparse.Namespace, made: Ranking) -> None:
    """Keep the records in a store; for a page without --store, in a folder that is gone when the page ends."""
    from contextlib import ExitStack
    from tempfile import TemporaryDirectory

    from harness.records import store

    with ExitStack() as stack:
        if arguments.store is not None:
            place = store.at(arguments.store)
            keep(made, place)
            print(f"Kept in {place.root}; `ranscore board` prints it.")
        else:
            place = store.Store(Path(stack.enter_context(TemporaryDirectory())) / "store")
            keep(made, place)
        if arguments.serve:
            from leaderboard.page import app

            app.run(app.open_site(place, None), arguments.host, arguments.port)


def keep(made: Ranking, place: Store) -> None:
    """Keep every record with its rows and reports, and rank the store."""
    from harness.records import ranks, snapshot, store

    for item in made.evaluations.values():
        texts = {each.study: each.text for each in item.sides.candidates if each.status != "missing"}
        several = item.record.counts.studies > item.record.cohort.studies
        place.add(item.record, item.rows, None if several else texts, item.sides.patients)
    for found in ranks.make(place, alpha=made.snapshot.alpha, created=store.now()):
        snapshot.save(place.root, found)
