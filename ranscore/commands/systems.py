"""`ranscore systems list|check`: which generators there are, what each needs, and whether that is here."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ranscore.commands import options
from ranscore.commands.options import Commands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generators.catalogue import System
    from generators.running.fits import Fit
    from generators.weights import Weights
    from harness.types import Json

WIDEST = 100
"""Columns of the list, where the terminal is wider or there is none."""


def register(commands: Commands) -> None:
    """Declare the commands."""
    group = commands.add_parser("systems", help="list the generators, what each needs, and what this machine lacks")
    kinds = group.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=type(group))
    listing = kinds.add_parser("list", help="all systems with what they need and whether it is here")
    listing.add_argument(
        "--fits", action="store_true", help="only what this machine can hold, GPUs included, and how long 3,000 films would take at least"
    )
    options.json(listing)
    listing.set_defaults(run=show)
    check = kinds.add_parser("check", help="load a system's weights strictly, write one report, print memory and seconds")
    check.add_argument("system", help="which generator")
    check.add_argument("--film", type=Path, metavar="FILE", help="the film to read (default: a grey test film)")
    options.machine(check)
    check.set_defaults(run=check_system)


def show(arguments: argparse.Namespace) -> int:
    """List the catalogue: what runs here, what lacks weights, and what cannot be run."""
    import json
    import shutil

    from generators.catalogue import catalogue

    if arguments.fits:
        return show_fits(arguments.json)
    systems = [described(system) for system in catalogue().values()]
    if arguments.json:
        print(json.dumps({"machine": this_machine(), "systems": systems}, indent=1))
        return 0
    width = max(60, min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns))
    groups = {
        "Ready to run here": [item for item in systems if not item["unavailable"] and not item["missing"]],
        "Lacking weights (where to get each: `ranscore systems check NAME`)": [item for item in systems if item["missing"]],
        "Cannot be run": [item for item in systems if item["unavailable"]],
    }
    for title, members in groups.items():
        if members:
            print(title)
            print("\n".join(line for item in members for line in lines(item, width)) + "\n")
    here = this_machine()
    print(f"This machine: {here['memory_gb']:.0f} GB memory, {here['disk_free_gb']:.0f} GB free for weights in RANSCORE_HOME")
    return 0


def show_fits(as_json: bool) -> int:
    """Print for each system and each place of this machine whether it fits, and the hours for 3,000 films."""
    import json
    from dataclasses import asdict

    from generators.catalogue import catalogue
    from generators.running import fits
    from ranscore.commands.show import table

    places = fits.places()
    known = [system for system in catalogue().values() if system.memory and not system.unavailable]
    found = {system.name: [fits.fit(system, place) for place in places] for system in known}
    if as_json:
        rows = {
            name: {place.name: asdict(fit) if fit else None for place, fit in zip(places, row, strict=True)} for name, row in found.items()
        }
        print(json.dumps({"places": [asdict(place) for place in places], "systems": rows}, indent=1))
        return 0
    fitting = [[name, *map(_fit_words, row)] for name, row in found.items() if any(fit and fit.precision for fit in row)]
    table(
        ["system", *(f"{place.name}, {place.memory:.0f} GB" for place in places)],
        fitting,
        "What fits on this machine, and hours for 3,000 films",
    )
    rest = [
        f"{name} ({least:g} GB)"
        for name, row in found.items()
        if not any(fit and fit.precision for fit in row) and (least := min((fit.needed for fit in row if fit), default=0.0))
    ]
    if rest:
        print(f"Does not fit: {', '.join(rest)}.")
    print("Hours marked * are from a measured run on one core; the others are the least that the speed of memory allows, without beams.")
    return 0


def _fit_words(fit: Fit | None) -> str:
    if fit is None or not fit.precision:
        return "-"
    return f"{fit.precision}, {fit.needed:g} GB, {fit.hours:.1f} h{'*' * fit.measured}"


def described(system: System) -> Json:
    """One system as JSON, with the files it needs and where they are."""
    from generators.weights import is_random

    weights: list[Json] = []
    for item in system.weights:
        path = _path(system, item)
        weights.append(
            {
                "name": item.name,
                "what": item.what,
                "size": item.size,
                "licence": item.licence,
                "source": item.source,
                "optional": item.optional,
                "path": str(path) if path else None,
                "random": bool(path and is_random(path)),
            }
        )
    return {
        "name": system.name,
        "summary": system.summary,
        "role": system.role.value,
        "writes": system.writes.value,
        "needs": sorted(system.needs),
        "memory": system.memory,
        "licence": system.licence,
        "paper": system.paper,
        "weights": weights,
        "missing": [] if system.unavailable else [item["name"] for item in weights if not item["path"] and not item["optional"]],
        "unavailable": system.unavailable,
    }


def _path(system: System, item: Weights) -> Path | None:
    from generators.weights import find
    from harness.errors import UnavailableError

    try:
        return find(system.name, item, {})
    except UnavailableError:  # config.toml names a path where nothing is: missing, and `check` says so
        return None


def this_machine() -> Json:
    """Memory and free disk of this machine, in GB of 10^9 bytes."""
    import os
    import shutil

    from harness.config.home import home

    place = next(folder for folder in (home(), *home().absolute().parents) if folder.exists())
    names = getattr(os, "sysconf_names", {})
    known = "SC_PHYS_PAGES" in names and "SC_PAGE_SIZE" in names
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9 if known else 0.0
    return {"memory_gb": round(memory, 1), "disk_free_gb": round(shutil.disk_usage(place).free / 1e9, 1)}


def lines(item: Json, width: int) -> Iterator[str]:
    """One system for people: what it is, what it reads and takes, and which of its files are here."""
    from textwrap import wrap

    told = [item["summary"]]
    if item["unavailable"]:
        told.append(item["unavailable"])
    else:
        reads = ", ".join(item["needs"]).replace("_", " ") or "what it is given"
        told.append(f"reads {reads}; writes {item['writes']}; memory {item['memory'] or 'little'}")
    for optional in (False, True):
        files = [
            f"{file['name']} {file['size']} ({'random weights' if file['random'] else 'here' if file['path'] else 'missing'})"
            for file in item["weights"]
            if file["optional"] is optional
        ]
        if files:
            told.append(f"{'optional' if optional else 'needs'}: {', '.join(files)}")
    name, indent = f"  {item['name']:<20}", " " * 22
    for text in told:
        for line in wrap(text, width - len(indent), break_on_hyphens=False, break_long_words=False):
            yield f"{name}{line}"
            name = indent


def check_system(arguments: argparse.Namespace) -> int:
    """Load a system strictly and write one report."""
    from generators import catalogue
    from generators.running.check import check
    from harness.storage.progress import announce
    from ranscore.commands.generate import chosen_options

    system = catalogue.find(arguments.system)
    announce(f"Loading {system.name} ...")
    chosen = chosen_options(arguments)
    found = check(system, chosen, arguments.film)
    print(f"{catalogue.title(system, chosen)}: its weights load, every tensor is where it belongs")
    print(
        f"  loading {found.load_seconds:.1f} s, one report {found.report_seconds:.1f} s, peak memory {found.memory_mb:.0f} MB on {found.device}"
    )
    print(f"  it wrote {found.words} words" if found.words else f"  it wrote nothing: {found.failure or 'an empty report'}")
    return 0
