"""The validations that a board can show: what `extractor validate` kept, without text and without the name of a study."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.errors import RanscoreError
from leaderboard.board import Board
from validation.extractors import results
from validation.extractors.results import ExtractorResult, Validation


def found(roots: Sequence[Path]) -> tuple[Validation, ...]:
    """Every validation below these folders, the newest first; one that was changed or damaged is left out."""
    listed: dict[str, Validation] = {}
    for path in files(roots):
        try:
            validation = results.load(path)
        except RanscoreError:
            continue
        listed.setdefault(validation.digest, validation)
    return tuple(sorted(listed.values(), key=lambda item: item.created, reverse=True))


def files(roots: Sequence[Path]) -> Iterator[Path]:
    """The files of all validations."""
    for root in roots:
        yield from sorted(root.glob("*/validation.json"))


def stamp(roots: Sequence[Path]) -> str:
    """Changes when a validation appears or changes."""
    return str([(path.parent.name, path.stat().st_mtime_ns) for path in files(roots)])


def extractor_digest(board: Board) -> str:
    """The beginning of the digest of the extractor that labelled a board; empty where no extractor did."""
    return next((part.removeprefix("x:") for part in board.signature.split("|") if part.startswith("x:")), "")


def of_board(board: Board, validations: Sequence[Validation]) -> tuple[tuple[Validation, ExtractorResult], ...]:
    """The validations of the extractor that labelled a board, those on the board's own cohort first."""
    digest = extractor_digest(board)
    known = [
        (validation, result)
        for validation in validations
        for result in validation.extractors
        if digest and len(result.digest) == 64 and result.digest.startswith(digest)
    ]
    return tuple(sorted(known, key=lambda pair: pair[0].standard.cohort != board.cohort.digest))
