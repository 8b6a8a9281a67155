"""The answers of a served sheet: one line of JSON for each change, on disk before it is acknowledged."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.errors import UsageError
from harness.formats.complaints import Complaints
from harness.storage import files
from validation.readers.sheets import Reply, parse_replies, reply_json
from validation.readers.study import ReadingStudy


class Journal:
    """One reader's answers on disk. A line that was cut off by a crash was never acknowledged and is removed."""

    def __init__(self, path: Path, study: ReadingStudy, reader: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        path.touch()
        self.replies = read(path, study, reader)
        self._size = len(_whole_lines(path))
        self._stream = path.open("ab", buffering=0)
        self._stream.truncate(self._size)
        files.sync_folder(path.parent)

    def append(self, replies: Mapping[int, Reply]) -> None:
        """Keep answers; they are on disk when this returns.

        Raises:
            OSError: They are not, for example on a full disk; what was there before still is.
        """
        line = json.dumps({str(at): reply_json(reply) for at, reply in replies.items()}, ensure_ascii=False).encode() + b"\n"
        try:
            if self._stream.write(line) != len(line):
                raise OSError("the disk took half a line")
            os.fsync(self._stream.fileno())
        except OSError:
            self._stream.truncate(self._size)
            raise
        self._size += len(line)
        self.replies.update(replies)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def read(path: Path, study: ReadingStudy, reader: str) -> dict[int, Reply]:
    """The newest answers of a journal, whether or not somebody writes it now.

    Raises:
        InputError: A whole line of it is damaged.
    """
    complaints, replies = Complaints(str(path)), dict[int, Reply]()
    for number, line in enumerate(_whole_lines(path).splitlines(), 1):
        try:
            replies.update(parse_replies(json.loads(line), study, reader, complaints))
        except (ValueError, RecursionError):
            complaints.add("damaged", "the line is damaged", "Restore the file from a backup", number)
    complaints.check()
    return replies


def _whole_lines(path: Path) -> bytes:
    """The file up to its last line end."""
    data = path.read_bytes()
    return data[: data.rfind(b"\n") + 1]


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a study for one server.

    Raises:
        UsageError: Another process serves it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("ab") as stream:
        try:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # pragma: no cover - Windows has other locks, and the port is taken anyway
            pass
        except OSError:
            raise UsageError("another process serves this study already; end it first") from None
        yield
