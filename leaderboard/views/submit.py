"""The form of the Submit tab. Pure; the page's script sends it, and shows what comes back as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.types import Access, Section
from leaderboard.html.markup import Html, el, join

LEAD = (
    "One report a study: columns study_id and report. Compare shows reports of open cohorts, where two systems differ; "
    "nobody is shown a report of a credentialed cohort."
)
MORE = (
    "Check only names every problem at once and keeps nothing. Submit gives a receipt; the scores come onto the board by themselves. "
    "The file is read in memory; your browser keeps it, so that you can correct the form and send it again."
)
IDLE = (
    "No worker is running at the moment. You can submit a file all the same: it is kept, and it is scored when the people who run "
    "this board start a worker again."
)
CHOICES = {"unknown": "unknown", "yes": "yes", "no": "no"}
SECTIONS = {"": "unknown", **{section.value: section.value for section in Section}}


def view(cohorts: Mapping[str, Access], data_use: str, most: int, login: bool) -> Html:
    """The whole tab.

    Args:
        cohorts: The access of each cohort that can be submitted to, by its name.
        data_use: The sentence that is agreed to for a credentialed one.
        most: Bytes of the largest file.
        login: Whether people log in at the Hub first.
    """
    return el(
        "div",
        el("h2", "Submit", tabindex="-1"),
        el("p", LEAD),
        el("p", MORE, class_="rs-fine"),
        _login() if login else None,
        el("p", IDLE, id="submit-idle", class_="rs-problem", role="status", hidden=True),
        _form(cohorts, data_use, most) if cohorts else el("p", "This board has no cohort to submit to yet.", class_="rs-problem"),
        el("div", "", id="submit-said", role="status"),
        el("h3", "Where it is"),
        _receipt(),
        el("div", "", id="submit-state", aria_live="polite"),
        class_="rs-view",
    )


def _login() -> Html:
    link = el("a", "Log in with Hugging Face", href="login/huggingface?_target_url=/?tab=submit", class_="rs-button", id="submit-login")
    return el("p", el("span", "Submissions are of a person. ", id="submit-person"), link)


def _form(cohorts: Mapping[str, Access], data_use: str, most: int) -> Html:
    closed = next(iter(cohorts.values())) is not Access.OPEN  # of the first one, which is chosen
    options = join(el("option", name, value=name, data_access=access.value) for name, access in cohorts.items())
    limit = f"CSV, JSON Lines, JSON or Parquet, up to {most // 1_000_000} MB." if most >= 1_000_000 else f"Up to {most:,} bytes."
    example = el("button", "Fill in the example", type="button", class_="rs-button rs-plain", id="submit-example", hidden=closed)
    chosen = el("p", "", id="submit-chosen", class_="rs-fine")
    what = [
        el("div", _field("submit-cohort", "Cohort", "select", options), example),
        el(
            "div",
            _field(
                "submit-file", "Reports", "input", more=chosen, type="file", required=True, aria_describedby="submit-limit submit-chosen"
            ),
            el("p", limit, id="submit-limit", class_="rs-fine"),
        ),
    ]
    card = [
        _text("submit-name", "System", "name", 80, required=True),
        _text("submit-version", "Version", "version", 40),
        _text("submit-organisation", "Organisation", "organisation", 80),
        _text("submit-link", "Link (https://...)", "link", 200),
    ]
    more = [
        _choice("submit-weights", "Are its weights public?", "open_weights", CHOICES),
        _choice("submit-trained", "Was it trained on this cohort?", "trained_on_cohort", CHOICES),
        _choice("submit-sections", "What it writes", "sections", SECTIONS),
        _text("submit-until", "Anonymous until (2027-01-31); empty for never", "anonymous_until", 10),
    ]
    buttons = [
        # The first one is what the Enter key presses, and it keeps nothing.
        el("button", "Check only", class_="rs-button rs-plain", id="submit-check"),
        el("button", "Submit", type="button", class_="rs-button", id="submit-send"),
    ]
    return el(
        "form",
        el("div", join(what), class_="rs-two"),
        el("div", join(card), class_="rs-four"),
        el("details", el("summary", "More about the system"), el("div", join(more), class_="rs-four")),
        _tick("submit-agreed", data_use, hidden=not closed),
        _tick("submit-looked", "I checked the warnings of the privacy screen; the reports contain no personal data"),
        el("div", join(buttons), class_="rs-tools"),
        id="submit",
        data_most=str(most),
        novalidate=True,
    )


def _receipt() -> Html:
    fields = [
        _text("submit-receipt", "Receipt", None, 40),
        _field("submit-code", "Code, to withdraw or for a new version", "input", type="password", maxlength="60", autocomplete="off"),
        _text("submit-reason", "Reason, to withdraw", None, 200),
        el("button", "Withdraw", type="button", class_="rs-button rs-plain", id="submit-withdraw"),
    ]
    return el("form", join(fields), class_="rs-four", id="submit-where")


def _field(name: str, label: str, tag: str, *inside: Html, more: Html | None = None, **attributes: object) -> Html:
    """A control with its label in a box."""
    control = el(tag, *inside, id=f"{name}-field", **attributes)
    return el("div", el("label", label, for_=f"{name}-field"), control, more, id=name, class_="rs-field")


def _text(name: str, label: str, card: str | None, most: int, required: bool = False) -> Html:
    attributes: dict[str, Any] = {"data_card": card, "maxlength": str(most), "required": required}
    return _field(name, label, "input", type="text", autocomplete="off", spellcheck="false", **attributes)


def _choice(name: str, label: str, card: str, values: Mapping[str, str]) -> Html:
    return _field(name, label, "select", join(el("option", text, value=value) for value, text in values.items()), data_card=card)


def _tick(name: str, label: str, hidden: bool = False) -> Html:
    return el("label", el("input", type="checkbox"), el("span", label), id=name, class_="rs-check", hidden=hidden)
