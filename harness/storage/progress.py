"""Progress bars on standard error, with the time left; silent where nobody is looking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def progress(items: Iterable[Item], what: str, total: int | None = None, unit: str = "study") -> Iterator[Item]:
    """Pass items on while a bar shows how far it is; the bar appears after half a second and only on a terminal.

    Args:
        what: What is being done, shown before the bar. Never report text.
        total: How many items there will be, where `items` has no length.
    """
    from tqdm import tqdm

    yield from tqdm(items, desc=what, total=total, unit=f" {unit}", disable=None, delay=0.5, dynamic_ncols=True)
