"""A board as CSV, Markdown, LaTeX and JSON: pure text, exactly what is shown."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict

from harness.records.as_readers import warning
from harness.records.latex import latex_escape
from harness.types import Json, Role
from leaderboard.board import AS_READERS, Board, BoardRow, Cell, Column

DIGITS = 3
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def header(board: Board) -> list[str]:
    """Column headings of the text forms."""
    return ["rank", "system", *(column.label for column in board.columns), *board.facts]


def cells(board: Board, row: BoardRow) -> list[str]:
    """One row's cells as text, in the order of `header`."""
    scores = [number(row.cells.get(column.key), column is board.columns[0] or column.metric == AS_READERS) for column in board.columns]
    return [rank(row), title(row), *scores, *(FACTS[name](row) for name in board.facts)]


def rank(row: BoardRow) -> str:
    """The rank with its interval; a dash where there is none."""
    if row.place is None:
        return "–"
    return str(row.place.rank) if row.place.low == row.place.high else f"{row.place.rank} [{row.place.low}-{row.place.high}]"


def evidence(row: BoardRow) -> str:
    """How good the evidence is, and why there is no rank."""
    if row.place:
        return row.grade.value
    return row.why_unranked if row.why_unranked in (row.grade.value, row.role.value) else f"{row.grade.value}, {row.why_unranked}"


FACTS: dict[str, Callable[[BoardRow], str]] = {
    "evidence": evidence,
    "coverage": lambda row: row.coverage,
    "organisation": lambda row: row.organisation,
    "submissions": lambda row: str(row.submissions),
    "date": lambda row: row.created[:10],
    "section": lambda row: row.section,
    "length": lambda row: row.length,
    "open weights": lambda row: row.open_weights,
    "trained on cohort": lambda row: row.trained_on_cohort,
    "signature": lambda row: row.signature,
}
"""What a row can show beside its scores."""


def title(row: BoardRow) -> str:
    """Name and version."""
    return f"{row.name} {row.version}".strip()


def number(cell: Cell | None, interval: bool = False) -> str:
    """A score with or without its interval; a dash where there is none."""
    if cell is None:
        return "–"
    text = f"{cell.value:z.{DIGITS}f}"
    if interval and cell.interval:
        text += f" [{cell.interval[0]:z.{DIGITS}f}, {cell.interval[1]:z.{DIGITS}f}]"
    return text


def caption(board: Board) -> str:
    """What must be under any copy of the board."""
    cohort = board.cohort
    official = "" if board.official else ", not the paper's extractor"
    parts = [
        f"{cohort.name}: {cohort.studies} studies of {cohort.patients} patients, section {cohort.section.value}, cohort {cohort.digest[:12]}",
        f"labels by {board.extractor}{official}",
        f"signature {board.signature}",
    ]
    if board.snapshot:
        parts.append(board.snapshot)
    parts += [warning(name).rstrip(".") for name in board.unsafe]
    newest = max((row.created for row in board.rows), default="")
    if newest:
        parts.append(f"newest record {newest[:10]}")
    return "; ".join(parts) + "."


REMEDIES = {
    "self-scored": "Only what was scored on this machine or by this board is ranked. Score the file here: `ranscore score FILE --cohort NAME --store`",
    "scored on this machine": (
        "This board is for other people, and ranks only what it scored or generated itself. Submit the file:"
        " `ranscore submit FILE --cohort NAME`, then `ranscore worker --once`"
    ),
    "no snapshot yet": "Run `ranscore snapshot`",
}
"""By reason for which a system has no rank what to do about it."""
NAMED = 5
"""How many systems a line names."""


def without_rank(board: Board) -> list[str]:
    """A sentence for each reason for which systems have no rank, with a remedy where there is one; floors and ceilings never have one."""
    by_reason: dict[str, list[str]] = {}
    for row in board.rows:
        if row.role is Role.SYSTEM and row.why_unranked:
            by_reason.setdefault(row.why_unranked, []).append(title(row))
    lines = []
    for reason, names in by_reason.items():
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        lines.append(f"No rank: {', '.join(names[:NAMED])}{more} ({reason}). {REMEDIES.get(reason, '')}".rstrip())
    return lines


def to_json(board: Board) -> Json:
    """The board as JSON: full precision, every field."""
    data = asdict(board)
    data["caption"] = caption(board)
    return data


def to_csv(board: Board) -> str:
    """One line a row; scores at full precision, each with its interval's ends."""
    lines = [csv_head(board), *(csv_fields(board, row) for row in board.rows)]
    return "".join(csv_line([*first, *(value for three in scores for value in three), *last]) for first, scores, last in lines)


