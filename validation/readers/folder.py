"""Where a study is kept: append-only files under `RANSCORE_HOME/readers/NAME/`.

```
study.json              frozen before a sheet is written
sheets/reader-3.2.json  the second submission of reader 3; the last counts, all stay
served/                 answers of `readers serve` as they came, and the secret addresses
looks/                  one file for every look at the agreement while a sheet was open
standard.json           what was settled, with labels.csv (findings) or answers.csv (the other kinds)
signatures/             detached signatures of digests
```
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harness.config.home import home
from harness.errors import InputError, Problem, RefusedError, UsageError
from harness.storage import files
from harness.types import Access, Json
from validation.readers import sheets, study
from validation.readers.sheets import Sheet
from validation.readers.study import ReadingStudy

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


@dataclass(frozen=True, slots=True)
class Folder:
    """One study on disk."""

    path: Path

    @property
    def name(self) -> str:
        """What commands call it."""
        return self.path.name

    def study(self) -> ReadingStudy:
        """The frozen study.

        Raises:
            UsageError: There is none of this name.
            InputError: It was changed or damaged.
        """
        path = self.path / "study.json"
        if not path.is_file():
            raise UsageError(f"there is no study {self.name!r}; `ranscore readers new` makes one{_listed()}")
        data = read_json(path)
        found = study.from_json(data, str(path))
        if data.get("digest") != found.digest:
            what = "its content is not what its digest says: it was changed after it was frozen"
            raise InputError(Problem(what, "Restore the file from a backup", str(path)))
        return found

    def freeze(self, new: ReadingStudy) -> None:
        """Write the study; once.

        Raises:
            RefusedError: There is a study of this name.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        if new.cohort.access is Access.CREDENTIALED:
            self.path.chmod(0o700)
        if not files.create(self.path / "study.json", dumps(study.to_json(new) | {"digest": new.digest})):
            raise RefusedError(
                Problem(f"there is a study {self.name!r} already, and a study is frozen", "Choose another name", str(self.path))
            )

    def hand_ins(self) -> tuple[Sheet, ...]:
        """Every submission, by reader and number.

        Raises:
            InputError: One cannot be read or was changed.
        """
        own = self.study()
        found = []
        for path in sorted((self.path / "sheets").glob("*.json")):
            data = path.read_bytes()
            sheet = sheets.read(data, own, str(path))
            if json.loads(data).get("digest") != sheet.digest:
                raise InputError(Problem("its content is not what its digest says", "Restore the file from a backup", str(path)))
            found.append(sheet)
        return tuple(sorted(found, key=lambda sheet: (sheet.reader, sheet.number)))

    def counting(self) -> dict[str, Sheet]:
        """By reader the last submission."""
        return {sheet.reader: sheet for sheet in self.hand_ins()}

    def take(self, sheet: Sheet) -> tuple[Sheet, bool]:
        """Keep a submission beside those that are there.

        Returns:
            The sheet with its number, and whether it is new: the same content as the last one is not kept twice.
        """
        past = [item for item in self.hand_ins() if item.reader == sheet.reader]
        if past and replace(sheet, number=past[-1].number).digest == past[-1].digest:
            return past[-1], False
        number = past[-1].number + 1 if past else 1
        while True:
            kept = replace(sheet, number=number)
            text = dumps(sheets.to_json(kept) | {"digest": kept.digest})
            if files.create(self.path / "sheets" / f"{kept.reader}.{number:03d}.json", text):
                return kept, True
            number += 1

    def look(self, when: str, readers: tuple[str, ...]) -> None:
        """Note that somebody looked at the agreement while sheets were open; it is kept in the standard for ever."""
        folder = self.path / "looks"
        number = len(list(folder.glob("*.json"))) + 1
        while not files.create(folder / f"{number:04d}.json", dumps({"when": when, "open": list(readers)})):
            number += 1

    def looks(self) -> int:
        """How often somebody looked early."""
        return len(list((self.path / "looks").glob("*.json")))


def dumps(data: Json) -> str:
    """JSON as the files have it."""
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def read_json(path: Path) -> Json:
    """A JSON object from a file of ours.

    Raises:
        InputError: It is none.
    """
    try:
        data = json.loads(path.read_bytes())
        if not isinstance(data, dict):
            raise ValueError("no object")
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            Problem(f"it cannot be read as JSON ({type(error).__name__})", "Restore the file from a backup", str(path))
        ) from None
    return data


def root() -> Path:
    """The folder of all studies."""
    return home() / "readers"


def find(name: str | Path) -> Folder:
    """A study by its name, or by its folder.

    Raises:
        UsageError: There is none.
    """
    for path in (root() / name, Path(name)):
        if (path / "study.json").is_file():
            return Folder(path)
    raise UsageError(f"there is no study {str(name)!r}; `ranscore readers new` makes one{_listed()}")


def place(name: str) -> Folder:
    """Where a new study of this name will be.

    Raises:
        UsageError: It is no name for a folder.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name[:80]!r} is no name for a study; use letters, digits, dots, hyphens and underscores")
    return Folder(root() / name)


def every(*roots: Path) -> Mapping[str, Folder]:
    """All studies below these folders (default: the user's) by name."""
    return {path.parent.name: Folder(path.parent) for top in roots or (root(),) for path in sorted(top.glob("*/study.json"))}


def _listed() -> str:
    names = list(every())
    return f"; there are {', '.join(names)}" if names else ""
