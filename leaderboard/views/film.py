"""The part of Try it that takes a film: the form, and what comes back. Pure; every name and text is escaped."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from harness.errors import Problem
from leaderboard.html.markup import Html, el, join

WARNING = (
    " What it writes may be wrong in every word. The film is read in memory and in a private temporary folder that goes when the report is "
    "written; nothing is kept or logged. Still: never give the film or the report of a patient to a page that is not your own machine. "
    "Run this page yourself for that: ranscore serve --generator NAME."
)
HINT = (
    "This page can also write a report for a film, where a generator is configured: start it with ranscore serve --generator NAME "
    "(ranscore systems list shows the names)."
)


def choice() -> Html:
    """Which of the two forms is shown."""
    buttons = [
        el("button", label, type="button", class_="rs-button rs-plain", data_try=name, aria_pressed=pressed)
        for name, label, pressed in (("report", "Paste a report", "true"), ("film", "Upload a film", "false"))
    ]
    return el("div", join(buttons), class_="rs-choice", role="group", aria_label="What to begin with")


def form(name: str, summary: str, note: str, most: int) -> Html:
    """The form.

    Args:
        name: The name of the system.
        summary: The catalogue's line about it.
        note: What else visitors should know.
        most: Bytes of the largest file.
    """
    limit = f"PNG, JPEG or DICOM, up to {most // 1_000_000} MB; read as a frontal film."
    film = el("input", type="file", id="film-file", required=True, aria_describedby="film-limit")
    text = el("textarea", id="film-reference", rows="4", maxlength="20000")
    fields = [
        el("div", el("label", "Film", for_="film-file"), film, el("p", limit, id="film-limit", class_="rs-fine")),
        el("div", el("label", "Reference (optional): what a radiologist wrote", for_="film-reference"), text),
    ]
    buttons = [
        el("button", "Write a report", class_="rs-button", id="film-write"),
        el("button", "Take a drawn example", type="button", class_="rs-button rs-plain", id="film-example"),
    ]
    return el(
        "section",
        el("p", "The report is written by ", el("strong", name), f": {summary}.", f" {note}" if note else None),
        el("p", el("strong", "Not for clinical use."), WARNING, class_="rs-fine"),
        el("form", el("div", join(fields), class_="rs-two"), el("div", join(buttons), class_="rs-tools"), data_film=str(most)),
        el("p", "", id="film-state", role="status"),
        el("div", "", id="film-result"),
        class_="rs-view",
        id="film",
        aria_label="Upload a film",
    )


def unavailable(problems: Sequence[Problem]) -> Html:
    """Where a generator is configured and cannot run."""
    items = join(el("li", str(problem)) for problem in problems)
    return el("div", el("p", "A generator is configured for this page and cannot run here:"), el("ul", items), class_="rs-problem rs-fine")


def complaint(problems: Sequence[Problem]) -> Html:
    """Why there is no report."""
    head = el("p", el("strong", "No report was written."))
    return el("div", head, el("ul", join(el("li", str(problem)) for problem in problems)), role="alert", class_="rs-problem")


def warning(caution: str, example: bool) -> Html | None:
    """What is shown above a report that may mean nothing; the film of a patient is no drawn example.

    Args:
        caution: What the system has to say beside every report of it; empty for nothing.
        example: Whether the film is one of the page's drawn examples.
    """
    if not caution:
        return None
    if example:
        return el("p", caution, " This film is such a drawing.", class_="rs-fine")
    head = el("strong", "This report says nothing about a patient.")
    return el("p", head, f" {caution} What it writes about a real film has no meaning.", role="alert", class_="rs-problem")


def answer(
    name: str, file: str, picture: bytes, size: tuple[int, int], substituted: Sequence[str], read: Html, warned: Html | None = None
) -> Html:
    """The film as the system saw it beside what it wrote.

    Args:
        name: The name of the system.
        file: The film's name, as a message may show it.
        picture: A PNG.
        size: Width and height of the film in pixels.
        substituted: What replaced inputs that the system lacks here.
        read: The report as the view of a pasted report shows it.
        warned: What is shown above it; see `warning`.
    """
    source = f"data:image/png;base64,{b64encode(picture).decode()}"
    caption = el("figcaption", el("bdi", file), f", {size[0]} by {size[1]} pixels", class_="rs-fine")
    figure = el("figure", el("img", src=source, alt=f"The film as it was shown to {name}"), caption)
    notes = [el("p", f"An input that the system asks for was replaced: {note}", class_="rs-fine") for note in substituted]
    return el("div", figure, el("div", el("h3", f"{name} wrote"), warned, join(notes), read), class_="rs-filmed")
