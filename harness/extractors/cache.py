"""Answers that were paid for once: a content-addressed cache that two processes can share.

An answer is found by protocol digest or by the digest of its question, by what was asked, and by a keyed hash of the text. The key is in `RANSCORE_HOME/cache.key`, so a
stolen cache does not tell whether somebody's report is in it. No text is in the cache, and of credentialed text no raw answer either
that says more than the decision: a model may repeat what it was shown.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import sqlite3
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from harness.config.home import home
from harness.errors import Problem, StoreError
from harness.extractors.answers import Answer, KnownAnswer, packed, read, read_known
from harness.storage import files
from harness.storage.stored import Source, content, exists

SCHEMA = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS protocols (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE IF NOT EXISTS key (mark BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS salts (salt BLOB PRIMARY KEY, at REAL NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
  protocol INTEGER NOT NULL, asked TEXT NOT NULL, key BLOB NOT NULL,
  decision TEXT NOT NULL, raw TEXT NOT NULL, server TEXT NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (protocol, key, asked)
) STRICT, WITHOUT ROWID;
"""
_ADD = "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)"
_WANTED = (
    "SELECT place, asked, decision, server FROM json_each(?) AS listed CROSS JOIN wanted CROSS JOIN answers "
    "ON answers.protocol = listed.value AND answers.key = wanted.key"
)
"""Answers of some protocols about the texts in `wanted`; joined in this order, so that the table is read from front to back."""
_SHARE = (
    "INSERT OR IGNORE INTO answers SELECT ?, asked, answers.key, decision, raw, server, ? "
    "FROM json_each(?) AS listed CROSS JOIN wanted CROSS JOIN answers ON answers.protocol = listed.value AND answers.key = wanted.key "
    "WHERE NOT EXISTS (SELECT 1 FROM answers AS own WHERE own.protocol=? AND own.key=answers.key AND own.asked='*') ORDER BY answers.key"
)
"""Files them under another protocol, where it has no answer about everything."""

DAMAGED = "Move it away together with its -wal and -shm, and keep them: answers may be recovered from them. It is made again"
KEY = "Restore cache.key; where it is lost, move it and cache.db away, and both are made again"
_IN_USE = "Another program is using it: it is whole, leave it where it is and try again"
_ROOM = "Make room on its disk and try again: it is whole, leave it where it is"
_RIGHTS = "Check its rights and those of its folder: it is whole, leave it where it is"
_REMEDIES = {
    sqlite3.SQLITE_BUSY: _IN_USE,
    sqlite3.SQLITE_LOCKED: _IN_USE,
    sqlite3.SQLITE_FULL: _ROOM,
    sqlite3.SQLITE_IOERR: _ROOM,
    sqlite3.SQLITE_READONLY: _RIGHTS,
    sqlite3.SQLITE_CANTOPEN: _RIGHTS,
    sqlite3.SQLITE_PERM: _RIGHTS,
}
"""By SQLite's error code what to do; anything else is damage."""
PATIENCE, WAITS = 60, 600
"""Seconds to wait for another program that uses the cache, and into how many parts they are divided where SQLite does not wait itself."""


def keyed(salt: bytes, text: str) -> bytes:
    """The keyed hash of a text: 16 bytes of HMAC-SHA-256."""
    return hmac.digest(salt, text.encode("utf-8", "surrogatepass"), "sha256")[:16]


def home_key() -> bytes:
    """This home's secret, made at first use; only its owner can read the file."""
    path = home() / "cache.key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".cache.key.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(secrets.token_bytes(32))
                stream.flush()
                os.fsync(stream.fileno())
            os.link(name, path)
        except FileExistsError:
            pass  # another process was first; its key is the key
        finally:
            Path(name).unlink(missing_ok=True)
    source = Source(str(path), "the key of the cache", KEY)
    key = content(path, source, 33)
    if len(key) != 32:
        raise source.wrong("it is not a key of 32 bytes")
    return key


