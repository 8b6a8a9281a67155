"""What is around every page: the name, the menu, the style sheet and the script. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files

from leaderboard.html.markup import Html, el, join

NAME = "Ran Score leaderboard"
TAGLINE = "Chest X-ray report generators, ranked by the findings that they get right."


CODE = "https://github.com/ranscore/ranscore"
PAPER = "https://arxiv.org/abs/2603.22935"
LINKS = {
    "Paper": PAPER,
    "Code": CODE,
    "Documentation": f"{CODE}/tree/main/docs",
    "Notes on the paper": f"{CODE}/blob/main/docs/notes-on-the-paper.md",
    "How to cite": f"{CODE}/blob/main/CITATION.cff",
    "Licence (Apache-2.0)": f"{CODE}/blob/main/LICENSE",
    "Questions and faults": f"{CODE}/issues",
}
"""What is at the foot of every page."""


@cache
def asset(name: str) -> str:
    """A file of `leaderboard/assets`."""
    return files("leaderboard").joinpath("assets").joinpath(name).read_text(encoding="utf-8")


@cache
def version(name: str) -> str:
    """Changes when the file does, so that browsers may keep it for ever."""
    return sha256(asset(name).encode()).hexdigest()[:12]


def frame(links: Mapping[str, tuple[str, str]], current: str, canonical: str = "") -> Html:
    """Name and menu.

    Args:
        links: By page its title and address.
        current: The page that is open.
        canonical: The address under which people reach this board, where it is not the one in the browser's bar (a hosted page).
    """
    items = [
        el("li", el("a", title, href=href, data_tab=name, aria_current="page" if name == current else None))
        for name, (title, href) in links.items()
    ]
    return el(
        "header",
        el("a", "Skip to the content", href="#content", class_="rs-skip", data_skip=True),
        el("h1", NAME),
        colours(),
        el("p", TAGLINE),
        el("nav", el("ul", join(items), class_="rs-menu"), aria_label="Pages"),
        class_="rs-frame",
        data_canonical=canonical or None,
    )


def foot() -> Html:
    """Where code, documents, licence, citation and people are."""
    links = [el("li", el("a", title, href=href, rel="noopener")) for title, href in LINKS.items()]
    return el("footer", el("ul", join(links)), el("p", "Not for clinical use."), class_="rs-foot")


def colours() -> Html:
    """The visitor's own choice of light or dark; at first the page follows the system."""
    options = [el("option", title, value=value) for value, title in {"": "Auto", "light": "Light", "dark": "Dark"}.items()]
    return el("label", el("span", "Colours"), el("select", join(options), data_colours=True), class_="rs-colours")


def document(title: str, body: Html, head: Html) -> str:
    """A whole page of the static site."""
    policy = (
        "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'"
    )
    inside = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", http_equiv="Content-Security-Policy", content=Html(policy)),
        el("title", f"{title} · {NAME}"),
        head,
    )
    return "<!doctype html>\n" + el("html", inside, el("body", body, class_="rs"), lang="en") + "\n"
