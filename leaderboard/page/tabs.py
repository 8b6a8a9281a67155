"""The tabs of the running page, in their order: a name for addresses, a title, and what builds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from leaderboard.page import submit, try_it
from leaderboard.views import router

Build = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Tab:
    """One page."""

    name: str
    title: str
    build: Build
    """Called inside the tab's column with the `Site`; whatever Gradio components it makes are there. Begins with an `h2`."""


def view(name: str) -> Build:
    """A page that is only read: the script fetches it from the server when it is opened."""

    def build(site: Any) -> None:
        gr.HTML(f'<div data-page="{name}"><p class="rs-view">Loading the board…</p></div>', apply_default_css=False)

    return build


TABS: tuple[Tab, ...] = (
    *(
        Tab(name, router.TABS[name], view(name))
        for name in ("board", "findings", "compare", "agree", "sees", "readers", "extractor", "system")
    ),
    Tab("try", "Try it", try_it.build),
    Tab("submit", "Submit", submit.build),
    Tab("about", router.TABS["about"], view("about")),
)
"""A page of its own file (`leaderboard/page_<name>.py`) is one more line here."""