class Cache:
    """The cache of one home. Safe to use from several processes; one object is for one thread at a time."""

    def __init__(self, path: Path | None = None) -> None:
        """Open the cache, or make it.

        Args:
            path: The database; `RANSCORE_HOME/cache.db` by default.

        Raises:
            StoreError: It is damaged, in use for too long, newer than this program, or of another key.
        """
        self.path = path or home() / "cache.db"
        self._key = home_key()
        self._ids: dict[str, int] = {}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):
            self.path.touch(0o600)
        if exists(self.path) and not self.path.is_file():
            raise StoreError(Problem("it is not a file", DAMAGED, str(self.path)))
        files.close(self.path)
        with self._named():
            self._base = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
            self._base.execute("PRAGMA temp_store=MEMORY")
            # Text that is not UTF-8 is that of a damaged answer, which is passed over below.
            # Most cells repeat: the name of a finding, a digit, a server.
            self._base.text_factory = lru_cache(maxsize=4096)(lambda data: data.decode("utf-8", "replace"))
            self._prepare()
            salts = [row[0] for row in self._base.execute("SELECT salt FROM salts ORDER BY at")]
        self._salts = [self._key, *(salt for salt in salts if isinstance(salt, bytes))]

    def _prepare(self) -> None:
        self._write_ahead()
        self._base.execute("PRAGMA synchronous=NORMAL")
        version = self._base.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA:
            raise StoreError(f"{self.path} was written by a newer program (schema {version}); update ranscore")
        with self._writing():
            for statement in _TABLES.split(";\n"):
                self._base.execute(statement)
            self._base.execute(f"PRAGMA user_version={SCHEMA}")
            self._check_key()

    def _write_ahead(self) -> None:
        """Switch to write-ahead logging. Two programs that make the database at once meet here, and SQLite does not wait in this statement."""
        for attempt in range(WAITS + 1):
            try:
                self._base.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or attempt == WAITS:
                    raise
                time.sleep(PATIENCE / WAITS)

    def _check_key(self) -> None:
        """Answers are found by the key alone: under another one, all of them would be asked and paid for again."""
        mark = hmac.digest(self._key, b"cache.key", "sha256")[:8]
        self._base.execute("INSERT INTO key SELECT ? WHERE NOT EXISTS (SELECT * FROM key)", (mark,))
        if (mark,) not in self._base.execute("SELECT mark FROM key").fetchall():
            what = f"it is not the key with which the answers in {self.path} were kept"
            raise StoreError(Problem(what, KEY, str(home() / "cache.key")))

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Turn an error of the database into one that says what to do; one that is in use is whole and stays where it is."""
        try:
            yield
        except sqlite3.Error as error:
            kind = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
            raise StoreError(Problem(f"it cannot be used ({error})", _REMEDIES.get(kind, DAMAGED), str(self.path))) from None
        except (TypeError, ValueError) as error:
            raise StoreError(Problem(f"it cannot be used ({type(error).__name__})", DAMAGED, str(self.path))) from None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction; it waits for other writers."""
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):
                self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")

    def close(self) -> None:
        """Close the database; the cache is of no use afterwards."""
        self._base.close()

    def key(self, text: str) -> bytes:
        """The hash under which answers about a text are kept."""
        return keyed(self._key, text)

    def keys(self, text: str) -> list[bytes]:
        """The hashes under which answers about a text may be: this home's, and those of what was imported."""
        return [keyed(salt, text) for salt in self._salts]

    def find(self, protocol: str, keys: Sequence[bytes]) -> dict[str, Answer]:
        """By what was asked, the answers about one text.

        Args:
            protocol: The protocol's digest.
            keys: See `keys`; earlier ones win.
        """
        found: dict[str, Answer] = {}
        with self._named():
            for key in keys:
                rows = self._base.execute(
                    "SELECT asked, decision, raw, server FROM answers WHERE protocol=? AND key=?", (self._protocol(protocol), key)
                )
                for asked, decision, raw, server in rows:
                    if answer := read(asked, key, decision, raw, server):
                        found.setdefault(asked, answer)
        return found

    def has(self, protocol: str, key: bytes, asked: str) -> Answer | None:
        """One answer, if it is here by now; one that is damaged is not."""
        with self._named():
            row = self._base.execute(
                "SELECT decision, raw, server FROM answers WHERE protocol=? AND key=? AND asked=?", (self._protocol(protocol), key, asked)
            ).fetchone()
        return read(asked, key, *row) if row else None

    def known(self, protocol: str, questions: Mapping[str, str], texts: Iterable[str]) -> dict[str, dict[str, KnownAnswer]]:
        """By text and by what was asked, the answers of a protocol, and those that any pack got to the same questions.

        The latter are filed under the protocol too, so that an export of it is complete.

        Args:
            protocol: The protocol's digest.
            questions: By finding the digest of its question; empty in the mode `joint`.
            texts: Each is looked for under every hash of `keys`; earlier ones win.
        """
        found: dict[str, dict[str, KnownAnswer]] = {text: {} for text in texts}
        answers = list(found.values())
        with self._named():
            own, shared = self._protocol(protocol), [self._protocol(digest) for digest in questions.values()]
            for salt in self._salts:
                self._want({keyed(salt, text): place for place, text in enumerate(found)})
                self._read(own, [own], answers)
                if shared and any("*" not in here and len(here) < len(shared) for here in answers) and self._read(own, shared, answers):
                    with self._writing():
                        self._base.execute(_SHARE, (own, time.time(), json.dumps(shared), own))
        return found

    def _read(self, own: int, protocols: Sequence[int], answers: Sequence[dict[str, KnownAnswer]]) -> int:
        """Add what some protocols know about the texts in `wanted`; returns how many answers were new.

        An answer of the protocol itself that is damaged is deleted, so that another can take its place.
        """
        new, damaged = 0, []
        for place, asked, decision, server in self._base.execute(_WANTED, (json.dumps(protocols),)):
            here = answers[place]
            if asked in here or "*" in here:
                continue
            if answer := read_known(asked == "*", decision, server):
                here[asked] = answer
                new += 1
            elif protocols == [own]:
                damaged.append((own, asked, place))
        if damaged:
            delete = "DELETE FROM answers WHERE protocol=? AND asked=? AND key=(SELECT key FROM wanted WHERE place=?)"
            with self._writing():
                self._base.executemany(delete, damaged)
        return new

    def _want(self, places: Mapping[bytes, int]) -> None:
        """Say which texts the next questions to the database are about."""
        self._base.execute("CREATE TEMP TABLE IF NOT EXISTS wanted (key BLOB PRIMARY KEY, place INTEGER NOT NULL) STRICT, WITHOUT ROWID")
        self._base.execute("DELETE FROM wanted")
        self._base.executemany("INSERT INTO wanted VALUES (?, ?)", sorted(places.items()))

    def share(self, protocol: str, digests: Mapping[str, str]) -> int:
        """File the answers of a protocol under the digests of its questions too; what is there already stays as it is.

        Args:
            protocol: The protocol's digest.
            digests: By finding, in the order of the 20, the digest of the question.

        Returns:
            How many were new.
        """
        with self._named():
            source = self._protocol(protocol)
            targets = [(self._protocol(digest), asked, place) for place, (asked, digest) in enumerate(digests.items(), 1)]
        insert = "INSERT OR IGNORE INTO answers SELECT ?, ?, key, {}, raw, server, at FROM answers WHERE protocol=? AND asked=?"
        with self._named(), self._writing():
            before = self._base.total_changes
            for number, asked, place in targets:
                self._base.execute(insert.format("decision"), (number, asked, source, asked))
                self._base.execute(insert.format("substr(decision, ?, 1)"), (number, asked, place, source, "*"))
            return self._base.total_changes - before

    def add(self, protocol: str, answers: Iterable[Answer]) -> None:
        """Commit answers; when this returns, a crash of the program loses none of them. A newer answer replaces an older one."""
        self.add_both(protocol, {}, answers)

    def add_both(self, protocol: str, questions: Mapping[str, str], answers: Iterable[Answer]) -> None:
        """The same under the digest of each question too, in one transaction.

        Args:
            protocol: The protocol's digest.
            questions: By finding the digest of its question; empty in the mode `joint`.
            answers: What to commit.
        """
        with self._named():
            number, now = self._protocol(protocol), time.time()
            places = {asked: self._protocol(digest) for asked, digest in questions.items()}
        rows = [(number, item.asked, item.key, packed(item.decisions), item.raw, item.server, now) for item in answers]
        rows += [(places[row[1]], *row[1:]) for row in rows if row[1] in places]
        with self._named(), self._writing():
            self._base.executemany(_ADD, rows)

    def add_imported(self, protocol: str, salt: bytes, answers: Iterable[Answer]) -> int:
        """Commit answers whose keys were made with another salt; what is here already stays as it is.

        Returns:
            How many were new.
        """
        with self._named():
            number, now = self._protocol(protocol), time.time()
        rows = [(number, item.asked, item.key, packed(item.decisions), item.raw, item.server, now) for item in answers]
        with self._named(), self._writing():
            before = self._base.total_changes
            self._base.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            new = self._base.total_changes - before
            self._base.execute("INSERT OR IGNORE INTO salts VALUES (?, ?)", (salt, now))
        if salt not in self._salts:
            self._salts.append(salt)
        return new

    def protocols(self) -> dict[str, int]:
        """By protocol digest, how many answers are here; digests of single questions are left out."""
        with self._named():
            rows = self._base.execute(
                "SELECT digest, count(answers.key) FROM protocols LEFT JOIN answers ON protocol = id "
                "WHERE digest NOT LIKE 'question:%' GROUP BY digest ORDER BY digest"
            )
            return dict(rows.fetchall())

    def _protocol(self, digest: str) -> int:
        if digest not in self._ids:
            row = self._base.execute("SELECT id FROM protocols WHERE digest=?", (digest,)).fetchone()
            if row is None:
                self._base.execute("INSERT OR IGNORE INTO protocols (digest) VALUES (?)", (digest,))
                row = self._base.execute("SELECT id FROM protocols WHERE digest=?", (digest,)).fetchone()
            self._ids[digest] = int(row[0])
        return self._ids[digest]


@contextmanager
def opened(path: Path | None = None) -> Iterator[Cache]:
    """A cache that is closed at the end."""
    with closing(Cache(path)) as cache:
        yield cache
