"""A board's folder as the door sees it: cohorts, ledger, store and policy in one place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness import cohorts
from harness.config.home import home
from harness.errors import Problem, RefusedError, StoreError, UsageError
from harness.records.store import Store
from harness.storage.stored import each, exists
from harness.types import Cohort, Manifest
from submissions import rights
from submissions.ledger import Ledger, LedgerFolder
from submissions.policy import Policy, read

RESTORING = ".restoring"
"""In a board's folder while a backup is put back into it."""
WRITTEN = (
    *("config.toml", "cohorts", "hub", "ledger", "ledger/.turn", "ledger/events", "ledger/files", "progress", "workers"),
    *("store", "store/events", "store/patients", "store/reports", "store/rows", "store/snapshots"),
)
"""What of a board's folder is read or written by name."""


@dataclass(frozen=True, slots=True)
class BoardFolder:
    """A board's folder: its policy, its ledger and its store."""

    root: Path
    """Laid out as `RANSCORE_HOME`: `config.toml`, `cohorts/`, `ledger/`, `store/`."""
    policy: Policy
    ledger: Ledger
    store: Store

    def manifests(self) -> dict[str, Manifest]:
        """By name the cohorts that can be submitted to. A manifest is enough: the public side of a credentialed cohort has no text."""
        return dict(each(cohorts.manifests(self.root / "cohorts"), lambda path: (path.parent.name, cohorts.load_manifest(path))))

    def manifest(self, name: str) -> Manifest:
        """One cohort by the name of its folder, or the start of its digest.

        Raises:
            UsageError: There is no such cohort.
        """
        known = self.manifests()
        if name in known:
            return known[name]
        found = [manifest for manifest in known.values() if len(name) >= 8 and manifest.digest.startswith(name)]
        if found:
            return found[0]
        raise UsageError(f"this board has no cohort {name!r}; it has {', '.join(known) or 'none yet: `ranscore cohort build` makes one'}")

    def cohort(self, digest: str) -> Cohort:
        """A cohort with its text.

        Raises:
            UsageError: It is not here.
        """
        for name, manifest in self.manifests().items():
            if manifest.digest == digest:
                return cohorts.load(self.root.absolute() / "cohorts" / name)
        raise UsageError(f"this board has no cohort with the digest {digest[:12]}")


def at(root: Path | None = None, ledger: Ledger | None = None) -> BoardFolder:
    """The board of a folder; of `RANSCORE_HOME` by default.

    Args:
        root: The folder.
        ledger: Where submissions are kept if not in the folder.

    Raises:
        RefusedError: It is not the user's own, and links in it lead elsewhere.
        StoreError: A restore into it was interrupted.
        InputError: Its configuration is wrong.
    """
    place = root or home()
    if place.absolute() != home().absolute():
        _refuse_links(place)
    if exists(place / RESTORING):
        raise StoreError(Problem("a restore into this folder was interrupted", "Run `ranscore restore` again", str(place)))
    rights.close_folders(place)
    return BoardFolder(place, read(place), ledger or Ledger(LedgerFolder(place / "ledger")), Store(place / "store"))


def _refuse_links(root: Path) -> None:
    """Refuse a folder whose parts lead to other places, which would be written to, and closed for others.

    Raises:
        RefusedError: One of them is a link.
    """
    parts = [*(root / name for name in WRITTEN), *(root / "cohorts").glob("*")]
    links = [path for path in parts if path.is_symlink()]
    if links:
        remedy = f"If the folder is your own, set RANSCORE_HOME={root}"
        raise RefusedError([Problem("it is a link, and the folder is not your RANSCORE_HOME", remedy, str(path)) for path in links])
