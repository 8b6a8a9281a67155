"""Small random weights in the released layouts: `python -m generators.tiny SYSTEM FOLDER`.

A report that they write means nothing, and its system's name says so. They let the whole pipeline (weights, films, decoding, scoring, board) run in a minute
on any machine, and tests compare the same numbers with those of the published code.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from generators.catalogue import System, catalogue, find, packages
from generators.weights import RANDOM
from harness.errors import UnavailableError

LONGEST = "40"
"""New tokens at most: random weights hardly ever end a text by themselves, and would write on to the published longest."""


def systems() -> dict[str, System]:
    """Every system that has random weights, by name."""
    return {name: system for name, system in catalogue().items() if system.random_weights}


def write(system: str, folder: Path) -> None:
    """Write one system's random weights, and mark them as random; the mark comes last, so that a marked folder is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    module, _, function = find(system).random_weights.partition(":")
    getattr(import_module(module), function)(folder)
    for place in (*(path for path in folder.iterdir() if path.is_dir()), folder):
        (place / RANDOM).write_text(f"Random numbers in the layout of {system}, by `generators.tiny`. Not what its authors released.\n")


def given(system: str, folder: Path) -> dict[str, Path]:
    """The files that `write` wrote into a folder, by the name of the system's `Weights`."""
    return {path.name: path for path in sorted(folder.iterdir()) if path.name != RANDOM}


def settings(system: str) -> dict[str, str]:
    """The settings with which random weights of a system are run."""
    tiny = {name: value for name, value in {"size": "tiny", "longest": LONGEST}.items() if name in find(system).settings}
    return tiny | dict(find(system).random_settings)


def main(arguments: list[str]) -> int:
    """Write one system's files and print the command that uses them."""
    parser = argparse.ArgumentParser(prog="python -m generators.tiny", description="Write random weights in a system's released layout.")
    parser.add_argument("system", choices=systems())
    parser.add_argument("folder", type=Path, help="where to write them; created if it does not exist")
    chosen = parser.parse_args(arguments)
    try:
        with packages(chosen.system):
            write(chosen.system, chosen.folder)
    except UnavailableError as error:
        print(f"generators.tiny: {error}", file=sys.stderr)
        return error.exit_code
    options = [f"--set {name}={value}" for name, value in settings(chosen.system).items()]
    options += [f"--weights {name}={path}" for name, path in given(chosen.system, chosen.folder).items()]
    print(f"ranscore generate {chosen.system} --cohort COHORT -o reports.jsonl {' '.join(options)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
