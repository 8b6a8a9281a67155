"""Try it: paste a report and see what it says. Nothing is stored, nothing is logged."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import gradio as gr
from fastapi import FastAPI, Request, Response

from harness.errors import Problem, RanscoreError
from harness.types import Extractor, Section
from leaderboard.films import sandbox
from leaderboard.films.reader import FilmReader
from leaderboard.html.markup import Html, el, join
from leaderboard.page import body
from leaderboard.page.body import JobQueue, Uploads
from leaderboard.page.visitor import client
from leaderboard.views import film, tryit

LONGEST = 20_000
"""Characters of a text that is read."""
AT_ONCE, WAITING, EACH = 2, 32, 4
"""Pairs that are read at the same time; that wait or are read, of all visitors and of one."""


def build(site: Any) -> None:
    """The tab's forms."""
    gr.HTML(tryit.form(_films(site.film), able(site.film), LONGEST), apply_default_css=False)
    gr.HTML(el("div", "", id="try-result", aria_live="polite"), apply_default_css=False)
    if able(site.film):
        reader = site.film
        gr.HTML(film.form(reader.system.name, reader.system.summary, reader.note, sandbox.BYTES), apply_default_css=False)


def route(app: FastAPI, uploads: Uploads) -> None:
    """Add the route that reads a pasted report: JSON with `report` and `reference`, answered by HTML."""
    line = JobQueue(AT_ONCE, WAITING, EACH)

    @app.post("/ranscore/try")
    async def pasted(request: Request) -> Response:
        data = body.parsed(await uploads.read(request, 16 * LONGEST))
        body.known(data, ("report", "reference"), "the request")
        report, reference = (body.text(data, key, LONGEST) for key in ("report", "reference"))
        made = await line.run(client(request), lambda: read(report, reference))
        return Response(made, media_type="text/html", headers={"cache-control": "no-store"})


def able(reader: FilmReader | None) -> bool:
    """Whether films can be taken."""
    return reader is not None and not _problems(reader)


def _problems(reader: FilmReader) -> Sequence[Problem]:
    """Why a generator that is configured cannot run."""
    try:
        reader.check()
    except RanscoreError as error:
        return error.problems
    return ()


def _films(reader: FilmReader | None) -> Html:
    """The choice between the two forms; or why there is but one."""
    if reader is None:
        return el("p", film.HINT, class_="rs-fine")
    return film.unavailable(problems) if (problems := _problems(reader)) else film.choice()


def read(report: str, reference: str) -> Html:
    """The findings of a report as HTML, and of a reference with every score.

    Args:
        report: What a visitor pasted; never kept.
        reference: The same; empty where there is none.
    """
    if not report.strip():
        return el("div", el("p", "Paste a report first."), class_="rs-view", role="status")
    labels = extractor().extract([report])[0]
    if not reference.strip():
        return tryit.view(report, labels)
    truth = extractor().extract([reference])[0]
    try:
        return tryit.view(report, labels, reference, truth, score(report, reference))
    except RanscoreError as error:
        # The message names what is wrong with the reference as a whole and never holds its text.
        return join([tryit.view(report, labels, reference, truth), el("p", f"Not scored: {error}", class_="rs-view")])


@cache
def extractor() -> Extractor:
    """The embedded extractor, made once: it is quick and needs nothing."""
    from harness.extractors import extractor as make

    return make("lexical")


def score(report: str, reference: str) -> Any:
    """Every score of one pair."""
    from harness import cohorts
    from harness.scoring import scorer
    from harness.types import Access, ReportSet, Study, Text

    cohort = cohorts.make(
        "pasted",
        [Study("1", "1")],
        {"1": Text(findings=reference)},
        section=Section.FINDINGS,
        access=Access.OPEN,
        language="en",
        source="pasted by a visitor",
    )
    return scorer.score(predictions=ReportSet({"1": report}), references=cohort, extractor=extractor()).record
