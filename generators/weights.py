"""Where a system's weights are on this machine: by path, by the user's configuration, or in the Hub's cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from harness import config
from harness.config.home import home
from harness.config.kinds import nearest
from harness.errors import InputError, Problem, UnavailableError


@dataclass(frozen=True, slots=True)
class Weights:
    """One file or folder that a system needs."""

    name: str
    """What the user calls it: `--weights NAME=PATH`."""
    what: str
    """What it is, a few words."""
    size: str
    """On disk, as published."""
    licence: str
    source: str
    """Where a user gets it, in words; the address where it is a Hub repository."""
    repository: str = ""
    """Hub repository, looked up in the Hub's cache; empty for files that come from elsewhere."""
    optional: bool = False


RANDOM = "RANDOM-WEIGHTS.txt"
"""A file of this name means that the folder, and everything in it, holds the random numbers of `generators.tiny`."""

RAD_DINO = Weights(
    "rad-dino",
    "RAD-DINO, the encoder of films (the whole folder)",
    "0.35 GB",
    "Microsoft's research licence, as its Hub page says",
    "https://huggingface.co/microsoft/rad-dino",
    "microsoft/rad-dino",
)
"""Two systems read it."""


def locate(system: str, needed: tuple[Weights, ...], given: Mapping[str, Path] | None = None) -> dict[str, Path]:
    """The path of every file a system needs.

    Looked up in this order: `given`, `[weights."SYSTEM"]` of `config.toml`, `RANSCORE_HOME/weights/SYSTEM/NAME`, the Hub's cache.

    Raises:
        InputError: `[weights."SYSTEM"]` names something that the system does not need.
        UnavailableError: Some are not here; each is named with its size, its licence and where to get it, the optional ones too.
    """
    if problems := _strange(system, needed):
        raise InputError(problems)
    found = {item.name: path for item in needed if (path := find(system, item, given or {})) is not None}
    absent = [item for item in needed if item.name not in found]
    if all(item.optional for item in absent):
        return found
    raise UnavailableError(_lacking(system, item) for item in absent)


def _strange(system: str, needed: tuple[Weights, ...]) -> list[Problem]:
    """The names in the system's table of the configuration that are not its own."""
    known, file = {item.name: item for item in needed}, str(home() / config.NAME)
    strange = [name for name in config.weights(system) if name not in known]
    return [Problem(f"[weights.{system}] has no key {name!r}", nearest(name, known, "The keys are"), file) for name in strange if known]


def _lacking(system: str, item: Weights) -> Problem:
    """What is not here, and how to get it."""
    kept = f"{item.name}: {item.what} ({item.size}, {item.licence})"
    what = f"{system} also takes {kept}" if item.optional else f"{system} needs {kept}, which is not here"
    hub = f" (`ranscore fetch {system}` or `hf download {item.repository}` puts it where it is found)" if item.repository else ""
    near = get_close_matches(system, [name for name in config.read().get("weights", {}) if name != system], 1)
    table = f"under [weights.{system}] in config.toml" + (f" (it has [weights.{near[0]}])" if near else "")
    return Problem(what, f"Get it from {item.source}{hub}, then give --weights {item.name}=PATH or name it {table}")


def find(system: str, weights: Weights, given: Mapping[str, Path]) -> Path | None:
    """The path of one file, or None where it is not here.

    Raises:
        UnavailableError: The user named a path and nothing is there.
    """
    named = given.get(weights.name) or config.weights(system).get(weights.name)
    if named is not None:
        path = Path(named).expanduser()
        if not path.exists():
            raise UnavailableError(Problem(f"{system}: nothing is at the path given for {weights.name}", "Correct the path", str(path)))
        return path
    kept = home() / "weights" / system / weights.name
    if kept.exists():
        return kept
    return _in_hub_cache(weights.repository) if weights.repository else None


def is_random(path: Path) -> bool:
    """Whether a file or folder holds random numbers of `generators.tiny`, not what its authors released."""
    place = path.resolve()
    return (place / RANDOM).exists() or (place.parent / RANDOM).exists()


def random_ones(system: str, needed: tuple[Weights, ...], given: Mapping[str, Path]) -> tuple[Path, ...]:
    """Which of a system's files are random."""
    found = (find(system, weights, given) for weights in needed)
    return tuple(path for path in found if path is not None and is_random(path))


def _in_hub_cache(repository: str) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
