"""How far long work is, on standard error: a bar on a terminal, else a line now and then; both with the time that is left."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

Item = TypeVar("Item")
FIRST, EVERY = 10.0, 60.0
"""Seconds until the first line where there is no terminal, and between two lines."""
BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}, {remaining} left]"


def progress(items: Iterable[Item], what: str, total: int | None = None, unit: str = "study") -> Iterator[Item]:
    """Pass items on while a bar shows how far it is; the bar appears after half a second.

    Without a terminal a line says after 10 seconds how long it will take, and every minute how far it is.

    Args:
        what: What is being done, shown before the bar. Never report text.
        total: How many items there will be, where `items` has no length.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    if not (sys.stderr and sys.stderr.isatty()):
        yield from _in_lines(items, what, total)
        return
    from tqdm import tqdm

    shown = BAR if total else None
    yield from tqdm(items, desc=what, total=total, unit=f" {unit}", delay=0.5, dynamic_ncols=True, bar_format=shown)


def _in_lines(items: Iterable[Item], what: str, total: int | None) -> Iterator[Item]:
    start = time.monotonic()
    due = start + FIRST
    for count, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now >= due and count != total:
            announce(f"{what}: {count:,}{_rest(count, total, now - start)}")
            due = now + EVERY


def _rest(count: int, total: int | None, spent: float) -> str:
    return f" of {total:,}, about {span(spent / count * (total - count))} left" if total else f" in {span(spent)}"


def span(seconds: float) -> str:
    """A time in words."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def announce(what: str) -> None:
    """Say at once what is about to take a while."""
    print(what, file=sys.stderr, flush=True)
