"""What a worker does about something that fails: say it without quoting anything, tell whose fault it is, wait longer each time."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass

from harness.errors import RanscoreError

LONGEST_PAUSE = 60.0
"""Seconds for which a worker leaves alone what failed."""
_OF_MACHINE = frozenset(
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EROFS", "EIO", "EMFILE", "ENFILE", "ENOMEM", "EAGAIN", "EACCES", "EPERM")
    if hasattr(errno, name)
)


@dataclass(slots=True)
class Pause:
    """How long something that fails is left alone: longer each time, a minute at most."""

    until: float = 0.0
    length: float = 0.0

    def failed(self) -> None:
        """Wait twice as long as before."""
        self.length = min(max(1.0, 2 * self.length), LONGEST_PAUSE)
        self.until = time.monotonic() + self.length

    def worked(self) -> None:
        """Wait no more."""
        self.until = self.length = 0.0


def is_of_machine(error: Exception) -> bool:
    """Whether the machine fails, and no file of one submission: a full or read-only disk, no memory, too many open files."""
    return isinstance(error, OSError) and error.errno in _OF_MACHINE


def words(error: Exception) -> str:
    """An error as it may be written down: the message of a foreign one may quote a report, so its kind alone."""
    if isinstance(error, RanscoreError):
        return str(error)
    kind = type(error).__name__
    return f"{kind}: {os.strerror(error.errno)}" if isinstance(error, OSError) and error.errno else kind
