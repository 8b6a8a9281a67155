"""A board's folder as the door sees it: cohorts, ledger, store and policy in one place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness import cohorts
from harness.errors import UsageError
from harness.home import home
from harness.records.store import Store
from harness.types import Cohort, Manifest
from submissions import rights
from submissions.ledger import Folder, Ledger
from submissions.policy import Policy, read


@dataclass(frozen=True, slots=True)
class Desk:
    """Where submissions are handed in."""

    root: Path
    """Laid out as `RANSCORE_HOME`: `config.toml`, `cohorts/`, `ledger/`, `store/`."""
    policy: Policy
    ledger: Ledger
    store: Store

    def manifests(self) -> dict[str, Manifest]:
        """By name the cohorts that can be handed in to. A manifest is enough: the public side of a credentialed cohort has no text."""
        found = sorted((self.root / "cohorts").glob("*/manifest.json"))
        return {path.parent.name: cohorts.load_manifest(path) for path in found}

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
        raise UsageError(f"this board has no cohort {name!r}; it has {', '.join(known) or 'none yet'}")

    def cohort(self, digest: str) -> Cohort:
        """A cohort with its text.

        Raises:
            UsageError: It is not here.
        """
        for name, manifest in self.manifests().items():
            if manifest.digest == digest:
                return cohorts.load(self.root.absolute() / "cohorts" / name)
        raise UsageError(f"this board has no cohort with the digest {digest[:12]}")


def at(root: Path | None = None, ledger: Ledger | None = None) -> Desk:
    """The desk of a folder; of `RANSCORE_HOME` by default.

    Args:
        ledger: Where submissions lie if not in the folder.
    """
    place = root or home()
    rights.close_folders(place)
    return Desk(place, read(place), ledger or Ledger(Folder(place / "ledger")), Store(place / "store"))
