"""Which workers live: each one says so in a file of its own beside the ledger, with what troubles it and when it speaks next.

The files are of this machine alone. A board whose ledger is elsewhere does not know its workers.
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any

from harness.storage import files
from harness.storage.shaped import known
from harness.storage.stored import Source, each, read_object, shaped
from submissions.board_folder import BoardFolder
from submissions.ledger import LedgerFolder

LATE = 3.0
"""A worker counts as ended when it is silent for so many times the pause that it announced."""
SHORTEST = 5.0
"""Seconds; a pause that is shorter counts as this long, for a busy machine."""

LONGEST = 86_400.0
"""Seconds; no worker announces a longer pause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """What one worker last said."""

    who: str = ""
    """Host, process and some random digits."""
    at: float
    pause: float = 40.0
    """Seconds after which it speaks again."""
    trouble: str = ""
    """What fails just now, without any text; empty where it works."""
    over: bool = False
    """Whether it ended in order."""

    def lives(self, now: float) -> bool:
        """Whether the worker is at work, as far as this machine knows."""
        return not self.over and abs(now - self.at) < LATE * max(self.pause, SHORTEST) and alive(self.who)


def write(board_folder: BoardFolder, beat: Beat) -> None:
    """Keep a beat. On a disk that is full it is left out: a worker that cannot say that it lives cannot work either."""
    name = sha256(beat.who.encode()).hexdigest()[:12]
    with suppress(OSError):
        files.write(_folder(board_folder) / f"{name}.json", json.dumps(asdict(beat)) + "\n")


def read(board_folder: BoardFolder) -> tuple[Beat, ...]:
    """The newest beat of every worker that was ever here; files that cannot be read are passed over."""
    return tuple(each(_folder(board_folder).glob("*.json"), _read, lambda _: None))


def _read(path: Path) -> Beat:
    source = Source(str(path), "the sign of a worker", "It is written again")
    found = shaped(Beat, known(Beat, read_object(path, source)), source)
    return replace(found, trouble=found.trouble[:200])


def _beat(data: Any) -> Beat:
    at, pause = float(data["at"]), float(data.get("pause", 40.0))
    if not (isfinite(at) and 0 <= pause < LONGEST):
        raise ValueError
    return Beat(who=str(data.get("who", "")), at=at, pause=pause, trouble=str(data.get("trouble", ""))[:200], over=bool(data.get("over")))


def forget(board_folder: BoardFolder, before: float) -> None:
    """Remove the files of workers that were last heard of before a time."""
    for path in _folder(board_folder).glob("*.json"):
        with suppress(OSError):
            if path.stat().st_mtime < before:
                path.unlink()


def working(board_folder: BoardFolder) -> bool | None:
    """Whether a worker of this board is at work; None where nobody here can know."""
    if not isinstance(board_folder.ledger.ledger_files, LedgerFolder):
        return None
    now = board_folder.ledger.clock()
    return any(beat.lives(now) for beat in read(board_folder))


def alive(who: str) -> bool:
    """Whether a worker may still live: no where it was a process of this machine that has ended."""
    host, process, _ = (*who.rsplit(":", 2), "", "")[:3]
    if host != socket.gethostname() or os.name == "nt" or not process.isdecimal():
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _folder(board_folder: BoardFolder) -> Path:
    return board_folder.root / "workers"
