"""Submit: the tab, and the worker that runs beside the page. Everything is decided in `submissions`; the routes are in `leaderboard.page.door`."""

from __future__ import annotations

import threading
from typing import Any

import gradio as gr

from harness.types import Access
from leaderboard.hub import repository
from leaderboard.views import submit
from submissions import intake
from submissions.board_folder import BoardFolder
from submissions.events import Submission
from submissions.ledger import LedgerFolder
from submissions.worker import Worker


def build(site: Any) -> None:
    """The tab's form."""
    # Open ones first: the first one is chosen, and has an example.
    cohorts = dict(
        sorted(((name, found.access) for name, found in site.board_folder.manifests().items()), key=lambda one: one[1] is not Access.OPEN)
    )
    gr.HTML(submit.view(cohorts, intake.DATA_USE, int(site.board_folder.policy.max_bytes), site.own.space), apply_default_css=False)


def start(board_folder: BoardFolder) -> None:
    """Follow the Hub, and run a worker in this process for open cohorts whose text is beside the board."""
    repository.follow(board_folder)
    root = board_folder.root / "cohorts"
    here = {
        manifest.digest
        for name, manifest in board_folder.manifests().items()
        if manifest.access is Access.OPEN and (root / name / "text.jsonl").is_file()
    }
    if not here or not isinstance(board_folder.ledger.ledger_files, LedgerFolder):
        return

    def takes(item: Submission) -> bool:
        return item.cohort in here

    worker = Worker(board_folder, takes=takes, listed=repository.publisher(board_folder))
    threading.Thread(target=worker.run, kwargs={"poll": 0.5}, daemon=True, name="worker").start()
