"""What a backup is: a compressed tar file with a list of its files and their hashes at the end."""

from __future__ import annotations

import io
import json
import re
import tarfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final

from harness.errors import InputError, Problem
from harness.storage.shaped import ShapeError
from harness.storage.stored import Source, parse, reading, seal, shaped, unsealed

FOLDERS: Final = ("ledger/events", "ledger/files", "store/events", "store/rows", "store/reports", "store/patients", "store/snapshots")
"""What is copied as a whole. Keys, caches and what workers note in passing stay behind."""
COHORT: Final = ("text.jsonl", "labels.csv", "local.json", "manifest.json")
"""What is copied of a cohort; the manifest last, so that a folder with a manifest is complete."""
CONTENTS: Final = "CONTENTS.json"
CHUNK: Final = 1 << 20
_NAME: Final = re.compile(
    rf"config\.toml|(?:{'|'.join(FOLDERS)})/[^/\\:.][^/\\:]*|cohorts/[^/\\:.][^/\\:]*/(?:{'|'.join(map(re.escape, COHORT))})"
)


@dataclass(frozen=True, slots=True)
class Missing:
    """Something of a board that its backup does not hold."""

    file: str
    """Relative to the board's folder."""
    why: str

    def __str__(self) -> str:
        return f"{self.file}: {self.why}"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds."""

    files: Mapping[str, str]
    """By name the hash of each file."""
    left_out: tuple[Missing, ...] = ()


class Hashed:
    """A stream whose hash is known when it was read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data = self._stream.read(size)
        self._hash.update(data)
        return data

    @property
    def digest(self) -> str:
        """SHA-256 of what was read."""
        return self._hash.hexdigest()


def add(archive: tarfile.TarFile, name: str, path: Path) -> str:
    """Add a file to an archive.

    Returns:
        Its hash.

    Raises:
        OSError: It is no file, or may not be read; nothing was added.
    """
    if not path.is_file():
        raise OSError(0, "it is not a file")
    with path.open("rb") as stream:
        size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        hashed: Any = Hashed(stream)
        archive.addfile(_entry(name, size), hashed)
    return str(hashed.digest)


def add_contents(archive: tarfile.TarFile, contents: Contents) -> None:
    """Add the list of what an archive holds, as its last file."""
    data = json.dumps(seal({"schema": 1, **asdict(contents)}), indent=1).encode()
    archive.addfile(_entry(CONTENTS, len(data)), io.BytesIO(data))


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(time.time())
    return entry


def entries(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """The files of an archive, each with its content as a stream that can be read until the next is asked for.

    Raises:
        InputError: It is no archive, or damaged.
    """
    source = _source(path)
    try:
        with reading(source), tarfile.open(path, "r:gz") as archive:
            for entry in archive:
                stream = archive.extractfile(entry) if entry.isfile() else None
                if stream is not None:
                    yield entry.name, stream
    except tarfile.TarError as error:
        raise source.wrong(type(error).__name__) from None


def check(path: Path) -> tuple[Contents, int]:
    """Read a whole backup once and hold it against its list.

    Returns:
        What it holds, and how many bytes that is.

    Raises:
        InputError: It is no backup, or a file of it is missing, damaged or not one of a board.
    """
    found: dict[str, str] = {}
    size, table = 0, b""
    with reading(_source(path)):
        for name, stream in entries(path):
            hashed = Hashed(stream)
            while data := hashed.read(CHUNK):
                size += len(data)
                table = table + data if name == CONTENTS else table
            if name in found:
                raise ShapeError("it holds a file twice")
            found[name] = hashed.digest
        contents = _contents(table, _source(path))
    del found[CONTENTS]
    wrong = {name for name in contents.files.keys() | found.keys() if found.get(name) != contents.files.get(name)}
    if wrong := wrong | {name for name in found if not _NAME.fullmatch(name)}:
        what = "this file of the backup is missing, damaged or not one of a board"
        raise InputError([Problem(what, "Take another backup", name) for name in sorted(wrong)[:20]])
    return contents, size


def _contents(table: bytes, source: Source) -> Contents:
    if not table:
        raise ShapeError("it has no list of its files")
    found = unsealed(parse(table, source), source)
    found.pop("schema", None)
    # Earlier versions listed the files alone.
    return shaped(Contents, found if isinstance(found.get("files"), dict) else {"files": found}, source)


def _source(path: Path) -> Source:
    return Source(str(path), "the backup", "Take another", InputError)
