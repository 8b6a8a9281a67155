"""The form of the Submit tab. Pure; the page's script sends it, and shows what comes back as text."""

from __future__ import annotations

from collections.abc import Mapping

from harness.types import Access, Section
from leaderboard.markup import Html, el, join

LEAD = "One report a study: columns study_id and report. Nobody is shown its text."
MORE = (
    "Check only names every problem at once and keeps nothing. Hand in gives a receipt; the scores come onto the board by themselves. "
    "The file is read in memory; your browser keeps it, so that you can correct the form and send it again."
)
CHOICES = {"unknown": "unknown", "yes": "yes", "no": "no"}
SECTIONS = {"": "unknown", **{section.value: section.value for section in Section}}


def view(cohorts: Mapping[str, Access], data_use: str, most: int, login: bool) -> Html:
    """The whole tab.

    Args:
        cohorts: The access of each cohort that can be handed in to, by its name.
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
        _form(cohorts, data_use, most) if cohorts else el("p", "This board has no cohort to hand in to yet.", class_="rs-problem"),
        el("div", "", id="submit-said", role="status"),
        el("h3", "Where it is"),
        _receipt(),
        el("div", "", id="submit-stands", aria_live="polite"),
        class_="rs-view",
    )


def _login() -> Html:
    link = el("a", "Log in with Hugging Face", href="login/huggingface?_target_url=/?tab=submit", class_="rs-button", id="submit-login")
    return el("p", el("span", "Submissions are of a person. ", id="submit-person"), link)


def _form(cohorts: Mapping[str, Access], data_use: str, most: int) -> Html:
    options = join(el("option", name, value=name, data_access=access.value) for name, access in cohorts.items())
    file = el("input", type="file", required=True, aria_describedby="submit-limit submit-chosen")
    limit = f"CSV, JSON Lines, JSON or Parquet, up to {most // 1_000_000} MB." if most >= 1_000_000 else f"Up to {most:,} bytes."
    what = [
        el(
            "div",
            _field("Cohort", el("select", options), "submit-cohort"),
            el("button", "Fill in the example", type="button", class_="rs-button rs-plain", id="submit-example", hidden=True),
        ),
        el(
            "div",
            _field("Reports", file, "submit-file", el("span", "", id="submit-chosen", class_="rs-fine")),
            el("p", limit, id="submit-limit", class_="rs-fine"),
        ),
    ]
    card = [
        _field("System", _text("name", 80, required=True), "submit-name"),
        _field("Version", _text("version", 40)),
        _field("Organisation", _text("organisation", 80)),
        _field("Link (https://...)", _text("link", 200)),
    ]
    more = [
        _field("Are its weights public?", _choice("open_weights", CHOICES)),
        _field("Was it trained on this cohort?", _choice("trained_on_cohort", CHOICES)),
        _field("What it writes", _choice("sections", SECTIONS)),
        _field("Anonymous until (2027-01-31); empty for never", _text("anonymous_until", 10)),
    ]
    buttons = [
        # The first one is what the Enter key presses, and it keeps nothing.
        el("button", "Check only", class_="rs-button rs-plain", id="submit-check"),
        el("button", "Hand in", type="button", class_="rs-button", id="submit-send"),
    ]
    return el(
        "form",
        el("div", join(what), class_="rs-two"),
        el("div", join(card), class_="rs-four"),
        el("details", el("summary", "More about the system"), el("div", join(more), class_="rs-four")),
        _tick("submit-agreed", data_use, hidden=True),
        _tick("submit-looked", "I looked at what the privacy screen noticed; it names nobody"),
        el("div", join(buttons), class_="rs-tools"),
        id="submit",
        data_most=str(most),
        novalidate=True,
    )


def _receipt() -> Html:
    secret = el("input", type="password", maxlength="60", autocomplete="off")
    fields = [
        _field("Receipt", _text("", 40), "submit-receipt"),
        _field("Code, to withdraw", secret, "submit-code"),
        _field("Reason, to withdraw", _text("", 200), "submit-reason"),
        el("button", "Withdraw", type="button", class_="rs-button rs-plain", id="submit-withdraw"),
    ]
    return el("form", join(fields), class_="rs-four", id="submit-where")


def _field(label: str, control: Html, name: str | None = None, *more: Html) -> Html:
    """A labelled control."""
    return el("label", el("span", label), control, *more, id=name, class_="rs-field")


def _text(name: str, most: int, required: bool = False) -> Html:
    return el("input", type="text", data_card=name or None, maxlength=str(most), required=required, autocomplete="off", spellcheck="false")


def _choice(name: str, values: Mapping[str, str]) -> Html:
    return el("select", join(el("option", label, value=value) for value, label in values.items()), data_card=name)


def _tick(name: str, label: str, hidden: bool = False) -> Html:
    return el("label", el("input", type="checkbox"), el("span", label), id=name, class_="rs-check", hidden=hidden)
