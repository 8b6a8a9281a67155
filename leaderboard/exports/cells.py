"""A board in pieces: every cell spelt in every text format, so that the script of the static site exports any view by choosing and joining. Pure.

The script spells nothing itself: what keeps a name from being a formula, a macro or a link is decided here alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from harness.records.latex import latex_escape
from harness.types import Json
from leaderboard.board import AS_READERS, Board, BoardRow
from leaderboard.exports import tables

KINDS = ("csv", "json", "markdown", "latex")
"""Formats that the script can make of what is shown; a figure and a citation are of the whole board."""


def script(board: Board) -> str:
    """The pieces as a script: a page that was opened from a folder may read nothing else beside it."""
    return f"ranscorePieces({json.dumps(pieces(board), ensure_ascii=True)});\n"


def pieces(board: Board) -> Json:
    """Columns, facts and rows by name, and each format: the lines of its head, its rows, what is around the caption."""
    return {
        "key": board.key,
        "columns": [column.key for column in board.columns],
        "facts": list(tables.FACTS),
        "created": {row.id: row.created[:10] for row in board.rows},
        "caption": tables.caption(replace(board, rows=())).removesuffix("."),
        "json": tables.to_json(board),
        "formats": {"csv": _csv(board), "markdown": _markdown(board), "latex": _latex(board)},
    }


def _line(first: list[str], columns: list[list[list[str]]], facts: list[list[str]], last: list[str] | None = None) -> Json:
    """What is always first; of each column its cells, and its cells where it is the first one shown; of each fact; what is last."""
    return {"first": first, "columns": columns, "facts": facts, "last": last or []}


def _alike(texts: list[list[str]]) -> list[list[list[str]]]:
    """Columns that are spelt the same wherever they are."""
    return [[cells, cells] for cells in texts]


def _csv(board: Board) -> Json:
    nothing: list[list[str]] = [[] for _ in tables.FACTS]

    def line(fields: tuple[list[object], list[list[object]], list[object]]) -> Json:
        first, scores, last = fields
        return _line(_fields(first), _alike([_fields(three) for three in scores]), nothing, _fields(last))

    return {
        "dress": ["", ",", "\n"],
        "head": [{"dress": ["", ",", "\n"], **line(tables.csv_head(board))}],
        "rows": {row.id: line(tables.csv_fields(board, row)) for row in board.rows},
    }


def _fields(values: list[object]) -> list[str]:
    return [tables.csv_line([value, ""]).removesuffix(",\n") for value in values]


def _markdown(board: Board) -> Json:
    dress = ["| ", " | ", " |\n"]
    dashes = _line(["---"] * 2, _alike([["---"]] * len(board.columns)), [["---"]] * len(tables.FACTS))
    return {
        "dress": dress,
        "head": [{"dress": dress, **_heads(board, tables.markdown_escape)}, {"dress": dress, **dashes}],
        "rows": {row.id: _row(board, row, tables.markdown_cell) for row in board.rows},
        "foot": ["\n", tables.markdown_escape(tables.caption(replace(board, rows=())).removesuffix(".")), "\n"],
    }


def _latex(board: Board) -> Json:
    kinds = _line(["ll"], _alike([["r"]] * len(board.columns)), [["l"]] * len(tables.FACTS))
    begin, end = tables.LATEX_HEAD
    foot, close = tables.latex_foot(board)
    dress = ["", " & ", " \\\\\n"]
    return {
        "dress": dress,
        "head": [{"dress": [begin, "", end], **kinds}, {"dress": ["", " & ", " \\\\\n\\midrule\n"], **_heads(board, latex_escape)}],
        "rows": {row.id: _row(board, row, tables.latex_cell) for row in board.rows},
        "foot": [foot, latex_escape(tables.caption(replace(board, rows=())).removesuffix(".")), close],
    }


def _heads(board: Board, escape: Callable[[str], str]) -> Json:
    first, rest = ["rank", "system"], [[[escape(column.label)]] * 2 for column in board.columns]
    return _line([escape(text) for text in first], rest, [[escape(name)] for name in tables.FACTS])


def _row(board: Board, row: BoardRow, spell: Callable[[str, bool], str]) -> Json:
    """A score shows its interval where it is first."""
    scores = []
    for column in board.columns:
        cell = row.cells.get(column.key)
        shown = (column.metric == AS_READERS, True)
        scores.append([[spell(tables.number(cell, interval), bool(cell and cell.best))] for interval in shown])
    facts = [[spell(fact(row), False)] for fact in tables.FACTS.values()]
    return _line([spell(tables.rank(row), False), spell(tables.title(row), False)], scores, facts)
