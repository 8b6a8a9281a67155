"""Reading files that this program wrote earlier. Each may be damaged: an error names the file, and the rest is served.

A JSON file is bounded in size, and ends with the hash of its content where this program wrote it; files of earlier versions have none.
"""

from __future__ import annotations

import json
import logging
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import IO, Any, Final, TypeVar

from harness.errors import Problem, RanscoreError, StoreError
from harness.storage import files
from harness.storage.shaped import ShapeError, build
from harness.types import Json

T = TypeVar("T")
LARGEST: Final = 256 << 20
"""Bytes of the largest file that is read as a whole."""
UPDATE: Final = "Update ranscore"
TOO_NEW: Final = "schema-too-new"
"""What to do about a file by a newer program."""
SEAL: Final = "sha256"
"""The key of a JSON object under which the hash of the others is kept."""
_LOG = logging.getLogger("ranscore.damage")
_DAMAGE: Final = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    RuntimeError,
    MemoryError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What the readers of JSON and of archives raise at a damaged file."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is read, and how its damage is reported."""

    file: str
    what: str
    """What the file holds: `the event`."""
    remedy: str
    error: type[RanscoreError] = StoreError

    def wrong(self, why: str) -> RanscoreError:
        """The error that says why it cannot be read."""
        return self.error(Problem(f"{self.what} cannot be read: {why}", self.remedy, self.file))

    def newer(self, schema: int, known: int) -> StoreError:
        """The error for a file of a newer program."""
        return StoreError(Problem(f"its schema is {schema}, this program reads up to {known}", UPDATE, self.file, code=TOO_NEW))


@contextmanager
def reading(source: Source) -> Iterator[None]:
    """Turn whatever a reader raises at a damaged file into the source's error, without a word of the file."""
    try:
        yield
    except RanscoreError:
        raise
    except _DAMAGE as error:
        why = str(error) if isinstance(error, ShapeError) else type(error).__name__
        raise source.wrong(why) from None


def content(path: Path, source: Source, most: int = LARGEST) -> bytes:
    """All bytes of a file.

    Raises:
        RanscoreError: An error of the source's kind: it is missing, no file, too large, or may not be read.
    """
    with _opened(path, source) as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise source.wrong(f"it holds more than {most:,} bytes")
    return data


def lines(path: Path, source: Source, most: int = LARGEST) -> Iterator[bytes]:
    """The lines of a file, one after the other.

    Raises:
        RanscoreError: An error of the source's kind: as `content`, and where a line is too large.
    """
    with _opened(path, source) as stream:
        while line := stream.readline(most + 1):
            if len(line) > most:
                raise source.wrong(f"a line holds more than {most:,} bytes")
            yield line


@contextmanager
def _opened(path: Path, source: Source) -> Iterator[IO[bytes]]:
    try:
        # A pipe in place of a file would be waited for: only files are opened.
        if not stat.S_ISREG(path.stat().st_mode):
            raise source.wrong("it is not a file")
        with path.open("rb") as stream:
            yield stream
    except OSError as error:
        raise source.wrong(error.strerror or type(error).__name__) from None


def parse(data: bytes, source: Source) -> Any:
    """The JSON value of a file's bytes; no number of it is infinite, and no text holds half a character.

    Raises:
        RanscoreError: An error of the source's kind.
    """
    with reading(source):
        found = json.loads(data.decode("utf-8"), parse_constant=_refuse)
        if b"\\u" in data:
            # Half a surrogate pair is valid in JSON and can be written nowhere.
            json.dumps(found, ensure_ascii=False).encode("utf-8")
        return found


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number")


def unsealed(found: object, source: Source, *, changed: bool = False) -> Json:
    """The JSON object of a file, its seal checked and taken off.

    Args:
        found: As `parse` gives it.
        source: The file.
        changed: Take it even where it was changed since it was written.

    Raises:
        RanscoreError: An error of the source's kind: it is no JSON object, or was changed since it was written.
    """
    if not isinstance(found, dict):
        raise source.wrong("it holds no JSON object")
    with reading(source):
        if SEAL in found and found.pop(SEAL) != _hash(found) and not changed:
            raise ShapeError("it was changed since it was written")
    return found


def read_object(path: Path, source: Source) -> Json:
    """The JSON object of a file, without its seal.

    Raises:
        RanscoreError: An error of the source's kind: as `content`, `parse` and `unsealed`.
    """
    return unsealed(parse(content(path, source), source), source)


def shaped(kind: type[T], data: object, source: Source) -> T:
    """An object of a declared type from a file's JSON.

    Raises:
        RanscoreError: An error of the source's kind: a field is missing, unknown or of another type.
    """
    with reading(source):
        return build(kind, data)


def seal(data: Json) -> Json:
    """A JSON object with the hash of its content at its end, in place of an earlier one."""
    content = {name: value for name, value in data.items() if name != SEAL}
    return {**content, SEAL: _hash(content)}


def _hash(data: Json) -> str:
    # Floats as Python writes them: reading them and writing them again changes nothing.
    return sha256(json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def schema_of(data: Json, source: Source, known: int) -> int:
    """The schema of an object, from 1 to the known one.

    Raises:
        RanscoreError: An error of the source's kind; a StoreError where a newer program wrote it.
    """
    found = data.get("schema")
    if type(found) is not int or found < 1:
        raise source.wrong("it has no schema")
    if found > known:
        raise source.newer(found, known)
    return found


def exists(path: Path) -> bool:
    """Whether there is something of this name, even a link to nothing."""
    return os.path.lexists(path)


def keep(path: Path, data: bytes | str, check: Callable[[], object], *, private: bool = False) -> None:
    """Write a file that is named by its content, unless it is there; one that is damaged is moved aside and written again.

    Args:
        path: The file.
        data: What it holds.
        check: Reads the file that is there; raises a StoreError where it is damaged.
        private: Whether nobody but its owner may read it.
    """
    if files.create(path, data, private=private):
        return
    try:
        check()
    except StoreError:
        path.rename(path.with_name(f".{path.name}.{token_hex(4)}.damaged"))
        files.create(path, data, private=private)


def each(paths: Iterable[Path], load: Callable[[Path], T], aside: Callable[[RanscoreError], object] | None = None) -> Iterator[T]:
    """What can be loaded of some files.

    Args:
        paths: The files.
        load: Reads one.
        aside: Takes the error of each file that cannot be read; by default `tell`.
    """
    for path in paths:
        try:
            yield load(path)
        except RanscoreError as error:
            (aside or tell)(error)


def tell(error: RanscoreError) -> None:
    """Log what is damaged and not used; the rest is served."""
    for problem in error.problems:
        _LOG.warning("%s", problem)
