"""A corrected standard is another study: the same items and sheets under another name."""

from __future__ import annotations

from harness.errors import Problem, RefusedError
from harness.storage import files
from validation.readers.folder import Folder


def of(source: Folder, target: Folder) -> Folder:
    """Copy study, submissions, early looks and signatures.

    Raises:
        RefusedError: There is a study of that name.
    """
    if target.path.exists():
        raise RefusedError(Problem(f"there is a study {target.name!r} already", "Choose another name", str(target.path)))
    target.freeze(source.study())
    for part in ("sheets", "looks", "signatures"):
        for path in sorted((source.path / part).glob("*.json")):
            files.write(target.path / part / path.name, path.read_bytes())
    return target
