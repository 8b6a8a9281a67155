"""A stranger's film, decoded in a process of its own: whatever the file does to a decoder, the page lives on.

What comes back is a PNG of its grey levels and nothing else: no name, no date, no private tag of a DICOM file reaches a generator.
"""

from __future__ import annotations

import io
import json
import os
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from harness.errors import InputError, Problem, RanscoreError, UnavailableError
from submissions import bounded
from submissions.sandbox import plain_name

if TYPE_CHECKING:
    from PIL.Image import Image

BYTES = 60_000_000
"""The largest file of a film: a detector of 50 cm at 0.1 mm with 16 bits a pixel has 50 million."""
PIXELS = 30_000_000
SMALLEST = 32
"""Pixels of the shorter side below which nothing can be seen."""
SECONDS = 60.0
"""The limit of processor time."""
MEMORY = 4 << 30
"""Bytes of address space: 30 million pixels are unpacked in double precision, several times over."""
WRONG, ABSENT = 3, 4
"""Exit codes of the child: the file is wrong; the reader of its kind is not installed."""


def cleaned(content: bytes, name: str) -> bytes:
    """Decode a film and write it again, with the levels that every generator would read from the file itself.

    Args:
        content: The file, never trusted; it goes to the other process by a pipe and into no file.
        name: As the visitor's machine names it; for messages alone.

    Returns:
        A PNG.

    Raises:
        InputError: It is no film, damaged, too large, too small or too expensive to unpack.
        UnavailableError: It is DICOM and the reader is not installed, or the machine is too busy.
    """
    name = plain_name(name)
    if problem := _at_a_glance(content):
        raise InputError(replace(problem, file=name))
    head = json.dumps({"seconds": SECONDS, "memory": MEMORY}).encode()
    done = bounded.run("leaderboard.films.sandbox", head + b"\n" + content, SECONDS)
    if done.code in (WRONG, ABSENT):
        problems = [replace(Problem(**item), file=name) for item in json.loads(done.output)]
        raise InputError(problems) if done.code == WRONG else UnavailableError(problems)
    if done.expensive:
        raise InputError(Problem(f"unpacking it takes more than {SECONDS:g} seconds of processor time", "Save it as PNG", name))
    if done.code != 0:
        # A decoder that crashed or went over its memory; what it said may quote the file, so it is dropped.
        raise InputError(Problem("it cannot be unpacked within the limit of memory", "Save it as PNG", name))
    return done.output


def _at_a_glance(content: bytes) -> Problem | None:
    """What needs no decoder."""
    if not content:
        return Problem("the file is empty (0 bytes)", "Choose the film again")
    if len(content) > BYTES:
        return Problem(f"it holds {len(content):,} bytes; {BYTES:,} are read", "Save it as PNG or as JPEG 2000 in DICOM")
    if not content.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")) and content[128:132] != b"DICM":
        return Problem("it is not a PNG, JPEG or DICOM file, whatever its name says", "Choose the picture itself")
    return None


def main() -> None:
    """The child: read a film from standard input, write a PNG to standard output."""
    limits = json.loads(sys.stdin.buffer.readline())
    content = sys.stdin.buffer.read()
    bounded.limit(limits["seconds"], limits["memory"])
    from harness import films

    films.LARGEST = PIXELS  # of this process alone, so that films' own messages name the page's limit
    try:
        stream = io.BytesIO()
        _seen(films.rgb_of(content, "it")).save(stream, "PNG", compress_level=1)
    except RanscoreError as error:
        problems = [_kinder(problem, error.__context__) for problem in error.problems]
        print(json.dumps([asdict(problem) for problem in problems]), flush=True)
        os._exit(WRONG if isinstance(error, InputError) else ABSENT)
    sys.stdout.buffer.write(stream.getvalue())


def _seen(picture: Image) -> Image:
    """The film's levels; one channel where its three are equal."""
    import numpy as np
    from PIL import Image

    levels = np.asarray(picture)
    if min(levels.shape[:2]) < SMALLEST:
        size = f"{levels.shape[1]} by {levels.shape[0]} pixels"
        raise InputError(Problem(f"it is {size}, in which nothing can be seen", "Give the film in its own size"))
    grey = (levels == levels[..., :1]).all()
    return Image.fromarray(levels[..., 0] if grey else levels)


def _kinder(problem: Problem, cause: BaseException | None) -> Problem:
    """A decoder's complaint without its class."""
    from PIL.Image import DecompressionBombError

    if isinstance(cause, MemoryError):
        return Problem("unpacking it takes more memory than a film may", "Save it as PNG")
    if isinstance(cause, Exception) and not isinstance(cause, DecompressionBombError | ImportError | RecursionError):
        return Problem("it begins as a film and cannot be read to its end: it is cut off or damaged", "Copy or export it again")
    return problem


if __name__ == "__main__":
    main()
