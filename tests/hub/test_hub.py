"""A board whose submissions and results lie on the Hub, over HTTP against a server that speaks its protocol."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.errors import UnavailableError
from harness.records.store import Store
from harness.types import Cohort
from leaderboard.content import load
from leaderboard.hub import repository as hubs
from leaderboard.hub.repository import HubFiles, Repository
from submissions import board_folder as board_folders
from submissions.board_folder import BoardFolder
from submissions.events import State
from submissions.intake import Upload, submit, withdraw
from submissions.ledger import Ledger
from submissions.worker import Worker
from tests.hub.server import Hub, running
from tests.submissions.conftest import cohort, hand, reports

__all__ = ["cohort", "hand", "reports"]
Hand = Callable[..., Upload]
QUICK = (0.0, 0.01, 0.02, 0.05)


@pytest.fixture
def hub() -> Iterator[Hub]:
    """An empty Hub."""
    with running() as made:
        yield made


def repository(hub: Hub, name: str, cache: Path) -> Repository:
    made = Repository(f"lab/{name}", cache, hub.address, QUICK)
    made.make(private=name == "submissions")
    return made


@pytest.fixture
def far(hub: Hub, cohort: Cohort, tmp_path: Path) -> Callable[[str], BoardFolder]:
    """Makes boards on machines of their own, all with one ledger on the Hub."""
    from harness import cohorts

    def make(name: str) -> BoardFolder:
        root = tmp_path / name
        cohorts.save(cohort, root / "cohorts" / "synthetic")
        return board_folders.at(root, Ledger(HubFiles(repository(hub, "submissions", root / "hub" / "submissions"))))

    return make


def test_handed_in_here_scored_there_shown_here(hub: Hub, far: Callable[[str], BoardFolder], hand: Hand, tmp_path: Path) -> None:
    page, site = far("page"), far("site")
    receipt = submit(page, hand())
    results = repository(hub, "results", tmp_path / "pushed")
    worker = Worker(site, listed=lambda: hubs.push(site.store, results))
    assert worker.run(once=True) == 1
    assert page.ledger.state().submissions[receipt.id].state is State.LISTED
    kinds = ["received", "claimed", "validated", "scored", "listed"]
    events = [name for name in hub.head("lab/submissions")[1] if name.startswith("events/")]
    assert events == [f"events/{receipt.id}.{number:04d}.json" for number in range(1, len(kinds) + 1)]
    assert len(hub.commits["lab/submissions"]) == 1 + len(kinds)
    shown = Store(tmp_path / "shown")
    assert hubs.pull(repository(hub, "results", tmp_path / "pulled"), shown) == 2
    (row,) = load(shown)[0].rows
    assert row.name == "Birch" and row.place and row.digest == site.store.all()[0].record.digest
    assert not (shown.root / "rows").exists() and not (shown.root / "reports").exists()
    withdraw(page, receipt.id, "", code=receipt.code)
    worker.tidy()
    hubs.push(site.store, results)
    hubs.pull(repository(hub, "results", tmp_path / "pulled"), shown)
    assert load(shown) == ()
    assert not [name for name in hub.head("lab/results")[1] if name.startswith("data/")]


@pytest.mark.parametrize("trouble", ["503", "cut before", "cut after", "other first"])
def test_a_trouble_at_each_commit_loses_nothing_and_doubles_nothing(
    hub: Hub, far: Callable[[str], BoardFolder], hand: Hand, trouble: str
) -> None:
    page, site = far("page"), far("site")
    for _ in range(6):
        hub.troubles.extend((trouble, "ok"))
    receipt = submit(page, hand())
    Worker(site).run(once=True)
    item = far("third").ledger.state().submissions[receipt.id]
    assert item.state is State.LISTED and len(page.ledger.state().submissions) == 1
    assert [event.kind for event in item.events].count("scored") == 1
    assert len(site.store.all()) == 1


def test_a_hub_that_stays_down_acknowledges_nothing(hub: Hub, far: Callable[[str], BoardFolder], hand: Hand) -> None:
    page = far("page")
    hub.troubles.extend(["503"] * 50)
    with pytest.raises(UnavailableError, match="the Hub does not answer for lab/submissions"):
        submit(page, hand())
    hub.troubles.clear()
    assert page.ledger.state().submissions == {}
    assert not (page.root / "ledger").exists()


def test_many_at_once_get_numbers_of_their_own(hub: Hub, far: Callable[[str], BoardFolder], hand: Hand) -> None:
    pages = [far(f"page{number}") for number in range(3)]
    threads = [
        threading.Thread(target=submit, args=(page, hand(f"System {number}", person=f"hf:{number}"))) for number, page in enumerate(pages)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(far("later").ledger.state().submissions) == 3


def test_two_workers_on_two_machines_score_once(hub: Hub, far: Callable[[str], BoardFolder], hand: Hand) -> None:
    page, one, other = far("page"), far("one"), far("other")
    ids = [submit(page, hand(name, person=f"hf:{name}")).id for name in ("A", "B")]
    threads = [threading.Thread(target=Worker(board_folder).run, kwargs={"once": True}) for board_folder in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    Worker(one).run(once=True)
    found = page.ledger.state().submissions
    assert all([event.kind for event in found[name].events].count("scored") == 1 for name in ids)
    assert {found[name].state for name in ids} == {State.LISTED}


def test_load_dataset_opens_the_results(hub: Hub, far: Callable[[str], BoardFolder], hand: Hand, tmp_path: Path) -> None:
    site = far("site")
    submit(site, hand("A"))
    submit(site, hand("B"))
    Worker(site).run(once=True)
    hubs.push(site.store, repository(hub, "results", tmp_path / "pushed"))
    assert hubs.push(site.store, repository(hub, "results", tmp_path / "pushed")) == 0
    code = (
        "import json; from datasets import load_dataset; d = load_dataset('lab/results', split='train')\n"
        "print(json.dumps([d.num_rows, d.column_names, sorted(set(d['system']))]))"
    )
    environment = {**os.environ, "HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    count, columns, systems = json.loads(done.stdout.splitlines()[-1])
    assert systems == ["A", "B"] and count > 100 and {"metric", "score", "value", "low", "high", "cohort_digest"} <= set(columns)
