"""Try it: paste a report and see what it says. Nothing is stored, nothing is logged."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import gradio as gr

from harness.errors import Problem, RanscoreError
from harness.types import Extractor, Section
from leaderboard.films import sandbox
from leaderboard.films.reader import Reader
from leaderboard.html.markup import Html, el, join
from leaderboard.views import film, tryit

LONGEST = 20_000
"""Characters of a text that is read."""
TO_ANSWER = "() => requestAnimationFrame(() => document.getElementById('try-result').scrollIntoView({ block: 'nearest' }))"
"""On a phone the answer stands below the form, out of sight."""


def build(site: Any) -> None:
    """The page's components."""
    gr.HTML(
        el(
            "div",
            el("h2", "Try it", tabindex="-1"),
            el(
                "p",
                "Paste a report" + (", or let a system write one for a film" if able(site.film) else ""),
                ": which of the 21 findings does it assert, and which words decide? Add a reference and see every score.",
            ),
            _films(site.film),
            el("p", tryit.NOTICE, class_="rs-fine", id="try-notice"),
            class_="rs-view",
            style="padding-bottom:.6rem",
        ),
        apply_default_css=False,
    )
    with gr.Column(elem_classes="rs-form", elem_id="try-paste"):
        with gr.Row():
            report = gr.Textbox(label="Report", lines=6, max_lines=20, max_length=LONGEST, elem_id="try-report")
            reference = gr.Textbox(label="Reference (optional)", lines=6, max_lines=20, max_length=LONGEST, elem_id="try-reference")
        with gr.Row():
            ask = gr.Button("Read the findings", variant="primary", elem_id="try-read")
            example = gr.Button("Fill in an example", elem_id="try-example")
    shown = gr.HTML("", apply_default_css=False, elem_id="try-result")
    answered = ask.click(read, [report, reference], shown, api_visibility="private", concurrency_limit=4)
    answered.then(None, js=TO_ANSWER)
    example.click(lambda: (tryit.EXAMPLE, tryit.EXAMPLE_REFERENCE), None, [report, reference], api_visibility="private")
    if able(site.film):
        reader = site.film
        gr.HTML(film.form(reader.system.name, reader.system.summary, reader.note, sandbox.BYTES), apply_default_css=False)


def able(reader: Reader | None) -> bool:
    """Whether films can be taken."""
    return reader is not None and not _problems(reader)


def _problems(reader: Reader) -> Sequence[Problem]:
    """Why a generator that is configured cannot run."""
    try:
        reader.check()
    except RanscoreError as error:
        return error.problems
    return ()


def _films(reader: Reader | None) -> Html:
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
    report, reference = (report or "")[:LONGEST], (reference or "")[:LONGEST]
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
    from harness.types import Access, Study, Text

    cohort = cohorts.make(
        "pasted",
        [Study("1", "1")],
        {"1": Text(findings=reference)},
        section=Section.FINDINGS,
        access=Access.OPEN,
        language="en",
        source="pasted by a visitor",
    )
    return scorer.score(predictions={"1": report}, references=cohort, extractor=extractor()).record
