"""Fetching an entry: licence first, files beside their place, checked, and then the whole folder at once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.config.home import home
from harness.errors import InputError, Problem, RefusedError, UnavailableError, UsageError
from harness.storage import files
from harness.storage.stored import Source, exists, read_object
from harness.types import Json
from ranscore.fetching.entries import Entry, RemoteFile
from ranscore.fetching.transfer import Transfer

ROOM = 50_000_000
"""Bytes that stay free on the disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An entry that is here."""

    folder: Path
    paths: tuple[Path, ...]
    fresh: bool
    """Whether it was fetched now."""


def folder(entry: Entry) -> Path:
    """Where the files of an entry are put."""
    return home() / "fetched" / entry.name


def fetch(entry: Entry, transfer: Transfer, *, accepted: str = "", now: str) -> Placed:
    """Bring the files of an entry into their folder; what is here already is only checked.

    Args:
        accepted: The name of the licence that the user accepts; needed once where it asks for something.
        now: This moment, for the record.

    Raises:
        RefusedError: It is credentialed, or its licence is not accepted.
        UnavailableError: It cannot be fetched by a program, or not now.
        InputError: A file is not what was expected, or the disk is full.
    """
    refuse(entry)
    if not entry.files:
        raise UnavailableError(Problem(f"{entry.name} cannot be fetched by a program: {entry.how}"))
    agree(entry, accepted, now)
    target, wanted = folder(entry), [_pinned(entry, item) for item in entry.files]
    with _alone(entry):
        if target.is_dir() and all(_same(target / item.path, item) for item in wanted):
            return Placed(folder=target, paths=tuple(target / item.path for item in wanted), fresh=False)
        parts = target.parent / ".parts" / entry.name
        parts.mkdir(parents=True, exist_ok=True)
        _room(parts, wanted)
        for item in wanted:
            part = parts / item.path
            if not _same(part, item) or not (item.sha256 or part.with_name(part.name + ".whole").exists()):
                transfer.fetch(item, part)
                _check(part, item)
        return _place(entry, wanted, parts, target, now)


def take(entry: Entry, given: Path, *, accepted: str = "", now: str) -> Placed:
    """Put a file that the user has already into the place of an entry of one file.

    Raises:
        UsageError: The entry has several files.
        RefusedError: As `fetch`.
        InputError: It is not the file of the entry.
    """
    refuse(entry)
    if len(entry.files) > 1:
        raise UsageError(f"{entry.name} has {len(entry.files)} files; --from gives one. Put them into {folder(entry)} yourself")
    agree(entry, accepted, now)
    if not given.is_file():
        raise InputError(Problem("there is no such file", "Check the path", str(given)))
    usual = RemoteFile(address="", path=f"{entry.name}{given.suffix}")
    wanted = _pinned(entry, entry.files[0] if entry.files else usual)
    target = folder(entry)
    with _alone(entry):
        parts = target.parent / ".parts" / entry.name
        parts.mkdir(parents=True, exist_ok=True)
        with files.writing(parts / wanted.path) as stream, given.open("rb") as source:
            shutil.copyfileobj(source, stream)
        _check(parts / wanted.path, wanted, str(given))
        return _place(entry, [wanted], parts, target, now)


def refuse(entry: Entry) -> None:
    """Refuse what no program may fetch.

    Raises:
        RefusedError: It holds text under a data-use agreement.
    """
    if entry.credentialed:
        what = f"{entry.name} holds text under a data-use agreement ({entry.licence}) and is not fetched here"
        raise RefusedError(Problem(what, entry.how[:1].upper() + entry.how[1:], entry.source))


def agree(entry: Entry, accepted: str, now: str) -> None:
    """Record that the user accepts a licence, by its name.

    Raises:
        RefusedError: It was not accepted, now or before.
    """
    path = home() / "fetched" / "licences.json"
    source = Source(str(path), "the record of accepted licences", "Move it away and accept again", InputError)
    known: Json = read_object(path, source) if exists(path) else {}
    if not entry.must_accept or known.get(entry.name, {}).get("licence") == entry.licence:
        return
    if accepted != entry.licence:
        terms = f"{entry.licence}" + (f" ({entry.keep})" if entry.keep else "")
        what = f"{entry.name} is under {terms}, which you have not accepted"
        raise RefusedError(Problem(what, f'Read it at its source, then add --accept "{entry.licence}"', entry.source))
    files.write(path, json.dumps(known | {entry.name: {"licence": entry.licence, "accepted": now}}, indent=1) + "\n")


def _record(entry: Entry) -> Path:
    """What was fetched, beside the folder, so that a folder that is removed is fetched again as it was."""
    return home() / "fetched" / f"{entry.name}.json"


def recorded(entry: Entry) -> Mapping[str, Json]:
    """By path what an earlier fetch got; empty before the first.

    Raises:
        InputError: The record is damaged.
    """
    path = _record(entry)
    if not exists(path):
        return {}
    found = read_object(path, Source(str(path), "the record of a fetch", "Remove it and fetch again", InputError))
    listed = found.get("files", [])
    return {str(item["path"]): item for item in listed if isinstance(item, dict) and "path" in item}


def _pinned(entry: Entry, item: RemoteFile) -> RemoteFile:
    """The file with the size and hash that an earlier fetch got, where the catalogue has none."""
    earlier = recorded(entry).get(item.path)
    if item.sha256 or not earlier or earlier.get("address") != item.address:
        return item
    return RemoteFile(address=item.address, path=item.path, size=int(earlier["size"]), sha256=str(earlier["sha256"]))


def _same(path: Path, item: RemoteFile) -> bool:
    """Whether the file is here as it must be."""
    if not path.is_file() or (item.size is not None and path.stat().st_size != item.size):
        return False
    return not item.sha256 or files.sha256(path) == item.sha256


def _check(part: Path, item: RemoteFile, given: str = "") -> None:
    """Hold a whole file against the catalogue, or the first fetch; a wrong one is removed.

    Raises:
        InputError: It is another file.
    """
    size, found = part.stat().st_size, files.sha256(part)
    if _same(part, item):
        files.write(part.with_name(part.name + ".whole"), found)
        return
    _drop(part)
    what = f"it is not the expected file: {size:,} bytes with SHA-256 {found}, not {item.size or 0:,} with {item.sha256}"
    remedy = "Give the right one" if given else "Try again, or another mirror; if it stays so, the source was changed: report it"
    raise InputError(Problem(what, remedy, given or item.address))


def _drop(part: Path) -> None:
    for path in (part, *(part.with_name(part.name + end) for end in (".from", ".whole"))):
        path.unlink(missing_ok=True)


def _place(entry: Entry, wanted: list[RemoteFile], parts: Path, target: Path, now: str) -> Placed:
    """Move all files into their place at once, then write down what they are."""
    told = [asdict(item) | {"size": (parts / item.path).stat().st_size, "sha256": files.sha256(parts / item.path)} for item in wanted]
    for item in wanted:
        for end in (".from", ".whole"):
            (parts / (item.path + end)).unlink(missing_ok=True)
    record = {"entry": entry.name, "revision": entry.revision, "licence": entry.licence, "fetched": now, "files": told}
    files.write(_record(entry), json.dumps(record, indent=1) + "\n")
    if target.exists():
        shutil.rmtree(target)
    parts.rename(target)
    files.sync_folder(target.parent)
    return Placed(folder=target, paths=tuple(target / item.path for item in wanted), fresh=True)


def _room(place: Path, wanted: list[RemoteFile]) -> None:
    """Look whether the disk can take what is known to come.

    Raises:
        InputError: It cannot.
    """
    here = sum(part.stat().st_size for item in wanted if (part := place / item.path).is_file())
    needed, free = sum(item.size or 0 for item in wanted) - here, shutil.disk_usage(place).free
    if needed + ROOM > free:
        what = f"{needed / 1e9:.2f} GB are needed and {free / 1e9:.2f} GB are free"
        raise InputError(Problem(what, "Make room, or set RANSCORE_HOME to a folder on a larger disk", str(place)))


@contextmanager
def _alone(entry: Entry) -> Iterator[None]:
    """Keep a second process away from the same entry.

    Raises:
        UnavailableError: Another process is fetching it.
    """
    place = home() / "fetched"
    place.mkdir(parents=True, exist_ok=True)
    with (place / f".{entry.name}.lock").open("w") as stream:
        try:
            import fcntl
        except ImportError:  # Windows: two at a time are the user's own doing
            yield
            return
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            what = f"another process is fetching {entry.name}"
            raise UnavailableError(Problem(what, "Wait for it, then run the command again", str(place))) from None
        yield
