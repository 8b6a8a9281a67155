"""Writing files so that a crash leaves the old one or the new one, never half of one.

Private files and folders are for their owner alone; a file that is written again keeps the rights that it had.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path
from typing import IO


@contextmanager
def writing(path: Path, *, private: bool = False) -> Iterator[IO[bytes]]:
    """Open a temporary neighbour of `path` for writing; it takes the name only when the block ends well.

    The data and the folder's entry are on disk when this returns. Ctrl-C or an error leaves nothing behind.

    Args:
        path: The file.
        private: Whether nobody but its owner may read it; its folder is made private if it is not there yet.
    """
    _make_folder(path.parent, private)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, _mode(path, private))
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write(path: Path, data: bytes | str, *, private: bool = False) -> None:
    """Write a whole file atomically; text as UTF-8."""
    with writing(path, private=private) as stream:
        stream.write(data.encode() if isinstance(data, str) else data)


def appending(path: Path, *, private: bool = False) -> IO[str]:
    """Open a file for further lines of UTF-8; one that is made by this is private from its first moment."""
    mode = 0o600 if private else 0o666
    return open(path, "a", encoding="utf-8", newline="\n", opener=lambda name, flags: os.open(name, flags, mode))


def sha256(path: Path) -> str:
    """SHA-256 of a file's content, read in pieces."""
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def create(path: Path, data: bytes | str, *, private: bool = False) -> bool:
    """Write a file that must not exist yet, atomically and durably; `private` as for `writing`.

    Returns:
        False where the file was already there (it is left as it was): of two processes exactly one gets True.
    """
    _make_folder(path.parent, private)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data.encode() if isinstance(data, str) else data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, _mode(path, private))
        os.link(name, path)
    except FileExistsError:
        return False
    finally:
        Path(name).unlink(missing_ok=True)
    sync_folder(path.parent)
    return True


def sync_folder(path: Path) -> None:
    """Put a folder's entries on disk, where the system has a way to."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def close(place: Path) -> bool:
    """Take the rights of all but the owner from a file or folder.

    Returns:
        Whether there were any to take. What does not exist, or belongs to somebody else, stays as it is.
    """
    try:
        mode = stat.S_IMODE(place.lstat().st_mode)
        if os.name == "nt" or place.is_symlink() or not mode & 0o077:
            return False
        place.chmod(mode & 0o700)
    except OSError:
        return False
    return True


def _make_folder(folder: Path, private: bool) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        if private:
            close(folder)


def _mode(path: Path, private: bool) -> int:
    """The rights of a file that is about to be written: those that it has, else the usual ones."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        mode = 0o666 & ~_umask()
    return mode & 0o600 if private else mode


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
