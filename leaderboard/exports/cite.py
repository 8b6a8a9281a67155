"""How to cite: BibTeX of a board and of a system, and the Hub's evaluation results. Pure text."""

from __future__ import annotations

import json
import re

from harness.records.latex import latex_escape
from harness.records.record import Record
from harness.records.summary import value_with_interval
from leaderboard.board import Board, BoardRow
from leaderboard.exports.tables import caption, rank
from leaderboard.html.addresses import slug
from leaderboard.html.markup import clean

PAPER = """@misc{ranscore2026,
  title = {Ran Score: a {LLM}-based Evaluation Score for Radiology Report Generation},
  author = {Ran Zhang and Yucong Lin and Zhaoli Su and Bowen Liu and Danni Ai and Tianyu Fu and Deqiang Xiao and Jingfan Fan and Yuanyuan Wang and Mingwei Gao and Yuwan Hu and Shuya Gao and Jingtao Li and Jian Yang and Hong Song and Hongliang Sun},
  year = {2026},
  eprint = {2603.22935},
  archiveprefix = {arXiv},
  url = {https://arxiv.org/abs/2603.22935},
}
"""


def bibtex(board: Board, address: str = "") -> str:
    """The board as it is, by its signature and newest record, and the paper."""
    date = max((row.created for row in board.rows), default="")[:10]
    return _entry(f"ranscore-{board.key}", f"Ran Score leaderboard: {board.cohort.name}", date, caption(board), address) + "\n" + PAPER


def bibtex_system(board: Board, row: BoardRow, record: Record, address: str = "") -> str:
    """One record, by its digest, and the paper."""
    title = f"{row.name} {row.version}".strip() + f" on {board.cohort.name}, Ran Score leaderboard"
    first = record.metrics[0]
    note = f"{first.name} {value_with_interval(first)}, rank {rank(row)}; record {record.digest}; signature {first.signature}"
    return _entry(f"ranscore-{slug(row.name)}-{record.digest[:8]}", title, row.created[:10], note, address) + "\n" + PAPER


def _entry(key: str, title: str, date: str, note: str, address: str) -> str:
    fields = {"title": title, "year": date[:4], "note": f"{note} Newest record {date}." if date else note, "howpublished": address}
    lines = [f"  {name} = {{{_bib(value)}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{slug(key)},", *lines, "}", ""])


def _bib(value: str) -> str:
    """Text inside braces: a backslash must not hide a brace from BibTeX, so braces are spelt out."""
    plain = clean(value).replace("{", "(").replace("}", ")").replace("@", "(at)")
    return latex_escape(plain).replace(r"\textbackslash{}", "/")


def eval_results(row: BoardRow, record: Record, dataset: str, address: str = "") -> str:
    """A file for the `.eval_results` folder of a model on the Hub: each headline as one entry.

    Args:
        dataset: Id of the benchmark's data set on the Hub.
        address: The address of the system's page; empty leaves the source out.
    """
    lines = []
    for result in record.metrics:
        task = re.sub(r"[^a-z0-9_]+", "_", f"{result.name}_{result.headline}".lower())
        notes = (
            f"{value_with_interval(result, 4)}; {record.counts}; {row.grade.value}; signature {result.signature}; record {record.digest}"
        )
        lines += ["- dataset:", f"    id: {_scalar(dataset)}", f"    task_id: {_scalar(task)}", f"  value: {round(result.value, 6)!r}"]
        lines += [f"  date: {_scalar(row.created)}"] if row.created else []
        lines += ["  source:", f"    url: {_scalar(address)}", f"    name: {_scalar('Ran Score leaderboard')}"] if address else []
        lines += [f"  notes: {_scalar(notes)}"]
    return "\n".join([*lines, ""])


def _scalar(value: str) -> str:
    """A string that YAML reads as exactly this string: JSON's quoting is YAML's."""
    return json.dumps(clean(value), ensure_ascii=True)
