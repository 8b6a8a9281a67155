"""A copy of a board in one archive: ledger, store, configuration, and the cohorts whose text is open.

What is left out is listed in the archive, printed, and after a restore named by `health` until it is there again.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness import cohorts
from harness.errors import Problem, RanscoreError, RefusedError
from harness.records.store import Store
from harness.storage import files
from harness.storage.stored import exists
from harness.types import Access
from submissions import inspection
from submissions.archive import COHORT, FOLDERS, Contents, Missing, add, add_contents
from submissions.board_folder import BoardFolder
from submissions.ledger import Ledger, LedgerFolder
from submissions.policy import Policy


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of a backup."""

    contents: Contents
    damaged: tuple[Problem, ...]
    """What is damaged on the board, and so in the copy too."""


def backup(root: Path, out: Path) -> Copied:
    """Copy a board into an archive. The board may be in use: what is added meanwhile is in the next backup.

    Events are listed before the files that they speak of, so that no event of the copy speaks of a file that is not in it.

    Raises:
        RefusedError: The archive exists already.
    """
    if exists(out):
        raise RefusedError(f"{out} is there already; name another file")
    hashes: dict[str, str] = {}
    wanted, left_out = _listed(root)
    with files.writing(out, private=True) as stream, tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for path in wanted:
            name = path.relative_to(root).as_posix()
            try:
                hashes[name] = add(archive, name, path)
            except OSError as error:
                left_out.append(Missing(name, error.strerror or type(error).__name__))
        contents = Contents(hashes, tuple(left_out))
        add_contents(archive, contents)
    # The configuration has no part in what can be damaged of the rest.
    board_folder = BoardFolder(root, Policy(), Ledger(LedgerFolder(root / "ledger")), Store(root / "store"))
    return Copied(contents, tuple(dict.fromkeys(inspection.problems(board_folder))))


def _listed(root: Path) -> tuple[list[Path], list[Missing]]:
    found = [path for folder in FOLDERS for path in sorted((root / folder).glob("*")) if not path.name.startswith(".")]
    left_out: list[Missing] = []
    for manifest in cohorts.manifests(root / "cohorts"):
        found += _of_cohort(root, manifest, left_out)
    config = root / "config.toml"
    return [*found, *([config] if exists(config) else [])], left_out


def _of_cohort(root: Path, manifest: Path, left_out: list[Missing]) -> Iterator[Path]:
    """The files of a cohort; of one that is not known to be open the manifest alone, which holds no text."""
    try:
        is_open = cohorts.load_manifest(manifest).access is Access.OPEN
    except RanscoreError:
        is_open = False
    for path in map(manifest.with_name, COHORT):
        if exists(path) and (is_open or path == manifest):
            yield path
        elif exists(path) and path.name != "local.json":
            left_out.append(Missing(path.relative_to(root).as_posix(), "the cohort is not open; build it again from its source"))
    films = manifest.with_name("images")
    if films.is_dir():
        left_out.append(Missing(films.relative_to(root).as_posix(), "films are not copied; build the cohort again with them"))
