"""A board on the Hugging Face Hub: submissions in a closed data set, results in an open one, one commit an event.

A commit names the state that it was decided on, so of two at once one is turned away and decides again. Where nobody knows whether a
commit landed (a cut connection, a server that was overloaded) the repository is looked at before anything is tried again.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import Any, Final, TypeVar

from harness import config
from harness.config.home import home
from harness.errors import Problem, RanscoreError, RefusedError, StoreError, UnavailableError
from harness.quiet import Quiet
from harness.records import snapshot, store_events
from harness.records.store import Store
from harness.storage import files
from harness.storage.stored import each, exists
from leaderboard.hub.publish import public, rows
from submissions import board_folder as board_folders
from submissions.board_folder import BoardFolder
from submissions.events import NAME, load
from submissions.ledger import Ledger, checked

Found = TypeVar("Found")
PUBLIC: Final = "https://huggingface.co"
PLAIN: Final = re.compile(r"(?:[A-Za-z0-9_-][\w.-]{0,199}/){0,3}[A-Za-z0-9_-][\w.-]{0,199}", re.ASCII)
"""A file's name on the Hub that is read: it leads into no other folder than that of the data set."""
PUBLISHED: Final = re.compile(r"(?:events|snapshots)/[A-Za-z0-9][\w.-]{0,199}\.json", re.ASCII)
"""The name of a published record or snapshot."""
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
        """A client; the token is read again each time, so that it can be exchanged while this runs."""
        from huggingface_hub import HfApi

        return HfApi(endpoint=self.endpoint, token=os.environ.get("HF_TOKEN"))

    def make(self, private: bool) -> None:
        """Create the data set if it is not there."""
        self._ask(lambda: self.api().create_repo(self.id, repo_type="dataset", private=private, exist_ok=True))

    def names(self) -> list[str]:
        """Every file of the newest state whose name stays inside a folder."""

        def ask() -> list[str]:
            info = self.api().repo_info(self.id, repo_type="dataset")
            self.revision = str(info.sha)
            return [name for item in info.siblings or () if PLAIN.fullmatch(name := str(item.rfilename))]

        return self._ask(ask)

    def read(self, name: str) -> bytes:
        """One file, from the cache where it is there: no file that is read here ever changes.

        Raises:
            StoreError: The name leads out of a folder.
            UnavailableError: The Hub does not answer, or does not allow it.
        """
        from huggingface_hub import hf_hub_download

        if not PLAIN.fullmatch(name):
            raise StoreError(Problem("a name of the data set is not that of a file in it", "Remove it from the data set", self.id))
        if (self.cache / name).is_file():
            return (self.cache / name).read_bytes()

        def ask() -> bytes:
            path = hf_hub_download(
                self.id, name, repo_type="dataset", revision=self.revision or None, local_dir=self.cache, endpoint=self.endpoint,
                token=os.environ.get("HF_TOKEN") or False,
            )  # fmt: skip
            return Path(path).read_bytes()

        self.cache.mkdir(parents=True, exist_ok=True)
        self.cache.chmod(0o700)
        return self._ask(ask)

    def forget(self, name: str) -> None:
        """Take a file out of the cache."""
        (self.cache / name).unlink(missing_ok=True)

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
        self.forget(name)
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
class HubFiles(Quiet):
    """A ledger's files in a closed data set."""

    repository: Repository

    def names(self) -> Sequence[str]:
        """The names of all events."""
        return sorted(name for name in self.repository.names() if NAME.fullmatch(name))

    def blob(self, name: str) -> bytes:
        """One event, or one file of reports. A copy in the cache that is damaged is read from the Hub again."""
        try:
            return self._checked(name)
        except StoreError:
            self.repository.forget(name)
            return self._checked(name)

    def _checked(self, name: str) -> bytes:
        data = checked(name, self.repository.read(name), self.place(name))
        if name.startswith("events/"):
            load(name, data)
        return data

    def place(self, name: str) -> str:
        """The data set and the file's name in it."""
        return f"{self.repository.id}/{name}"

    @contextmanager
    def lock(self) -> Iterator[None]:
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
    fresh = sorted(path for path in (store.root / "events").glob("*.json") if f"events/{path.name}" not in there)
    for path, event in each(fresh, lambda path: (path, store_events.load(path))):
        made = {f"events/{path.name}": store_events.dump(_public(event)).encode()}
        commits += repository.commit(made, f"{type(event).__name__.lower()} {event.id}", decided=False)
    commits += _push_rows(store, repository, there)
    fresh = [path for path in snapshot.listed(store.root) if f"snapshots/{path.name}" not in there]
    if made := dict(each(fresh, lambda path: (f"snapshots/{path.name}", snapshot.dumps(snapshot.load(path)).encode()))):
        commits += repository.commit(made, "ranks", decided=False)
    return commits


