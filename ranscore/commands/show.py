"""Tables on the terminal."""

from __future__ import annotations

from collections.abc import Sequence


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], title: str = "", left: int = 1, whole: bool = True) -> None:
    """Print a table; every cell is text, never markup.

    Args:
        left: How many columns, counted from the left, are aligned left; the others hold numbers.
        whole: Fold cells where the terminal is narrow; otherwise leave out columns from the right, and name them.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    kept = len(headers) if whole or not console.is_terminal else _room(headers, rows, console.width, left + 1)
    absent, headers, rows = headers[kept:], headers[:kept], [row[:kept] for row in rows]
    grid = Table(box=SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for index, header in enumerate(headers):
        grid.add_column(
            Text(header), justify="left" if index < left else "right", overflow="fold", min_width=_shortest(rows, index, header)
        )
    for row in rows:
        grid.add_row(*(Text(cell) for cell in row))
    if not console.is_terminal:
        # A pipe or a file has no width: nothing is folded.
        wide = Console(highlight=False, width=10_000)
        console = Console(highlight=False, width=max(wide.measure(grid).maximum, len(title)))
    # Written by us, because rich ends the program with 1 on a closed pipe (SIGPIPE).
    with console.capture() as written:
        console.print(grid)
    print(written.get(), end="")
    if absent:
        print(f"No room here for: {', '.join(absent)}.")


def _room(headers: Sequence[str], rows: Sequence[Sequence[str]], width: int, least: int) -> int:
    """How many columns a terminal holds without folding a cell; `least` of them are in any case."""
    taken = 0
    for index, header in enumerate(headers):
        taken += max(len(header), *(len(row[index]) for row in rows)) + 3 if rows else 0
        if taken > width:
            return max(index, least)
    return len(headers)


def _shortest(rows: Sequence[Sequence[str]], index: int, header: str) -> int:
    """As wide as the longest word, so that a narrow terminal folds between words, but not wider than a name may be."""
    return min(24, max(len(word) for text in (header, *(row[index] for row in rows)) for word in (text.split() or [""])))
