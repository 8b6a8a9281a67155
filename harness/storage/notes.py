"""What the program logs while it works, printed for its user: files that are damaged and left aside."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def printed() -> Iterator[None]:
    """Print what is logged while the block runs, each message once."""
    handler = _Printer()
    logger = logging.getLogger("ranscore")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _Printer(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self._seen: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message, unless it was printed before."""
        message = record.getMessage()
        if message not in self._seen:
            self._seen.add(message)
            print(f"ranscore: note: {message}", file=sys.stderr, flush=True)