def _public(event: store_events.Event) -> store_events.Event:
    return replace(event, reports="", record=public(event.record)) if isinstance(event, store_events.Kept) else event


def _push_rows(store: Store, repository: Repository, there: set[str]) -> int:
    """The flat rows of valid records; those of others are taken out. A record whose event is damaged stays as it is."""
    standing = {f"data/{item.id}.jsonl": item.record for item in store.standing()}
    damaged = {f"data/{store_events.tail(path.stem)}.jsonl" for path, _ in store_events.read(store.root / "events").damaged}
    commits = 0
    for name, record in standing.items():
        if name not in there:
            content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(record)).encode()
            commits += repository.commit({name: content}, f"scores of {record.system.name}", decided=False)
    if gone := tuple(sorted(name for name in there if name.startswith("data/") and name not in standing.keys() | damaged)):
        commits += repository.commit({}, "take out what was withdrawn", gone, decided=False)
    return commits


def pull(repository: Repository, store: Store) -> int:
    """Bring published records and ranks into a store that shows them.

    Returns:
        How many files were new.
    """
    wanted = [name for name in repository.names() if PUBLISHED.fullmatch(name) and not exists(store.root / name)]
    for name in wanted:
        files.create(store.root / name, repository.read(name))
    return len(wanted)


def follow(board_folder: BoardFolder, every: float = 60.0) -> None:
    """Keep a page's store as the results on the Hub are, from a thread of its own; nothing where there are none.

    Args:
        every: Seconds between two looks.
    """
    _, results = repositories(board_folder.root)
    if results is None:
        return

    def look() -> None:
        while True:
            with suppress(RanscoreError, OSError):
                pull(results, board_folder.store)
            time.sleep(every)

    Thread(target=look, daemon=True, name="results").start()


def repositories(root: Path) -> tuple[Repository | None, Repository | None]:
    """The data sets of submissions and of results, as `[hub]` in the board's `config.toml` names them."""
    table = config.table("hub", root)
    endpoint = str(table["endpoint"]).rstrip("/") if table.get("endpoint") else None
    if any(name in table for name in ("submissions", "results")):
        _check_trusted(endpoint, root / "config.toml")
    made = [Repository(table[name], root / "hub" / name, endpoint) if name in table else None for name in ("submissions", "results")]
    return made[0], made[1]


def _check_trusted(endpoint: str | None, path: Path) -> None:
    """Refuse a Hub that only a board's folder names: it would get the user's token.

    Raises:
        RefusedError: It is neither the public one, nor in the user's own configuration, nor in HF_ENDPOINT.
    """
    own = config.table("hub").get("endpoint"), os.environ.get("HF_ENDPOINT"), PUBLIC
    if endpoint is not None and endpoint not in {known.rstrip("/") for known in own if known}:
        what = "it names another Hub than the public one, and your token would be sent there"
        raise RefusedError(Problem(what, f"If you trust it, set HF_ENDPOINT, or [hub] endpoint in {home() / 'config.toml'}", str(path)))


def open_board_folder(root: Path | None = None) -> BoardFolder:
    """The board of a folder, with its ledger on the Hub where the configuration says so."""
    board_folder = board_folders.at(root)
    submissions, _ = repositories(board_folder.root)
    return board_folders.at(root, Ledger(HubFiles(submissions))) if submissions else board_folder


def publisher(board_folder: BoardFolder) -> Callable[[], None]:
    """What a worker calls when its board changed: publish, where there is somewhere to; a Hub that is down is tried again next time."""
    _, results = repositories(board_folder.root)

    def publish() -> None:
        if results:
            push(board_folder.store, results)

    return publish
