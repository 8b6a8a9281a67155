"""The studies where two systems differ most, with the deciding words marked. Only ever called for open cohorts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.findings import RAN_21
from harness.types import Cohort, Labels, Rows, Span
from leaderboard.board import BoardRow
from leaderboard.html.markup import Html, el, join, person

MOST = 3
"""Studies shown for each of the two."""
COUNTS = 4


@dataclass(frozen=True, slots=True)
class Contrast:
    """One study of two systems."""

    study: str
    first: tuple[str, ...]
    """Findings that the first decides wrongly and the second does not."""
    second: tuple[str, ...]


def contrasts(first: Rows, second: Rows, most: int = MOST) -> tuple[Contrast, ...]:
    """The studies in which one system makes many errors that the other does not: as many for each side.

    Args:
        first: Rows of a findings F1: tp, fp, fn, tn of each finding.
        second: Rows of another system for the same studies.
    """
    names = [column.rpartition(":")[0] for column in first.columns[::COUNTS]]
    wrong = [_wrong(rows) for rows in (first, second)]
    only = [wrong[0] & ~wrong[1], wrong[1] & ~wrong[0]]
    lead = only[0].sum(axis=1) - only[1].sum(axis=1)
    chosen = [*np.argsort(lead, kind="stable")[:most].tolist(), *np.argsort(-lead, kind="stable")[:most].tolist()]
    kept = [index for index in dict.fromkeys(chosen) if lead[index]]
    return tuple(
        Contrast(first.studies[index], *(tuple(name for name, said in zip(names, side[index], strict=True) if said) for side in only))
        for index in kept
    )


def _wrong(rows: Rows) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    cells = rows.values.reshape(len(rows.studies), -1, COUNTS)
    return np.asarray(cells[..., 1] + cells[..., 2] > 0)


def view(
    one: BoardRow, other: BoardRow, found: Sequence[Contrast], texts: Mapping[str, tuple[str, str, str]], labels: Mapping[str, Labels]
) -> Html:
    """The page's section.

    Args:
        texts: By study the reference and both reports.
        labels: By text the embedded extractor's answer, with its evidence.
    """
    return el(
        "section",
        el("h3", "Where they differ most"),
        el(
            "p",
            "Words that decide the findings in question are marked, as the embedded extractor reads them; hover or read on to see for which finding.",
        ),
        join(_study(item, one, other, texts[item.study], labels) for item in found),
        class_="rs-studies",
    )


def _study(item: Contrast, one: BoardRow, other: BoardRow, texts: tuple[str, str, str], labels: Mapping[str, Labels]) -> Html:
    asked = {*item.first, *item.second}
    wrong = [
        el("li", person(row.name), " is wrong on: ", ", ".join(names)) for row, names in ((one, item.first), (other, item.second)) if names
    ]
    titles = ["Reference", person(one.name), person(other.name)]
    columns = [
        el("div", el("h5", head), el("p", marked(text, labels.get(text), asked), class_="rs-report"))
        for head, text in zip(titles, texts, strict=True)
    ]
    return el("article", el("h4", f"Study {item.study}"), el("ul", join(wrong)), el("div", join(columns), class_="rs-three"))


def marked(text: str, labels: Labels | None, asked: set[str]) -> Html:
    """A report with the words marked that decide some findings."""
    if not text.strip():
        return el("em", "no report")
    spans: dict[Span, list[str]] = {}
    for name, listed in zip(RAN_21, labels.evidence if labels else (), strict=False):
        for span in listed if name in asked else ():
            spans.setdefault(span, []).append(name)
    parts, at = [], 0
    for (start, end), names in sorted(spans.items()):
        if start >= at:
            parts += [el("span", text[at:start]), el("mark", text[start:end], title=", ".join(names))]
            at = end
    return join([*parts, el("span", text[at:])])


def texts_of(
    cohort: Cohort, studies: Sequence[str], first: Mapping[str, str], second: Mapping[str, str]
) -> dict[str, tuple[str, str, str]]:
    """By study the reference and both reports."""
    return {study: (cohort.reference(study), first.get(study, ""), second.get(study, "")) for study in studies}
