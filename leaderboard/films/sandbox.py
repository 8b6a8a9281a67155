"""A stranger's film, decoded in a process of its own: whatever the file does to a decoder, the page lives on.

What comes back is a PNG of its grey levels and nothing else: no name, no date, no private tag of a DICOM file reaches a generator.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import InputError, Problem, RanscoreError, UnavailableError
from submissions.sandbox import environment, limit, plain_name

if TYPE_CHECKING:
    from PIL.Image import Image

BYTES = 60_000_000
"""Of a film's file: a detector of 50 cm at 0.1 mm with 16 bits a pixel has 50 million."""
PIXELS = 30_000_000
SMALLEST = 32
"""Pixels of the shorter side below which nothing can be seen."""
SECONDS = 60.0
MEMORY = 4 << 30
"""Bytes of address space: 30 million pixels are unpacked in double precision, several times over."""
WRONG, ABSENT = 3, 4
"""Exit codes of the child: the file is wrong; the reader of its kind is not installed."""
_ROOT = Path(__file__).parents[2]


def cleaned(content: bytes, name: str, folder: Path) -> Path:
    """Decode a film and write it anew, with the levels that every generator would read from the file itself.

    Args:
        content: The file, never trusted.
        name: As the visitor's machine names it; stands in messages and nowhere else.
        folder: An empty one that goes when the film was read.

    Raises:
        InputError: It is no film, damaged, too large or too small.
        UnavailableError: It is DICOM and the reader is not installed.
    """
    name = plain_name(name)
    if problem := _at_a_glance(content):
        raise InputError(replace(problem, file=name))
    original, clean = folder / "original", folder / "film.png"
    original.write_bytes(content)
    try:
        made = _decoded(original, name)
    finally:
        original.unlink()
    clean.write_bytes(made)
    return clean


def _at_a_glance(content: bytes) -> Problem | None:
    """What needs no decoder."""
    if not content:
        return Problem("the file is empty (0 bytes)", "Choose the film again")
    if len(content) > BYTES:
        return Problem(f"it holds {len(content):,} bytes; {BYTES:,} are read", "Save it as PNG or as JPEG 2000 in DICOM")
    if not content.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")) and content[128:132] != b"DICM":
        return Problem("it is not a PNG, JPEG or DICOM file, whatever its name says", "Choose the picture itself")
    return None


def _decoded(path: Path, name: str) -> bytes:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "leaderboard.films.sandbox", str(path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            cwd=_ROOT,
            env=environment(),
        )
    except subprocess.TimeoutExpired:
        raise InputError(Problem(f"unpacking it takes longer than {SECONDS:g} seconds", "Save it as PNG", name)) from None
    if done.returncode in (WRONG, ABSENT):
        problems = [replace(Problem(**item), file=name) for item in json.loads(done.stdout)]
        raise InputError(problems) if done.returncode == WRONG else UnavailableError(problems)
    if done.returncode != 0:
        # A decoder that crashed or went over its limits; what it said may quote the file, so it is dropped.
        raise InputError(Problem("it cannot be unpacked within the limits of time and memory", "Save it as PNG", name))
    return done.stdout


def main() -> None:
    """The child: read the file that is named, write a PNG to standard output."""
    limit(SECONDS, MEMORY)
    from harness import films

    films.LARGEST = PIXELS  # of this process alone, so that films' own messages name the page's limit
    path = Path(sys.argv[1])
    try:
        stream = io.BytesIO()
        _seen(path).save(stream, "PNG", compress_level=1)
    except RanscoreError as error:
        problems = [_kinder(problem, error.__context__, str(path)) for problem in error.problems]
        print(json.dumps([asdict(problem) for problem in problems]), flush=True)
        os._exit(WRONG if isinstance(error, InputError) else ABSENT)
    sys.stdout.buffer.write(stream.getvalue())


def _seen(path: Path) -> Image:
    """The film's levels; one channel where its three are equal."""
    import numpy as np
    from PIL import Image

    from harness import films

    films.check(path)
    levels = np.asarray(films.read_rgb(path))
    if min(levels.shape[:2]) < SMALLEST:
        size = f"{levels.shape[1]} by {levels.shape[0]} pixels"
        raise InputError(Problem(f"it is {size}, in which nothing can be seen", "Give the film in its own size"))
    grey = (levels == levels[..., :1]).all()
    return Image.fromarray(levels[..., 0] if grey else levels)


def _kinder(problem: Problem, cause: BaseException | None, path: str) -> Problem:
    """A decoder's complaint without its class, and without the place where the file lay for a moment."""
    from PIL.Image import DecompressionBombError

    if isinstance(cause, MemoryError):
        return Problem("unpacking it takes more memory than a film may", "Save it as PNG")
    if isinstance(cause, Exception) and not isinstance(cause, DecompressionBombError | ImportError):
        return Problem("it begins as a film and cannot be read to its end: it is cut off or damaged", "Copy or export it again")
    return replace(problem, what=problem.what.replace(path, "it"))


if __name__ == "__main__":
    main()
