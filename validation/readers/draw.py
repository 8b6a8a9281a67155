"""Choosing what is read, and in which order each reader sees it. Pure: the seed decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256

from validation.readers.study import Showing

NONE = "none"
"""The stratum of reports in which the extractor saw nothing."""


def shuffled(names: Sequence[str], *key: str) -> list[str]:
    """Names in an order that depends on the key and on each name alone, for ever and on every machine."""
    prefix = "|".join(key)
    return sorted(names, key=lambda name: sha256(f"{prefix}|{name}".encode()).digest())


def strata(present: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """By study the rarest of its findings; `none` where it has none.

    Args:
        present: By study the findings that an extractor saw.
    """
    common = Counter(name for found in present.values() for name in found)
    return {study: min(found, key=lambda name: (common[name], name)) if found else NONE for study, found in present.items()}


def shares(sizes: Mapping[str, int], count: int) -> dict[str, int]:
    """How many to draw from each stratum: equally many, from `none` twice as many, never more than there are.

    Equal numbers give the rarest findings the most weight in what is read; `none` holds most studies and whatever the extractor misses.
    """
    taken = dict.fromkeys(sizes, 0)
    left = min(count, sum(sizes.values()))
    while left:
        stratum = min(
            (name for name in sizes if taken[name] < sizes[name]),
            key=lambda name: (taken[name] / (2 if name == NONE else 1), sizes[name], name),
        )
        taken[stratum] += 1
        left -= 1
    return taken


def by_rarity(stratum: Mapping[str, str], count: int, seed: str) -> dict[str, float]:
    """Draw from every stratum at random.

    Args:
        stratum: By study its stratum.
        count: How many in all.
        seed: Decides the draw.

    Returns:
        By study that was drawn its weight: how many studies of its stratum it stands for.
    """
    sizes = Counter(stratum.values())
    drawn: dict[str, float] = {}
    for name, number in shares(sizes, count).items():
        members = shuffled([study for study, own in stratum.items() if own == name], seed, "draw", name)
        drawn.update(dict.fromkeys(members[:number], sizes[name] / number if number else 0.0))
    return drawn


def at_random(studies: Sequence[str], count: int, seed: str) -> dict[str, float]:
    """A simple random draw; every study stands for equally many."""
    drawn = shuffled(studies, seed, "draw")[:count]
    return dict.fromkeys(drawn, len(studies) / len(drawn) if drawn else 0.0)


def order(items: Sequence[str], reader: str, repeats: int, seed: str, swaps: bool = False) -> tuple[Showing, ...]:
    """One reader's own order.

    Items that are read twice come from the first third, and their second showing falls into the last third, so that nobody remembers.

    Args:
        items: Ids.
        reader: The alias.
        repeats: How many are read twice.
        seed: Decides the order.
        swaps: Whether the two sides of an item change places by chance.
    """
    first = shuffled(items, seed, "order", reader)
    third = max(1, len(first) // 3)
    again = shuffled(first[:third], seed, "repeats", reader)[:repeats]
    last = shuffled([*(f"1|{name}" for name in first[-third:]), *(f"2|{name}" for name in again)], seed, "last third", reader)
    ordered = [f"1|{name}" for name in first[:-third]] + last
    return tuple(Showing(name.partition("|")[2], swaps and _coin(seed, reader, name)) for name in ordered)


def _coin(*key: str) -> bool:
    return sha256("|".join(key).encode()).digest()[0] % 2 == 1
