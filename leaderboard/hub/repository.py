"""A board on the Hugging Face Hub: submissions in a closed data set, results in an open one, one commit an event.

A commit names the state that it was decided on, so of two at once one is turned away and decides anew. Where nobody knows whether a
commit landed (a cut connection, a server that was overloaded) the repository is looked at before anything is tried again.
"""

from __future__ import annotations

import json
import os
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from harness import files
from harness.errors import UnavailableError
from harness.quiet import Quiet
from harness.records import record as records
from harness.records.store import Store
from leaderboard.hub.publish import public, rows
from submissions import desk as desks
from submissions.desk import Desk
from submissions.ledger import Ledger

Found = TypeVar("Found")
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds between attempts."""
CARD = """---
pretty_name: Ran Score leaderboard results
configs:
- config_name: default
  data_files: data/*.jsonl
---
Every score of every system of the board, one a row; withdrawn records are taken out. `events/` holds the records as they were made.
"""


@dataclass(slots=True)
class Repository:
    """One data set on the Hub."""

    id: str
    """`owner/name`."""
    cache: Path
    """Where what was read is kept; events never change."""
    endpoint: str | None = None
    """Another Hub than the public one."""
    pauses: tuple[float, ...] = PAUSES
    revision: str = ""
    """The state that was read last."""

    def api(self) -> Any:
        """A client; the token is read anew each time, so that it can be exchanged while this runs."""
        from huggingface_hub import HfApi

        return HfApi(endpoint=self.endpoint, token=os.environ.get("HF_TOKEN"))

    def make(self, private: bool) -> None:
        """Create the data set if it is not there."""
        self._ask(lambda: self.api().create_repo(self.id, repo_type="dataset", private=private, exist_ok=True))

    def names(self) -> list[str]:
        """Every file of the newest state."""

        def ask() -> list[str]:
            info = self.api().repo_info(self.id, repo_type="dataset")
            self.revision = str(info.sha)
            return [str(item.rfilename) for item in info.siblings or ()]

        return self._ask(ask)

    def read(self, name: str) -> bytes:
        """One file of the state that was read last; kept in the cache."""
        from huggingface_hub import hf_hub_download

        def ask() -> bytes:
            path = hf_hub_download(
                self.id, name, repo_type="dataset", revision=self.revision or None, local_dir=self.cache, endpoint=self.endpoint,
                token=os.environ.get("HF_TOKEN") or False,
            )  # fmt: skip
            return Path(path).read_bytes()

        self.cache.mkdir(parents=True, exist_ok=True)
        self.cache.chmod(0o700)
        return self._ask(ask)

    def commit(self, made: Mapping[str, bytes], message: str, gone: tuple[str, ...] = (), *, decided: bool = True) -> bool:
        """Write and remove files in one commit; it has landed when this returns True.

        Args:
            decided: Whether it holds only on the state that was read last.

        Returns:
            False where others wrote in the meantime and this was not written.

        Raises:
            UnavailableError: The Hub does not answer, or does not allow it.
        """
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        for pause in (*self.pauses, None):
            operations = [*(CommitOperationAdd(name, content) for name, content in made.items()), *map(CommitOperationDelete, gone)]
            before = self.revision
            try:
                found = self.api().create_commit(
                    self.id, operations, commit_message=message, repo_type="dataset", parent_commit=before or None if decided else None
                )
                self.revision = str(found.oid)
                return True
            except Exception as error:
                status = _status(error)
                if status not in (409, 412, None) and status < 500 and status != 429:
                    raise UnavailableError(
                        f"the Hub does not take the commit to {self.id} (status {status}); is the token right?"
                    ) from None
                if pause is None:
                    raise UnavailableError(f"the Hub does not answer for {self.id} ({type(error).__name__}); try again later") from None
                # Read the state before trying again: the answer was lost, the commit perhaps not.
                names = set(self.names())
                if made and all(name in names and self._landed(name, content) for name, content in made.items()):
                    return True
                if decided and (status in (409, 412) or self.revision != before):
                    return False
                time.sleep(pause)
        raise AssertionError("unreachable")

    def _landed(self, name: str, content: bytes) -> bool:
        (self.cache / name).unlink(missing_ok=True)
        return self.read(name) == content

    def _ask(self, question: Callable[[], Found]) -> Found:
        """Ask again while the Hub is busy or the line is cut.

        Raises:
            UnavailableError: It stays so, or the Hub says no.
        """
        for pause in (*self.pauses, None):
            try:
                return question()
            except Exception as error:
                status = _status(error)
                if pause is None or (status is not None and status < 500 and status != 429):
                    raise UnavailableError(
                        f"the Hub does not answer for {self.id} (status {status or 'none'}); is the token right?"
                    ) from None
                time.sleep(pause)
        raise AssertionError("unreachable")


def _status(error: Exception) -> int | None:
    """The status of an answer that is an error; None where there was no answer.

    Raises:
        Exception: The error itself, where it is no matter of the network.
    """
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    if isinstance(error, HfHubHTTPError):
        return int(error.response.status_code)
    # The Hub's client has changed its own client before, so a failed exchange is known by what its class is called.
    if isinstance(error, OSError | LocalEntryNotFoundError) or "HTTPError" in {kind.__name__ for kind in type(error).__mro__}:
        return None
    raise error


@dataclass(slots=True, repr=False)
class HubShelf(Quiet):
    """A ledger's files in a closed data set."""

    repository: Repository
    _read: dict[str, bytes] = field(default_factory=dict, repr=False)

    def events(self) -> Mapping[str, bytes]:
        """Every event by name, as they are now."""
        names = [name for name in self.repository.names() if name.startswith("events/") and name.endswith(".json")]
        for name in names:
            if name not in self._read:
                kept = self.repository.cache / name
                self._read[name] = kept.read_bytes() if kept.is_file() else self.repository.read(name)
        return {name: self._read[name] for name in names}

    def blob(self, name: str) -> bytes:
        """One file of reports."""
        return self.repository.read(name)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Nobody can be kept out; a commit names the state that it was decided on instead."""
        yield

    def create(self, made: Mapping[str, bytes]) -> bool:
        """One commit with the event and what it speaks of."""
        names = [name.removeprefix("events/") for name in made if name.startswith("events/")]
        return self.repository.commit(made, f"event {', '.join(names)}")


def push(store: Store, repository: Repository) -> int:
    """Publish what a store holds and the data set does not: one commit a record, and one for the newest ranks.

    Returns:
        How many commits.
    """
    there = set(repository.names())
    commits = 0
    if "README.md" not in there:
        commits += repository.commit({"README.md": CARD.encode()}, "say what this is", decided=False)
    for path in sorted((store.root / "events").glob("*.json")):
        if f"events/{path.name}" not in there:
            event = json.loads(path.read_text(encoding="utf-8"))
            commits += repository.commit({f"events/{path.name}": _public_event(event)}, f"{event['event']} {event['id']}", decided=False)
    commits += _push_rows(store, repository, there)
    fresh = [path for path in (store.root / "snapshots").glob("*.json") if f"snapshots/{path.name}" not in there]
    if fresh:
        made = {f"snapshots/{path.name}": path.read_bytes() for path in fresh}
        commits += repository.commit(made, "ranks", decided=False)
    return commits


def _public_event(event: dict[str, Any]) -> bytes:
    if event["event"] == "record":
        event = {**event, "reports": "", "record": records.to_json(public(records.from_json(event["record"])))}
    return (json.dumps(event, ensure_ascii=False, indent=1) + "\n").encode()


def _push_rows(store: Store, repository: Repository, there: set[str]) -> int:
    """The flat rows of what stands; those of what does not are taken out."""
    standing = {f"data/{item.id}.jsonl": item.record for item in store.standing()}
    commits = 0
    for name, record in standing.items():
        if name not in there:
            content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(record)).encode()
            commits += repository.commit({name: content}, f"scores of {record.system.name}", decided=False)
    if gone := tuple(sorted(name for name in there if name.startswith("data/") and name not in standing)):
        commits += repository.commit({}, "take out what was withdrawn", gone, decided=False)
    return commits


def pull(repository: Repository, store: Store) -> int:
    """Bring published records and ranks into a store that shows them.

    Returns:
        How many files were new.
    """
    wanted = [name for name in repository.names() if name.startswith(("events/", "snapshots/")) and not (store.root / name).is_file()]
    for name in wanted:
        files.create(store.root / name, repository.read(name))
    return len(wanted)


def follow(desk: Desk, every: float = 60.0) -> None:
    """Keep a page's store as the results on the Hub are, from a thread of its own; nothing where there are none.

    Args:
        every: Seconds between two looks.
    """
    _, results = repositories(desk.root)
    if results is None:
        return

    def look() -> None:
        while True:
            with suppress(UnavailableError):
                pull(results, desk.store)
            time.sleep(every)

    Thread(target=look, daemon=True, name="results").start()


def repositories(root: Path) -> tuple[Repository | None, Repository | None]:
    """The data sets of submissions and of results, as `[hub]` in the board's `config.toml` names them."""
    path = root / "config.toml"
    table = tomllib.loads(path.read_text(encoding="utf-8")).get("hub", {}) if path.is_file() else {}
    endpoint = table.get("endpoint")
    made = [Repository(table[name], root / "hub" / name, endpoint) if name in table else None for name in ("submissions", "results")]
    return made[0], made[1]


def open_desk(root: Path | None = None) -> Desk:
    """The desk of a board's folder, with its ledger on the Hub where the configuration says so."""
    desk = desks.at(root)
    submissions, _ = repositories(desk.root)
    return desks.at(root, Ledger(HubShelf(submissions))) if submissions else desk


def publisher(desk: Desk) -> Callable[[], None]:
    """What a worker calls when its board changed: publish, where there is somewhere to; a Hub that is down is tried again next time."""
    _, results = repositories(desk.root)

    def publish() -> None:
        if results:
            push(desk.store, results)

    return publish
