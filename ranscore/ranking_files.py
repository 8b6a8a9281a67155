"""A ranking as files: LaTeX, CSV, HTML, Markdown or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.storage import files

if TYPE_CHECKING:
    from harness.records.result_table import ResultTable
    from ranscore.ranking import Ranking

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>body{{font:15px system-ui,sans-serif;margin:2rem;max-width:70rem}}table{{border-collapse:collapse;margin:1.5rem 0}}
td,th{{padding:.2rem .6rem;border-bottom:1px solid #c9d1d6;text-align:left}}caption{{text-align:left;color:#5b6770;max-width:70rem}}
svg{{max-width:100%;height:auto}}</style></head>
<body><h1>{title}</h1>
{body}</body></html>
"""


def check(path: Path) -> None:
    """Refuse a name that says no format.

    Raises:
        UsageError: It does.
    """
    if path.suffix.lower() not in WRITERS:
        raise UsageError(f"-o {path}: the name must end with {', '.join(WRITERS)}, which says the format")


def write(made: Ranking, path: Path) -> list[Path]:
    """Write a ranking in the format that the file's name says.

    Returns:
        The files that were written: CSV holds one table a file.

    Raises:
        UsageError: The name says no format.
    """
    check(path)
    private = made.board.cohort.access == "credentialed"
    written = []
    for place, text in WRITERS[path.suffix.lower()](made, path).items():
        files.write(place, text, private=private)
        written.append(place)
    return written


def _tables(made: Ranking) -> list[ResultTable]:
    return [table for table in (made.table(), made.pairs(), made.findings()) if table.rows]


def _latex(made: Ranking, path: Path) -> dict[Path, str]:
    said = "".join(f"% {line}\n" for line in made.sentences())
    return {path: said + "% Needs \\usepackage{booktabs}\n\n" + "\n".join(table.to_latex() for table in _tables(made))}


def _csv(made: Ranking, path: Path) -> dict[Path, str]:
    first, *others = _tables(made)
    return {path: first.to_csv(), **{path.with_suffix(f".{table.name}.csv"): table.to_csv() for table in others}}


def _html(made: Ranking, path: Path) -> dict[Path, str]:
    from leaderboard.exports.plots import forest

    title = escape(f"Ranking on {made.board.cohort.name}")
    lines = "".join(f"<li>{escape(line)}</li>\n" for line in made.sentences())
    body = f"<ul>\n{lines}</ul>\n{forest(made.board)}\n" + "\n".join(table.to_html() for table in _tables(made))
    return {path: PAGE.format(title=title, body=body)}


def _markdown(made: Ranking, path: Path) -> dict[Path, str]:
    from leaderboard.exports.tables import markdown_escape

    lines = [f"- {markdown_escape(line)}" for line in made.sentences()]
    for table in _tables(made):
        rows = [[markdown_escape(cell) for cell in row] for row in (table.header, *table.cells())]
        rows.insert(1, ["---"] * len(table.header))
        lines += ["", *(f"| {' | '.join(row)} |" for row in rows), "", markdown_escape(table.caption)]
    return {path: "\n".join([*lines, ""])}


def to_json(made: Ranking) -> str:
    """The board, the tests of every pair and the sentences as one JSON document."""
    found = {
        "board": asdict(made.board),
        "sentences": made.sentences(),
        **{table.name: [dict(zip(table.header, row, strict=True)) for row in table.rows] for table in _tables(made)[1:]},
    }
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"


WRITERS: dict[str, Callable[[Ranking, Path], dict[Path, str]]] = {
    ".tex": _latex,
    ".csv": _csv,
    ".html": _html,
    ".md": _markdown,
    ".json": lambda made, path: {path: to_json(made)},
}
"""By the end of a file's name what is written."""
