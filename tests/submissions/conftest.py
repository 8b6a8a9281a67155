"""A board with a small synthetic cohort, and what a visitor brings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.cohorts.synthetic.systems import system
from harness.storage.report_lines import canonical
from harness.types import Access, Cohort, SystemCard
from submissions import board_folder as board_folders
from submissions.board_folder import BoardFolder
from submissions.intake import Upload

Hand = Callable[..., Upload]


@pytest.fixture(scope="session")
def cohort() -> Cohort:
    """A small synthetic cohort."""
    return build(studies=40, seed=3)


@pytest.fixture(scope="session")
def reports(cohort: Cohort) -> bytes:
    """What an invented system wrote for it, as a file."""
    return canonical(system(cohort, "birch", 0.8, 0.1).reports)


@pytest.fixture
def board_folder(cohort: Cohort, tmp_path: Path) -> BoardFolder:
    """An empty board that takes submissions to the cohort."""
    root = tmp_path / "board"
    cohorts.save(cohort, root / "cohorts" / "synthetic")
    return board_folders.at(root)


@pytest.fixture
def hand(reports: bytes) -> Hand:
    """Makes an upload; every field can be replaced."""

    def make(name: str = "Birch", **changes: object) -> Upload:
        upload = Upload(reports, "birch.jsonl", "synthetic", SystemCard(name, open_weights="no"), "local:ann")
        return replace(upload, **changes)  # type: ignore[arg-type]

    return make


def credentialed(cohort: Cohort, root: Path, name: str = "hidden") -> Cohort:
    """The cohort, marked credentialed and under another name, saved under a board's folder."""
    manifest = cohort.manifest
    made = cohorts.make(
        name,
        manifest.studies,
        cohort.texts,
        section=manifest.section,
        access=Access.CREDENTIALED,
        language=manifest.language,
        source="invented, and marked credentialed for a test",
        labels=cohort.labels,
    )
    cohorts.save(made, root / "cohorts" / name)
    return made
