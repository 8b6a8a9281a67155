"""Cues that undo each other: "no change in", "has not resolved", "without clearing", "not excluded"."""

from __future__ import annotations

from collections.abc import Sequence

from harness.extractors.lexical.tokens import Mark

NEAR = 3
"""Words between a negation and the cue that it undoes."""
UNDONE = frozenset({"change", "improved", "gone", "gone before", "negation after", "unlikely", "artefact", "negation"})


def cancelled(marks: Sequence[Mark], kinds: Sequence[str]) -> set[int]:
    """The positions of cues that have no effect."""
    idle: set[int] = set()
    for index, kind in enumerate(kinds[:-1]):
        if kind != "negation":
            continue
        after = index + 1
        while (
            after < len(kinds) and kinds[after] in ("degree", "likely", "side", "verb") and marks[after].first - marks[after - 1].last <= 1
        ):
            after += 1
        if after == len(kinds) or marks[after].first - marks[index].last > NEAR:
            continue
        if kinds[after] == "change" and after + 1 < len(kinds) and kinds[after + 1] in ("or", "and", "comma"):
            continue
        if kinds[after] == "negation" and marks[after].first != marks[index].last:
            continue  # "neither air nor fluid"
        if kinds[after] in UNDONE:
            idle.update((index, after))
        elif kinds[after] == "undecided after":
            idle.add(index)
    return idle
