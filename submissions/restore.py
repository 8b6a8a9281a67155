"""Putting a backup back into an empty folder. One that is interrupted leaves a mark, and is done again by the same call."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from harness.errors import Problem, RefusedError, StoreError
from harness.storage import files
from harness.storage.stored import Source, exists, read_object, seal, shaped
from submissions import board_folder as board_folders
from submissions.archive import CHUNK, CONTENTS, Contents, Missing, check, entries
from submissions.board_folder import RESTORING

LEFT_OUT: Final = "left-out.json"
"""In a board's folder: what the backup that was restored does not hold."""


def restore(archive: Path, root: Path) -> Contents:
    """Put a backup into a folder that has no ledger and no store yet.

    A cohort that is complete in the folder stays as it is.

    Raises:
        RefusedError: The folder holds a board or another configuration already, or the disk is too small; nothing was written.
        InputError: The archive is damaged, or is no backup; nothing was written.
        StoreError: The copied board is damaged; everything was written.
    """
    _check_empty(root)
    contents, size = check(archive)
    _check_room(archive, root, contents, size)
    files.write(root / RESTORING, f"{archive.name}\n")
    complete = {path.parent.name for path in (root / "cohorts").glob("*/manifest.json")}
    for name, stream in entries(archive):
        if name != CONTENTS and not (name.startswith("cohorts/") and name.split("/")[1] in complete):
            with files.writing(root / name, private=True) as written:
                shutil.copyfileobj(stream, written, CHUNK)
    note = json.dumps(seal({"left_out": [asdict(item) for item in contents.left_out]}), indent=1)
    files.write(root / LEFT_OUT, note + "\n")
    (root / RESTORING).unlink()
    files.sync_folder(root)
    if damaged := board_folders.at(root).ledger.state().damage:
        raise StoreError(problem for error in damaged for problem in error.problems)
    return contents


def _check_empty(root: Path) -> None:
    held = any(next((root / part).glob("*"), None) for part in ("ledger/events", "store/events"))
    if held and not exists(root / RESTORING):
        raise RefusedError(f"{root} holds a board already; restore into an empty folder")


def _check_room(archive: Path, root: Path, contents: Contents, size: int) -> None:
    config = root / "config.toml"
    if exists(config) and not exists(root / RESTORING) and files.sha256(config) != contents.files.get("config.toml"):
        raise RefusedError(Problem("it is here already, and the backup holds another one or none", "Move it away", str(config)))
    place = next(parent for parent in (root.absolute(), *root.absolute().parents) if parent.is_dir())
    free = shutil.disk_usage(place).free
    if size > free:
        raise RefusedError(Problem(f"its files need {size >> 20:,} MB, and {free >> 20:,} MB are free", "Make room", str(archive)))


@dataclass(frozen=True, slots=True)
class _Note:
    left_out: tuple[Missing, ...] = ()


def still_left_out(root: Path) -> tuple[str, ...]:
    """What the backup that was restored into a folder does not hold and is not there since."""
    path = root / LEFT_OUT
    if not exists(path):
        return ()
    source = Source(str(path), "the list of what a backup left out", "Remove it, once the cohorts are complete")
    try:
        found = shaped(_Note, read_object(path, source), source).left_out
    except StoreError as error:
        return (str(error),)
    return tuple(f"not in the backup that was restored: {item}" for item in found if not exists(root / item.file))
