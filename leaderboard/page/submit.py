"""Submit: the tab, and the worker that runs beside the page. Everything is decided in `submissions`; the routes are in `leaderboard.page.door`."""

from __future__ import annotations

import threading
from typing import Any

import gradio as gr

from harness.types import Access
from leaderboard.hub import repository
from leaderboard.views import submit
from submissions import intake
from submissions.desk import Desk
from submissions.events import Submission
from submissions.ledger import LedgerFolder
from submissions.worker import Worker


def build(site: Any) -> None:
    """The tab's form."""
    # Open ones first: the first one is chosen, and has an example.
    cohorts = dict(
        sorted(((name, found.access) for name, found in site.desk.manifests().items()), key=lambda one: one[1] is not Access.OPEN)
    )
    gr.HTML(submit.view(cohorts, intake.DATA_USE, int(site.desk.policy.max_bytes), site.own.space), apply_default_css=False)


def start(desk: Desk) -> None:
    """Follow the Hub, and run a worker in this process for open cohorts whose text is beside the board."""
    repository.follow(desk)
    root = desk.root / "cohorts"
    here = {
        manifest.digest
        for name, manifest in desk.manifests().items()
        if manifest.access is Access.OPEN and (root / name / "text.jsonl").is_file()
    }
    if not here or not isinstance(desk.ledger.shelf, LedgerFolder):
        return

    def takes(item: Submission) -> bool:
        return item.cohort in here

    worker = Worker(desk, takes=takes, listed=repository.publisher(desk))
    threading.Thread(target=worker.run, kwargs={"poll": 0.5}, daemon=True, name="worker").start()
