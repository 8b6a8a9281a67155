"""`ranscore fetch NAME` and `ranscore fetch --list`: what comes from outside, by name."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ranscore.commands import options
from ranscore.commands.options import Commands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.types import Json
    from ranscore.fetching.entries import Entry
    from ranscore.fetching.placing import Placed


def register(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "fetch",
        help="download reports, published predictions and weights by name",
        description="Download what a name of the catalogue stands for, check it, and put it where the program looks. "
        "An interrupted download is continued.",
    )
    parser.add_argument("name", nargs="?", default="", help="the entry; `--list` shows all")
    parser.add_argument("--list", action="store_true", help="print the catalogue: what, size, licence, whether it is here")
    parser.add_argument("--accept", default="", metavar="LICENCE", help="the name of the entry's licence: you have read and accept it")
    parser.add_argument("--from", dest="given", type=Path, metavar="FILE", help="take this file, which you have already, instead")
    options.json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """List, or fetch one entry."""
    from harness.errors import UsageError
    from ranscore.fetching import entries

    if arguments.list:
        return _list(arguments.json)
    if not arguments.name:
        raise UsageError("name an entry: `ranscore fetch --list` shows all")
    entry = entries.find(arguments.name)
    accepted = arguments.accept or asked(entry)
    if entry.hub and not arguments.given:
        return _from_hub(entry, accepted, arguments.json)
    return _files(entry, accepted, arguments.given, arguments.json)


def _files(entry: Entry, accepted: str, given: Path | None, as_json: bool) -> int:
    """Fetch or take the files of an entry."""
    import json

    from harness.records.store import now
    from ranscore.fetching import placing

    placed = placing.take(entry, given, accepted=accepted, now=now()) if given else _fetched(entry, accepted)
    if as_json:
        print(json.dumps({"name": entry.name, "paths": [str(path) for path in placed.paths], "fetched": placed.fresh}))
        return 0
    for path in placed.paths:
        print(f"{path}: {'fetched and checked' if placed.fresh else 'here already, unchanged'}, {path.stat().st_size / 1e6:.1f} MB")
    _closing(entry, str(placed.paths[0]))
    return 0


def _fetched(entry: Entry, accepted: str) -> Placed:
    """Fetch the files of an entry, with a bar."""
    from harness import config
    from harness.records.store import now
    from ranscore.fetching import placing
    from ranscore.fetching.transfer import Transfer

    with _ByteBar(entry.name) as tell:
        return placing.fetch(entry, Transfer(mirrors=config.table("fetch")["mirrors"], tell=tell), accepted=accepted, now=now())


def bring(entry: Entry, accepted: str = "") -> tuple[Path, ...]:
    """The files of an entry: those that are here, whether fetched or taken from the user, else fetched now.

    Raises:
        RanscoreError: As `ranscore.fetching.placing.fetch`.
    """
    from ranscore.fetching import placing

    known = placing.recorded(entry)
    if known and not entry.files and _here(entry):
        return tuple(placing.folder(entry) / path for path in known)
    return _fetched(entry, accepted).paths


def bring_or_say(entry: Entry) -> tuple[Path, ...]:
    """As `bring`; where that is not possible the reason is printed, and nothing is returned."""
    from harness.errors import RanscoreError

    try:
        return bring(entry)
    except RanscoreError as error:
        print(f"ranscore: without {entry.name}: {error}", file=sys.stderr)
        return ()


def _from_hub(entry: Entry, accepted: str, as_json: bool) -> int:
    """Fetch the repositories of an entry, and say what is left for a person."""
    import json

    from harness.records.store import now
    from ranscore.fetching import from_hub

    found = from_hub.fetch(entry, accepted=accepted, now=now())
    if as_json:
        print(json.dumps({"name": entry.name, "paths": {name: str(path) for name, path in found.items()}, "left": entry.how}))
        return 0
    for name, path in found.items():
        print(f"{name}: in the Hub's cache at commit {path.name}")
    if entry.how:
        print(f"Not fetched by a program: {entry.how}")
    _closing(entry, "")
    return 0


def _closing(entry: Entry, first: str) -> None:
    """The licence, and the next command."""
    print(f"Licence: {entry.licence}" + (f"; {entry.keep}" if entry.keep else ""))
    if entry.then:
        print(f"Next: {entry.then.replace('FILE', first) if first else entry.then}")


def asked(entry: Entry) -> str:
    """What somebody at a terminal answers when the licence is shown; empty where nobody is there, or it was accepted before."""
    from harness.errors import RefusedError
    from harness.records.store import now
    from ranscore.fetching.placing import agree

    try:
        agree(entry, "", now())
    except RefusedError:
        if entry.credentialed or not (sys.stdin.isatty() and sys.stderr.isatty()):
            return ""
        print(f"{entry.name} is under {entry.licence}" + (f": {entry.keep}" if entry.keep else ""), file=sys.stderr)
        print(f"Read it at {entry.source}" if entry.source else "", file=sys.stderr)
        return input("Type the name of the licence to accept it: ").strip()
    return ""


class _ByteBar:
    """A bar of bytes on standard error, on a terminal alone."""

    def __init__(self, name: str) -> None:
        from tqdm import tqdm

        self._bar = tqdm(desc=name, unit="B", unit_scale=True, disable=None, delay=0.5, dynamic_ncols=True)

    def __enter__(self) -> Callable[[int, int | None], None]:
        return self._show

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def _show(self, done: int, total: int | None) -> None:
        self._bar.total = total
        self._bar.update(done - self._bar.n)


def _list(as_json: bool) -> int:
    """Print the catalogue."""
    import json

    from ranscore.fetching.entries import catalogue

    rows = [described(entry) for entry in catalogue().values()]
    if as_json:
        print(json.dumps(rows, indent=1))
        return 0
    kind = ""
    for row in rows:
        if row["kind"] != kind:
            kind = row["kind"]
            print(("" if row is rows[0] else "\n") + kind.capitalize())
        print("\n".join(_lines(row)))
    print("\nFetch one with `ranscore fetch NAME`. Entries marked `by hand` say how; credentialed text is never fetched here.")
    return 0


def described(entry: Entry) -> Json:
    """One entry as JSON."""
    from ranscore.fetching import placing

    sizes = [item.size for item in entry.files]
    state = "credentialed" if entry.credentialed else "here" if _here(entry) else "" if entry.files or entry.hub else "by hand"
    return {
        "name": entry.name,
        "kind": entry.kind.value,
        "what": entry.what,
        "state": state,
        "bytes": sum(size for size in sizes if size) if sizes and all(sizes) else None,
        "licence": entry.licence,
        "accept": entry.must_accept and not entry.credentialed,
        "keep": entry.keep,
        "source": entry.source,
        "revision": entry.revision,
        "files": [{"address": item.address, "path": item.path, "bytes": item.size, "sha256": item.sha256} for item in entry.files],
        "hub": list(entry.hub),
        "how": entry.how,
        "folder": str(placing.folder(entry)) if not entry.hub else "",
    }


def _here(entry: Entry) -> bool:
    """Whether an entry was fetched, by its record; hashes are compared by `fetch NAME`."""
    from ranscore.fetching import placing

    known = placing.recorded(entry)
    return bool(known) and all((placing.folder(entry) / path).is_file() for path in known)


def _lines(row: Json) -> Iterator[str]:
    from textwrap import wrap

    size = f"{row['bytes'] / 1e6:.1f} MB" if row["bytes"] else ""
    about = ", ".join(filter(None, (size, row["licence"], row["state"])))
    told = [f"{row['what']} ({about})", row["how"] if row["state"] in ("by hand", "credentialed") else ""]
    name = f"  {row['name']:<20}"
    for text in filter(None, told):
        for line in wrap(text, 98 - len(name), break_on_hyphens=False, break_long_words=False):
            yield f"{name}{line}"
            name = " " * 22