def csv_line(values: list[object]) -> str:
    """One line with its end."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(values)
    return stream.getvalue()


def csv_head(board: Board) -> tuple[list[object], list[list[object]], list[object]]:
    """Headings of what is before the scores, of each score, of what is after them."""
    scores: list[list[object]] = [[column.label, f"{column.label} low", f"{column.label} high"] for column in board.columns]
    before: list[object] = ["rank", "rank low", "rank high", "system", "version", "organisation"]
    return before, scores, ["evidence", "role", "coverage", "signature", "record", "date"]


def csv_fields(board: Board, row: BoardRow) -> tuple[list[object], list[list[object]], list[object]]:
    """One row's values, in the order of `csv_head`."""
    place: list[object] = [row.place.rank, row.place.low, row.place.high] if row.place else ["", "", ""]
    scores = [_triple(row.cells.get(column.key)) for column in board.columns]
    text = [row.grade.value, row.role.value, row.coverage, row.signature, row.digest, row.created]
    return [*place, *map(inert, (row.name, row.version, row.organisation))], scores, [inert(value) for value in text]


def _triple(cell: Cell | None) -> list[object]:
    if cell is None:
        return ["", "", ""]
    return [cell.value, *(cell.interval or ("", ""))]


def inert(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def to_markdown(board: Board) -> str:
    """A table with the caption under it; what is not significantly worse than the best is bold."""
    lines = [_markdown_line(header(board)), _markdown_line(["---"] * len(header(board)))]
    for row in board.rows:
        texts = cells(board, row)
        lines.append(_markdown_line([markdown_cell(text, _best(board.columns, row.cells, at - 2)) for at, text in enumerate(texts)]))
    return "\n".join([*lines, "", markdown_escape(caption(board)), ""])


def _best(columns: tuple[Column, ...], found: Mapping[str, Cell], index: int) -> bool:
    cell = found.get(columns[index].key) if 0 <= index < len(columns) else None
    return bool(cell and cell.best)


def markdown_cell(text: str, best: bool) -> str:
    """A cell, bold where it is not significantly worse than the best."""
    return f"**{markdown_escape(text)}**" if best else markdown_escape(text)


def _markdown_line(texts: list[str]) -> str:
    return "| " + " | ".join(texts) + " |"


BREAK = "<!-- -->"
"""Nothing, between two characters that would make a link together: GitHub looks for addresses and names after it has undone escapes."""
MARKDOWN = (
    (re.compile(r"&"), "&amp;"),
    (re.compile(r"<"), "&lt;"),
    (re.compile(r">"), "&gt;"),
    (re.compile(r"([\\`*_{}\[\]()!|~^])"), r"\\\1"),
    (re.compile(r"#"), r"\\#" + BREAK),  # a heading, an issue
    (re.compile(r"^([-+=])(?=\s|\1|$)"), r"\\\1"),  # a list, a line, a heading, where a line begins
    (re.compile(r"^(\d+)\.(?=\s|$)"), r"\1\\."),  # a numbered list
    (re.compile(r"(?<=[^\W_])\.(?=[^\W_]*[^\W\d_])"), "&#46;"),  # www.example.org, example.org
    (re.compile(r":(?=//)"), "&#58;"),
    (re.compile(r":(?=[\w+-]+:)"), ":" + BREAK),  # a picture by its name
    (re.compile(r"@"), "@" + BREAK),  # an address of mail, a person
    (re.compile(r"\$"), "<span>$</span>"),  # a formula
)
"""What Markdown, and GitHub's, takes for more than text, and how it is written instead; in this order."""


def markdown_escape(text: str) -> str:
    """Text that Markdown prints as it is: no markup, no link, no image, no HTML, no formula, nobody is notified."""
    flat = " ".join(text.split())
    for found, written in MARKDOWN:
        flat = found.sub(written, flat)
    return flat


LATEX_HEAD = ("\\begin{table}\n\\centering\n\\begin{tabular}{", "}\n\\toprule\n")
"""Before and after the kinds of the columns."""
LATEX_FOOT = ("\\bottomrule\n\\end{tabular}\n\\caption{", "}\n\\label{tab:board-KEY}\n\\end{table}\n")
"""Before and after the caption; KEY is the board's."""


def to_latex(board: Board) -> str:
    """A booktabs table; signature and date are in the caption."""
    kinds = "ll" + "r" * len(board.columns) + "l" * len(board.facts)
    lines = [" & ".join(map(latex_escape, header(board))) + " \\\\\n\\midrule\n"]
    for row in board.rows:
        texts = [latex_cell(text, _best(board.columns, row.cells, at - 2)) for at, text in enumerate(cells(board, row))]
        lines.append(" & ".join(texts) + " \\\\\n")
    return kinds.join(LATEX_HEAD) + "".join(lines) + latex_escape(caption(board)).join(latex_foot(board))


def latex_foot(board: Board) -> tuple[str, str]:
    """Before and after the caption."""
    before, after = LATEX_FOOT
    return before, after.replace("KEY", board.key)


def latex_cell(text: str, best: bool) -> str:
    """A cell, bold where it is not significantly worse than the best."""
    return rf"\textbf{{{latex_escape(text)}}}" if best else latex_escape(text).replace("–", "--")


def dumps(found: tuple[Board, ...]) -> str:
    """Boards as one JSON document."""
    return json.dumps({"boards": [to_json(board) for board in found]}, ensure_ascii=False, indent=1) + "\n"


FORMATS = {"csv": to_csv, "markdown": to_markdown, "latex": to_latex}
