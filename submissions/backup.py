"""A copy of everything that cannot be made again: ledger, store and configuration in one archive, each file with its hash."""

from __future__ import annotations

import io
import json
import tarfile
import time
from hashlib import sha256
from pathlib import Path, PurePosixPath

from harness import files
from harness.errors import InputError, Problem, RefusedError
from submissions import desk as desks

PARTS = ("ledger/events", "ledger/files", "store/events", "store/rows", "store/reports", "store/patients", "store/snapshots", "config.toml")
"""What is copied. Cohorts are built again from their source; keys, caches and what workers note in passing stay behind."""
CONTENTS = "CONTENTS.json"


def backup(root: Path, out: Path) -> int:
    """Copy a board into an archive. The board may be in use: what is added meanwhile is in the next backup.

    Events are listed before the files that they speak of, so that no event of the copy speaks of a file that is not in it.

    Returns:
        How many files.

    Raises:
        RefusedError: The archive exists already.
    """
    if out.exists():
        raise RefusedError(f"{out} is there already; name another file")
    paths = [path for part in PARTS for path in _listed(root / part)]
    hashes: dict[str, str] = {}
    with files.writing(out) as stream, tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for path in paths:
            content = path.read_bytes()
            name = path.relative_to(root).as_posix()
            hashes[name] = sha256(content).hexdigest()
            _add(archive, name, content)
        _add(archive, CONTENTS, json.dumps(hashes, indent=1).encode())
    # Reports lie in it.
    out.chmod(0o600)
    return len(paths)


def _listed(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(path for path in place.glob("*") if path.is_file() and not path.name.startswith("."))


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), 0o600, int(time.time())
    archive.addfile(entry, io.BytesIO(content))


def restore(archive: Path, root: Path) -> int:
    """Put a backup into a folder that has no ledger and no store yet, and read the ledger once.

    Returns:
        How many files.

    Raises:
        RefusedError: The folder holds a board already.
        InputError: The archive is damaged, or is no backup.
    """
    if any(next((root / part).glob("*"), None) for part in ("ledger/events", "store/events")):
        raise RefusedError(f"{root} holds a board already; restore into an empty folder")
    contents = _read(archive)
    for name, content in contents.items():
        files.write(root / name, content, private=True)
    desks.at(root).ledger.books()
    return len(contents)


def _read(path: Path) -> dict[str, bytes]:
    """The files of a backup; all are in memory and whole before the first is written."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for entry in archive:
                stream = archive.extractfile(entry) if entry.isfile() else None
                if stream is not None:
                    found[entry.name] = stream.read()
        hashes = json.loads(found.pop(CONTENTS))
    except (OSError, EOFError, tarfile.TarError, KeyError, ValueError) as error:
        raise InputError(Problem(f"it is not a backup ({type(error).__name__})", "Take another", str(path))) from None
    wrong = [name for name in hashes.keys() | found.keys() if name not in found or sha256(found[name]).hexdigest() != hashes.get(name)]
    foreign = [name for name in found if ".." in PurePosixPath(name).parts or not name.startswith(tuple(PARTS))]
    if wrong or foreign:
        raise InputError(
            [
                Problem("this file of the backup is missing, damaged or not one of a board", "Take another", name)
                for name in sorted({*wrong, *foreign})[:20]
            ]
        )
    return found
